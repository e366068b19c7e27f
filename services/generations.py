"""The life of a generation: every change of state, together with the money that belongs to it, in one transaction."""

import logging
import uuid
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from db import generations, ledger, provider_jobs
from db.connection import Connection, Database
from db.generations import Generation, Hosted, KeptPhoto, NewGeneration, Source, State, Wait, WaitsFor
from db.provider_jobs import JobState, KnownLength, NewJob, ProviderJob, Waiting
from db.quotas import RoleQuota
from services.accounts import read_balance, role_quotas_of
from services.errors import BudgetExceeded, GenerationFailed, Paused, QueueFull, QuotaExceeded, UserError
from services.metrics import Metrics
from services.presenter import Shown
from services.quotas import Balance, Quota, ServerLimits, guild_of, no_limits

__all__ = [
    "Generation",
    "Generations",
    "Hosted",
    "Line",
    "NewGeneration",
    "ProviderJob",
    "Source",
    "State",
    "Wait",
    "WaitsFor",
]

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """The jobs that wait, oldest first, and how many each member has at the provider."""

    waiting: Sequence[Waiting]
    in_flight: dict[int, int]


class Generations:
    """Moves generations between states. There is no other memory of them than their rows. ``quota`` is everybody's,
    ``limits`` tells those of a server, ``metrics`` are told of every change.
    """

    def __init__(
        self,
        database: Database,
        *,
        quota: Quota,
        unfinished_max: int,
        now: Callable[[], datetime],
        limits: Callable[[int], ServerLimits] = no_limits,
        metrics: Metrics | None = None,
    ) -> None:
        self._database = database
        self._quota = quota
        self._limits = limits
        self._unfinished_max = unfinished_max
        self._now = now
        self._metrics = metrics or Metrics(now=now)

    async def accept(self, new: NewGeneration) -> int | None:
        """Take a request and its charge, or neither. Returns its id, or None where this command was taken already.

        Raises:
            QueueFull, Paused, BudgetExceeded, QuotaExceeded: nothing was taken.
        """
        now = self._now()
        async with self._database.transaction() as connection:
            role_quotas = await role_quotas_of(connection, scope=new.scope, role_ids=new.role_ids)
            new = replace(new, role_ids=tuple(each.role_id for each in role_quotas))
            generation_id = await generations.insert(connection, new, now)
            if generation_id is None:
                return None
            if await generations.count_unfinished(connection, new.member_id) > self._unfinished_max:
                raise QueueFull(self._unfinished_max)
            if new.unfinished_max is not None:
                in_scope = await generations.count_unfinished(connection, new.member_id, scope=new.scope)
                if in_scope > new.unfinished_max:
                    raise QueueFull(new.unfinished_max)
            await self._charge(connection, generation_id, new, role_quotas)
        self._metrics.accepted(new.images * new.weight)
        return generation_id

    async def _charge(
        self, connection: Connection, generation_id: int, new: NewGeneration, role_quotas: Sequence[RoleQuota]
    ) -> None:
        now = self._now()
        balance = await self._read_balance(connection, new.scope, new.member_id, role_quotas, now)
        price = new.images * new.weight
        _check(balance, price, weight=new.weight)
        for grant_id, images in balance.split(price):
            await ledger.charge(
                connection,
                generation_id=generation_id,
                scope=new.scope,
                member_id=new.member_id,
                grant_id=grant_id,
                images=images,
                at=now,
            )

    async def balance(self, *, scope: str, member_id: int, role_ids: Collection[int] = ()) -> Balance:
        """What a member with these roles has used and has left."""
        async with self._database.transaction() as connection:
            role_quotas = await role_quotas_of(connection, scope=scope, role_ids=role_ids)
            return await self._read_balance(connection, scope, member_id, role_quotas, self._now())

    async def get(self, generation_id: int) -> Generation | None:
        """The row as it is now."""
        async with self._database.connection() as connection:
            return await generations.get(connection, generation_id)

    async def locale(self, generation_id: int) -> str | None:
        """What its message speaks."""
        generation = await self.get(generation_id)
        return generation.locale if generation else None

    async def of_message(self, message_id: int) -> Generation | None:
        """The one that is shown in this message."""
        async with self._database.connection() as connection:
            return await generations.of_message(connection, message_id)

    async def unfinished(self) -> list[Generation]:
        """What a new start has to take up, oldest first."""
        async with self._database.connection() as connection:
            return await generations.unfinished(connection)

    async def behind(self) -> list[int]:
        """Those whose message does not show their last version."""
        async with self._database.connection() as connection:
            return await generations.behind(connection)

    async def at_provider(self) -> list[ProviderJob]:
        """The jobs that a new start has to take up."""
        async with self._database.connection() as connection:
            return await provider_jobs.at_provider(connection)

    async def jobs(self, generation_id: int) -> list[ProviderJob]:
        """Its jobs at the provider, in their order; none before it is queued."""
        async with self._database.connection() as connection:
            return await provider_jobs.of_generation(connection, generation_id)

    async def job(self, job_id: str) -> ProviderJob | None:
        """The job of that id of ours."""
        async with self._database.connection() as connection:
            return await provider_jobs.get(connection, job_id)

    async def lengths(self, *, each: int) -> list[KnownLength]:
        """How long the last jobs of every kind took, at most ``each`` of a kind, oldest first."""
        async with self._database.connection() as connection:
            return await provider_jobs.lengths(connection, each=each)

    async def line(self) -> Line:
        """Everybody who waits and what is at the provider, at one moment."""
        async with self._database.transaction() as connection:
            return Line(
                waiting=await provider_jobs.waiting(connection),
                in_flight=await provider_jobs.in_flight(connection),
            )

    async def set_message(self, generation_id: int, message_id: int) -> None:
        """Discord has named the message that the answer to this command is."""
        async with self._database.connection() as connection:
            await generations.set_message(connection, generation_id, message_id)

    async def wait(
        self, generation_id: int, wait: Wait, *, photos: Sequence[Source], kept: Sequence[KeptPhoto]
    ) -> bool:
        """Received -> waiting: somebody has to answer first. ``photos`` are where its photos come from once it goes
        on, ``kept`` those that are kept for it until then.
        """
        async with self._database.transaction() as connection:
            is_waiting = await generations.to_waiting(
                connection, generation_id, wait, photos=photos, kept=kept, at=self._now()
            )
        if is_waiting:
            log.info("generation %d waits for a %s", generation_id, wait.what)
        return is_waiting

    async def resume(self, generation_id: int) -> bool:
        """Waiting -> received: the answer is there, and it is taken in once more; False where it waits no more."""
        async with self._database.connection() as connection:
            return await generations.back_to_received(connection, generation_id, self._now())

    async def waited_too_long(self) -> list[Generation]:
        """Those that wait for an answer that nobody has given in time."""
        async with self._database.connection() as connection:
            return await generations.waited_too_long(connection, self._now())

    async def queue(self, generation: Generation, *, kind: str, jobs: int, shown: Shown | None) -> bool:
        """Received -> queued: the message is known, its photos, if any, have addresses, and its jobs stand in line.

        ``shown`` is what Discord has just confirmed, where the message shows the queue already.
        """
        async with self._database.transaction() as connection:
            is_queued = await generations.to_queued(
                connection,
                generation.id,
                is_shown=shown is not None,
                hosted=shown.photos if shown else (),
                message_id=shown.message_id if shown else None,
                at=self._now(),
            )
            if is_queued:
                images = generation.images // jobs
                new = [NewJob(id=_new_job_id(), images=images, kind=kind) for _ in range(jobs)]
                await provider_jobs.insert(connection, generation.id, new)
                await generations.forget_kept_photos(connection, generation.id)
        return is_queued

    async def start(self, job_id: str) -> ProviderJob | None:
        """A waiting job gets a slot, and its generation runs; None where it waits no more."""
        now = self._now()
        async with self._database.transaction() as connection:
            job = await provider_jobs.to_submitting(connection, job_id, now)
            if job is not None:
                await generations.to_running(connection, job.generation_id, now)
        return job

    async def submitted(self, job_id: str, provider_id: str) -> ProviderJob | None:
        """The provider has taken a job; None where that was known or nobody wants it any more."""
        now = self._now()
        async with self._database.connection() as connection:
            job = await provider_jobs.to_submitted(connection, job_id, provider_id=provider_id, at=now)
            is_first = job is not None and not job.n and not job.tries
            generation = await generations.get(connection, job.generation_id) if job and is_first else None
        if generation is not None:
            self._metrics.taken(now - generation.created_at)
        return job

    async def put_back(self, job: ProviderJob, *, is_try: bool) -> None:
        """Back in line: the provider did not take it, does not know it any more, or failed at it for now."""
        async with self._database.transaction() as connection:
            if await provider_jobs.drop(connection, job.id):
                return
            if not await provider_jobs.to_waiting(connection, job.id, new_id=_new_job_id(), is_try=is_try):
                return
            siblings = await provider_jobs.of_generation(connection, job.generation_id)
            if all(sibling.state in (JobState.WAITING, JobState.FAILED) for sibling in siblings):
                await generations.back_to_queued(connection, job.generation_id, self._now())

    async def announce_to_queue(self) -> list[int]:
        """There is something new to say to everybody who waits; returns whom it concerns."""
        async with self._database.connection() as connection:
            return await generations.show_queue_again(connection)

    async def job_done(self, job: ProviderJob, *, pictures: int, length: KnownLength | None) -> bool:
        """A job's pictures are verified files on disk; returns whether its generation is over by that."""
        async with self._database.transaction() as connection:
            at = self._now()
            is_news = await provider_jobs.to_done(connection, job.id, pictures=pictures, length=length, at=at)
            return is_news and await self._conclude(connection, job.generation_id)

    async def job_failed(self, job: ProviderJob, error: GenerationFailed) -> bool:
        """A job makes nothing, for good; returns whether its generation is over by that."""
        async with self._database.transaction() as connection:
            is_news = await provider_jobs.to_failed(connection, job.id, text=str(error), at=self._now())
            return is_news and await self._conclude(connection, job.generation_id, error.code)

    async def _conclude(self, connection: Connection, generation_id: int, code: str = "provider") -> bool:
        """Running -> finished or failed, once all its jobs are over; what was paid and did not come is refunded."""
        jobs = await provider_jobs.of_generation(connection, generation_id)
        if any(job.state in (JobState.WAITING, JobState.SUBMITTING, JobState.SUBMITTED) for job in jobs):
            return False
        text = next((job.failure_text for job in jobs if job.failure_text), None)
        pictures = sum(job.pictures for job in jobs)
        if not pictures:
            return await self._fail(connection, generation_id, code, text or "")
        now = self._now()
        finished = await generations.to_finished(
            connection, generation_id, pictures=pictures, missing_text=text, at=now
        )
        if finished is None:
            return False
        missing = sum(job.images for job in jobs) - pictures
        if missing:
            self._metrics.refunded(await _refund(connection, finished, missing, now))
        log.info("generation %d finished with %d pictures, %d are missing", generation_id, pictures, missing)
        return True

    async def cancel(self, generation_id: int) -> bool:
        """Anything without pictures yet -> cancelled, and everything that was paid comes back; returns whether it was
        in time. Its jobs at the provider go on there, and count as in flight until they are dropped.
        """
        now = self._now()
        async with self._database.transaction() as connection:
            cancelled = await generations.to_cancelled(connection, generation_id, now)
            if cancelled is None:
                return False
            await provider_jobs.close_waiting(connection, generation_id)
            await generations.forget_kept_photos(connection, generation_id)
            refunded = await _refund(connection, cancelled, cancelled.images, now)
        self._metrics.cancelled()
        self._metrics.refunded(refunded)
        log.info("generation %d was cancelled", generation_id)
        return True

    async def drop(self, job: ProviderJob) -> bool:
        """A job is over at the provider: where its generation was cancelled, it holds no slot from now on. Returns
        whether that was so.
        """
        async with self._database.connection() as connection:
            return await provider_jobs.drop(connection, job.id)

    async def fail(self, generation_id: int, error: UserError) -> bool:
        """Anything unfinished -> failed; everything that was paid and not yet given back is refunded."""
        async with self._database.transaction() as connection:
            return await self._fail(connection, generation_id, error.code, str(error))

    async def _fail(self, connection: Connection, generation_id: int, code: str, text: str) -> bool:
        now = self._now()
        before = await generations.get(connection, generation_id)
        if before is None or before.state.is_terminal:
            return False
        await generations.to_failed(connection, generation_id, code=code, text=text, at=now)
        await provider_jobs.close(connection, generation_id)
        await generations.forget_kept_photos(connection, generation_id)
        given_back = before.images - before.pictures if before.state is State.FINISHED else 0
        refunded = await _refund(connection, before, before.images - given_back, now)
        self._metrics.failed(code)
        self._metrics.refunded(refunded)
        log.info("generation %d failed: %s", generation_id, code)
        return True

    async def mark_shown(self, generation_id: int, *, version: int, message_id: int | None) -> None:
        """Discord has confirmed a version."""
        now = self._now()
        async with self._database.transaction() as connection:
            settled = await generations.mark_shown(
                connection, generation_id, version=version, message_id=message_id, at=now
            )
        if settled is not None:
            self._metrics.settled(now - settled.created_at, pictures=settled.pictures)

    async def _read_balance(
        self, connection: Connection, scope: str, member_id: int, role_quotas: Sequence[RoleQuota], now: datetime
    ) -> Balance:
        guild_id = guild_of(scope)
        return await read_balance(
            connection,
            scope=scope,
            member_id=member_id,
            role_quotas=role_quotas,
            quota=self._quota,
            limits=ServerLimits() if guild_id is None else self._limits(guild_id),
            now=now,
        )


def _check(balance: Balance, price: int, *, weight: int) -> None:
    """Raises Paused, BudgetExceeded, QuotaExceeded."""
    if balance.pauses_until is not None:
        raise Paused(balance.cooldown, until=balance.pauses_until)
    has = balance.left + balance.bonus
    if price > has:
        raise QuotaExceeded(
            wanted=price,
            left=balance.left,
            quota=balance.quota.images,
            enough_at=balance.enough_at(price if has else weight),
            bonus=balance.bonus,
            weight=weight,
        )
    for budget in balance.budgets:
        if price > budget.left:
            raise BudgetExceeded(
                left=budget.left,
                budget=budget.quota.images,
                window=budget.quota.window,
                enough_at=budget.enough_at(price),
            )


async def _refund(connection: Connection, generation: Generation, missing: int, now: datetime) -> int:
    """Give back what so many pictures of it cost; returns how many images that is."""
    images = missing * generation.weight
    await ledger.refund(connection, generation_id=generation.id, images=images, at=now)
    return images


def _new_job_id() -> str:
    return str(uuid.uuid4())
