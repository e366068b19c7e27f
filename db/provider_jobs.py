"""The table ``provider_jobs``: the jobs that a generation becomes at the provider, from their place in the queue on."""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Self

import aiosqlite

from db.times import from_text, to_text


class JobState(StrEnum):
    """Submitting: the POST may or may not have arrived. Closed: nobody wants it any more."""

    WAITING = "waiting"
    SUBMITTING = "submitting"
    SUBMITTED = "submitted"
    DONE = "done"
    FAILED = "failed"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewJob:
    """A job that is to be made; its number in the generation is its place in the list."""

    id: str
    images: int
    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderJob:
    """One job at the provider; ``id`` is ours, ``provider_id`` theirs."""

    id: str
    generation_id: int
    n: int
    images: int
    kind: str
    tries: int
    provider_id: str | None
    state: JobState
    pictures: int
    failure_text: str | None = field(repr=False)
    started_at: datetime | None
    submitted_at: datetime | None

    @classmethod
    def from_row(cls, row: sqlite3.Row) -> Self:
        """Read a row of ``SELECT *``."""
        started_at: str | None = row["started_at"]
        submitted_at: str | None = row["submitted_at"]
        return cls(
            id=row["id"],
            generation_id=row["generation_id"],
            n=row["n"],
            images=row["images"],
            kind=row["kind"],
            tries=row["tries"],
            provider_id=row["provider_id"],
            state=JobState(row["state"]),
            pictures=row["pictures"],
            failure_text=row["failure_text"],
            started_at=from_text(started_at) if started_at else None,
            submitted_at=from_text(submitted_at) if submitted_at else None,
        )


@dataclass(frozen=True, slots=True)
class Waiting:
    """A job that waits for a slot, as far as the order of serving needs it."""

    id: str
    generation_id: int
    member_id: int
    begun_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Open:
    """How many jobs are not over."""

    waiting: int
    at_provider: int


@dataclass(frozen=True, slots=True)
class KnownLength:
    """How long a job took, in seconds since its submit: not done at ``over_s``, done at ``done_s``."""

    kind: str
    over_s: float
    done_s: float


async def insert(connection: aiosqlite.Connection, generation_id: int, jobs: Sequence[NewJob]) -> None:
    """Put a generation's jobs in line."""
    sql = """
        INSERT INTO provider_jobs (id, generation_id, n, images, kind, state)
        VALUES (:id, :generation_id, :n, :images, :kind, 'waiting')
    """
    for n, job in enumerate(jobs):
        values = {"id": job.id, "generation_id": generation_id, "n": n, "images": job.images, "kind": job.kind}
        await connection.execute_fetchall(sql, values)


async def get(connection: aiosqlite.Connection, job_id: str) -> ProviderJob | None:
    """The job of that id of ours."""
    rows = await connection.execute_fetchall("SELECT * FROM provider_jobs WHERE id = :id", {"id": job_id})
    return next(map(ProviderJob.from_row, rows), None)


async def of_generation(connection: aiosqlite.Connection, generation_id: int) -> list[ProviderJob]:
    """All jobs of a generation, in their order."""
    sql = "SELECT * FROM provider_jobs WHERE generation_id = :generation_id ORDER BY n"
    rows = await connection.execute_fetchall(sql, {"generation_id": generation_id})
    return [ProviderJob.from_row(row) for row in rows]


async def at_provider(connection: aiosqlite.Connection) -> list[ProviderJob]:
    """All jobs that have a slot, oldest first: what a new start has to take up again."""
    sql = "SELECT * FROM provider_jobs WHERE state IN ('submitting', 'submitted') ORDER BY generation_id, n"
    return [ProviderJob.from_row(row) for row in await connection.execute_fetchall(sql)]


async def waiting(connection: aiosqlite.Connection) -> list[Waiting]:
    """All jobs that wait for a slot, oldest first."""
    sql = """
        SELECT provider_jobs.id, generation_id, member_id, coalesce(resumed_at, created_at) AS begun_at
        FROM provider_jobs JOIN generations ON generations.id = generation_id
        WHERE provider_jobs.state = 'waiting'
        ORDER BY generation_id, n
    """
    rows = await connection.execute_fetchall(sql)
    return [Waiting(row["id"], row["generation_id"], row["member_id"], from_text(row["begun_at"])) for row in rows]


async def in_flight(connection: aiosqlite.Connection) -> dict[int, int]:
    """How many jobs each member has at the provider."""
    sql = """
        SELECT member_id, count(*) AS jobs
        FROM provider_jobs JOIN generations ON generations.id = generation_id
        WHERE provider_jobs.state IN ('submitting', 'submitted')
        GROUP BY member_id
    """
    return {row["member_id"]: row["jobs"] for row in await connection.execute_fetchall(sql)}


async def count_open(connection: aiosqlite.Connection) -> Open:
    """How many jobs wait for a slot, and how many have one."""
    sql = """
        SELECT count(*) FILTER (WHERE state = 'waiting') AS waiting,
               count(*) FILTER (WHERE state <> 'waiting') AS at_provider
        FROM provider_jobs WHERE state IN ('waiting', 'submitting', 'submitted')
    """
    row = next(iter(await connection.execute_fetchall(sql)))
    return Open(waiting=row["waiting"], at_provider=row["at_provider"])


async def to_submitting(connection: aiosqlite.Connection, job_id: str, at: datetime) -> ProviderJob | None:
    """Waiting -> submitting: it has a slot; None where it waits no more."""
    sql = """
        UPDATE provider_jobs SET state = 'submitting', started_at = :at, provider_id = NULL, submitted_at = NULL
        WHERE id = :id AND state = 'waiting' RETURNING *
    """
    rows = await connection.execute_fetchall(sql, {"id": job_id, "at": to_text(at)})
    return next(map(ProviderJob.from_row, rows), None)


async def to_submitted(
    connection: aiosqlite.Connection, job_id: str, *, provider_id: str, at: datetime
) -> ProviderJob | None:
    """Submitting -> submitted: the provider has taken it and named it; None where that was known or it is over."""
    sql = """
        UPDATE provider_jobs SET state = 'submitted', provider_id = :provider_id, submitted_at = :at
        WHERE id = :id AND state = 'submitting' RETURNING *
    """
    rows = await connection.execute_fetchall(sql, {"id": job_id, "provider_id": provider_id, "at": to_text(at)})
    return next(map(ProviderJob.from_row, rows), None)


async def to_waiting(connection: aiosqlite.Connection, job_id: str, *, new_id: str, is_try: bool) -> bool:
    """Back in line, under a new id: what was asked under the old one is not meant any more."""
    sql = """
        UPDATE provider_jobs
        SET id = :new_id, state = 'waiting', tries = tries + :is_try, provider_id = NULL, submitted_at = NULL
        WHERE id = :id AND state IN ('submitting', 'submitted') RETURNING id
    """
    return bool(await connection.execute_fetchall(sql, {"id": job_id, "new_id": new_id, "is_try": is_try}))


async def to_done(
    connection: aiosqlite.Connection, job_id: str, *, pictures: int, length: KnownLength | None, at: datetime
) -> bool:
    """Its pictures are verified files on disk; ``length`` is what it teaches about its kind."""
    sql = """
        UPDATE provider_jobs
        SET state = 'done', pictures = :pictures, finished_at = :at, over_s = :over_s, done_s = :done_s
        WHERE id = :id AND state IN ('submitting', 'submitted') RETURNING id
    """
    values = {
        "id": job_id,
        "pictures": pictures,
        "at": to_text(at),
        "over_s": length.over_s if length else None,
        "done_s": length.done_s if length else None,
    }
    return bool(await connection.execute_fetchall(sql, values))


async def to_failed(connection: aiosqlite.Connection, job_id: str, *, text: str, at: datetime) -> bool:
    """It makes nothing, for good; the text is for the member."""
    sql = """
        UPDATE provider_jobs SET state = 'failed', failure_text = :text, finished_at = :at
        WHERE id = :id AND state IN ('waiting', 'submitting', 'submitted') RETURNING id
    """
    return bool(await connection.execute_fetchall(sql, {"id": job_id, "text": text, "at": to_text(at)}))


async def close(connection: aiosqlite.Connection, generation_id: int) -> None:
    """Nothing of this generation is wanted any more."""
    sql = """
        UPDATE provider_jobs SET state = 'closed'
        WHERE generation_id = :generation_id AND state IN ('waiting', 'submitting', 'submitted')
    """
    await connection.execute_fetchall(sql, {"generation_id": generation_id})


async def close_waiting(connection: aiosqlite.Connection, generation_id: int) -> None:
    """What of this generation is not at the provider yet is not wanted any more."""
    sql = "UPDATE provider_jobs SET state = 'closed' WHERE generation_id = :generation_id AND state = 'waiting'"
    await connection.execute_fetchall(sql, {"generation_id": generation_id})


async def drop(connection: aiosqlite.Connection, job_id: str) -> bool:
    """At the provider -> closed, where its generation was cancelled; returns whether that was so."""
    sql = """
        UPDATE provider_jobs SET state = 'closed'
        WHERE id = :id AND state IN ('submitting', 'submitted')
          AND generation_id IN (SELECT id FROM generations WHERE state = 'cancelled')
        RETURNING id
    """
    return bool(await connection.execute_fetchall(sql, {"id": job_id}))


async def lengths(connection: aiosqlite.Connection, *, each: int) -> list[KnownLength]:
    """How long the last jobs of every kind took, at most ``each`` of a kind, oldest first."""
    sql = """
        SELECT kind, over_s, done_s FROM (
            SELECT kind, over_s, done_s, finished_at,
                   row_number() OVER (PARTITION BY kind ORDER BY finished_at DESC) AS age
            FROM provider_jobs WHERE done_s IS NOT NULL
        ) WHERE age <= :each ORDER BY finished_at
    """
    rows = await connection.execute_fetchall(sql, {"each": each})
    return [KnownLength(row["kind"], row["over_s"], row["done_s"]) for row in rows]
