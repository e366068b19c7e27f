"""How often the tracker asks about a job and how soon it notices the end, beside polling every 2 and every 5 seconds.

    python -m benchmarks.tracker [jobs]

The real tracker runs on virtual time against a simulated provider; all three ask about the same jobs in the same run.
"Known" is the best that any asking can do with the delay of 2 s polling where it knows how the lengths are distributed,
though not the length of a job: very wide distributions leave no room for three times fewer questions.
"""

import asyncio
import math
import random
import statistics
import sys
import time
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from services.imagepipeline.answers import Answer, Done, Pending
from services.schedule import EDGES_S, Length, Schedule, best_plan
from services.tasks import Tasks
from services.tracker import Outcome, Pace, Tracked, Tracker
from tests.virtual_time import run

ONE_WAY_S = 0.0125
BETWEEN_JOBS_S = (5.0, 15.0)
START = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
DRAWS = 2000
SEED = 7

LengthOf = Callable[[int, random.Random], float]


def randomness(of: int) -> random.Random:
    """The same in every run."""
    return random.Random(SEED + of)  # noqa: S311 - simulates


def spread(middle_s: float, sigma: float, chance: random.Random) -> float:
    return middle_s * math.exp(sigma * chance.gauss(0, 1))


# Seconds of the n-th job.
LENGTHS: dict[str, LengthOf] = {
    "constant": lambda _n, _chance: 12.3,
    "log-normal, sigma .15": lambda _n, chance: spread(12, 0.15, chance),
    "log-normal, sigma .35": lambda _n, chance: spread(12, 0.35, chance),
    "bimodal": lambda _n, chance: spread(chance.choice((8, 25)), 0.05, chance),
    "drifting": lambda n, chance: spread(14 + 6 * math.sin(2 * math.pi * n / 300), 0.03, chance),
    "in steps": lambda n, chance: spread((12, 20, 7, 15)[n // 150 % 4], 0.05, chance),
    "a minute": lambda _n, chance: spread(60, 0.05, chance),
}
# Where the distribution changes with n, these stand for all.
PHASES = range(0, 600, 25)


@dataclass(frozen=True, slots=True)
class Score:
    calls: float  # per job
    delay_s: float  # mean, from done to noticed


class Provider:
    """Knows when each job is done, and counts the questions."""

    def __init__(self) -> None:
        self.done_at: dict[str, float] = {}
        self.calls = 0

    async def ask(self, job_id: str) -> Answer:
        self.calls += 1
        await asyncio.sleep(ONE_WAY_S)
        is_done = asyncio.get_running_loop().time() >= self.done_at[job_id]
        await asyncio.sleep(ONE_WAY_S)
        return Done(sources=()) if is_done else Pending(job_id=job_id, status="pending")

    def score(self, noticed_at: dict[str, float]) -> Score:
        delays_s = [noticed_at[job_id] - done_at for job_id, done_at in self.done_at.items()]
        return Score(self.calls / len(delays_s), statistics.mean(delays_s))


async def submit_all(provider: Provider, lengths_s: Sequence[float], submitted: Callable[[str], None]) -> None:
    """Submit the jobs one by one, at the same moments in every run."""
    chance = randomness(0)
    for number, length_s in enumerate(lengths_s):
        provider.done_at[str(number)] = asyncio.get_running_loop().time() + length_s
        submitted(str(number))
        await asyncio.sleep(chance.uniform(*BETWEEN_JOBS_S))


async def poll(lengths_s: Sequence[float], interval_s: float) -> Score:
    provider = Provider()
    noticed_at: dict[str, float] = {}

    async def follow(job_id: str) -> None:
        while True:
            await asyncio.sleep(interval_s)
            if isinstance(await provider.ask(job_id), Done):
                noticed_at[job_id] = asyncio.get_running_loop().time()
                return

    async with asyncio.TaskGroup() as group:

        def submitted(job_id: str) -> None:
            group.create_task(follow(job_id))

        await submit_all(provider, lengths_s, submitted)
    return provider.score(noticed_at)


async def track(lengths_s: Sequence[float], *, webhooks: float | None = None) -> Score:
    """``webhooks`` is the share of them that arrives; None where the provider is given no address."""
    provider, chance, loop = Provider(), randomness(1), asyncio.get_running_loop()
    noticed_at: dict[str, float] = {}
    is_over = asyncio.Event()

    def wall_clock() -> datetime:
        return START + timedelta(seconds=loop.time())

    def on_outcome(tracked: Tracked, _outcome: Outcome, _length: Length | None) -> None:
        noticed_at[tracked.job_id] = loop.time()
        if len(noticed_at) == len(lengths_s):
            is_over.set()

    def submitted(job_id: str) -> None:
        tracker.follow(
            Tracked(
                job_id=job_id,
                generation_id=int(job_id),
                provider_id=job_id,
                route="",
                kind="",
                submitted_at=wall_clock(),
                is_announced=webhooks is not None,
            )
        )
        if webhooks is not None and chance.random() < webhooks:
            loop.call_at(provider.done_at[job_id] + ONE_WAY_S, tracker.hint, job_id)

    async with Tasks(grace_s=0.0) as tasks:
        tracker = Tracker(
            ask=lambda tracked: provider.ask(tracked.job_id),
            on_outcome=on_outcome,
            tasks=tasks,
            now=wall_clock,
            timeout=timedelta(minutes=15),
            pace=Pace(),
            schedule=Schedule({}),
        )
        tasks.spawn(tracker.run(), "tracker")
        await submit_all(provider, lengths_s, submitted)
        await is_over.wait()
    return provider.score(noticed_at)


def known(length_of: LengthOf, delay_s: float) -> float:
    """Questions per job of the best plan whose mean delay is no more than this."""
    chance = randomness(2)
    calls: list[float] = []
    for phase in PHASES:
        lengths_s = [length_of(phase, chance) for _ in range(DRAWS)]
        cells = [bisect_left(EDGES_S, length_s) - 1 for length_s in lengths_s]
        shares = [0.0] * (max(cells) + 1)
        for cell in cells:
            shares[cell] += 1 / DRAWS
        plan = best_plan(shares, delay_s - 2 * ONE_WAY_S)
        calls.append(statistics.mean(bisect_left(plan, length_s) + 1 for length_s in lengths_s))
    return statistics.mean(calls)


def planning_ms() -> tuple[float, float]:
    """How long this thread computes to learn a length and plan anew: the median and the longest."""
    chance, schedule = randomness(3), Schedule({})
    times_ms: list[float] = []
    for _ in range(200):
        length_s = spread(12, 0.35, chance)
        before = time.thread_time()
        schedule.learn("", Length(length_s - 1, length_s))
        schedule.next_s("", 0.0)
        times_ms.append((time.thread_time() - before) * 1000)
    return statistics.median(times_ms), max(times_ms)


def table(jobs: int) -> None:
    print(f"{jobs} jobs each: questions per job and mean delay from done to noticed")
    print(f"{'':24}{'every 2 s':>15}{'every 5 s':>15}{'tracker':>15}   beside every 2 s          known")
    for name, length_of in LENGTHS.items():
        chance = randomness(0)
        lengths_s = [length_of(number, chance) for number in range(jobs)]
        two, five, ours = run(poll(lengths_s, 2.0)), run(poll(lengths_s, 5.0)), run(track(lengths_s))
        cells = "".join(f"{score.calls:7.2f}{score.delay_s:6.2f} s" for score in (two, five, ours))
        fewer, best = two.calls / ours.calls, two.calls / known(length_of, two.delay_s)
        ratio = f"{fewer:5.2f} x fewer, delay x{ours.delay_s / two.delay_s:5.2f}"
        print(f"{name:24}{cells}   {ratio}   {best:5.2f} x{', 3 x is out of reach' if best < 3 else ''}")
    chance = randomness(0)
    lengths_s = [LENGTHS["log-normal, sigma .35"](number, chance) for number in range(jobs)]
    print("\nwith webhooks, log-normal, sigma .35")
    for name, share in {"all arrive": 1.0, "1 in 100 is lost": 0.99, "none arrives": 0.0}.items():
        ours = run(track(lengths_s, webhooks=share))
        print(f"{name:24}{'':30}{ours.calls:7.2f}{ours.delay_s:6.3f} s")
    median_ms, longest_ms = planning_ms()
    print(f"\nlearning a length and planning anew takes {median_ms:.1f} ms, at most {longest_ms:.1f} ms")


if __name__ == "__main__":
    table(int(sys.argv[1]) if len(sys.argv) > 1 else 600)
