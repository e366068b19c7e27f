"""The job runner: carries every accepted generation through its life, and takes all of them up again at a start."""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from db.connection import StorageError
from db.generations import Generation, NewGeneration, State
from db.provider_jobs import JobState, KnownLength, ProviderJob
from services import words
from services.allowance import Allowance
from services.collector import Collector, Retries
from services.delivery import Delivery
from services.downloads import Downloads
from services.errors import GenerationFailed, Restarting, UserError
from services.faces import Faces
from services.gate import Gate, Pauses
from services.generations import Generations
from services.hosting import Hosting
from services.imagepipeline.answers import NO_PICTURE, NO_REASON, Answer, Cause, Done, Failed, Misconfigured, Pending
from services.imagepipeline.client import ImageClient
from services.intake import Intake
from services.kept import KeptPhotos
from services.photos import Photos
from services.pictures import Pictures
from services.presenter import NeverAcknowledged, Presenter
from services.queue import Queue
from services.quotas import Balance
from services.request import Wish
from services.scenes import Scenes
from services.schedule import REMEMBERED_MAX, Length, Schedule
from services.submitter import Backoff, Submitter
from services.tasks import Tasks
from services.tracker import Lost, Outcome, Pace, TimedOut, Tracked, Tracker
from services.words import _, ngettext, sentence

log = logging.getLogger(__name__)

# How often a job that the provider has lost, or failed at for reasons of its own, is put back in line.
TRIES_MAX = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What the operator allows. ``weight_of`` tells what each picture of a wish counts as, in images."""

    in_flight_max: int
    timeout: timedelta
    weight_of: Callable[[Wish], int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """Every wait of the runner in one place, so that a test can shorten them all."""

    pace: Pace = field(default_factory=Pace)
    pauses: Pauses = field(default_factory=Pauses)
    retries: Retries = field(default_factory=Retries)
    backoff: Backoff = field(default_factory=Backoff)
    failed_s: float = 5.0  # after a failure that another try may mend; three times as long after each further one
    show_first_s: float = 1.0
    expiry_s: float = 60.0  # between looks for those that have waited for a person for too long


@dataclass(frozen=True, slots=True, kw_only=True)
class Outside:
    """The bot's ways to the world. ``webhook_url`` makes the address for a job's webhook, where there are webhooks."""

    client: ImageClient
    presenter: Presenter
    hosting: Hosting
    webhook_url: Callable[[str], str] | None
    photo_downloads: Downloads
    picture_downloads: Downloads


class Runner:
    """Owns the tasks. Everything that it knows of a generation is in the database."""

    def __init__(
        self,
        *,
        generations: Generations,
        schedule: Schedule,
        outside: Outside,
        photos: Photos,
        faces: Faces,
        kept: KeptPhotos,
        pictures: Pictures,
        limits: Limits,
        tasks: Tasks,
        now: Callable[[], datetime],
        timing: Timing,
    ) -> None:
        self._generations = generations
        self._client = outside.client
        self._hosting = outside.hosting
        self._has_webhooks = outside.webhook_url is not None
        self._pictures = pictures
        self._limits = limits
        self._tasks = tasks
        self._now = now
        self._timing = timing
        self._takes_more = True
        self._queue_news = asyncio.Event()
        self._taken_in: dict[int, bool] = {}  # what is being taken in, and whether it was cancelled meanwhile
        self._queue = Queue(generations, in_flight_max=limits.in_flight_max)
        self._gate = Gate(tasks=tasks, pauses=timing.pauses)
        self._scenes = Scenes(
            generations=generations,
            queue=self._queue,
            gate=self._gate,
            pictures=pictures,
            schedule=schedule,
            now=now,
        )
        self._delivery = Delivery(
            presenter=outside.presenter,
            generations=generations,
            tasks=tasks,
            now=now,
            allowance=Allowance(clock=asyncio.get_running_loop().time),
            scene_of=self._scenes.of,
            on_over=self._discard,
            first_retry_s=timing.show_first_s,
        )
        self._intake = Intake(
            downloads=outside.photo_downloads,
            photos=photos,
            faces=faces,
            kept=kept,
            hosting=outside.hosting,
            delivery=self._delivery,
            tasks=tasks,
        )
        self._submitter = Submitter(
            client=outside.client,
            hosting=outside.hosting,
            webhook_url=outside.webhook_url,
            is_wanted=self._is_running,
            gate=self._gate,
            tasks=tasks,
            now=now,
            timeout=limits.timeout,
            backoff=timing.backoff,
        )
        self._collector = Collector(
            downloads=outside.picture_downloads, pictures=pictures, tasks=tasks, retries=timing.retries
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

    @property
    def account_usd(self) -> float | None:
        """What the image service last said is left in the operator's account; None where it never said."""
        return self._client.account_usd

    async def start(self) -> None:
        """Take up everything that is not over; call it once Discord can be reached."""
        unfinished = await self._generations.unfinished()
        await self._pictures.sweep(generation.id for generation in unfinished)
        await self._hosting.sweep(generation.id for generation in unfinished)
        self._tasks.spawn(self._tracker.run(), "tracker")
        self._tasks.spawn(self._dispatch(), "dispatch")
        self._tasks.spawn(self._expire(), "expiry")
        for generation in unfinished:
            await self._resume(generation)
        for job in await self._generations.at_provider():
            self._begin_job(job, self._resume_job, "take up")
        for generation_id in await self._generations.behind():
            self._delivery.wake(generation_id)
        if unfinished:
            log.info("took up %d unfinished generations", len(unfinished))

    async def accept(self, new: NewGeneration) -> int | None:
        """Take a request with its charge, before it is acknowledged; None where this command was taken already.

        Raises:
            UserError: nothing was taken; the text says why.
        """
        if not self._takes_more:
            raise Restarting
        weight = self._limits.weight_of(Wish.from_json(new.wish))
        return await self._generations.accept(replace(new, weight=weight))

    async def acknowledged(self, generation_id: int, message_id: int | None) -> None:
        """The member has seen that it was taken: begin. Discord may have named the message already."""
        if message_id is not None:
            await self._generations.set_message(generation_id, message_id)
        self._begin(generation_id, self._take_in, "take in")

    async def unacknowledged(self, generation_id: int) -> None:
        """The member has been told that the command failed: undo it."""
        text = _("Discord did not take the answer in time.")
        await self._fail(generation_id, GenerationFailed("unacknowledged", text))

    async def cancel(self, generation_id: int) -> bool:
        """Nobody wants it any more: refund it, and drop what the image service may still make of it. False where that
        comes too late.
        """
        if not await self._generations.cancel(generation_id):
            return False
        if generation_id in self._taken_in:
            self._taken_in[generation_id] = True  # its message is being edited, which must not come after ours
        else:
            self._delivery.wake(generation_id)
        self._queue_news.set()
        return True

    async def resume(self, generation_id: int) -> bool:
        """The person for whom it waits has answered: take it in once more. False where it waits no more."""
        if not await self._generations.resume(generation_id):
            return False
        self.resumed(generation_id)
        return True

    def resumed(self, generation_id: int) -> None:
        """Its row says that it goes on; the message may still be about to say that it waits."""
        self._begin(generation_id, self._take_in_again, "go on with")

    async def abandon(self, generation_id: int) -> None:
        """Its member wants it forgotten: nothing more is made or shown of it, and what was paid comes back."""
        if not await self._generations.cancel(generation_id):
            await self._generations.fail(generation_id, GenerationFailed("erased", _("It was erased.")))
        await self._discard(generation_id)
        self._queue_news.set()

    async def generation(self, generation_id: int) -> Generation | None:
        """Everything that is known of a request."""
        return await self._generations.get(generation_id)

    async def jobs(self, generation_id: int) -> list[ProviderJob]:
        """Its jobs at the image service, in their order."""
        return await self._generations.jobs(generation_id)

    async def balance(self, *, scope: str, member_id: int, role_ids: Collection[int]) -> Balance:
        """What a member with these roles has used and has left."""
        return await self._generations.balance(scope=scope, member_id=member_id, role_ids=role_ids)

    async def of_message(self, message_id: int) -> Generation | None:
        """The generation that is shown in this message, however it came there; None where it shows none."""
        return await self._generations.of_message(message_id)

    def stop_taking(self) -> None:
        """The end is near: refuse what comes from now on."""
        self._takes_more = False

    def hooked(self, job_id: str, body: bytes) -> bool:
        """A webhook has come for a job: a hint to ask the service, which alone is believed. Returns whether it was
        awaited.
        """
        return self._submitter.named_late(job_id, body) or self._tracker.hint(job_id)

    async def _resume(self, generation: Generation) -> None:
        if Wish.from_json(generation.wish).api is not self._client.api and generation.state is not State.FINISHED:
            with words.speaking(generation.locale):
                text = _("The bot was moved to another image service before this was made. Ask again.")
            await self._fail(generation.id, GenerationFailed("other_api", text))
            return
        match generation.state:
            case State.RECEIVED:
                self._begin(generation.id, self._take_in, "take in")
            case State.QUEUED | State.RUNNING:
                self._queue_news.set()
            case _:
                self._delivery.wake(generation.id)

    async def _resume_job(self, job: ProviderJob) -> None:
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

    def _begin(self, generation_id: int, work: Callable[[int], Awaitable[None]], what: str) -> None:
        self._tasks.spawn(self._guard(generation_id, work), f"{what} generation {generation_id}")

    def _begin_job(self, job: ProviderJob, work: Callable[[ProviderJob], Awaitable[None]], what: str) -> None:
        self._tasks.spawn(self._guard_job(job, work), f"{what} job {job.n} of generation {job.generation_id}")

    async def _guard(self, generation_id: int, work: Callable[[int], Awaitable[None]]) -> None:
        """Whatever goes wrong with one generation ends that one, with a refund and a sentence, and nothing else."""
        with words.speaking(await self._generations.locale(generation_id)):
            try:
                await work(generation_id)
            except UserError as error:
                await self._fail(generation_id, error)
            except NeverAcknowledged:
                await self.unacknowledged(generation_id)
            except StorageError:
                raise  # without the database nothing can go on
            except Exception:
                log.exception("generation %d met a bug", generation_id)
                await self._fail(generation_id, _internal(generation_id))

    async def _guard_job(self, job: ProviderJob, work: Callable[[ProviderJob], Awaitable[None]]) -> None:
        """The same for one of a generation's jobs: the others go on."""
        with words.speaking(await self._generations.locale(job.generation_id)):
            try:
                await work(job)
            except GenerationFailed as error:
                await self._job_failed(job, error)
            except StorageError:
                raise
            except Exception:
                log.exception("job %d of generation %d met a bug", job.n, job.generation_id)
                await self._job_failed(job, _internal(job.generation_id))

    async def _fail(self, generation_id: int, error: UserError) -> None:
        if await self._generations.fail(generation_id, error):
            self._delivery.wake(generation_id)
            self._queue_news.set()

    async def _job_failed(self, job: ProviderJob, error: GenerationFailed) -> None:
        if await self._generations.job_failed(job, error):
            self._delivery.wake(job.generation_id)
        self._queue_news.set()

    async def _discard(self, generation_id: int) -> None:
        await self._pictures.discard(generation_id)
        await self._hosting.discard(generation_id)

    async def _take_in(self, generation_id: int) -> None:
        """Received -> queued."""
        self._taken_in[generation_id] = False
        try:
            await self._prepare(generation_id)
        finally:
            if self._taken_in.pop(generation_id):
                self._delivery.wake(generation_id)

    async def _take_in_again(self, generation_id: int) -> None:
        await self._delivery.quiet(generation_id)
        await self._take_in(generation_id)

    async def _expire(self) -> None:
        """Whoever waits for a person for too long waits no more."""
        while True:
            for generation in await self._generations.waited_too_long():
                with words.speaking(generation.locale):
                    text = _("Nobody has answered in time.")
                await self._fail(generation.id, GenerationFailed("unanswered", text))
            await self._tasks.sleep(self._timing.expiry_s)

    async def _prepare(self, generation_id: int) -> None:
        generation = await self._generations.get(generation_id)
        if generation is None or generation.state is not State.RECEIVED:
            return
        wish = Wish.from_json(generation.wish)
        shown = await self._intake.prepare(generation, wish, lambda: self._scenes.in_queue(generation, wish))
        if await self._generations.queue(generation, kind=wish.kind, jobs=wish.jobs, shown=shown):
            self._queue_news.set()
            if self._gate.closed_for_s() or not await self._queue.is_moving():
                self._delivery.wake(generation_id)  # otherwise there is more to show in a moment

    async def _dispatch(self) -> None:
        """Waiting jobs get slots, for as long as there are any and the service takes anything."""
        while True:
            self._queue_news.clear()
            await self._gate.wait()
            for generation_id in await self._queue.expired(self._now()):
                with words.speaking(await self._generations.locale(generation_id)):
                    text = _("It waited for a day without being made.")
                await self._fail(generation_id, GenerationFailed("expired", text))
            job = await self._queue.claim()
            if job is not None:
                if self._gate.refusal is None:  # a probe that is refused again has nothing new to tell the member
                    self._delivery.wake(job.generation_id)
                self._gate.passed()
                self._begin_job(job, self._submit, "submit")
                continue
            with self._tasks.waiting():
                await self._queue_news.wait()

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
        self._delivery.wake(generation.id)
        if not isinstance(answer, Pending) and await self._is_dropped(job):
            return
        match answer:
            case Pending(job_id=provider_id):
                await self._taken(job, provider_id)
            case Done(sources=sources):
                await self._collect(job, sources, None)
            case Failed():
                await self._came_to_nothing(job, answer)

    async def _is_running(self, generation_id: int) -> bool:
        generation = await self._generations.get(generation_id)
        return generation is not None and generation.state is State.RUNNING

    async def _is_unwanted(self, generation_id: int) -> bool:
        generation = await self._generations.get(generation_id)
        return generation is None or generation.state in (State.CANCELLED, State.FAILED)

    async def _is_dropped(self, job: ProviderJob) -> bool:
        """Whether its generation was cancelled; then the end of the job frees its slot, and is nothing else."""
        is_dropped = await self._generations.drop(job)
        if is_dropped:
            self._queue_news.set()
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
            self._delivery.wake(job.generation_id)  # it was shown as being made
        self._queue_news.set()

    async def _gate_opens(self) -> None:
        if self._gate.accepted():
            await self._tell_the_queue()
            self._queue_news.set()

    async def _tell_the_queue(self) -> None:
        for generation_id in await self._generations.announce_to_queue():
            self._delivery.wake(generation_id)

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
            await self._guard_job(job, lambda job: self._conclude(job, outcome, length))

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
        self._delivery.wake(job.generation_id)
        self._queue_news.set()

    async def _collect(self, job: ProviderJob, sources: tuple[str, ...], length: KnownLength | None) -> None:
        kept = await self._collector.collect(job, sources)
        if await self._generations.job_done(job, pictures=kept, length=length):
            self._delivery.wake(job.generation_id)
        elif await self._is_unwanted(job.generation_id):
            await self._discard(job.generation_id)  # it was cancelled, or has failed, while the pictures came
        self._queue_news.set()


async def load_schedule(generations: Generations) -> Schedule:
    """What earlier lives have learnt about how long jobs take."""
    remembered: dict[str, list[Length]] = {}
    for known in await generations.lengths(each=REMEMBERED_MAX):
        remembered.setdefault(known.kind, []).append(Length(known.over_s, known.done_s))
    return Schedule(remembered)


def _reason(failed: Failed) -> str:
    ours = {NO_REASON: _("it gave no reason"), NO_PICTURE: _("it reported success without a picture")}
    return ours.get(failed.message, failed.message)


def _internal(generation_id: int) -> GenerationFailed:
    text = _("Something went wrong in the bot. Its owner finds the cause under number {number}.", number=generation_id)
    return GenerationFailed("internal", text)
