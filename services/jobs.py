"""The jobs at the image service: each is carried from a free slot to verified pictures on disk, or to a failure."""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from datetime import datetime

from db.connection import StorageError
from db.provider_jobs import JobState, KnownLength, ProviderJob
from services import words
from services.collector import Collector
from services.errors import GenerationFailed
from services.gate import Gate
from services.generations import Generations, State
from services.imagepipeline.answers import NO_PICTURE, NO_REASON, Answer, Cause, Done, Failed, Misconfigured, Pending
from services.pictures import Pictures
from services.queue import Queue
from services.schedule import REMEMBERED_MAX, Length, Schedule
from services.submitter import Submitter
from services.surroundings import Limits, Outside, Timing
from services.tasks import Tasks
from services.tracker import Lost, Outcome, TimedOut, Tracked, Tracker
from services.wishes import Wish
from services.words import _, ngettext, sentence

log = logging.getLogger(__name__)

# How often a job that the provider has lost, or failed at for reasons of its own, is put back in line.
TRIES_MAX = 3


class Jobs:
    """Everything that it knows of a job is in the database. ``show`` is called where a generation has something new to
    show, ``fail`` for one that has waited for too long, and ``discard`` for one whose pictures nobody wants any more.
    """

    def __init__(
        self,
        *,
        generations: Generations,
        queue: Queue,
        gate: Gate,
        schedule: Schedule,
        outside: Outside,
        pictures: Pictures,
        limits: Limits,
        tasks: Tasks,
        now: Callable[[], datetime],
        timing: Timing,
        show: Callable[[int], None],
        fail: Callable[[int, GenerationFailed], Awaitable[None]],
        discard: Callable[[int], Awaitable[None]],
    ) -> None:
        self._generations = generations
        self._queue = queue
        self._gate = gate
        self._client = outside.client
        self._has_webhooks = outside.webhook_url is not None
        self._limits = limits
        self._tasks = tasks
        self._now = now
        self._timing = timing
        self._show = show
        self._fail = fail
        self._discard = discard
        self._news = asyncio.Event()
        self._submitter = Submitter(
            client=outside.client,
            hosting=outside.hosting,
            webhook_url=outside.webhook_url,
            is_wanted=generations.is_running,
            gate=self._gate,
            tasks=tasks,
            now=now,
            timeout=limits.timeout,
            backoff=timing.backoff,
        )
        self._collector = Collector(
            downloads=outside.picture_downloads,
            pictures=pictures,
            check=outside.image_check,
            tasks=tasks,
            retries=timing.retries,
        )
        self._tracker = Tracker(
            ask=self._ask,
            on_outcome=self._tracked,
            tasks=tasks,
            now=now,
            timeout=limits.timeout,
            pace=timing.pace,
            schedule=schedule,
        )

    async def start(self) -> None:
        """Take up what is at the service, and give slots from now on."""
        for job in await self._generations.at_provider():
            self._begin(job, self._resume, "take up")  # at once: a webhook may be about to name it
        self._tasks.spawn(self._tracker.run(), "tracker")
        self._tasks.spawn(self._dispatch(), "dispatch")

    def wake(self) -> None:
        """There may be a job for a slot, or a slot for a job."""
        self._news.set()

    def hooked(self, job_id: str, body: bytes) -> bool:
        """A webhook has come for a job: a hint to ask the service, which alone is believed. Returns whether it was
        awaited.
        """
        return self._submitter.named_late(job_id, body) or self._tracker.hint(job_id)

    async def _resume(self, job: ProviderJob) -> None:
        if job.state is JobState.SUBMITTED:
            await self._follow(job)
            return
        provider_id = await self._submitter.late_name(job.id)
        if provider_id is None:
            await self._submit(job)
            return
        log.info("generation %d: a webhook named the job that was being submitted", job.generation_id)
        await self._taken(job, provider_id)
        self._tracker.hint(job.id)

    def _begin(self, job: ProviderJob, work: Callable[[ProviderJob], Awaitable[None]], what: str) -> None:
        self._tasks.spawn(self._guard(job, work), f"{what} job {job.n} of generation {job.generation_id}")

    async def _guard(self, job: ProviderJob, work: Callable[[ProviderJob], Awaitable[None]]) -> None:
        """Whatever goes wrong with one of a generation's jobs ends that one alone."""
        with words.speaking(await self._generations.locale(job.generation_id)):
            try:
                await work(job)
            except GenerationFailed as error:
                await self._job_failed(job, error)
            except StorageError:
                raise  # without the database nothing can go on
            except Exception:
                log.exception("job %d of generation %d met a bug", job.n, job.generation_id)
                await self._job_failed(job, internal_failure(job.generation_id))

    async def _job_failed(self, job: ProviderJob, error: GenerationFailed) -> None:
        if await self._generations.job_failed(job, error):
            self._show(job.generation_id)
        self.wake()

    async def _dispatch(self) -> None:
        """Waiting jobs get slots, for as long as there are any and the service takes anything."""
        while True:
            self._news.clear()
            await self._gate.wait()
            for generation_id in await self._queue.expired(self._now()):
                with words.speaking(await self._generations.locale(generation_id)):
                    text = _("It waited for a day without being made.")
                await self._fail(generation_id, GenerationFailed("expired", text))
            job = await self._queue.claim()
            if job is not None:
                if self._gate.refusal is None:  # a probe that is refused again has nothing new to tell the member
                    self._show(job.generation_id)
                self._gate.passed()
                self._begin(job, self._submit, "submit")
                continue
            with self._tasks.waiting():
                await self._news.wait()

    async def _submit(self, job: ProviderJob) -> None:
        """Submitting -> submitted, over, or back in line."""
        generation = await self._generations.get(job.generation_id)
        if generation is None or generation.state is not State.RUNNING:
            await self._is_dropped(job)
            return
        try:
            answer = await self._submitter.submit(generation, Wish.from_json(generation.wish), job)
        except Misconfigured as error:
            await self._account_refused(job, error)
            return
        except GenerationFailed as error:
            if error.code == "rejected":
                await self._gate_opens()
            raise
        if answer is None:
            await self._is_dropped(job)
            return
        await self._gate_opens()
        self._show(generation.id)
        if not isinstance(answer, Pending) and await self._is_dropped(job):
            return
        match answer:
            case Pending(job_id=provider_id):
                await self._taken(job, provider_id)
            case Done(sources=sources):
                await self._collect(job, sources, None)
            case Failed():
                await self._came_to_nothing(job, answer)

    async def _is_dropped(self, job: ProviderJob) -> bool:
        """Whether its generation was cancelled; then the end of the job frees its slot, and is nothing else."""
        is_dropped = await self._generations.drop(job)
        if is_dropped:
            self.wake()
        return is_dropped

    async def _taken(self, job: ProviderJob, provider_id: str) -> None:
        submitted = await self._generations.submitted(job.id, provider_id)
        if submitted is not None:
            await self._follow(submitted)

    async def _account_refused(self, job: ProviderJob, error: Misconfigured, *, is_try: bool = False) -> None:
        before = await self._generations.get(job.generation_id)
        await self._generations.put_back(job, is_try=is_try)
        if self._gate.refused(error):
            await self._tell_the_queue()
        elif before is not None and before.shown == before.version:
            self._show(job.generation_id)  # it was shown as being made
        self.wake()

    async def _gate_opens(self) -> None:
        if self._gate.accepted():
            await self._tell_the_queue()
            self.wake()

    async def _tell_the_queue(self) -> None:
        for generation_id in await self._generations.announce_to_queue():
            self._show(generation_id)

    async def _follow(self, job: ProviderJob) -> None:
        generation = await self._generations.get(job.generation_id)
        if generation is None or job.provider_id is None or job.submitted_at is None:
            return
        wish = Wish.from_json(generation.wish)
        self._tracker.follow(
            Tracked(
                job_id=job.id,
                generation_id=job.generation_id,
                provider_id=job.provider_id,
                route=self._client.route(wish),
                kind=wish.kind,
                submitted_at=job.submitted_at,
                is_announced=self._has_webhooks,
            )
        )

    async def _ask(self, tracked: Tracked) -> Answer:
        return await self._client.ask(tracked.route, tracked.provider_id)

    def _tracked(self, tracked: Tracked, outcome: Outcome, length: Length | None) -> None:
        self._tasks.spawn(self._came_out(tracked, outcome, length), f"finish generation {tracked.generation_id}")

    async def _came_out(self, tracked: Tracked, outcome: Outcome, length: Length | None) -> None:
        job = await self._generations.job(tracked.job_id)
        if job is not None and job.state is JobState.SUBMITTED:
            await self._guard(job, lambda job: self._conclude(job, outcome, length))

    async def _conclude(self, job: ProviderJob, outcome: Outcome, length: Length | None) -> None:
        if await self._is_dropped(job):
            return
        match outcome:
            case Done(sources=sources):
                known = KnownLength(job.kind, length.over_s, length.done_s) if length else None
                await self._collect(job, sources, known)
            case Failed():
                await self._came_to_nothing(job, outcome)
            case TimedOut():
                minutes = round(self._limits.timeout.total_seconds() / 60)
                text = ngettext(
                    "The image service did not finish within {number} minute.",
                    "The image service did not finish within {number} minutes.",
                    minutes,
                )
                raise GenerationFailed("timeout", text)
            case Lost():
                if job.tries >= TRIES_MAX:
                    raise GenerationFailed("lost", _("The image service lost the request again and again."))
                log.warning("the image service lost a job of generation %d; it is asked anew", job.generation_id)
                await self._put_back(job)

    async def _came_to_nothing(self, job: ProviderJob, failed: Failed) -> None:
        """Put it back in line where another try may succeed; the slot stays taken for the pause before that.

        Raises:
            GenerationFailed: it was tried often enough, or it would be of no use.
        """
        if failed.cause is Cause.REQUEST or job.tries >= TRIES_MAX:
            text = _("The image service could not make it: {reason}", reason=sentence(_reason(failed)))
            raise GenerationFailed("provider", text)
        log.warning("a job of generation %d failed (%s); trying again", job.generation_id, failed.cause.name.lower())
        match failed.cause:
            case Cause.ACCOUNT:
                advice = "Check the ImagePipeline account: it has to be topped up."
                error = Misconfigured(f"A job failed because of the account. {advice} It said: {failed.message}")
                await self._account_refused(job, error, is_try=True)
                return
            case Cause.BUSY:
                self._gate.busy(None)
            case Cause.SERVICE:
                await self._tasks.sleep(self._timing.failed_s * 3**job.tries * random.uniform(0.8, 1.2))  # noqa: S311 - spreads load
        await self._put_back(job)

    async def _put_back(self, job: ProviderJob) -> None:
        await self._generations.put_back(job, is_try=True)
        self._show(job.generation_id)
        self.wake()

    async def _collect(self, job: ProviderJob, sources: tuple[str, ...], length: KnownLength | None) -> None:
        collected = await self._collector.collect(job, sources)
        if await self._generations.job_done(
            job, pictures=collected.pictures, missing_text=collected.missing, length=length
        ):
            self._show(job.generation_id)
        elif await self._generations.is_unwanted(job.generation_id):
            await self._discard(job.generation_id)  # it was cancelled, or has failed, while the pictures came
        self.wake()


async def load_schedule(generations: Generations) -> Schedule:
    """What earlier lives have learnt about how long jobs take."""
    remembered: dict[str, list[Length]] = {}
    for known in await generations.lengths(each=REMEMBERED_MAX):
        remembered.setdefault(known.kind, []).append(Length(known.over_s, known.done_s))
    return Schedule(remembered)


def _reason(failed: Failed) -> str:
    ours = {NO_REASON: _("it gave no reason"), NO_PICTURE: _("it reported success without a picture")}
    return ours.get(failed.message, failed.message)


def internal_failure(generation_id: int) -> GenerationFailed:
    """What a bug comes to for the member."""
    text = _(
        "Something went wrong in the bot. Its operator finds the cause under number {number}.", number=generation_id
    )
    return GenerationFailed("internal", text)
