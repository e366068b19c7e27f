"""Following the jobs at the provider: one task, one heap of the moments at which each is asked about next."""

import asyncio
import heapq
import itertools
import logging
import random
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.imagepipeline.answers import Answer, Busy, Done, Failed, JobUnknown, Misconfigured, Pending, Unreachable
from services.schedule import Length, Schedule
from services.tasks import Tasks

log = logging.getLogger(__name__)

ASKING_AT_ONCE = 8
# A fresh job may not be visible to the status route yet, so one "unknown" is not believed.
UNKNOWN_MAX = 4
# Hints that overtake the answer to the submit are kept for so many jobs.
EARLY_HINTS_MAX = 256
# So many announced jobs in a row that are done without a hint: the provider does not reach us.
UNHEARD_MAX = 3
# A webhook is sent within so many seconds of the job's end.
HINT_LATE_S = 1.0
# A question that is later than it was due by more than this says too little about the job's length.
TIMELY_S = 1.0
# The status may lag behind the webhook: the waits after each hinted question that was answered "pending".
ECHOES_S = (0.5, 1.0, 2.0, 4.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """When to ask where the schedule knows nothing, in seconds: first after ``first_s``, then at intervals that grow up
    to ``longest_s``."""

    first_s: float = 1.5
    growth: float = 1.4
    longest_s: float = 10.0
    jitter: float = 0.2
    busy_s: float = 10.0  # all asking pauses so long after a 429 without Retry-After
    refused_s: float = 30.0  # after an answer that only the operator can mend
    unheard_s: float = 30.0  # for the webhook of a job of unknown length
    spare_s: float = 5.0  # for the webhook beyond the longest likely length


@dataclass(frozen=True, slots=True, kw_only=True)
class Tracked:
    """A job that the provider has taken.

    ``route`` is what ``ask`` needs beside ``provider_id``. Jobs of one ``kind`` take about as long as each other.
    ``is_announced``: the provider was given a webhook's address.
    """

    job_id: str
    generation_id: int
    provider_id: str
    route: str
    kind: str
    submitted_at: datetime
    is_announced: bool


@dataclass(frozen=True, slots=True)
class Lost:
    """The provider does not know the job any more."""


@dataclass(frozen=True, slots=True)
class TimedOut:
    """It was not done by the deadline."""


Outcome = Done | Failed | Lost | TimedOut


@dataclass(slots=True, kw_only=True)
class _Entry:
    """``*_s`` are seconds since the submit, except for waits; ``due`` and ``quiet_until`` are moments of the loop."""

    tracked: Tracked
    began: float
    is_resumed: bool
    interval_s: float
    due: float | None = None  # None while it is being asked about
    planned_s: float | None = None  # None where the question is not one of the schedule
    asked_s: float = 0.0
    is_timely: bool = False
    over_s: float = 0.0
    heard_s: float | None = None
    is_hinted: bool = False  # a hint came since the last question was sent
    echoes: int = 0
    quiet_until: float = 0.0
    unknown: int = 0
    odd_status: str = ""


class Tracker:
    """Asks about every job until it has an outcome, and tells ``on_outcome`` once, with a length only where the job is
    done and the asking says something about how long it took; the schedule has learnt that length by then.

    The deadline counts from the submit and is applied only to an answer that came after it: after a laptop's sleep or a
    jump of the clock there is always one more question.
    """

    def __init__(
        self,
        *,
        ask: Callable[[Tracked], Awaitable[Answer]],
        on_outcome: Callable[[Tracked, Outcome, Length | None], None],
        tasks: Tasks,
        now: Callable[[], datetime],
        timeout: timedelta,
        pace: Pace,
        schedule: Schedule,
    ) -> None:
        self._ask = ask
        self._on_outcome = on_outcome
        self._tasks = tasks
        self._now = now
        self._timeout = timeout
        self._pace = pace
        self._schedule = schedule
        self._entries: dict[str, _Entry] = {}
        self._early_hints: OrderedDict[str, None] = OrderedDict()
        self._unheard = 0
        self._heap: list[tuple[float, int, _Entry]] = []
        self._order = itertools.count()
        self._changed = asyncio.Event()
        self._slots = asyncio.Semaphore(ASKING_AT_ONCE)
        self._not_before = 0.0

    def follow(self, tracked: Tracked) -> None:
        """Begin to ask about a job. One submitted long ago, before a restart, may be done and its hint lost."""
        age_s = max(0.0, (self._now() - tracked.submitted_at).total_seconds())
        entry = _Entry(
            tracked=tracked,
            began=_loop_time() - age_s,
            is_resumed=age_s >= self._pace.first_s,
            interval_s=self._pace.first_s,
        )
        self._entries[tracked.job_id] = entry
        self._plan(entry)
        if tracked.job_id in self._early_hints:
            del self._early_hints[tracked.job_id]
            self._hear(entry)

    def hint(self, job_id: str) -> bool:
        """The provider says that this job is over: ask now. It may overtake ``follow``; unknown ids do nothing. Returns
        whether the job is being followed.
        """
        entry = self._entries.get(job_id)
        if entry is not None:
            self._hear(entry)
            return True
        self._early_hints[job_id] = None
        if len(self._early_hints) > EARLY_HINTS_MAX:
            self._early_hints.popitem(last=False)
        return False

    async def run(self) -> None:
        """The one task; it ends with its owner."""
        while True:
            entry = await self._next()
            with self._tasks.waiting():
                await self._slots.acquire()
            self._tasks.spawn(self._ask_once(entry), f"ask about generation {entry.tracked.generation_id}")

    async def _next(self) -> _Entry:
        """Wait for the earliest moment in the heap and take its job out."""
        while True:
            self._changed.clear()
            while self._heap and self._heap[0][0] != self._heap[0][2].due:
                heapq.heappop(self._heap)  # it was put anew, for another moment
            due = max(self._heap[0][0], self._not_before) if self._heap else None
            if due is not None and due <= _loop_time():
                _, _, entry = heapq.heappop(self._heap)
                entry.due = None
                return entry
            with self._tasks.waiting():
                try:
                    async with asyncio.timeout_at(due):
                        await self._changed.wait()
                except TimeoutError:
                    continue

    async def _ask_once(self, entry: _Entry) -> None:
        tracked = entry.tracked
        was_hinted, entry.is_hinted = entry.is_hinted, False
        entry.asked_s = _loop_time() - entry.began
        entry.is_timely = entry.planned_s is not None and entry.asked_s <= entry.planned_s + TIMELY_S
        is_answered = False
        try:
            outcome = self._read(entry, await self._ask(tracked))
            is_answered = True
        except JobUnknown:
            entry.unknown += 1
            outcome = Lost() if entry.unknown >= UNKNOWN_MAX else None
        except Busy as error:
            wait_s = self._pace.busy_s if error.retry_after_s is None else error.retry_after_s
            self._not_before = max(self._not_before, _loop_time() + wait_s)
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
            self._end(entry, outcome)
        elif is_answered:
            self._after_pending(entry, was_hinted=was_hinted)
        else:
            entry.is_hinted |= was_hinted
            self._back_off(entry, longest_s=self._pace.longest_s)

    def _read(self, entry: _Entry, answer: Answer) -> Outcome | None:
        if not isinstance(answer, Pending):
            return answer
        entry.unknown = 0
        entry.over_s = entry.asked_s
        if answer.status not in _KNOWN_WAITING and answer.status != entry.odd_status:
            entry.odd_status = answer.status
            log.info("generation %d has the unknown status %r; waiting on", entry.tracked.generation_id, answer.status)
        return TimedOut() if self._now() >= entry.tracked.submitted_at + self._timeout else None

    def _given_up(self, tracked: Tracked) -> Outcome | None:
        """Without answers the deadline is doubled: perhaps only the way to the provider is broken."""
        return TimedOut() if self._now() >= tracked.submitted_at + 2 * self._timeout else None

    def _end(self, entry: _Entry, outcome: Outcome) -> None:
        tracked = entry.tracked
        del self._entries[tracked.job_id]
        length = None
        if isinstance(outcome, Done):
            length = _length(entry)
            if length is not None:
                self._schedule.learn(tracked.kind, length)
            if tracked.is_announced and entry.heard_s is None and not entry.is_resumed:
                self._miss_a_hint()
        self._on_outcome(tracked, outcome, length)

    def _hear(self, entry: _Entry) -> None:
        if not self._trusts_hints:
            log.info("the image service's webhooks arrive again")
        self._unheard = 0
        entry.is_hinted = True
        if entry.heard_s is None:
            entry.heard_s = _loop_time() - entry.began
        due = max(_loop_time(), entry.quiet_until)
        if entry.due is not None and due < entry.due:
            self._put(entry, due)

    def _miss_a_hint(self) -> None:
        self._unheard += 1
        if self._unheard != UNHEARD_MAX:
            return
        log.warning(
            "%d jobs in a row were done and no webhook came; from now on all jobs are asked about. "
            "Check that the image service can reach PUBLIC_URL",
            UNHEARD_MAX,
        )
        for entry in self._entries.values():
            if entry.tracked.is_announced and entry.due is not None:
                self._plan(entry)

    @property
    def _trusts_hints(self) -> bool:
        return self._unheard < UNHEARD_MAX

    def _after_pending(self, entry: _Entry, *, was_hinted: bool) -> None:
        if was_hinted:
            entry.quiet_until = _loop_time() + ECHOES_S[min(entry.echoes, len(ECHOES_S) - 1)]
            entry.echoes += 1
            entry.is_hinted |= entry.echoes <= len(ECHOES_S)
        if entry.is_hinted:
            self._put(entry, max(_loop_time(), entry.quiet_until))
        else:
            self._plan(entry)

    def _plan(self, entry: _Entry) -> None:
        """Put the next question where the webhook or the schedule makes it worth asking."""
        kind, is_new = entry.tracked.kind, entry.over_s == 0.0
        if entry.tracked.is_announced and self._trusts_hints:
            if is_new and not entry.is_resumed:
                longest_s = self._schedule.longest_s(kind)
                wait_s = self._pace.unheard_s if longest_s is None else longest_s + self._pace.spare_s
                self._put(entry, entry.began + wait_s)
            elif is_new:
                self._put(entry, _loop_time())
            else:
                entry.interval_s = max(entry.interval_s, self._pace.longest_s)
                self._back_off(entry, longest_s=self._pace.unheard_s)
            return
        next_s = self._schedule.next_s(kind, entry.over_s)
        if next_s is None and is_new:
            next_s = self._pace.first_s
        if next_s is None:
            self._back_off(entry, longest_s=self._pace.longest_s)
        else:
            self._put(entry, entry.began + next_s, planned_s=next_s)

    def _back_off(self, entry: _Entry, *, longest_s: float) -> None:
        entry.interval_s = min(max(longest_s, entry.interval_s), entry.interval_s * self._pace.growth)
        wait_s = entry.interval_s * random.uniform(1 - self._pace.jitter, 1 + self._pace.jitter)  # noqa: S311 - spreads load
        self._put(entry, _loop_time() + wait_s)

    def _put(self, entry: _Entry, due: float, *, planned_s: float | None = None) -> None:
        entry.due, entry.planned_s = due, planned_s
        heapq.heappush(self._heap, (due, next(self._order), entry))
        self._changed.set()


def _length(entry: _Entry) -> Length | None:
    """What a job that is done says about its kind. The first question after a restart, an outage, a pause or a lost
    webhook comes at a moment that has nothing to do with the job, and says nothing."""
    done_s = _loop_time() - entry.began
    if entry.heard_s is not None and not entry.is_resumed:
        return Length(max(entry.over_s, entry.heard_s - HINT_LATE_S), done_s)
    return Length(entry.over_s, done_s) if entry.over_s or entry.is_timely else None


def _loop_time() -> float:
    return asyncio.get_running_loop().time()


_KNOWN_WAITING = frozenset({"", "pending", "queued", "processing", "started", "in_progress", "running"})
