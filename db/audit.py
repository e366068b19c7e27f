"""The table ``audit``: what was done in a server, by whom, to whom."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import aiosqlite

from db.times import from_text, to_text


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One thing that was done. ``subject_id`` is the member or the generation that it was done to."""

    id: int
    member_id: int
    action: str
    subject_id: int | None
    detail: Mapping[str, Any]
    at: datetime


async def note(
    connection: aiosqlite.Connection,
    *,
    guild_id: int,
    member_id: int,
    action: str,
    at: datetime,
    subject_id: int | None = None,
    detail: Mapping[str, Any] | None = None,
) -> None:
    """Write down that ``member_id`` did something; in the transaction in which it is done."""
    sql = """
        INSERT INTO audit (guild_id, member_id, action, subject_id, detail, at)
        VALUES (:guild_id, :member_id, :action, :subject_id, :detail, :at)
    """
    values = {
        "guild_id": guild_id,
        "member_id": member_id,
        "action": action,
        "subject_id": subject_id,
        "detail": json.dumps(dict(detail or {}), ensure_ascii=False),
        "at": to_text(at),
    }
    await connection.execute_fetchall(sql, values)


async def latest(
    connection: aiosqlite.Connection, guild_id: int, *, before: int | None = None, most: int
) -> list[Entry]:
    """The last entries of a server, newest first, those before the entry of that id where one is named."""
    sql = """
        SELECT * FROM audit WHERE guild_id = :guild_id AND (:before IS NULL OR id < :before)
        ORDER BY id DESC LIMIT :most
    """
    rows = await connection.execute_fetchall(sql, {"guild_id": guild_id, "before": before, "most": most})
    return [
        Entry(
            id=row["id"],
            member_id=row["member_id"],
            action=row["action"],
            subject_id=row["subject_id"],
            detail=json.loads(row["detail"]),
            at=from_text(row["at"]),
        )
        for row in rows
    ]
