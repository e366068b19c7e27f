"""What came of a scope's requests, counted by day. Days are those of UTC."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

import aiosqlite

from db.times import to_text


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """Delivered requests: the images in them, and how long half and 95 % of them waited at most, in seconds from the
    acceptance until Discord had the pictures.
    """

    requests: int
    images: int
    median_s: float
    late_s: float


async def settled(connection: aiosqlite.Connection, *, scope: str, since: datetime) -> Settled | None:
    """All requests of the scope that were made since then and delivered; None where there are none."""
    sql = """
        WITH waits AS (
            SELECT pictures, wait_s, row_number() OVER (ORDER BY wait_s) AS place, count(*) OVER () AS requests
            FROM (
                SELECT pictures, 86400 * (julianday(changed_at) - julianday(created_at)) AS wait_s
                FROM generations WHERE scope = :scope AND created_at >= :since AND state = 'settled'))
        SELECT max(requests) AS requests, sum(pictures) AS images,
               max(CASE WHEN place = (requests + 1) / 2 THEN wait_s END) AS median_s,
               max(CASE WHEN place = (95 * requests + 99) / 100 THEN wait_s END) AS late_s
        FROM waits HAVING count(*) > 0
    """
    rows = await connection.execute_fetchall(sql, {"scope": scope, "since": to_text(since)})
    return next((Settled(**dict(row)) for row in rows), None)


async def settled_by_day(connection: aiosqlite.Connection, *, scope: str, since: datetime) -> dict[date, Settled]:
    """The same for each day on which there are any."""
    sql = """
        WITH waits AS (
            SELECT day, pictures, wait_s,
                   row_number() OVER (PARTITION BY day ORDER BY wait_s) AS place,
                   count(*) OVER (PARTITION BY day) AS requests
            FROM (
                SELECT substr(created_at, 1, 10) AS day, pictures,
                       86400 * (julianday(changed_at) - julianday(created_at)) AS wait_s
                FROM generations WHERE scope = :scope AND created_at >= :since AND state = 'settled'))
        SELECT day, max(requests) AS requests, sum(pictures) AS images,
               max(CASE WHEN place = (requests + 1) / 2 THEN wait_s END) AS median_s,
               max(CASE WHEN place = (95 * requests + 99) / 100 THEN wait_s END) AS late_s
        FROM waits GROUP BY day
    """
    rows = await connection.execute_fetchall(sql, {"scope": scope, "since": to_text(since)})
    found = [dict(row) for row in rows]
    return {date.fromisoformat(row.pop("day")): Settled(**row) for row in found}


async def not_delivered(connection: aiosqlite.Connection, *, scope: str, since: datetime) -> Sequence[tuple[str, int]]:
    """How many requests ended without pictures, by failure code; cancelled ones have the code ``cancelled``."""
    sql = """
        SELECT coalesce(failure_code, state) AS code, count(*) AS requests
        FROM generations
        WHERE scope = :scope AND created_at >= :since AND state IN ('failed', 'cancelled')
        GROUP BY 1 ORDER BY requests DESC, code
    """
    rows = await connection.execute_fetchall(sql, {"scope": scope, "since": to_text(since)})
    return [(row["code"], row["requests"]) for row in rows]
