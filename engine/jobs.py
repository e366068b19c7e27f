"""The life of a job: waiting in a bounded queue, being made by a worker, finished or failed, and forgotten in the end.

queued --> running --> succeeded
              |
              +------> failed
"""

import asyncio
import logging
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from types import TracebackType
from typing import Self

from engine.errors import InvalidRequestError, NotFoundError, Problem, QueueFullError, ReferenceImageError
from engine.fetch import ImageFetcher
from engine.images import decode_reference
from engine.renderers import ReferenceImage, Renderer, RenderJob
from engine.request import ImageRequest, ReferenceSource
from engine.store import FileStore

log = logging.getLogger(__name__)

SWEEP_INTERVAL_S = 60.0
RETRY_AFTER_S = 5

# Inline images wait in memory; this bounds them all together, where the queue's length bounds only their number.
MAX_WAITING_CHARS = 256 * 1024 * 1024

FAULT = "The picture could not be made because of a fault in the engine. Try again; its log says more."


class JobState(StrEnum):
    """Where a job is in its life."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"

    @property
    def is_terminal(self) -> bool:
        """Tell whether nothing more happens to a job in this state."""
        return self in {JobState.SUCCEEDED, JobState.FAILED}


_NEXT = {
    JobState.QUEUED: {JobState.RUNNING},
    JobState.RUNNING: {JobState.SUCCEEDED, JobState.FAILED},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What is known of a job. The request itself is not kept: nothing of a face outlives the work on it.

    ``seed`` is that of the first picture, ``files`` are names in the store, ``error`` is a sentence for the caller.
    """

    id: str
    state: JobState
    seed: int
    files: tuple[str, ...] = ()
    error: str | None = None
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class IdempotencyKey:
    """A caller's word for one submit, and a digest of what was submitted under it."""

    key: str
    digest: bytes


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
        queue_limit: int,
        ttl: timedelta,
        choose_seed: Callable[[], int],
        now: Callable[[], datetime],
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        self._renderer = renderer
        self._fetcher = fetcher
        self._files = files
        self._queue_limit = queue_limit
        self._ttl = ttl
        self._choose_seed = choose_seed
        self._now = now
        self._sleep = sleep
        self._jobs: dict[str, Job] = {}
        self._submits: dict[str, tuple[bytes, str]] = {}
        self._waiting: asyncio.Queue[tuple[str, ImageRequest]] = asyncio.Queue()
        self._waiting_chars = 0
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
        return sum(job.state is JobState.RUNNING for job in self._jobs.values())

    def submit(self, request: ImageRequest, *, idempotency: IdempotencyKey | None = None) -> Job:
        """Queue a request, or return the job that the same submit has made before.

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
        job = Job(id=str(uuid.uuid4()), state=JobState.QUEUED, seed=parameters.seed)
        self._jobs[job.id] = job
        if idempotency is not None:
            self._submits[idempotency.key] = (idempotency.digest, job.id)
        self._waiting_chars += request.size
        self._waiting.put_nowait((job.id, replace(request, parameters=parameters)))
        log.info("job %s queued behind %d", job.id, self.queued - 1)
        return job

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
            raise InvalidRequestError([Problem(loc=("header", "Idempotency-Key"), message=message, kind="key_reused")])
        return job

    def _is_expired(self, job: Job) -> bool:
        return job.ended_at is not None and job.ended_at + self._ttl <= self._now()

    def _move(self, job_id: str, state: JobState, *, files: tuple[str, ...] = (), error: str | None = None) -> None:
        job = self._jobs[job_id]
        if state not in _NEXT[job.state]:
            raise ValueError(f"job {job_id} cannot go from {job.state} to {state}")
        ended_at = self._now() if state.is_terminal else None
        self._jobs[job_id] = replace(job, state=state, files=files, error=error, ended_at=ended_at)
        log.info("job %s %s%s", job_id, state, f": {error}" if error else "")

    async def _work(self) -> None:
        while True:
            job_id, request = await self._waiting.get()
            self._waiting_chars -= request.size
            self._move(job_id, JobState.RUNNING)
            await self._run(job_id, request)

    async def _run(self, job_id: str, request: ImageRequest) -> None:
        try:
            files = await self._make(job_id, request)
        except ReferenceImageError as error:
            self._move(job_id, JobState.FAILED, error=str(error))
        except asyncio.CancelledError:
            if _being_cancelled():
                raise
            log.exception("job %s was cancelled by its renderer", job_id)
            self._move(job_id, JobState.FAILED, error=FAULT)
        except Exception:
            log.exception("job %s failed", job_id)
            self._move(job_id, JobState.FAILED, error=FAULT)
        else:
            self._move(job_id, JobState.SUCCEEDED, files=files)

    async def _make(self, job_id: str, request: ImageRequest) -> tuple[str, ...]:
        references = [await self._load(source) for source in request.references]
        job = RenderJob(id=job_id, parameters=request.parameters, references=tuple(references))
        pictures = await self._renderer.render(job)
        if not pictures:
            raise ValueError("the renderer returned no picture")
        return tuple([await asyncio.to_thread(self._files.add, picture) for picture in pictures])

    async def _load(self, source: ReferenceSource) -> ReferenceImage:
        try:
            data = await self._fetcher.fetch(source.source)
            image = await asyncio.to_thread(decode_reference, data)
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
