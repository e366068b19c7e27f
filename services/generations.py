"""The life of a generation: every change of state, together with the money that belongs to it, in one transaction."""

import logging
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from db import generations, ledger, provider_jobs
from db.connection import Connection, Database
from db.generations import Face, Generation, NewGeneration, Waiting
from db.provider_jobs import ProviderJob
from services.errors import QueueFull, QuotaExceeded, UserError
from services.presenter import Shown
from services.quotas import Balance, Quota

__all__ = ["Face", "Generation", "Generations", "Line", "NewGeneration"]

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """Who waits, oldest first, and how many jobs each member has at the provider."""

    waiting: Sequence[Waiting]
    in_flight: dict[int, int]


class Generations:
    """Moves generations between states. There is no other memory of them than their rows."""

    def __init__(self, database: Database, *, quota: Quota, unfinished_max: int, now: Callable[[], datetime]) -> None:
        self._database = database
        self._quota = quota
        self._unfinished_max = unfinished_max
        self._now = now

    async def accept(self, new: NewGeneration) -> int | None:
        """Take a request and its charge, or neither. Returns its id, or None where this command was taken already.

        Raises:
            QuotaExceeded, QueueFull: nothing was taken.
        """
        now = self._now()
        async with self._database.transaction() as connection:
            generation_id = await generations.insert(connection, new, now)
            if generation_id is None:
                return None
            if await generations.count_unfinished(connection, new.member_id) > self._unfinished_max:
                raise QueueFull(self._unfinished_max)
            await self._charge(connection, generation_id, new, now)
        return generation_id

    async def _charge(self, connection: Connection, generation_id: int, new: NewGeneration, now: datetime) -> None:
        balance = await self._read_balance(connection, scope=new.scope, member_id=new.member_id)
        if new.images > balance.left:
            raise QuotaExceeded(
                wanted=new.images,
                left=balance.left,
                quota=self._quota.images,
                enough_at=balance.enough_at(new.images if balance.left else 1),
            )
        await ledger.charge(
            connection,
            generation_id=generation_id,
            scope=new.scope,
            member_id=new.member_id,
            images=new.images,
            at=now,
        )

    async def balance(self, *, scope: str, member_id: int) -> Balance:
        """What a member has used and has left."""
        async with self._database.connection() as connection:
            return await self._read_balance(connection, scope=scope, member_id=member_id)

    async def get(self, generation_id: int) -> Generation | None:
        """The row as it is now."""
        async with self._database.connection() as connection:
            return await generations.get(connection, generation_id)

    async def unfinished(self) -> list[Generation]:
        """What a new start has to take up, oldest first."""
        async with self._database.connection() as connection:
            return await generations.unfinished(connection)

    async def behind(self) -> list[int]:
        """Those whose message does not show their last version."""
        async with self._database.connection() as connection:
            return await generations.behind(connection)

    async def jobs(self, generation_id: int) -> list[ProviderJob]:
        """Its jobs at the provider, the last try last."""
        async with self._database.connection() as connection:
            return await provider_jobs.of_generation(connection, generation_id)

    async def line(self) -> Line:
        """Everybody who waits and what is at the provider, at one moment."""
        async with self._database.transaction() as connection:
            return Line(
                waiting=await generations.waiting(connection),
                in_flight=await provider_jobs.in_flight(connection),
            )

    async def set_message(self, generation_id: int, message_id: int) -> None:
        """Discord has named the message that the answer to this command is."""
        async with self._database.connection() as connection:
            await generations.set_message(connection, generation_id, message_id)

    async def queue(self, generation_id: int, shown: Shown | None) -> bool:
        """Received -> queued: the message is known and the photo's crop, if any, has an address.

        ``shown`` is what Discord has just confirmed, where the message shows the queue already.
        """
        async with self._database.connection() as connection:
            return await generations.to_queued(
                connection,
                generation_id,
                is_shown=shown is not None,
                face=shown.face if shown else None,
                message_id=shown.message_id if shown else None,
                at=self._now(),
            )

    async def start(self, generation_id: int) -> ProviderJob | None:
        """Queued -> running, with a job that is about to be submitted; None where it is queued no more."""
        now = self._now()
        async with self._database.transaction() as connection:
            if not await generations.to_running(connection, generation_id, now):
                return None
            return await provider_jobs.insert(
                connection, job_id=str(uuid.uuid4()), generation_id=generation_id, n=0, at=now
            )

    async def submitted(self, job_id: str, provider_id: str) -> None:
        """The provider has taken a job."""
        async with self._database.connection() as connection:
            await provider_jobs.to_submitted(connection, job_id, provider_id=provider_id, at=self._now())

    async def requeue(self, generation_id: int) -> bool:
        """Running -> queued: the provider did not take it or does not know it any more."""
        async with self._database.transaction() as connection:
            await provider_jobs.forget_untaken(connection, generation_id)
            await provider_jobs.close(connection, generation_id)
            return await generations.back_to_queued(connection, generation_id, self._now())

    async def announce_to_queue(self) -> list[int]:
        """There is something new to say to everybody who waits; returns whom it concerns."""
        async with self._database.connection() as connection:
            return await generations.show_queue_again(connection)

    async def finish(self, generation: Generation, *, pictures: int) -> bool:
        """Running -> finished, with the verified pictures on disk; what was paid beyond them is refunded."""
        now = self._now()
        async with self._database.transaction() as connection:
            if not await generations.to_finished(connection, generation.id, pictures=pictures, at=now):
                return False
            await provider_jobs.close(connection, generation.id)
            missing = generation.images - pictures
            if missing:
                await ledger.refund(connection, generation_id=generation.id, images=missing, at=now)
        log.info("generation %d finished with %d of %d pictures", generation.id, pictures, generation.images)
        return True

    async def fail(self, generation_id: int, error: UserError) -> bool:
        """Anything unfinished -> failed; everything that was paid and not yet given back is refunded."""
        now = self._now()
        async with self._database.transaction() as connection:
            before = await generations.get(connection, generation_id)
            if before is None or before.state.is_terminal:
                return False
            await generations.to_failed(connection, generation_id, code=error.code, text=str(error), at=now)
            await provider_jobs.close(connection, generation_id)
            given_back = before.images - before.pictures if before.pictures else 0
            await ledger.refund(connection, generation_id=generation_id, images=before.images - given_back, at=now)
        log.info("generation %d failed: %s", generation_id, error.code)
        return True

    async def mark_shown(self, generation_id: int, *, version: int, message_id: int | None) -> None:
        """Discord has confirmed a version."""
        async with self._database.transaction() as connection:
            await generations.mark_shown(
                connection, generation_id, version=version, message_id=message_id, at=self._now()
            )

    async def _read_balance(self, connection: Connection, *, scope: str, member_id: int) -> Balance:
        since = self._now() - self._quota.window
        spendings = await ledger.spendings(connection, scope=scope, member_id=member_id, since=since)
        return Balance(quota=self._quota, spendings=spendings)
