"""When to ask about a job, learnt from how long the jobs of its kind took, as far as asking could tell."""

import itertools
import math
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

# A little less than polling every two seconds has.
MEAN_DELAY_S = 0.95
REMEMBERED_MAX = 64

# Time since the submit is cut into cells: fine enough that half of one is no delay worth a question.
_CELL_S, _CELL_SHARE, _END_S = 0.1, 0.015, 3600.0
# Several memories judge at once, and those that foresaw the latest lengths best are believed most: one that keeps long
# for a steady provider, one that forgets soon for one that changes. Jobs until a length counts for 1/e.
_MEMORIES = (8, 64)
# Beside them: "anything may come", believed as much as a memory of one job, so that a change is not denied for long.
_NOTHING_KNOWN = 1
_SCORE_KEPT = 0.9
_LEAST_CHANCE = 1e-4
# Rounds of expectation and maximisation.
_ROUNDS = 20
# The prior, as if so many jobs more had been seen: a heavy-tailed bell around the median in the logarithm of time, as
# wide as so many times the distance between the quartiles, but never narrower than this (0.1: a tenth of the time), and
# wider for the first few jobs.
_PRIOR_JOBS, _PRIOR_SPREAD, _PRIOR_LEAST = 2.0, 0.5, 0.1
_PRIOR_TAIL = 2.5
# A cell's chance is shared with the cells around it, as far as this share of all chances lies.
_SHARED = 0.05
# The plan reaches beyond the longest of the latest lengths by this factor.
_BEYOND, _LATEST = 1.05, 16
# After so many jobs in a row that were done at their first question, one question comes at half the time: nothing else
# would tell that the provider has become faster.
_PROBE_AFTER, _PROBE_AT = 12, 0.5
# How many moments a plan chooses from, and how closely the price of a question is searched.
_MOMENTS, _PRICE_STEP = 64, 1.05
_PRICES_S = (0.01, 200.0)
_LIKELY = 0.99
# Two questions of a plan are never so close, and a question may be this much before its moment.
_SAME_S = 0.05


@dataclass(frozen=True, slots=True)
class Length:
    """How long a job took as far as asking can tell, in seconds since the submit: it was not done yet at ``over_s``
    (0.0 where it was never asked before), and was at ``done_s``."""

    over_s: float
    done_s: float


class Schedule:
    """Learns per kind of job, and forgets the old. ``remembered`` has the oldest first."""

    def __init__(self, remembered: Mapping[str, Sequence[Length]]) -> None:
        self._kinds: defaultdict[str, _Kind] = defaultdict(_Kind)
        for kind, lengths in remembered.items():
            for length in lengths[-REMEMBERED_MAX:]:
                self._kinds[kind].remember(length)

    def learn(self, kind: str, length: Length) -> None:
        """A job of this kind is done."""
        self._kinds[kind].judge(length)
        self._kinds[kind].remember(length)

    def next_s(self, kind: str, over_s: float) -> float | None:
        """When to ask, in seconds since the submit, about a job that was not done at ``over_s`` (0.0: never asked);
        None where nothing is known of its kind, or it takes longer than any that is known."""
        if kind not in self._kinds:
            return None
        plan = self._kinds[kind].plan()
        following = bisect_right(plan, over_s + _SAME_S) if over_s else 0
        return plan[following] if following < len(plan) else None

    def typical_s(self, kind: str) -> float | None:
        """Seconds within which half of the jobs of this kind are done; None where nothing is known of it."""
        return self._kinds[kind].within_s(0.5) if kind in self._kinds else None

    def longest_s(self, kind: str) -> float | None:
        """Seconds within which nearly every job of this kind is done; None where nothing is known of it."""
        return self._kinds[kind].within_s(_LIKELY) if kind in self._kinds else None


def best_plan(chances: Sequence[float], delay_s: float, *, moments_max: int = _MOMENTS) -> list[float]:
    """The moments to ask at, in seconds, that need the fewest questions at a mean delay of no more than ``delay_s``.

    ``chances`` are those of a job's end in each cell of ``EDGES_S``; they sum to 1. With a price per question the best
    plan is found by dynamic programming from the last moment backwards; the highest price whose plan keeps to the delay
    is searched (a Lagrange multiplier).
    """
    moments, done, weighed = _moments(chances, moments_max)
    last = len(moments) - 1
    lowest, highest = _PRICES_S
    plan, _ = _priced_plan(moments, done, weighed, lowest)
    while highest / lowest > _PRICE_STEP:
        price = math.sqrt(lowest * highest)
        candidate, expected_s = _priced_plan(moments, done, weighed, price)
        if expected_s <= delay_s:
            lowest, plan = price, candidate
        else:
            highest = price
    asked: list[float] = []
    at = 0
    while at < last:
        at = plan[at]
        asked.append(moments[at])
    return asked


def _moments(chances: Sequence[float], moments_max: int) -> tuple[list[float], list[float], list[float]]:
    """The moments worth asking at; the chance that the job is done by each, and that chance times when it was done."""
    moments, done, weighed = [0.0], [0.0], [0.0]
    share = sum_s = 0.0
    for cell, chance in enumerate(chances):
        share += chance
        sum_s += chance * _MIDDLES_S[cell]
        if share - done[-1] >= 1 / moments_max or cell == len(chances) - 1:
            moments.append(EDGES_S[cell + 1])
            done.append(share)
            weighed.append(sum_s)
    return moments, done, weighed


def _priced_plan(
    moments: list[float], done: list[float], weighed: list[float], price_s: float
) -> tuple[list[int], float]:
    """For each moment the one to ask at next, where a question costs as much as ``price_s`` of delay; the mean delay
    in seconds."""
    last = len(moments) - 1
    costs, delays, following = [0.0] * (last + 1), [0.0] * (last + 1), [last] * (last + 1)
    for at in range(last - 1, -1, -1):
        already = done[at]
        best = math.inf
        for to in range(at + 1, last + 1):
            cost = moments[to] * (done[to] - already) - weighed[to] + costs[to]
            if cost < best:
                best, following[at] = cost, to
        costs[at] = best + weighed[at] + price_s * (done[last] - already)
        to = following[at]
        delays[at] = delays[to] + moments[to] * (done[to] - already) - weighed[to] + weighed[at]
    return following, delays[0]


class _Kind:
    """One kind of job. Everything is computed when it is first needed after a length was learnt."""

    def __init__(self) -> None:
        self._lengths: list[tuple[int, int]] = []  # from edge to edge
        self._scores = [math.log(jobs) for jobs in (_NOTHING_KNOWN, *_MEMORIES)]
        self._opinions: list[list[float]] = []
        self._chances: list[float] = []
        self._plan: list[float] = []

    def remember(self, length: Length) -> None:
        self._lengths.append(_edges_of(length))
        del self._lengths[:-REMEMBERED_MAX]
        self._opinions, self._chances, self._plan = [], [], []

    def judge(self, length: Length) -> None:
        """Score the memories by the chance they gave to this length, before it is remembered."""
        if not self._lengths:
            return
        start, end = _edges_of(length)
        for number, (opinion, jobs) in enumerate(zip(self._judged(), (_NOTHING_KNOWN, *_MEMORIES), strict=True)):
            prior = math.log(jobs)
            seen = math.log(max(_LEAST_CHANCE, sum(opinion[start:end])))
            self._scores[number] = prior + (self._scores[number] - prior) * _SCORE_KEPT + seen

    def plan(self) -> list[float]:
        if not self._plan:
            self._plan = best_plan(self._mixed(), MEAN_DELAY_S)
            latest = self._lengths[-_PROBE_AFTER:]
            if len(latest) == _PROBE_AFTER and all(start == 0 for start, _ in latest):
                self._plan.insert(0, _PROBE_AT * self._plan[0])
        return self._plan

    def within_s(self, share: float) -> float:
        done = list(itertools.accumulate(self._mixed()))
        return EDGES_S[bisect_left(done, share * done[-1]) + 1]

    def _mixed(self) -> list[float]:
        if not self._chances:
            best = max(self._scores)
            trust = [math.exp(score - best) for score in self._scores]
            total = sum(trust)
            mixed = [sum(map(float.__mul__, trust, cell)) / total for cell in zip(*self._judged(), strict=True)]
            self._chances = _smoothed(mixed)
        return self._chances

    def _judged(self) -> list[list[float]]:
        """The chances of a job's end in each cell, by nothing known and by each memory."""
        if not self._opinions:
            _, longest = max(self._lengths[-_LATEST:])  # the ends of other intervals prove nothing
            cells = min(len(_MIDDLES_S), _nearest_edge(EDGES_S[longest] * _BEYOND) + 1)
            self._opinions = [_even(cells), *(self._remembered(jobs, cells) for jobs in _MEMORIES)]
        return self._opinions

    def _remembered(self, jobs: int, cells: int) -> list[float]:
        """Where the lengths lie inside their intervals, estimated from all of them together (Turnbull's estimator, with
        a prior). Taking the end of each interval instead would drift: what is asked late would be learnt as long."""
        intervals = [
            (start, min(end, cells), math.exp(-age / jobs))
            for age, (start, end) in enumerate(reversed(self._lengths))
            if start < cells
        ]
        least = _PRIOR_LEAST + 1 / len(self._lengths)
        chances = _prior(_even(cells), least)
        for _ in range(_ROUNDS):
            prior = _prior(chances, least)
            done = [0.0, *itertools.accumulate(chances)]
            steps = [0.0] * (cells + 1)
            for start, end, weight in intervals:
                factor = weight / max(done[end] - done[start], 1e-12)
                steps[start] += factor
                steps[end] -= factor
            factors = itertools.accumulate(steps[:-1])
            chances = _normal([c * f + _PRIOR_JOBS * p for c, f, p in zip(chances, factors, prior, strict=True)])
        return chances


def _smoothed(chances: list[float]) -> list[float]:
    """A few dozen lengths are too few to believe each rise and fall of their chances; the reach is that of the nearer
    side, so that what is narrow stays so."""
    done = [0.0, *itertools.accumulate(chances)]
    steps = [0.0] * (len(chances) + 1)
    for cell, chance in enumerate(chances):
        below = cell - bisect_right(done, done[cell] - _SHARED, hi=cell)
        above = bisect_left(done, done[cell + 1] + _SHARED, lo=cell + 1) - cell - 1
        reach = max(0, min(below, above, cell, len(chances) - cell - 1))
        steps[cell - reach] += chance / (2 * reach + 1)
        steps[cell + reach + 1] -= chance / (2 * reach + 1)
    return [max(0.0, chance) for chance in itertools.accumulate(steps[:-1])]


def _prior(chances: list[float], least: float) -> list[float]:
    done = list(itertools.accumulate(chances))
    low, median, high = (_LOG_MIDDLES[min(bisect_left(done, share), len(done) - 1)] for share in (0.25, 0.5, 0.75))
    spread = max(least, _PRIOR_SPREAD * (high - low))
    return _normal(
        [
            width / (1 + ((middle - median) / spread) ** 2) ** _PRIOR_TAIL
            for width, middle in zip(_LOG_WIDTHS[: len(chances)], _LOG_MIDDLES, strict=False)
        ]
    )


def _even(cells: int) -> list[float]:
    return [(end - start) / EDGES_S[cells] for start, end in itertools.pairwise(EDGES_S[: cells + 1])]


def _normal(weights: list[float]) -> list[float]:
    total = sum(weights)
    return [weight / total for weight in weights]


def _edges_of(length: Length) -> tuple[int, int]:
    start = min(_nearest_edge(length.over_s), len(EDGES_S) - 2)
    return start, max(start + 1, _nearest_edge(length.done_s))


def _nearest_edge(seconds: float) -> int:
    after = min(bisect_left(EDGES_S, seconds), len(EDGES_S) - 1)
    return after - 1 if after and seconds - EDGES_S[after - 1] < EDGES_S[after] - seconds else after


def _edges() -> list[float]:
    edges_s = [0.0]
    while edges_s[-1] < _END_S:
        edges_s.append(edges_s[-1] + max(_CELL_S, _CELL_SHARE * edges_s[-1]))
    return edges_s


EDGES_S = _edges()
_MIDDLES_S = [(start + end) / 2 for start, end in itertools.pairwise(EDGES_S)]
_LOG_MIDDLES = [math.log(middle) for middle in _MIDDLES_S]
_LOG_WIDTHS = [(end - start) / ((start + end) / 2) for start, end in itertools.pairwise(EDGES_S)]
