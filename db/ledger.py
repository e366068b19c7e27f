"""The table ``ledger``: every charge and refund, never changed."""

from dataclasses import dataclass
from datetime import datetime

import aiosqlite

from db.times import from_text, to_text


@dataclass(frozen=True, slots=True)
class Spending:
    """What one moment's charges come to after their refunds."""

    counts_at: datetime
    images: int


async def charge(
    connection: aiosqlite.Connection, *, generation_id: int, scope: str, member_id: int, images: int, at: datetime
) -> None:
    """Charge a generation to its member, once."""
    sql = """
        INSERT INTO ledger (scope, member_id, generation_id, kind, images, counts_at, at)
        VALUES (:scope, :member_id, :generation_id, 'charge', :images, :at, :at)
    """
    values = {
        "scope": scope,
        "member_id": member_id,
        "generation_id": generation_id,
        "images": images,
        "at": to_text(at),
    }
    await connection.execute_fetchall(sql, values)


async def refund(connection: aiosqlite.Connection, *, generation_id: int, images: int, at: datetime) -> None:
    """Give back that many images of a generation's charge; they count from when they were charged.

    Raises:
        sqlite3.IntegrityError: more would come back than was charged.
    """
    sql = """
        INSERT INTO ledger (scope, member_id, generation_id, kind, images, counts_at, at)
        SELECT scope, member_id, generation_id, 'refund', :images, counts_at, :at
        FROM ledger WHERE generation_id = :generation_id AND kind = 'charge'
    """
    await connection.execute_fetchall(sql, {"generation_id": generation_id, "images": images, "at": to_text(at)})


async def spendings(connection: aiosqlite.Connection, *, scope: str, member_id: int, since: datetime) -> list[Spending]:
    """What a member has spent in a scope after ``since``, oldest first, without what was refunded."""
    sql = """
        SELECT counts_at, sum(CASE kind WHEN 'charge' THEN images ELSE -images END) AS spent
        FROM ledger
        WHERE scope = :scope AND member_id = :member_id AND counts_at > :since
        GROUP BY counts_at HAVING spent > 0 ORDER BY counts_at
    """
    values = {"scope": scope, "member_id": member_id, "since": to_text(since)}
    rows = await connection.execute_fetchall(sql, values)
    return [Spending(counts_at=from_text(row["counts_at"]), images=row["spent"]) for row in rows]
