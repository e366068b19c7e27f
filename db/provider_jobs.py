"""The table ``provider_jobs``: what was asked of the provider, and what it calls it."""

import sqlite3
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Self

import aiosqlite

from db.times import from_text, to_text


class JobState(StrEnum):
    """Submitting: the POST may or may not have arrived. Closed: nothing more is asked about it."""

    SUBMITTING = "submitting"
    SUBMITTED = "submitted"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderJob:
    """One job at the provider; ``id`` is ours, ``provider_id`` theirs."""

    id: str
    generation_id: int
    n: int
    provider_id: str | None
    state: JobState
    created_at: datetime
    submitted_at: datetime | None

    @classmethod
    def from_row(cls, row: sqlite3.Row) -> Self:
        """Read a row of ``SELECT *``."""
        submitted_at: str | None = row["submitted_at"]
        return cls(
            id=row["id"],
            generation_id=row["generation_id"],
            n=row["n"],
            provider_id=row["provider_id"],
            state=JobState(row["state"]),
            created_at=from_text(row["created_at"]),
            submitted_at=from_text(submitted_at) if submitted_at else None,
        )


async def insert(
    connection: aiosqlite.Connection, *, job_id: str, generation_id: int, n: int, at: datetime
) -> ProviderJob:
    """Add a job that is about to be submitted."""
    sql = """
        INSERT INTO provider_jobs (id, generation_id, n, state, created_at)
        VALUES (:id, :generation_id, :n, 'submitting', :at)
        RETURNING *
    """
    values = {"id": job_id, "generation_id": generation_id, "n": n, "at": to_text(at)}
    rows = await connection.execute_fetchall(sql, values)
    return ProviderJob.from_row(next(iter(rows)))


async def of_generation(connection: aiosqlite.Connection, generation_id: int) -> list[ProviderJob]:
    """All jobs of a generation, those of earlier tries first."""
    sql = "SELECT * FROM provider_jobs WHERE generation_id = :generation_id ORDER BY created_at, n"
    rows = await connection.execute_fetchall(sql, {"generation_id": generation_id})
    return [ProviderJob.from_row(row) for row in rows]


async def in_flight(connection: aiosqlite.Connection) -> dict[int, int]:
    """How many jobs each member has at the provider."""
    sql = """
        SELECT member_id, count(*) AS jobs
        FROM provider_jobs JOIN generations ON generations.id = generation_id
        WHERE provider_jobs.state IN ('submitting', 'submitted')
        GROUP BY member_id
    """
    return {row["member_id"]: row["jobs"] for row in await connection.execute_fetchall(sql)}


async def to_submitted(connection: aiosqlite.Connection, job_id: str, *, provider_id: str, at: datetime) -> None:
    """The provider has taken the job and named it."""
    sql = """
        UPDATE provider_jobs SET state = 'submitted', provider_id = :provider_id, submitted_at = :at
        WHERE id = :id AND state = 'submitting'
    """
    await connection.execute_fetchall(sql, {"id": job_id, "provider_id": provider_id, "at": to_text(at)})


async def forget_untaken(connection: aiosqlite.Connection, generation_id: int) -> None:
    """Drop the jobs that the provider never took."""
    sql = "DELETE FROM provider_jobs WHERE generation_id = :generation_id AND provider_id IS NULL"
    await connection.execute_fetchall(sql, {"generation_id": generation_id})


async def close(connection: aiosqlite.Connection, generation_id: int) -> None:
    """Nothing of this generation is at the provider any more."""
    sql = "UPDATE provider_jobs SET state = 'closed' WHERE generation_id = :generation_id AND state <> 'closed'"
    await connection.execute_fetchall(sql, {"generation_id": generation_id})
