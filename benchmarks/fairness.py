"""How long members wait while one of them asks for everything: the fair order against first come, first served.

    python -m benchmarks.fairness

Simulated time, so the numbers are the same on every machine.
"""

import heapq
import math
import random
import statistics
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from db.provider_jobs import Waiting
from services.fairness import serving_order

SLOTS = 8  # the default of IMAGEPIPELINE_MAX_IN_FLIGHT
JOB_S = 20.0
HOG = 0
HOG_JOBS = 120  # MEMBER_QUEUE would allow 20 requests; here nothing holds the hog back but the order
MEMBERS = 60
SECONDS = 900.0
START = datetime(2026, 1, 1, tzinfo=UTC)

Order = Callable[[Sequence[Waiting], Mapping[int, int]], list[Waiting]]


@dataclass(frozen=True, slots=True)
class Request:
    """One job, when it is asked for and how long it will take."""

    at_s: float
    member: int
    length_s: float


def first_come(waiting: Sequence[Waiting], _in_flight: Mapping[int, int]) -> list[Waiting]:
    """What a plain queue does."""
    return list(waiting)


def requests(seed: int) -> list[Request]:
    """The hog's jobs all at once; one of everybody else's each, at a random moment of the next quarter of an hour."""
    chance = random.Random(seed)  # noqa: S311 - simulates

    def length_s() -> float:
        return chance.lognormvariate(math.log(JOB_S), 0.3)

    asked = [Request(0.0, HOG, length_s()) for _ in range(HOG_JOBS)]
    asked += [Request(chance.uniform(1.0, SECONDS), member, length_s()) for member in range(1, MEMBERS + 1)]
    return sorted(asked, key=lambda request: request.at_s)


def waits(asked: Sequence[Request], order: Order) -> list[tuple[int, float]]:
    """Each job's member and how many seconds it waited for a slot."""
    coming, waiting = list(enumerate(asked)), list[Waiting]()
    running: list[tuple[float, int]] = []
    in_flight: Counter[int] = Counter()
    waited: list[tuple[int, float]] = []
    now_s = 0.0
    while coming or waiting or running:
        while coming and coming[0][1].at_s <= now_s:
            number, request = coming.pop(0)
            waiting.append(Waiting(str(number), number, request.member, START + timedelta(seconds=request.at_s)))
        while running and running[0][0] <= now_s:
            in_flight[heapq.heappop(running)[1]] -= 1
        while waiting and len(running) < SLOTS:
            job = order(waiting, in_flight)[0]
            waiting.remove(job)
            in_flight[job.member_id] += 1
            waited.append((job.member_id, now_s - asked[job.generation_id].at_s))
            heapq.heappush(running, (now_s + asked[job.generation_id].length_s, job.member_id))
        now_s = min([*(end for end, _ in running[:1]), *(request.at_s for _, request in coming[:1])], default=now_s)
    return waited


def main() -> None:
    """Print one line for each order."""
    print(
        f"{HOG_JOBS} jobs of one member at once, one each of {MEMBERS} others within {SECONDS:.0f} s; "
        f"{SLOTS} slots, jobs of about {JOB_S:.0f} s; waits in seconds over 20 runs"
    )
    print(f"{'order':<24}{'others: median':>16}{'95 %':>8}{'longest':>9}{'the one: median':>18}{'longest':>9}")
    medians: dict[str, float] = {}
    for name, order in (("first come, first served", first_come), ("fair (ours)", serving_order)):
        waited = [wait for seed in range(20) for wait in waits(requests(seed), order)]
        others = sorted(wait_s for member, wait_s in waited if member != HOG)
        hog = [wait_s for member, wait_s in waited if member == HOG]
        medians[name] = statistics.fmean(others)
        print(
            f"{name:<24}{statistics.median(others):>16.1f}{others[int(len(others) * 0.95)]:>8.1f}{others[-1]:>9.1f}"
            f"{statistics.median(hog):>18.1f}{max(hog):>9.1f}"
        )
    plain, fair = medians.values()
    print(f"\nOn average the others wait {plain / fair:.0f} times shorter: {fair:.1f} s instead of {plain:.1f} s.")


if __name__ == "__main__":
    main()
