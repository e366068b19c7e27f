"""The job runner: carries every accepted generation through its life, and takes all of them up again at a start."""

import asyncio
import logging
import random
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from db.connection import StorageError
from db.generations import Generation, NewGeneration, State
from db.provider_jobs import JobState, ProviderJob
from services.allowance import Allowance
from services.collector import Collector, Retries
from services.delivery import Delivery
from services.downloads import Downloads
from services.errors import GenerationFailed, PhotoRefused, Restarting, UserError
from services.gate import Gate, Pauses
from services.generations import Generations
from services.imagepipeline.adapters import AdaptersClient
from services.imagepipeline.answers import Answer, Busy, Done, Failed, Misconfigured, Pending, Rejected, Unreachable
from services.intake import Intake
from services.photos import Photos
from services.pictures import Pictures
from services.presenter import Failure, NeverAcknowledged, Presenter, Progress, Result, Scene
from services.queue import Queue
from services.quotas import Balance
from services.request import Wish
from services.tasks import Tasks
from services.tracker import Lost, Outcome, Pace, TimedOut, Tracked, Tracker
from services.words import counted

log = logging.getLogger(__name__)

# How often a job that the provider has lost is submitted anew.
LOST_MAX = 2
_REFUSED_NOTE = (
    "The bot's account at the image service needs its owner's attention. "
    "Your request is kept, and will be made as soon as that is done."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What the operator allows."""

    in_flight_max: int
    timeout: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """Every wait of the runner in one place, so that a test can shorten them all."""

    pace: Pace = field(default_factory=Pace)
    pauses: Pauses = field(default_factory=Pauses)
    retries: Retries = field(default_factory=Retries)
    submit_first_s: float = 1.0
    submit_longest_s: float = 30.0
    show_first_s: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Outside:
    """The bot's ways to the world."""

    client: AdaptersClient
    presenter: Presenter
    photo_downloads: Downloads
    picture_downloads: Downloads


class Runner:
    """Owns the tasks. Everything that it knows of a generation is in the database."""

    def __init__(
        self,
        *,
        generations: Generations,
        outside: Outside,
        photos: Photos,
        pictures: Pictures,
        limits: Limits,
        tasks: Tasks,
        now: Callable[[], datetime],
        timing: Timing,
    ) -> None:
        self._generations = generations
        self._client = outside.client
        self._pictures = pictures
        self._limits = limits
        self._tasks = tasks
        self._now = now
        self._timing = timing
        self._takes_more = True
        self._queue_news = asyncio.Event()
        self._queue = Queue(generations, in_flight_max=limits.in_flight_max)
        self._gate = Gate(tasks=tasks, pauses=timing.pauses)
        self._delivery = Delivery(
            presenter=outside.presenter,
            generations=generations,
            tasks=tasks,
            now=now,
            allowance=Allowance(clock=asyncio.get_running_loop().time),
            scene_of=self._scene_of,
            on_over=pictures.discard,
            first_retry_s=timing.show_first_s,
        )
        self._intake = Intake(downloads=outside.photo_downloads, photos=photos, delivery=self._delivery, tasks=tasks)
        self._collector = Collector(
            downloads=outside.picture_downloads, pictures=pictures, tasks=tasks, retries=timing.retries
        )
        self._tracker = Tracker(
            ask=outside.client.ask,
            on_outcome=self._tracked,
            tasks=tasks,
            now=now,
            timeout=limits.timeout,
            pace=timing.pace,
        )

    async def start(self) -> None:
        """Take up everything that is not over; call it once Discord can be reached."""
        unfinished = await self._generations.unfinished()
        await self._pictures.sweep(generation.id for generation in unfinished)
        self._tasks.spawn(self._tracker.run(), "tracker")
        self._tasks.spawn(self._dispatch(), "dispatch")
        for generation in unfinished:
            await self._resume(generation)
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
        return await self._generations.accept(new)

    async def acknowledged(self, generation_id: int, message_id: int | None) -> None:
        """The member has seen that it was taken: begin. Discord may have named the message already."""
        if message_id is not None:
            await self._generations.set_message(generation_id, message_id)
        self._begin(generation_id, self._take_in(generation_id), "take in")

    async def unacknowledged(self, generation_id: int) -> None:
        """The member has been told that the command failed: undo it."""
        await self._fail(generation_id, GenerationFailed("unacknowledged", "Discord did not take the answer in time."))

    async def balance(self, *, scope: str, member_id: int) -> Balance:
        """What a member has used and has left."""
        return await self._generations.balance(scope=scope, member_id=member_id)

    def stop_taking(self) -> None:
        """The end is near: refuse what comes from now on."""
        self._takes_more = False

    async def _resume(self, generation: Generation) -> None:
        match generation.state:
            case State.RECEIVED:
                self._begin(generation.id, self._take_in(generation.id), "take in")
            case State.QUEUED:
                self._queue_news.set()
            case State.RUNNING:
                await self._resume_job(generation)
            case _:
                self._delivery.wake(generation.id)

    async def _resume_job(self, generation: Generation) -> None:
        job = (await self._generations.jobs(generation.id))[-1]
        if job.state is JobState.SUBMITTED and job.provider_id and job.submitted_at:
            self._follow(generation, provider_id=job.provider_id, submitted_at=job.submitted_at)
        else:
            self._begin(generation.id, self._submit(job), "submit")

    def _begin(self, generation_id: int, work: Coroutine[Any, Any, None], what: str) -> None:
        self._tasks.spawn(self._guard(generation_id, work), f"{what} generation {generation_id}")

    async def _guard(self, generation_id: int, work: Coroutine[Any, Any, None]) -> None:
        """Whatever goes wrong with one generation ends that one, with a refund and a sentence, and nothing else."""
        try:
            await work
        except UserError as error:
            await self._fail(generation_id, error)
        except NeverAcknowledged:
            await self.unacknowledged(generation_id)
        except StorageError:
            raise  # without the database nothing can go on
        except Exception:
            log.exception("generation %d met a bug", generation_id)
            sentence = f"Something went wrong in the bot. Its owner finds the cause under number {generation_id}."
            await self._fail(generation_id, GenerationFailed("internal", sentence))

    async def _fail(self, generation_id: int, error: UserError) -> None:
        if await self._generations.fail(generation_id, error):
            self._delivery.wake(generation_id)
            self._queue_news.set()

    async def _take_in(self, generation_id: int) -> None:
        """Received -> queued."""
        generation = await self._generations.get(generation_id)
        if generation is None or generation.state is not State.RECEIVED:
            return
        wish = Wish.from_json(generation.wish)
        shown = await self._intake.prepare(generation, wish, lambda: self._in_queue(generation))
        if await self._generations.queue(generation_id, shown):
            self._queue_news.set()
            if self._gate.closed_for_s() or not await self._queue.is_moving():
                self._delivery.wake(generation_id)  # otherwise there is more to show in a moment

    async def _dispatch(self) -> None:
        """Queued -> running, for as long as there are slots and the service takes anything."""
        while True:
            self._queue_news.clear()
            await self._gate.wait()
            for generation_id in await self._queue.expired(self._now()):
                await self._fail(generation_id, GenerationFailed("expired", "It waited for a day without being made."))
            job = await self._queue.claim()
            if job is not None:
                if self._gate.refusal is None:  # a probe that is refused again has nothing new to tell the member
                    self._delivery.wake(job.generation_id)
                self._gate.passed()
                self._begin(job.generation_id, self._submit(job), "submit")
                continue
            with self._tasks.waiting():
                await self._queue_news.wait()

    async def _submit(self, job: ProviderJob) -> None:
        """Ask the provider until it has taken the job, refused it, or the deadline has come."""
        generation = await self._generations.get(job.generation_id)
        if generation is None or generation.state is not State.RUNNING:
            return
        wish, face_url = Wish.from_json(generation.wish), generation.face.url if generation.face else None
        wait_s = self._timing.submit_first_s
        while True:
            try:
                answer = await self._client.submit(wish, face_url=face_url, idempotency_key=job.id)
                break
            except Misconfigured as error:
                await self._refused(generation, error)
                return
            except Rejected as error:
                await self._gate_opens()
                sentence = f"The image service refused the request: {error.message}"
                raise GenerationFailed("rejected", _sentence(sentence)) from error
            except Busy as error:
                self._gate.busy(error.retry_after_s)
            except Unreachable as error:
                log.warning("generation %d could not be submitted yet: %s", generation.id, error)
            if self._now() >= job.created_at + self._limits.timeout:
                raise GenerationFailed("unreachable", "The image service could not be reached.")
            await self._tasks.sleep(max(self._gate.closed_for_s(), wait_s * random.uniform(0.8, 1.2)))  # noqa: S311 - spreads load
            wait_s = min(2 * wait_s, self._timing.submit_longest_s)
        await self._gate_opens()
        self._delivery.wake(generation.id)
        await self._answered(generation, job, answer)

    async def _refused(self, generation: Generation, error: Misconfigured) -> None:
        before = await self._generations.get(generation.id)
        await self._generations.requeue(generation.id)
        if self._gate.refused(error):
            await self._tell_the_queue()
        elif before is not None and before.shown == before.version:
            self._delivery.wake(generation.id)  # it was shown as being made
        self._queue_news.set()

    async def _gate_opens(self) -> None:
        if self._gate.accepted():
            await self._tell_the_queue()
            self._queue_news.set()

    async def _tell_the_queue(self) -> None:
        for generation_id in await self._generations.announce_to_queue():
            self._delivery.wake(generation_id)

    async def _answered(self, generation: Generation, job: ProviderJob, answer: Answer) -> None:
        match answer:
            case Pending(job_id=provider_id):
                await self._generations.submitted(job.id, provider_id)
                self._follow(generation, provider_id=provider_id, submitted_at=self._now())
            case Done(sources=sources):
                await self._collect(generation, sources)
            case Failed(message=message):
                raise _made_nothing(message)

    def _follow(self, generation: Generation, *, provider_id: str, submitted_at: datetime) -> None:
        model = Wish.from_json(generation.wish).model
        self._tracker.follow(
            Tracked(generation_id=generation.id, provider_id=provider_id, model=model, submitted_at=submitted_at)
        )

    def _tracked(self, tracked: Tracked, outcome: Outcome) -> None:
        self._begin(tracked.generation_id, self._came_out(tracked.generation_id, outcome), "collect")

    async def _came_out(self, generation_id: int, outcome: Outcome) -> None:
        generation = await self._generations.get(generation_id)
        if generation is None or generation.state is not State.RUNNING:
            return
        match outcome:
            case Done(sources=sources):
                await self._collect(generation, sources)
            case Failed(message=message):
                raise _made_nothing(message)
            case TimedOut():
                minutes = round(self._limits.timeout.total_seconds() / 60)
                raise GenerationFailed(
                    "timeout", f"The image service did not finish within {counted(minutes, 'minute')}."
                )
            case Lost():
                await self._lost(generation_id)

    async def _lost(self, generation_id: int) -> None:
        if len(await self._generations.jobs(generation_id)) > LOST_MAX:
            raise GenerationFailed("lost", "The image service lost the request again and again.")
        log.warning("the image service lost generation %d; it is submitted anew", generation_id)
        await self._generations.requeue(generation_id)
        self._delivery.wake(generation_id)
        self._queue_news.set()

    async def _collect(self, generation: Generation, sources: tuple[str, ...]) -> None:
        """Running -> finished."""
        kept = await self._collector.collect(generation, sources)
        if await self._generations.finish(generation, pictures=kept):
            self._delivery.wake(generation.id)
            self._queue_news.set()

    async def _scene_of(self, generation: Generation, wish: Wish, *, each_max: int) -> Scene:
        match generation.state:
            case State.RECEIVED | State.QUEUED:
                return await self._in_queue(generation)
            case State.RUNNING:
                return Progress(place=None)
            case State.FINISHED | State.SETTLED:
                return await self._result(generation, wish, each_max)
            case State.FAILED:
                return Failure(
                    sentence=generation.failure_text or "",
                    refunded=generation.images,
                    private=generation.failure_code == PhotoRefused.code,
                )

    async def _in_queue(self, generation: Generation) -> Progress:
        place = await self._queue.place_of(generation.id, member_id=generation.member_id, now=self._now())
        return Progress(place=place, notes=(_REFUSED_NOTE,) if self._gate.refusal else ())

    async def _result(self, generation: Generation, wish: Wish, each_max: int) -> Result:
        pictures, shrunk = await self._pictures.fitted(generation.id, each_max=each_max)
        if not pictures:
            raise GenerationFailed("pictures_gone", "The pictures were made, but are no longer on the bot's disk.")
        return Result(
            pictures=pictures,
            refunded=wish.images - generation.pictures,
            balance=await self.balance(scope=generation.scope, member_id=generation.member_id),
            shrunk=shrunk,
        )


def _made_nothing(message: str) -> GenerationFailed:
    return GenerationFailed("provider", _sentence(f"The image service could not make it: {message}"))


def _sentence(text: str) -> str:
    return text if text.endswith((".", "!", "?", "…")) else f"{text}."
