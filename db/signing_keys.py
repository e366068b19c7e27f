"""The table ``signing_keys``: one secret key a purpose."""

import aiosqlite


async def kept(connection: aiosqlite.Connection, purpose: str, *, fresh: bytes) -> bytes:
    """The key of a purpose; where it has none yet, ``fresh`` (32 bytes) becomes it. Needs a transaction."""
    sql = "INSERT INTO signing_keys (purpose, key) VALUES (:purpose, :fresh) ON CONFLICT (purpose) DO NOTHING"
    await connection.execute_fetchall(sql, {"purpose": purpose, "fresh": fresh})
    key = await existing(connection, purpose)
    assert key is not None, "it was just put there"  # noqa: S101 - narrows the type
    return key


async def existing(connection: aiosqlite.Connection, purpose: str) -> bytes | None:
    """The key of a purpose, where it has one."""
    sql = "SELECT key FROM signing_keys WHERE purpose = :purpose"
    rows = await connection.execute_fetchall(sql, {"purpose": purpose})
    return next((row["key"] for row in rows), None)
