"""Following the jobs at the provider: one task, one heap of the moments at which each is asked about next."""

import asyncio
import heapq
import itertools
import logging
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from services.imagepipeline.answers import Answer, Busy, Done, Failed, JobUnknown, Misconfigured, Pending, Unreachable
from services.request import Model
from services.tasks import Tasks

log = logging.getLogger(__name__)

ASKING_AT_ONCE = 8
# A fresh job may not be visible to the status route yet, so one "unknown" is not believed.
UNKNOWN_MAX = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """When to ask, in seconds: first after ``first_s``, then at intervals that grow up to ``longest_s``."""

    first_s: float = 1.5
    growth: float = 1.4
    longest_s: float = 10.0
    jitter: float = 0.2
    busy_s: float = 10.0  # all asking pauses so long after a 429 without Retry-After
    refused_s: float = 30.0  # after an answer that only the operator can mend


@dataclass(frozen=True, slots=True, kw_only=True)
class Tracked:
    """A job that the provider has taken."""

    generation_id: int
    provider_id: str
    model: Model
    submitted_at: datetime


@dataclass(frozen=True, slots=True)
class Lost:
    """The provider does not know the job any more."""


@dataclass(frozen=True, slots=True)
class TimedOut:
    """It was not done by the deadline."""


Outcome = Done | Failed | Lost | TimedOut


@dataclass(slots=True)
class _Entry:
    tracked: Tracked
    interval_s: float
    unknown: int = 0
    odd_status: str = field(default="")


class Tracker:
    """Asks about every job until it has an outcome, and tells ``on_outcome`` once.

    The deadline counts from the submit and is applied only to an answer that came after it: after a laptop's sleep or a
    jump of the clock there is always one more question.
    """

    def __init__(
        self,
        *,
        ask: Callable[[Model, str], Awaitable[Answer]],
        on_outcome: Callable[[Tracked, Outcome], None],
        tasks: Tasks,
        now: Callable[[], datetime],
        timeout: timedelta,
        pace: Pace,
    ) -> None:
        self._ask = ask
        self._on_outcome = on_outcome
        self._tasks = tasks
        self._now = now
        self._timeout = timeout
        self._pace = pace
        self._heap: list[tuple[float, int, _Entry]] = []
        self._order = itertools.count()
        self._changed = asyncio.Event()
        self._slots = asyncio.Semaphore(ASKING_AT_ONCE)
        self._not_before = 0.0

    def follow(self, tracked: Tracked) -> None:
        """Begin to ask about a job; one that was submitted long ago, before a restart, at once."""
        entry = _Entry(tracked, interval_s=self._pace.first_s)
        age_s = (self._now() - tracked.submitted_at).total_seconds()
        self._put(entry, max(0.0, self._pace.first_s - max(0.0, age_s)))

    async def run(self) -> None:
        """The one task; it ends with its owner."""
        while True:
            due, entry = await self._next()
            with self._tasks.waiting():
                await self._slots.acquire()
            self._tasks.spawn(self._ask_once(entry), f"ask about generation {entry.tracked.generation_id}")
            log.debug("asking about generation %d, due %.1f", entry.tracked.generation_id, due)

    async def _next(self) -> tuple[float, _Entry]:
        """Wait for the earliest moment in the heap and take it out."""
        loop = asyncio.get_running_loop()
        while True:
            self._changed.clear()
            due = max(self._heap[0][0], self._not_before) if self._heap else None
            if due is not None and due <= loop.time():
                _, _, entry = heapq.heappop(self._heap)
                return due, entry
            with self._tasks.waiting():
                try:
                    async with asyncio.timeout_at(due):
                        await self._changed.wait()
                except TimeoutError:
                    continue

    async def _ask_once(self, entry: _Entry) -> None:
        tracked = entry.tracked
        try:
            outcome = self._read(entry, await self._ask(tracked.model, tracked.provider_id))
        except JobUnknown:
            entry.unknown += 1
            outcome = Lost() if entry.unknown >= UNKNOWN_MAX else None
        except Busy as error:
            wait_s = self._pace.busy_s if error.retry_after_s is None else error.retry_after_s
            self._not_before = max(self._not_before, asyncio.get_running_loop().time() + wait_s)
            outcome = None
        except Misconfigured as error:
            log.error("the status of generation %d cannot be read: %s", tracked.generation_id, error)
            entry.interval_s = self._pace.refused_s
            outcome = self._given_up(tracked)
        except Unreachable as error:
            log.warning("the status of generation %d is unknown: %s", tracked.generation_id, error)
            outcome = self._given_up(tracked)
        except Exception:  # one answer that we cannot read must not end the asking about all others
            log.exception("the status of generation %d met a bug", tracked.generation_id)
            outcome = self._given_up(tracked)
        finally:
            self._slots.release()
        if outcome is not None:
            self._on_outcome(tracked, outcome)
        else:
            self._again(entry)

    def _read(self, entry: _Entry, answer: Answer) -> Outcome | None:
        if not isinstance(answer, Pending):
            return answer
        entry.unknown = 0
        if answer.status not in _KNOWN_WAITING and answer.status != entry.odd_status:
            entry.odd_status = answer.status
            log.info("generation %d has the unknown status %r; waiting on", entry.tracked.generation_id, answer.status)
        return TimedOut() if self._now() >= entry.tracked.submitted_at + self._timeout else None

    def _given_up(self, tracked: Tracked) -> Outcome | None:
        """Without answers the deadline is doubled: perhaps only the way to the provider is broken."""
        return TimedOut() if self._now() >= tracked.submitted_at + 2 * self._timeout else None

    def _again(self, entry: _Entry) -> None:
        entry.interval_s = min(max(self._pace.longest_s, entry.interval_s), entry.interval_s * self._pace.growth)
        self._put(entry, entry.interval_s * random.uniform(1 - self._pace.jitter, 1 + self._pace.jitter))  # noqa: S311 - spreads load

    def _put(self, entry: _Entry, wait_s: float) -> None:
        due = asyncio.get_running_loop().time() + wait_s
        heapq.heappush(self._heap, (due, next(self._order), entry))
        self._changed.set()


_KNOWN_WAITING = frozenset({"", "pending", "queued", "processing", "started", "in_progress", "running"})
