import itertools
import math
import random
import statistics
from bisect import bisect_left
from collections.abc import Sequence

import pytest

from services.schedule import EDGES_S, MEAN_DELAY_S, Length, Schedule, best_plan

KIND = "sd 1 20"
ANSWER_S = 0.025


def ask(schedule: Schedule, done_s: float) -> tuple[int, float]:
    """Ask about a job as the tracker does, and learn from it; the questions and the delay in seconds."""
    over_s = 0.0
    for questions in itertools.count(1):
        asked_s = schedule.next_s(KIND, over_s) or (over_s + 2.0)
        if asked_s >= done_s:
            schedule.learn(KIND, Length(over_s, asked_s + ANSWER_S))
            return questions, asked_s + ANSWER_S - done_s
        over_s = asked_s
    raise AssertionError


def ask_all(schedule: Schedule, lengths_s: Sequence[float]) -> tuple[float, float]:
    """The mean questions and delay of jobs one after another."""
    questions, delays_s = zip(*(ask(schedule, length_s) for length_s in lengths_s), strict=True)
    return statistics.mean(questions), statistics.mean(delays_s)


def randomness(seed: int) -> random.Random:
    return random.Random(seed)  # noqa: S311 - simulates


def log_normal(middle_s: float, sigma: float, jobs: int) -> list[float]:
    chance = randomness(3)
    return [middle_s * math.exp(sigma * chance.gauss(0, 1)) for _ in range(jobs)]


def test_nothing_is_said_about_a_kind_that_is_not_known() -> None:
    schedule = Schedule({KIND: [Length(9.0, 10.0)]})

    assert schedule.next_s("sdxl 4 30", 0.0) is None
    assert schedule.longest_s("sdxl 4 30") is None


def test_an_empty_memory_of_a_kind_is_no_knowledge() -> None:
    assert Schedule({KIND: []}).next_s(KIND, 0.0) is None


def test_jobs_of_a_constant_length_are_asked_about_once_and_noticed_soon_for_ever() -> None:
    schedule = Schedule({})
    ask_all(schedule, [12.3] * 40)

    questions, delay_s = ask_all(schedule, [12.3] * 200)

    assert questions < 1.4
    assert delay_s < 0.3


def test_the_delay_of_asking_is_not_learnt_as_length() -> None:
    schedule = Schedule({})
    ask_all(schedule, log_normal(12, 0.15, 150))

    questions, delay_s = ask_all(schedule, log_normal(12, 0.15, 150))

    assert questions < 2.8
    assert delay_s < 1.2
    assert schedule.longest_s(KIND) == pytest.approx(12 * math.exp(2.3 * 0.15), rel=0.15)


@pytest.mark.parametrize(("before_s", "after_s"), [(12.0, 30.0), (12.0, 15.0), (30.0, 7.0), (20.0, 15.0)])
def test_a_provider_that_changes_its_speed_is_learnt_anew_soon(before_s: float, after_s: float) -> None:
    schedule = Schedule({})
    ask_all(schedule, log_normal(before_s, 0.03, 80))

    changing = ask_all(schedule, log_normal(after_s, 0.03, 20))
    changed = ask_all(schedule, log_normal(after_s, 0.03, 40))

    assert changing[0] < after_s / 2
    assert changed[0] < 3.5
    assert changed[1] < 1.5


def test_one_length_is_not_taken_for_all() -> None:
    schedule = Schedule({KIND: [Length(10.0, 10.1)]})

    first_s, longest_s = schedule.next_s(KIND, 0.0), schedule.longest_s(KIND)

    assert first_s is not None
    assert longest_s is not None
    assert first_s < 8
    assert longest_s > 10.5


def test_the_delay_is_nearly_as_planned_for_lengths_that_were_not_seen() -> None:
    lengths_s = log_normal(12, 0.35, 3064)
    schedule = Schedule({KIND: [Length(length_s - 0.1, length_s + 0.1) for length_s in lengths_s[:64]]})
    asked = [0.0]
    while (next_s := schedule.next_s(KIND, asked[-1])) is not None:
        asked.append(next_s)

    planned_s = [length_s for length_s in lengths_s[64:] if length_s <= asked[-1]]
    delays_s = [asked[bisect_left(asked, length_s)] - length_s for length_s in planned_s]

    assert statistics.mean(delays_s) < 1.1 * MEAN_DELAY_S


def test_a_provider_that_became_faster_is_found_out_by_a_question_now_and_then() -> None:
    schedule = Schedule({KIND: [Length(0.0, 20.0)] * 11})
    usual_s = schedule.next_s(KIND, 0.0)
    schedule.learn(KIND, Length(0.0, 20.0))

    early_s = schedule.next_s(KIND, 0.0)

    assert usual_s is not None
    assert early_s is not None
    assert early_s < 0.6 * usual_s
    schedule.learn(KIND, Length(early_s, 20.0))
    assert schedule.next_s(KIND, 0.0) == pytest.approx(usual_s, rel=0.1)


def test_a_question_that_came_very_late_says_little() -> None:
    schedule = Schedule({KIND: [Length(19.0, 20.0)] * 20})
    before_s = schedule.next_s(KIND, 0.0)

    schedule.learn(KIND, Length(5.0, 600.0))

    assert schedule.next_s(KIND, 0.0) == pytest.approx(before_s, rel=0.05)


def test_what_was_remembered_is_as_good_as_what_was_learnt() -> None:
    lengths = [Length(length_s - 0.5, length_s + 0.5) for length_s in log_normal(20, 0.1, 100)]
    learnt = Schedule({})
    for length in lengths:
        learnt.learn(KIND, length)

    assert Schedule({KIND: lengths}).next_s(KIND, 0.0) == pytest.approx(learnt.next_s(KIND, 0.0), rel=0.1)


def test_questions_follow_each_other_until_nothing_more_is_known() -> None:
    schedule = Schedule({KIND: [Length(length_s - 0.5, length_s) for length_s in log_normal(20, 0.3, 64)]})

    asked = [0.0]
    while (next_s := schedule.next_s(KIND, asked[-1])) is not None:
        asked.append(next_s)

    assert len(asked) > 3
    assert asked == sorted(set(asked))
    assert 25 < asked[-1] < 60


@pytest.mark.parametrize("length", [Length(0.0, 0.0), Length(0.0, 1e6), Length(1e6, 2e6), Length(5.0, 4.0)])
def test_odd_lengths_are_survived(length: Length) -> None:
    schedule = Schedule({})
    schedule.learn(KIND, length)
    schedule.learn(KIND, length)

    next_s = schedule.next_s(KIND, 0.0)

    assert next_s is not None
    assert 0 < next_s <= EDGES_S[-1]


def expected(plan: Sequence[float], chances: Sequence[float]) -> tuple[float, float]:
    """The mean questions and delay of a plan, by its definition."""
    questions = delay_s = 0.0
    for cell, chance in enumerate(chances):
        middle_s = (EDGES_S[cell] + EDGES_S[cell + 1]) / 2
        number = next(number for number, asked_s in enumerate(plan) if asked_s > middle_s)
        questions += chance * (number + 1)
        delay_s += chance * (plan[number] - middle_s)
    return questions, delay_s


def some_chances(cells: int) -> list[float]:
    chance = randomness(cells)
    weights = [chance.random() ** 3 for _ in range(cells)]
    return [weight / sum(weights) for weight in weights]


@pytest.mark.parametrize("cells", range(4, 12))
def test_no_plan_needs_fewer_questions_at_the_delay_of_the_best(cells: int) -> None:
    chances = some_chances(cells)

    questions, delay_s = expected(best_plan(chances, 0.2, moments_max=10**6), chances)

    every = (
        expected([*(EDGES_S[edge] for edge in edges), EDGES_S[cells]], chances)
        for count in range(cells)
        for edges in itertools.combinations(range(1, cells), count)
    )
    assert delay_s <= 0.2
    assert questions == pytest.approx(min(each for each, delayed_s in every if delayed_s <= delay_s + 1e-9))


@pytest.mark.parametrize("ends", [range(200), (80, 150), range(95, 105)])
def test_a_plan_keeps_to_its_delay(ends: Sequence[int]) -> None:
    chances = [(cell in ends) / len(ends) for cell in range(200)]

    assert expected(best_plan(chances, 1.0), chances)[1] <= 1.0
