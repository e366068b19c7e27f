"""The table ``deletions``: messages of the bot's that are still to be deleted on Discord."""

from dataclasses import dataclass
from datetime import datetime

import aiosqlite

from db.times import to_text


@dataclass(frozen=True, slots=True)
class Deletion:
    """One message."""

    channel_id: int
    message_id: int


async def insert_of_member(connection: aiosqlite.Connection, member_id: int, at: datetime) -> int:
    """All messages that show a request of this member's, also to moderators and to who is shown in the photo, where the
    bot can reach them again, and all questions to this member; returns how many.
    """
    sql = """
        INSERT INTO deletions (message_id, channel_id, at)
        SELECT message_id, channel_id, :at FROM generations
        WHERE member_id = :member_id AND message_id IS NOT NULL AND NOT is_ephemeral
        UNION ALL
        SELECT reports.message_id, reports.channel_id, :at
        FROM reports JOIN generations ON generations.id = generation_id
        WHERE member_id = :member_id AND reports.message_id IS NOT NULL
        UNION ALL
        SELECT message_id, channel_id, :at FROM consents
        WHERE :member_id IN (asker_id, subject_id) AND message_id IS NOT NULL
        ON CONFLICT DO NOTHING RETURNING message_id
    """
    return len(list(await connection.execute_fetchall(sql, {"member_id": member_id, "at": to_text(at)})))


async def oldest(connection: aiosqlite.Connection, most: int) -> list[Deletion]:
    """Those that have waited longest."""
    sql = "SELECT channel_id, message_id FROM deletions ORDER BY at, message_id LIMIT :most"
    rows = await connection.execute_fetchall(sql, {"most": most})
    return [Deletion(row["channel_id"], row["message_id"]) for row in rows]


async def remove(connection: aiosqlite.Connection, message_id: int) -> None:
    """It is deleted, or can never be."""
    await connection.execute_fetchall("DELETE FROM deletions WHERE message_id = :id", {"id": message_id})
