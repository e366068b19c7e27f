"""The table ``ledger``: every charge, refund and grant, never changed."""

import sqlite3
from dataclasses import dataclass
from datetime import datetime, timedelta

import aiosqlite

from db.times import from_text, to_text

_HOUR_CHARACTERS = 13  # of a moment as text, 2026-11-21T12


@dataclass(frozen=True, slots=True)
class Spending:
    """What one moment's charges come to after their refunds."""

    counts_at: datetime
    images: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """Bonus images of one member; ``images`` are those that are left."""

    id: int
    images: int
    expires_at: datetime
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Spender:
    """What one member has used."""

    member_id: int
    images: int


async def charge(
    connection: aiosqlite.Connection,
    *,
    generation_id: int,
    scope: str,
    member_id: int,
    images: int,
    at: datetime,
    grant_id: int | None = None,
) -> None:
    """Charge a generation, or a part of it, to its member's quota or to a grant; to each of them once.

    Raises:
        sqlite3.IntegrityError: there is no such grant of this member's, or not so much of it is left.
    """
    sql = """
        INSERT INTO ledger (scope, member_id, generation_id, grant_id, kind, images, counts_at, at)
        VALUES (:scope, :member_id, :generation_id, :grant_id, 'charge', :images, :at, :at)
    """
    values = {
        "scope": scope,
        "member_id": member_id,
        "generation_id": generation_id,
        "grant_id": grant_id,
        "images": images,
        "at": to_text(at),
    }
    await connection.execute_fetchall(sql, values)


async def refund(connection: aiosqlite.Connection, *, generation_id: int, images: int, at: datetime) -> None:
    """Give back that many images of a generation's charges, what was charged last first; they count from when they were
    charged. What comes back to a grant that has expired meanwhile is gone with it.

    Raises:
        sqlite3.IntegrityError: more would come back than was charged.
    """
    paid = """
        SELECT grant_id, sum(CASE kind WHEN 'charge' THEN images ELSE -images END) AS rest
        FROM ledger WHERE generation_id = :generation_id
        GROUP BY grant_id HAVING rest > 0 ORDER BY min(id) DESC
    """
    sql = """
        INSERT INTO ledger (scope, member_id, generation_id, grant_id, kind, images, counts_at, at)
        SELECT scope, member_id, generation_id, grant_id, 'refund', :images, counts_at, :at
        FROM ledger WHERE generation_id = :generation_id AND grant_id IS :grant_id AND kind = 'charge'
    """
    missing = images
    for row in await connection.execute_fetchall(paid, {"generation_id": generation_id}):
        part = min(missing, row["rest"])
        if part:
            values = {"generation_id": generation_id, "grant_id": row["grant_id"], "images": part, "at": to_text(at)}
            await connection.execute_fetchall(sql, values)
            missing -= part
    if missing:
        raise sqlite3.IntegrityError("a refund exceeds its charge")


async def grant(
    connection: aiosqlite.Connection,
    *,
    interaction_id: int,
    scope: str,
    member_id: int,
    images: int,
    expires_at: datetime,
    reason: str | None,
    at: datetime,
) -> bool:
    """Give a member bonus images; False where this command has done so already."""
    known = "SELECT 1 FROM grants WHERE interaction_id = :interaction_id"
    if await connection.execute_fetchall(known, {"interaction_id": interaction_id}):
        return False
    sql = """
        INSERT INTO ledger (scope, member_id, kind, images, counts_at, expires_at, at)
        VALUES (:scope, :member_id, 'grant', :images, :at, :expires_at, :at)
        RETURNING id
    """
    values = {
        "scope": scope,
        "member_id": member_id,
        "images": images,
        "expires_at": to_text(expires_at),
        "at": to_text(at),
    }
    (row,) = await connection.execute_fetchall(sql, values)
    describe = "INSERT INTO grants (interaction_id, ledger_id, reason) VALUES (:interaction_id, :ledger_id, :reason)"
    described = {"interaction_id": interaction_id, "ledger_id": row["id"], "reason": reason}
    await connection.execute_fetchall(describe, described)
    return True


async def grants(connection: aiosqlite.Connection, *, scope: str, member_id: int, now: datetime) -> list[Grant]:
    """A member's grants of which something is left, the one that expires first at the beginning."""
    sql = """
        SELECT ledger.id, expires_at, reason, ledger.images - coalesce((
            SELECT sum(CASE spent.kind WHEN 'charge' THEN spent.images ELSE -spent.images END)
            FROM ledger AS spent WHERE spent.grant_id = ledger.id), 0) AS rest
        FROM ledger JOIN grants ON ledger_id = ledger.id
        WHERE scope = :scope AND member_id = :member_id AND kind = 'grant' AND expires_at > :now AND rest > 0
        ORDER BY expires_at, ledger.id
    """
    values = {"scope": scope, "member_id": member_id, "now": to_text(now)}
    return [
        Grant(id=row["id"], images=row["rest"], expires_at=from_text(row["expires_at"]), reason=row["reason"])
        for row in await connection.execute_fetchall(sql, values)
    ]


async def spendings(connection: aiosqlite.Connection, *, scope: str, member_id: int, since: datetime) -> list[Spending]:
    """What a member has spent of the quota in a scope after ``since``, oldest first, without what was refunded."""
    sql = """
        SELECT counts_at, sum(CASE kind WHEN 'charge' THEN images ELSE -images END) AS spent
        FROM ledger
        WHERE scope = :scope AND member_id = :member_id AND counts_at > :since
            AND kind <> 'grant' AND grant_id IS NULL
        GROUP BY counts_at HAVING spent > 0 ORDER BY counts_at
    """
    values = {"scope": scope, "member_id": member_id, "since": to_text(since)}
    rows = await connection.execute_fetchall(sql, values)
    return [Spending(counts_at=from_text(row["counts_at"]), images=row["spent"]) for row in rows]


async def spendings_of_all(connection: aiosqlite.Connection, *, scope: str, since: datetime) -> list[Spending]:
    """What all members of a scope have spent after ``since``, of quotas and grants, oldest first, without what was
    refunded: hour by hour, as if at the end of each.
    """
    sql = """
        SELECT :first_hour AS hour, coalesce(sum(CASE kind WHEN 'charge' THEN images ELSE -images END), 0) AS spent
        FROM ledger
        WHERE scope = :scope AND counts_at > :since AND counts_at < :first_hour || '~' AND kind <> 'grant'
        UNION ALL
        SELECT hour, images FROM ledger_hours WHERE scope = :scope AND hour > :first_hour
        ORDER BY hour
    """
    text = to_text(since)
    values = {"scope": scope, "since": text, "first_hour": text[:_HOUR_CHARACTERS]}
    rows = await connection.execute_fetchall(sql, values)
    return [Spending(counts_at=_end_of(row["hour"]), images=row["spent"]) for row in rows if row["spent"]]


async def last_charge_at(
    connection: aiosqlite.Connection, *, scope: str, member_id: int, now: datetime
) -> datetime | None:
    """When the member's last request here was accepted; what a clock that ran ahead has written does not count."""
    sql = """
        SELECT counts_at FROM ledger
        WHERE scope = :scope AND member_id = :member_id AND counts_at <= :now AND kind = 'charge'
        ORDER BY counts_at DESC LIMIT 1
    """
    rows = await connection.execute_fetchall(sql, {"scope": scope, "member_id": member_id, "now": to_text(now)})
    return next((from_text(row["counts_at"]) for row in rows), None)


async def top_spenders(connection: aiosqlite.Connection, *, scope: str, since: datetime, limit: int) -> list[Spender]:
    """Who has used most in a scope after ``since``, of quotas and grants, without what was refunded."""
    sql = """
        SELECT member_id, sum(CASE kind WHEN 'charge' THEN images ELSE -images END) AS spent
        FROM ledger
        WHERE scope = :scope AND counts_at > :since AND kind <> 'grant'
        GROUP BY member_id HAVING spent > 0 ORDER BY spent DESC, member_id LIMIT :limit
    """
    rows = await connection.execute_fetchall(sql, {"scope": scope, "since": to_text(since), "limit": limit})
    return [Spender(member_id=row["member_id"], images=row["spent"]) for row in rows]


def _end_of(hour: str) -> datetime:
    return from_text(f"{hour}:00:00.000000+00:00") + timedelta(hours=1)
