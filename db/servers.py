"""The table ``servers``: what the admins of each server have set."""

from datetime import datetime

import aiosqlite

from db.times import to_text


async def every(connection: aiosqlite.Connection) -> dict[int, str]:
    """The settings of all servers that have any, as JSON."""
    rows = await connection.execute_fetchall("SELECT guild_id, settings FROM servers")
    return {row["guild_id"]: row["settings"] for row in rows}


async def save(connection: aiosqlite.Connection, guild_id: int, settings: str, at: datetime) -> None:
    """Keep a server's settings, in the place of earlier ones."""
    sql = """
        INSERT INTO servers (guild_id, settings, changed_at) VALUES (:guild_id, :settings, :at)
        ON CONFLICT (guild_id) DO UPDATE SET settings = excluded.settings, changed_at = excluded.changed_at
    """
    await connection.execute_fetchall(sql, {"guild_id": guild_id, "settings": settings, "at": to_text(at)})
