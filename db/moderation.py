"""The tables ``blocks``, ``reports`` and ``report_voices``: who may not ask, and what members have reported."""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Self

import aiosqlite

from db.times import from_text, to_text


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A member who may not ask in a server; without ``until``, until somebody ends it."""

    guild_id: int
    member_id: int
    by_id: int
    reason: str | None = field(repr=False)
    at: datetime
    until: datetime | None

    @classmethod
    def from_row(cls, row: sqlite3.Row) -> Self:
        """Read a row of ``SELECT *``."""
        until: str | None = row["until"]
        return cls(
            guild_id=row["guild_id"],
            member_id=row["member_id"],
            by_id=row["by_id"],
            reason=row["reason"],
            at=from_text(row["at"]),
            until=from_text(until) if until else None,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Voice:
    """One member's report."""

    member_id: int
    reason: str | None = field(repr=False)
    at: datetime


class Outcome(StrEnum):
    """What a moderator can do about a report; the names of buttons and of columns, so never renamed."""

    DELETED = "deleted"
    BLOCKED = "blocked"
    DISMISSED = "dismissed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A result that members have reported, with all that they said, oldest first, and who has done what about it."""

    id: int
    guild_id: int
    generation_id: int
    channel_id: int | None
    message_id: int | None
    voices: Sequence[Voice]
    outcomes: dict[Outcome, int]


async def every_block(connection: aiosqlite.Connection) -> list[Block]:
    """All blocks of all servers, oldest first."""
    rows = await connection.execute_fetchall("SELECT * FROM blocks ORDER BY at")
    return [Block.from_row(row) for row in rows]


async def put_block(connection: aiosqlite.Connection, block: Block) -> None:
    """Block a member, in the place of an earlier block."""
    sql = """
        INSERT INTO blocks (guild_id, member_id, by_id, reason, at, until)
        VALUES (:guild_id, :member_id, :by_id, :reason, :at, :until)
        ON CONFLICT (guild_id, member_id)
        DO UPDATE SET by_id = excluded.by_id, reason = excluded.reason, at = excluded.at, until = excluded.until
    """
    values = {
        "guild_id": block.guild_id,
        "member_id": block.member_id,
        "by_id": block.by_id,
        "reason": block.reason,
        "at": to_text(block.at),
        "until": to_text(block.until) if block.until else None,
    }
    await connection.execute_fetchall(sql, values)


async def end_block(connection: aiosqlite.Connection, *, guild_id: int, member_id: int) -> None:
    """The member may ask again."""
    sql = "DELETE FROM blocks WHERE guild_id = :guild_id AND member_id = :member_id"
    await connection.execute_fetchall(sql, {"guild_id": guild_id, "member_id": member_id})


async def count_voices(connection: aiosqlite.Connection, *, guild_id: int, member_id: int, since: datetime) -> int:
    """How many results a member has reported in a server since then."""
    sql = """
        SELECT count(*) FROM report_voices JOIN reports ON reports.id = report_id
        WHERE guild_id = :guild_id AND member_id = :member_id AND at > :since
    """
    values = {"guild_id": guild_id, "member_id": member_id, "since": to_text(since)}
    return next(iter(await connection.execute_fetchall(sql, values)))[0]


async def add_voice(
    connection: aiosqlite.Connection,
    *,
    guild_id: int,
    generation_id: int,
    member_id: int,
    reason: str | None,
    at: datetime,
) -> bool:
    """A member reports a result; False where they had done so already. Needs a transaction."""
    first = """
        INSERT INTO reports (guild_id, generation_id) VALUES (:guild_id, :generation_id) ON CONFLICT DO NOTHING
    """
    await connection.execute_fetchall(first, {"guild_id": guild_id, "generation_id": generation_id})
    sql = """
        INSERT INTO report_voices (report_id, member_id, reason, at)
        SELECT id, :member_id, :reason, :at FROM reports WHERE generation_id = :generation_id
        ON CONFLICT DO NOTHING RETURNING report_id
    """
    values = {"generation_id": generation_id, "member_id": member_id, "reason": reason, "at": to_text(at)}
    return bool(await connection.execute_fetchall(sql, values))


async def report(
    connection: aiosqlite.Connection, *, report_id: int | None = None, generation_id: int | None = None
) -> Report | None:
    """The report of that id, or of that result. Needs a transaction."""
    sql = "SELECT * FROM reports WHERE id = :report_id OR generation_id = :generation_id"
    values = {"report_id": report_id, "generation_id": generation_id}
    row = next(iter(await connection.execute_fetchall(sql, values)), None)
    if row is None:
        return None
    voices = "SELECT member_id, reason, at FROM report_voices WHERE report_id = :id ORDER BY at, member_id"
    return Report(
        id=row["id"],
        guild_id=row["guild_id"],
        generation_id=row["generation_id"],
        channel_id=row["channel_id"],
        message_id=row["message_id"],
        voices=[
            Voice(member_id=voice["member_id"], reason=voice["reason"], at=from_text(voice["at"]))
            for voice in await connection.execute_fetchall(voices, {"id": row["id"]})
        ],
        outcomes={outcome: row[f"{outcome}_by"] for outcome in Outcome if row[f"{outcome}_by"] is not None},
    )


async def set_report_message(
    connection: aiosqlite.Connection, report_id: int, *, channel_id: int, message_id: int
) -> None:
    """Remember where the moderators read of it."""
    sql = "UPDATE reports SET channel_id = :channel_id, message_id = :message_id WHERE id = :id"
    await connection.execute_fetchall(sql, {"id": report_id, "channel_id": channel_id, "message_id": message_id})


_CONCLUDE = {
    Outcome.DELETED: "UPDATE reports SET deleted_by = :by WHERE id = :id AND deleted_by IS NULL RETURNING id",
    Outcome.BLOCKED: "UPDATE reports SET blocked_by = :by WHERE id = :id AND blocked_by IS NULL RETURNING id",
    Outcome.DISMISSED: "UPDATE reports SET dismissed_by = :by WHERE id = :id AND dismissed_by IS NULL RETURNING id",
}


async def conclude(connection: aiosqlite.Connection, report_id: int, outcome: Outcome, *, by: int) -> bool:
    """A moderator has done this about it; False where one had done so before."""
    return bool(await connection.execute_fetchall(_CONCLUDE[outcome], {"id": report_id, "by": by}))
