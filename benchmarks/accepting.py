"""How long accepting a request takes as the history grows, against the bare writing of its rows in the same file.

    python -m benchmarks.accepting [old requests, more old requests]

The old requests are those of one server's members over the last 60 days, so a budget of 30 days has to add up half of
them. The floor is a transaction that inserts the same two rows and asks nothing.
"""

import asyncio
import itertools
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from db import generations as rows
from db import ledger, quotas
from db.connection import Database
from db.generations import NewGeneration
from db.quotas import RoleQuota
from db.times import to_text
from services.generations import Generations
from services.quotas import Quota, ServerLimits

HISTORIES = (1_000, 1_000_000)
MEMBERS = 500
DAYS = 60
ROLE = 5
TIMED = 400
SCOPE = "guild:1"
NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
LIMITS = ServerLimits(images_per_day=10**9, images_per_month=10**9, cooldown_s=1)

# One in ten was refunded.
HISTORY = """
    WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < :requests)
    INSERT INTO generations (interaction_id, application_id, scope, channel_id, member_id, locale, file_limit_bytes,
                             wish, images, weight, role_ids, state, version, shown, created_at, changed_at)
    SELECT -n, 1, :scope, 2, n % :members, 'en-GB', 10, '{}', 1, 1, '[]', 'settled', 1, 1, at, at
    FROM (SELECT n, strftime('%Y-%m-%dT%H:%M:%f000+00:00', :now, '-' || (n * :days * 86400.0 / :requests) || ' seconds')
          AS at FROM numbers)
"""
CHARGES = """
    INSERT INTO ledger (scope, member_id, generation_id, kind, images, counts_at, at)
    SELECT scope, member_id, id, 'charge', images, created_at, created_at FROM generations
"""
REFUNDS = """
    INSERT INTO ledger (scope, member_id, generation_id, kind, images, counts_at, at)
    SELECT scope, member_id, id, 'refund', images, created_at, created_at FROM generations WHERE id % 10 = 0
"""

numbers = itertools.count(1)


def new(number: int) -> NewGeneration:
    return NewGeneration(
        interaction_id=number,
        application_id=1,
        token="token",  # noqa: S106 - of nobody
        scope=SCOPE,
        channel_id=2,
        member_id=number % MEMBERS,
        locale="en-GB",
        file_limit_bytes=10,
        wish="{}",
        images=1,
        role_ids=(ROLE,),
    )


async def fill(database: Database, requests: int, *, members: int = MEMBERS) -> None:
    """Old requests, a quota for a role, and a bonus for everybody."""
    values = {"requests": requests, "members": members, "days": DAYS, "scope": SCOPE, "now": to_text(NOW)[:19]}
    async with database.transaction() as connection:
        for sql in (HISTORY, CHARGES, REFUNDS):
            await connection.execute_fetchall(sql, values if sql is HISTORY else {})
        await quotas.set_role_quota(connection, 1, RoleQuota(role_id=ROLE, images=10**6, hours=24))
        for member_id in range(members):
            await ledger.grant(
                connection,
                interaction_id=10**9 + member_id,
                scope=SCOPE,
                member_id=member_id,
                images=1,
                expires_at=NOW + timedelta(days=9),
                reason=None,
                at=NOW,
            )


async def bare(database: Database, number: int) -> None:
    """The floor."""
    async with database.transaction() as connection:
        generation_id = await rows.insert(connection, new(number), NOW)
        assert generation_id is not None
        await ledger.charge(
            connection, generation_id=generation_id, scope=SCOPE, member_id=number % MEMBERS, images=1, at=NOW
        )


async def timed(work: Callable[[int], Awaitable[object]], number: int) -> float:
    begun = time.perf_counter()
    await work(number)
    return 1000 * (time.perf_counter() - begun)


async def measured(requests: int) -> tuple[float, float, float]:
    """Median milliseconds of the floor, of accepting, and the 99th percentile of that; both in turn."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "facelock.db"
        async with Database.open(path) as database:
            await fill(database, requests)
        async with Database.open(path) as database:  # opened anew, so that the log of the filling is gone
            generations = Generations(
                database,
                quota=Quota(images=20, window=timedelta(hours=24)),
                limits=lambda _guild_id: LIMITS,
                unfinished_max=10**9,
                now=lambda: NOW + timedelta(seconds=2 * next(numbers)),
            )
            floor: list[float] = []
            ours: list[float] = []
            for number in range(1, TIMED + 1):
                floor.append(await timed(lambda number: bare(database, number), 2 * number))
                ours.append(await timed(lambda number: generations.accept(new(number)), 2 * number + 1))
    return statistics.median(floor), statistics.median(ours), sorted(ours)[-TIMED // 100]


async def main() -> None:
    histories = [int(number) for number in sys.argv[1:]] or HISTORIES
    print("old requests     floor   accepting   99 %     ratio")
    for requests in histories:
        floor, ours, slow = await measured(requests)
        print(f"{requests:12,}  {floor:6.2f} ms  {ours:6.2f} ms  {slow:6.2f} ms  {ours / floor:6.2f}")


if __name__ == "__main__":
    asyncio.run(main())
