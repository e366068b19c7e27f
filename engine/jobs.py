"""The life of a job: waiting in a bounded queue, being made by a worker, finished or failed, and forgotten in the end.

queued --> preparing --> running --> succeeded
               |            |
               +------------+-----> failed | cancelled
"""

import asyncio
import hashlib
import logging
import math
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from types import TracebackType
from typing import Self

from engine.account import Account
from engine.errors import (
    FailureReason,
    InvalidRequestError,
    JobError,
    NotFoundError,
    Problem,
    QueueFullError,
    ReferenceImageError,
)
from engine.fetch import ImageFetcher
from engine.idempotency import HEADER, IdempotencyKey
from engine.images import MAX_UPLOAD_BYTES, decode_reference, media_type, transcode
from engine.renderers import ReferenceImage, Renderer, RenderJob
from engine.request import ImageRequest, OutputFormat, ReferenceSource
from engine.store import FileStore

log = logging.getLogger(__name__)

SWEEP_INTERVAL_S = 60.0
RETRY_AFTER_S = 5

# Inline images wait in memory; this bounds them all together, where the queue's length bounds only their number.
MAX_WAITING_CHARS = 256 * 1024 * 1024

# What a job is thought to take before the first one has ended, and how much each one moves the estimate.
FIRST_ESTIMATE_S = 5.0
ESTIMATE_WEIGHT = 0.3

FAULT = "The picture could not be made because of a fault in the engine. Try again; its log says more."


class JobState(StrEnum):
    """Where a job is in its life: a worker that has taken one first prepares (fetches) its reference images."""

    QUEUED = "queued"
    PREPARING = "preparing"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_in_hand(self) -> bool:
        """Tell whether a worker is busy with a job in this state."""
        return self in {JobState.PREPARING, JobState.RUNNING}

    @property
    def is_terminal(self) -> bool:
        """Tell whether nothing more happens to a job in this state."""
        return self in _ENDS


_ENDS = {JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED}
_NEXT = {
    JobState.QUEUED: {JobState.PREPARING},
    JobState.PREPARING: {JobState.RUNNING, JobState.FAILED, JobState.CANCELLED},
    JobState.RUNNING: _ENDS,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A finished picture: its name in the store, and what is there."""

    name: str = field(repr=False)
    media_type: str
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What is known of a job. The request itself is not kept: nothing of a face outlives the work on it.

    ``number`` counts all jobs, ``seed`` is that of the first picture, ``prompt_sha256`` is hexadecimal. ``error`` is a
    sentence for the caller, with ``reason`` as its word for programs.
    """

    id: str
    number: int
    state: JobState
    endpoint: str
    seed: int
    prompt_sha256: str
    queued_at: datetime
    warnings: tuple[str, ...] = ()
    pictures: tuple[Picture, ...] = ()
    cost_usd: Decimal | None = None
    error: str | None = None
    reason: FailureReason | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None


EndListener = Callable[[Job], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Waiting:
    job_id: str
    request: ImageRequest
    on_end: EndListener | None


class JobRunner:
    """Owns every job and every task that works on one, while its ``async with`` lasts. Leaving cancels what runs.

    Args:
        queue_limit: How many jobs may wait.
        ttl: How long an ended job can be asked about.
        choose_seed: Gives a seed, 0 to 2**32 - 1, where a request leaves it open.
    """

    def __init__(
        self,
        *,
        renderer: Renderer,
        fetcher: ImageFetcher,
        files: FileStore,
        account: Account,
        queue_limit: int,
        ttl: timedelta,
        choose_seed: Callable[[], int],
        now: Callable[[], datetime],
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        self._renderer = renderer
        self._fetcher = fetcher
        self._files = files
        self._account = account
        self._queue_limit = queue_limit
        self._ttl = ttl
        self._choose_seed = choose_seed
        self._now = now
        self._sleep = sleep
        self._jobs: dict[str, Job] = {}
        self._submits: dict[str, tuple[bytes, str]] = {}
        self._waiting: asyncio.Queue[_Waiting] = asyncio.Queue()
        self._waiting_chars = 0
        self._submitted = 0
        self._taken = 0
        self._usual_s = FIRST_ESTIMATE_S
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        self._tasks = [asyncio.create_task(self._work()) for _ in range(self._renderer.workers)]
        self._tasks.append(asyncio.create_task(self._sweep_regularly()))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def queued(self) -> int:
        """How many jobs wait."""
        return self._waiting.qsize()

    @property
    def running(self) -> int:
        """How many jobs are being made."""
        return sum(job.state.is_in_hand for job in self._jobs.values())

    def submit(
        self,
        request: ImageRequest,
        *,
        idempotency: IdempotencyKey | None = None,
        on_end: EndListener | None = None,
    ) -> Job:
        """Queue a request, or return the job that the same submit has made before.

        ``on_end`` is told of a new job's end, whichever it is, unless the engine stops before.

        Raises:
            InvalidRequestError: The idempotency key was used for another request.
            QueueFullError: As many jobs wait as are taken.
        """
        known = self._find_submit(idempotency)
        if known is not None:
            return known
        if self.queued >= self._queue_limit or self._waiting_chars + request.size > MAX_WAITING_CHARS:
            text = f"The queue is full with {self.queued} waiting jobs. Send it again in {RETRY_AFTER_S} s."
            raise QueueFullError(text, retry_after_s=RETRY_AFTER_S)
        parameters = request.parameters.with_seed(self._choose_seed())
        self._submitted += 1
        job = Job(
            id=str(uuid.uuid4()),
            number=self._submitted,
            state=JobState.QUEUED,
            endpoint=request.endpoint,
            seed=parameters.seed,
            prompt_sha256=hashlib.sha256(parameters.prompt.encode()).hexdigest(),
            queued_at=self._now(),
            warnings=request.warnings,
        )
        self._jobs[job.id] = job
        if idempotency is not None:
            self._submits[idempotency.key] = (idempotency.digest, job.id)
        self._waiting_chars += request.size
        waiting = _Waiting(job_id=job.id, request=replace(request, parameters=parameters), on_end=on_end)
        self._waiting.put_nowait(waiting)
        log.info("job %s queued behind %d", job.id, self.queued - 1)
        return job

    def position(self, job: Job) -> int | None:
        """Return a waiting job's place in the queue, from 1; None for one that does not wait."""
        return job.number - self._taken if job.state is JobState.QUEUED else None

    def estimate_s(self, job: Job) -> int:
        """Return how many seconds a job takes altogether, judging by those before it; at least 1."""
        rounds_before = ((self.position(job) or 1) - 1) // self._renderer.workers
        return max(1, math.ceil(self._usual_s * (rounds_before + 1)))

    def progress(self, job: Job) -> int | None:
        """Return per cent, judging by how long the jobs before took; None for a job that ended without pictures."""
        if job.state is JobState.SUCCEEDED:
            return 100
        if job.state.is_terminal:
            return None
        if job.started_at is None:
            return 0
        return min(99, int(100 * (self._now() - job.started_at).total_seconds() / self._usual_s))

    def get(self, job_id: str) -> Job:
        """Return a job.

        Raises:
            NotFoundError: There is none with that id, or it ended too long ago.
        """
        job = self._jobs.get(job_id)
        if job is None or self._is_expired(job):
            raise NotFoundError("There is no such job, or it has expired. Submit it again.")
        return job

    def _find_submit(self, idempotency: IdempotencyKey | None) -> Job | None:
        if idempotency is None or idempotency.key not in self._submits:
            return None
        digest, job_id = self._submits[idempotency.key]
        job = self._jobs.get(job_id)
        if job is None or self._is_expired(job):
            return None
        if digest != idempotency.digest:
            message = "This key was used for a different request. Take a new key for a new request."
            raise InvalidRequestError([Problem(loc=("header", HEADER), message=message, kind="key_reused")])
        return job

    def _is_expired(self, job: Job) -> bool:
        return job.ended_at is not None and job.ended_at + self._ttl <= self._now()

    def _move(
        self,
        job_id: str,
        state: JobState,
        *,
        pictures: tuple[Picture, ...] = (),
        cost_usd: Decimal | None = None,
        error: str | None = None,
        reason: FailureReason | None = None,
    ) -> Job:
        job, now = self._jobs[job_id], self._now()
        if state not in _NEXT[job.state]:
            raise ValueError(f"job {job_id} cannot go from {job.state} to {state}")
        job = replace(
            job,
            state=state,
            pictures=pictures,
            cost_usd=cost_usd,
            error=error,
            reason=reason,
            started_at=job.started_at or now,
            ended_at=now if state.is_terminal else None,
        )
        self._jobs[job_id] = job
        log.info("job %s %s%s", job_id, state, f": {error}" if error else "")
        return job

    async def _work(self) -> None:
        while True:
            await self._serve_next()  # its variables end with it: a face must not stay in one until the next job

    async def _serve_next(self) -> None:
        waiting = await self._waiting.get()
        self._waiting_chars -= waiting.request.size
        self._taken += 1
        self._move(waiting.job_id, JobState.PREPARING)
        job = await self._run(waiting.job_id, waiting.request)
        self._learn(job)
        if waiting.on_end is not None:
            waiting.on_end(job)

    async def _run(self, job_id: str, request: ImageRequest) -> Job:
        try:
            with self._account.charge(request.parameters.samples) as cost_usd:
                pictures = await self._make(job_id, request)
        except JobError as error:
            state = JobState.CANCELLED if error.reason is FailureReason.CANCELLED else JobState.FAILED
            return self._move(job_id, state, error=str(error), reason=error.reason)
        except asyncio.CancelledError:
            if _being_cancelled():
                raise
            log.exception("job %s was cancelled by its renderer", job_id)
            return self._move(job_id, JobState.FAILED, error=FAULT, reason=FailureReason.MODEL_ERROR)
        except Exception:
            log.exception("job %s failed", job_id)
            return self._move(job_id, JobState.FAILED, error=FAULT, reason=self._reason_of_fault(job_id))
        return self._move(job_id, JobState.SUCCEEDED, pictures=pictures, cost_usd=cost_usd)

    def _reason_of_fault(self, job_id: str) -> FailureReason:
        is_running = self._jobs[job_id].state is JobState.RUNNING
        return FailureReason.MODEL_ERROR if is_running else FailureReason.INTERNAL_ERROR

    def _learn(self, job: Job) -> None:
        if job.state is JobState.SUCCEEDED and job.started_at is not None and job.ended_at is not None:
            took_s = (job.ended_at - job.started_at).total_seconds()
            self._usual_s = max(0.1, self._usual_s + ESTIMATE_WEIGHT * (took_s - self._usual_s))

    async def _make(self, job_id: str, request: ImageRequest) -> tuple[Picture, ...]:
        references = [await self._load(source) for source in request.references]
        self._move(job_id, JobState.RUNNING)
        job = RenderJob(id=job_id, parameters=request.parameters, references=tuple(references))
        pictures = await self._renderer.render(job)
        if not pictures:
            raise ValueError("the renderer returned no picture")
        return tuple([await asyncio.to_thread(self._keep, picture, request.output_format) for picture in pictures])

    def _keep(self, data: bytes, output_format: OutputFormat | None) -> Picture:
        if output_format is not None:
            data = transcode(data, output_format)
        try:
            name = self._files.add(data)
        except OSError as error:
            log.warning("a picture could not be stored: %s", error.strerror)
            text = "The picture could not be stored. Try again; the engine's log says more."
            raise JobError(text, FailureReason.STORAGE_ERROR) from error
        return Picture(name=name, media_type=media_type(data), size_bytes=len(data))

    async def _load(self, source: ReferenceSource) -> ReferenceImage:
        try:
            data = await self._fetcher.fetch(source.source)
            image = await asyncio.to_thread(decode_reference, data, max_bytes=MAX_UPLOAD_BYTES)
        except ReferenceImageError as error:
            raise ReferenceImageError(f"{source.name} cannot be used. {error}") from error
        return ReferenceImage(role=source.role, adapter=source.adapter, scale=source.scale, image=image)

    async def _sweep_regularly(self) -> None:
        while True:
            await self._sleep(SWEEP_INTERVAL_S)
            try:
                self._forget_expired()
                await asyncio.to_thread(self._files.sweep)
            except Exception:
                log.exception("expired files could not be swept; trying again in %.0f s", SWEEP_INTERVAL_S)

    def _forget_expired(self) -> None:
        self._jobs = {job.id: job for job in self._jobs.values() if not self._is_expired(job)}
        self._submits = {key: submit for key, submit in self._submits.items() if submit[1] in self._jobs}


def _being_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
