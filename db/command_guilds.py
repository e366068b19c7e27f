"""The table ``command_guilds``: the servers that have commands of their own beside the global ones."""

import aiosqlite


async def remember(connection: aiosqlite.Connection, guild_id: int) -> None:
    """This server is about to get commands of its own."""
    sql = "INSERT INTO command_guilds (guild_id) VALUES (:guild_id) ON CONFLICT DO NOTHING"
    await connection.execute_fetchall(sql, {"guild_id": guild_id})


async def forget(connection: aiosqlite.Connection, guild_id: int) -> None:
    """This server has no commands of its own any more."""
    await connection.execute_fetchall("DELETE FROM command_guilds WHERE guild_id = :guild_id", {"guild_id": guild_id})


async def remembered(connection: aiosqlite.Connection) -> list[int]:
    """All of them."""
    return [row["guild_id"] for row in await connection.execute_fetchall("SELECT guild_id FROM command_guilds")]
