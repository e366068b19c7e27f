import asyncio
import itertools
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from services.imagepipeline.answers import Answer, Busy, Done, Failed, JobUnknown, Misconfigured, Pending, Unreachable
from services.request import Model
from services.tasks import Tasks
from services.tracker import Lost, Outcome, Pace, TimedOut, Tracked, Tracker
from tests.virtual_time import run

START = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
TIMEOUT = timedelta(minutes=15)
DONE = Done(sources=("https://f.example/1",))
PENDING = Pending(job_id="j", status="pending")
PACE = Pace(jitter=0.0)

Script = Callable[[float, int], Answer]


class Provider:
    """Answers by a script of (seconds since the start, questions so far) and notes when it was asked."""

    def __init__(self, script: Script) -> None:
        self._script = script
        self.asked_at: list[float] = []
        self.asking = self.most_at_once = 0

    async def ask(self, _model: Model, _job_id: str) -> Answer:
        now = asyncio.get_running_loop().time()
        self.asked_at.append(round(now, 3))
        question = len(self.asked_at)
        self.asking += 1
        self.most_at_once = max(self.most_at_once, self.asking)
        await asyncio.sleep(0.01)
        self.asking -= 1
        return self._script(now, question)


def wall_clock() -> datetime:
    return START + timedelta(seconds=asyncio.get_running_loop().time())


def track(
    script: Script, *, jobs: int = 1, age: timedelta = timedelta(), pace: Pace = PACE
) -> tuple[Provider, list[Outcome]]:
    """Follow some jobs until each has an outcome."""
    provider = Provider(script)
    outcomes: list[Outcome] = []

    async def follow() -> None:
        over = asyncio.Event()

        def on_outcome(_tracked: Tracked, outcome: Outcome) -> None:
            outcomes.append(outcome)
            if len(outcomes) == jobs:
                over.set()

        async with Tasks(grace_s=0.0) as tasks:
            tracker = Tracker(
                ask=provider.ask, on_outcome=on_outcome, tasks=tasks, now=wall_clock, timeout=TIMEOUT, pace=pace
            )
            tasks.spawn(tracker.run(), "tracker")
            for number in range(jobs):
                tracker.follow(
                    Tracked(
                        generation_id=number, provider_id=f"j{number}", model=Model.SD, submitted_at=wall_clock() - age
                    )
                )
            await over.wait()

    run(follow())
    return provider, outcomes


def raising(error: Exception) -> Answer:
    raise error


def test_questions_come_at_growing_intervals_up_to_the_longest() -> None:
    provider, outcomes = track(lambda now, _n: DONE if now > 60 else PENDING)

    intervals = [round(later - earlier, 2) for earlier, later in itertools.pairwise(provider.asked_at)]
    assert provider.asked_at[0] == PACE.first_s
    assert intervals == sorted(intervals)
    assert max(intervals) == pytest.approx(PACE.longest_s + 0.01, abs=0.002)
    assert outcomes == [DONE]


def test_a_job_from_before_a_restart_is_asked_about_at_once() -> None:
    provider, _ = track(lambda _now, _n: DONE, age=timedelta(minutes=5))

    assert provider.asked_at == [0.0]


def test_a_failure_is_an_outcome() -> None:
    assert track(lambda _now, _n: Failed(message="no"))[1] == [Failed(message="no")]


def test_the_deadline_counts_from_the_submit() -> None:
    provider, outcomes = track(lambda _now, _n: PENDING, age=timedelta(minutes=14))

    assert outcomes == [TimedOut()]
    assert 60 <= provider.asked_at[-1] < 75


def test_after_the_deadline_there_is_one_more_question_and_its_answer_counts() -> None:
    provider, outcomes = track(lambda _now, _n: DONE, age=timedelta(hours=5))

    assert outcomes == [DONE]
    assert len(provider.asked_at) == 1


def test_a_late_answer_after_the_deadline_that_says_pending_ends_it() -> None:
    assert track(lambda _now, _n: PENDING, age=timedelta(hours=5))[1] == [TimedOut()]


def test_without_any_answer_the_deadline_is_doubled() -> None:
    provider, outcomes = track(lambda _now, _n: raising(Unreachable("down")))

    assert outcomes == [TimedOut()]
    assert provider.asked_at[-1] == pytest.approx(2 * TIMEOUT.total_seconds(), abs=15)


def test_an_outage_shorter_than_that_costs_nothing_but_time() -> None:
    _, outcomes = track(lambda now, _n: DONE if now > 1200 else raising(Unreachable("down")))

    assert outcomes == [DONE]


def test_an_answer_that_meets_a_bug_of_ours_is_no_answer(caplog: pytest.LogCaptureFixture) -> None:
    _, outcomes = track(lambda now, _n: DONE if now > 20 else raising(ZeroDivisionError()))

    assert outcomes == [DONE]
    assert "met a bug" in caplog.text


def test_a_job_is_lost_only_after_several_unknowns_in_a_row() -> None:
    def script(_now: float, asked: int) -> Answer:
        return PENDING if asked == 3 else raising(JobUnknown("?"))

    provider, outcomes = track(script)

    assert outcomes == [Lost()]
    assert len(provider.asked_at) == 7


def test_one_429_holds_back_the_questions_about_every_job() -> None:
    def script(now: float, asked: int) -> Answer:
        return raising(Busy(30.0)) if asked == 1 else DONE

    provider, outcomes = track(script, jobs=20, pace=Pace(jitter=0.0, first_s=1.0))

    late = [moment for moment in provider.asked_at if moment > 1.5]
    assert len(outcomes) == 20
    assert late
    assert min(late) >= 31.0


def test_a_refused_key_slows_the_questions_down_but_loses_nothing() -> None:
    provider, outcomes = track(lambda now, _n: DONE if now > 200 else raising(Misconfigured("401")))

    assert outcomes == [DONE]
    assert len(provider.asked_at) < 10


def test_only_so_many_questions_are_under_way_at_once() -> None:
    provider, outcomes = track(lambda _now, _n: DONE, jobs=100)

    assert len(outcomes) == 100
    assert provider.most_at_once == 8


def test_an_unknown_status_is_waited_out_and_told_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")

    _, outcomes = track(lambda now, _n: DONE if now > 20 else Pending(job_id="j", status="warming up"))

    assert outcomes == [DONE]
    assert caplog.text.count("'warming up'") == 1
