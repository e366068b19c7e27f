"""The table ``private_first``: the members whose results with a face are for their own eyes first."""

import aiosqlite


async def every(connection: aiosqlite.Connection) -> set[int]:
    """All of them."""
    return {row["member_id"] for row in await connection.execute_fetchall("SELECT member_id FROM private_first")}


async def add(connection: aiosqlite.Connection, member_id: int) -> None:
    """One more, unless they are there already."""
    sql = "INSERT INTO private_first (member_id) VALUES (:member_id) ON CONFLICT DO NOTHING"
    await connection.execute_fetchall(sql, {"member_id": member_id})


async def remove(connection: aiosqlite.Connection, member_id: int) -> None:
    """One less, if they are there."""
    await connection.execute_fetchall(
        "DELETE FROM private_first WHERE member_id = :member_id", {"member_id": member_id}
    )
