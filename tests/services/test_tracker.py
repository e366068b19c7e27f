import asyncio
import itertools
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import pytest

from services.imagepipeline.answers import Answer, Busy, Done, Failed, JobUnknown, Misconfigured, Pending, Unreachable
from services.schedule import Length, Schedule
from services.tasks import Tasks
from services.tracker import (
    EARLY_HINTS_MAX,
    ECHOES_S,
    UNHEARD_MAX,
    Lost,
    Outcome,
    Pace,
    TimedOut,
    Tracked,
    Tracker,
)
from tests.virtual_time import run

START = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
TIMEOUT = timedelta(minutes=15)
DONE = Done(sources=("https://f.example/1",))
PENDING = Pending(job_id="j", status="pending")
PACE = Pace(jitter=0.0)
ANSWER_S = 0.01
KNOWN = "sd 1 20"

Script = Callable[[float, int], Answer]


class Provider:
    """Answers by a script of (seconds since the start, questions so far) and notes when it was asked."""

    def __init__(self, script: Script) -> None:
        self._script = script
        self.asked_at: list[float] = []
        self.asking = self.most_at_once = 0

    async def ask(self, _tracked: Tracked) -> Answer:
        now = asyncio.get_running_loop().time()
        self.asked_at.append(round(now, 3))
        question = len(self.asked_at)
        self.asking += 1
        self.most_at_once = max(self.most_at_once, self.asking)
        await asyncio.sleep(ANSWER_S)
        self.asking -= 1
        return self._script(now, question)


def wall_clock() -> datetime:
    return START + timedelta(seconds=asyncio.get_running_loop().time())


def job(number: int = 0, *, age: timedelta = timedelta(), is_announced: bool = False) -> Tracked:
    return Tracked(
        job_id=f"j{number}",
        generation_id=number,
        provider_id=f"p{number}",
        route="sd",
        kind=KNOWN,
        submitted_at=wall_clock() - age,
        is_announced=is_announced,
    )


class Scene:
    """A tracker at work, and what it has told."""

    def __init__(self, tracker: Tracker, outcomes: list[Outcome], lengths: list[Length | None]) -> None:
        self.tracker = tracker
        self.outcomes = outcomes
        self.lengths = lengths
        self.told = asyncio.Event()

    async def outcome(self, count: int = 1) -> None:
        """Wait until so many jobs have their outcome."""
        while len(self.outcomes) < count:
            self.told.clear()
            await self.told.wait()

    async def announced(self, number: int, *, hint_after_s: float | None) -> None:
        """Follow an announced job to its outcome; the hint comes so long after the submit, or never."""
        self.tracker.follow(job(number, is_announced=True))
        if hint_after_s is not None:
            await asyncio.sleep(hint_after_s)
            self.tracker.hint(f"j{number}")
        await self.outcome(number + 1)


def stage(
    script: Script,
    play: Callable[[Scene], Awaitable[None]],
    *,
    pace: Pace = PACE,
    schedule: Schedule | None = None,
) -> tuple[Provider, Scene]:
    """Run a play with a tracker."""
    provider = Provider(script)

    async def work() -> Scene:
        def on_outcome(_tracked: Tracked, outcome: Outcome, length: Length | None) -> None:
            scene.outcomes.append(outcome)
            scene.lengths.append(length)
            scene.told.set()

        async with Tasks(grace_s=0.0) as tasks:
            tracker = Tracker(
                ask=provider.ask,
                on_outcome=on_outcome,
                tasks=tasks,
                now=wall_clock,
                timeout=TIMEOUT,
                pace=pace,
                schedule=schedule or Schedule({}),
            )
            scene = Scene(tracker, [], [])
            tasks.spawn(tracker.run(), "tracker")
            await play(scene)
            return scene

    return provider, run(work())


def track(
    script: Script,
    *,
    jobs: int = 1,
    age: timedelta = timedelta(),
    pace: Pace = PACE,
    schedule: Schedule | None = None,
    is_announced: bool = False,
) -> tuple[Provider, list[Outcome]]:
    """Follow some jobs until each has an outcome."""

    async def follow(scene: Scene) -> None:
        for number in range(jobs):
            scene.tracker.follow(job(number, age=age, is_announced=is_announced))
        await scene.outcome(jobs)

    provider, scene = stage(script, follow, pace=pace, schedule=schedule)
    return provider, scene.outcomes


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


def knows(*done_s: float) -> Schedule:
    """A schedule that has seen jobs of these lengths, to a tenth of a second."""
    return Schedule({KNOWN: [Length(seconds - 0.1, seconds) for seconds in done_s]})


def done_at(seconds: float) -> Script:
    return lambda now, _asked: DONE if now >= seconds else PENDING


def test_a_known_kind_is_asked_about_when_it_is_usually_done() -> None:
    provider, _ = track(done_at(20.0), schedule=knows(*[20.0] * 20))

    assert provider.asked_at == [pytest.approx(20.3, abs=0.5)]


def test_a_job_that_takes_longer_than_any_known_is_asked_about_ever_more_rarely() -> None:
    provider, _ = track(done_at(120.0), schedule=knows(*[20.0] * 20))

    intervals = [later - earlier for earlier, later in itertools.pairwise(provider.asked_at)]
    assert intervals[-1] == pytest.approx(PACE.longest_s + ANSWER_S, abs=0.002)
    assert len(provider.asked_at) < 22


def test_what_the_asking_says_about_a_length_is_told_and_learnt() -> None:
    schedule = Schedule({})

    async def play(scene: Scene) -> None:
        scene.tracker.follow(job())
        await scene.outcome()

    provider, scene = stage(done_at(3.0), play, schedule=schedule)

    [length] = scene.lengths
    assert length is not None
    assert (length.over_s, length.done_s) == pytest.approx((1.5, provider.asked_at[-1] + ANSWER_S))
    assert schedule.longest_s(KNOWN) == pytest.approx(length.done_s, rel=0.2)


def lengths_of(script: Script, *, age: timedelta = timedelta(), is_announced: bool = False) -> list[Length | None]:
    async def play(scene: Scene) -> None:
        scene.tracker.follow(job(age=age, is_announced=is_announced))
        await scene.outcome()

    return stage(script, play, schedule=knows(*[20.0] * 20))[1].lengths


def test_a_job_found_done_after_a_restart_teaches_nothing() -> None:
    assert lengths_of(done_at(0.0), age=timedelta(minutes=5)) == [None]


def test_a_job_found_pending_after_a_restart_teaches_what_is_true() -> None:
    [length] = lengths_of(done_at(5.0), age=timedelta(seconds=60))

    assert length is not None
    assert (length.over_s, length.done_s) == (pytest.approx(63.0, abs=3), pytest.approx(66.0, abs=3))


def test_a_first_question_that_an_outage_delayed_teaches_nothing() -> None:
    assert lengths_of(lambda now, _asked: raising(Unreachable("down")) if now < 60 else DONE) == [None]


def test_an_outage_after_a_question_teaches_a_wide_length() -> None:
    def script(now: float, asked: int) -> Answer:
        if asked > 1 and now < 60:
            raise Busy(40.0)
        return DONE if asked > 1 else PENDING

    [length] = lengths_of(script)

    assert length is not None
    assert (length.over_s, length.done_s) == (pytest.approx(20.0, abs=1), pytest.approx(61.5, abs=3))


def test_a_failure_teaches_nothing() -> None:
    assert lengths_of(lambda _now, _asked: Failed(message="no")) == [None]


def test_an_announced_job_is_asked_about_once_its_hint_comes() -> None:
    provider, scene = stage(done_at(12.0), lambda scene: scene.announced(0, hint_after_s=12.02))

    assert provider.asked_at == [12.02]
    [length] = scene.lengths
    assert length is not None
    assert (length.over_s, length.done_s) == pytest.approx((11.02, 12.03))


def test_without_its_hint_an_announced_job_is_asked_about_after_the_longest_likely_length_and_teaches_nothing() -> None:
    schedule = knows(*[20.0] * 20)
    longest_s = schedule.longest_s(KNOWN)

    provider, scene = stage(done_at(18.0), lambda scene: scene.announced(0, hint_after_s=None), schedule=schedule)

    assert longest_s is not None
    assert provider.asked_at == [pytest.approx(longest_s + PACE.spare_s, abs=0.001)]
    assert scene.lengths == [None]


def test_an_announced_job_of_an_unknown_kind_is_not_asked_about_wildly() -> None:
    provider, _ = stage(done_at(100.0), lambda scene: scene.announced(0, hint_after_s=100.0))

    assert provider.asked_at[0] == PACE.unheard_s
    assert len(provider.asked_at) <= 6
    assert provider.asked_at[-1] == 100.0


def test_an_announced_job_from_before_a_restart_is_asked_about_at_once() -> None:
    provider, _ = track(done_at(0.0), age=timedelta(seconds=10), is_announced=True)

    assert provider.asked_at == [0.0]


def test_a_hint_that_overtakes_the_answer_to_the_submit_counts() -> None:
    async def play(scene: Scene) -> None:
        scene.tracker.hint("j0")
        await asyncio.sleep(0.5)
        await scene.announced(0, hint_after_s=None)

    provider, _ = stage(done_at(0.0), play)

    assert provider.asked_at == [0.5]


def test_only_so_many_hints_for_unknown_jobs_are_kept() -> None:
    async def play(scene: Scene) -> None:
        for number in range(EARLY_HINTS_MAX + 1):
            scene.tracker.hint(f"j{number}")
        scene.tracker.follow(job(0, is_announced=True))
        scene.tracker.follow(job(1, is_announced=True))
        await scene.outcome(2)

    provider, _ = stage(done_at(0.0), play)

    assert provider.asked_at == [0.0, PACE.unheard_s]


def test_a_hint_that_comes_while_the_job_is_being_asked_about_is_not_lost() -> None:
    async def play(scene: Scene) -> None:
        scene.tracker.follow(job())
        await asyncio.sleep(PACE.first_s + ANSWER_S / 2)
        scene.tracker.hint("j0")
        await scene.outcome()

    provider, _ = stage(lambda _now, asked: PENDING if asked == 1 else DONE, play)

    assert provider.asked_at == [1.5, 1.51]


def test_a_status_that_lags_behind_the_hint_is_asked_about_again_soon() -> None:
    provider, _ = stage(done_at(13.0), lambda scene: scene.announced(0, hint_after_s=12.0))

    assert provider.asked_at == [12.0, 12.51, 13.52]


def test_a_false_hint_costs_a_few_questions_and_no_more() -> None:
    async def play(scene: Scene) -> None:
        scene.tracker.follow(job(is_announced=True))
        scene.tracker.hint("j0")
        await asyncio.sleep(29.0)

    provider, _ = stage(done_at(100.0), play)

    assert len([moment for moment in provider.asked_at if moment < 9]) == 1 + len(ECHOES_S)
    assert len(provider.asked_at) <= 3 + len(ECHOES_S)


def test_a_flood_of_hints_is_no_flood_of_questions() -> None:
    async def play(scene: Scene) -> None:
        scene.tracker.follow(job(is_announced=True))
        for _ in range(6000):
            await asyncio.sleep(0.01)
            scene.tracker.hint("j0")
        await scene.outcome()

    provider, _ = stage(done_at(60.0), play)

    assert len(provider.asked_at) < 25


def test_hints_that_repeat_within_a_second_are_one_question() -> None:
    async def play(scene: Scene) -> None:
        scene.tracker.follow(job(is_announced=True))
        await asyncio.sleep(10.0)
        for _ in range(5):
            scene.tracker.hint("j0")
        await scene.outcome()

    provider, _ = stage(done_at(10.0), play)

    assert provider.asked_at == [10.0]


def test_a_hint_outlives_an_outage() -> None:
    def script(_now: float, asked: int) -> Answer:
        return raising(Unreachable("down")) if asked == 1 else PENDING if asked == 2 else DONE

    provider, _ = stage(script, lambda scene: scene.announced(0, hint_after_s=12.0))

    assert provider.asked_at == [12.0, 14.11, 14.62]


def test_a_hint_never_puts_a_question_off() -> None:
    async def play(scene: Scene) -> None:
        scene.tracker.follow(job())
        scene.tracker.hint("j0")
        await asyncio.sleep(9.0)
        scene.tracker.hint("j0")
        await asyncio.sleep(1.0)

    provider, _ = stage(lambda _now, _asked: PENDING, play)

    assert provider.asked_at == [0.0, 0.51, 1.52, 3.53, 7.54, 9.65]


def test_the_first_hint_tells_when_a_job_was_over() -> None:
    async def play(scene: Scene) -> None:
        scene.tracker.follow(job(is_announced=True))
        await asyncio.sleep(12.0)
        scene.tracker.hint("j0")
        await asyncio.sleep(20.0)
        scene.tracker.hint("j0")
        await scene.outcome()

    _, scene = stage(lambda _now, asked: raising(Busy(40.0)) if asked == 1 else DONE, play)

    [length] = scene.lengths
    assert length is not None
    assert length.over_s == pytest.approx(11.0)


def test_a_hint_after_a_restart_does_not_tell_when_a_job_was_over() -> None:
    async def play(scene: Scene) -> None:
        scene.tracker.hint("j0")
        scene.tracker.follow(job(age=timedelta(minutes=1), is_announced=True))
        await scene.outcome()

    assert stage(done_at(0.0), play)[1].lengths == [None]


async def without_hints(scene: Scene, *, first: int, jobs: int) -> None:
    for number in range(first, first + jobs):
        await scene.announced(number, hint_after_s=None)


def test_webhooks_that_never_arrive_are_not_waited_for(caplog: pytest.LogCaptureFixture) -> None:
    provider, _ = stage(
        lambda _now, _asked: DONE, lambda scene: without_hints(scene, first=0, jobs=5), schedule=knows(*[20.0] * 20)
    )

    waits = [later - earlier for earlier, later in itertools.pairwise([0.0, *provider.asked_at])]
    assert all(wait > 24 for wait in waits[:UNHEARD_MAX])
    assert all(wait < 21 for wait in waits[UNHEARD_MAX:])
    assert caplog.text.count("PUBLIC_URL") == 1


def test_jobs_that_wait_for_their_webhooks_meanwhile_are_asked_about_too() -> None:
    async def play(scene: Scene) -> None:
        for number in range(UNHEARD_MAX):
            scene.tracker.follow(job(number, is_announced=True))
        await asyncio.sleep(20.0)
        scene.tracker.follow(job(UNHEARD_MAX, is_announced=True))
        await scene.outcome(UNHEARD_MAX + 1)

    provider, _ = stage(lambda _now, _asked: DONE, play, schedule=knows(*[20.0] * 20))

    assert provider.asked_at[-1] == pytest.approx(40.3, abs=0.5)


def test_a_hint_makes_webhooks_trusted_again(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")

    async def play(scene: Scene) -> None:
        await without_hints(scene, first=0, jobs=UNHEARD_MAX)
        await scene.announced(UNHEARD_MAX, hint_after_s=1.0)
        await scene.announced(UNHEARD_MAX + 1, hint_after_s=1.0)
        await without_hints(scene, first=UNHEARD_MAX + 2, jobs=1)

    provider, _ = stage(lambda _now, _asked: DONE, play, schedule=knows(*[20.0] * 20))

    assert provider.asked_at[-1] - provider.asked_at[-2] > 24
    assert caplog.text.count("arrive again") == 1


def test_jobs_that_were_done_during_a_restart_do_not_make_webhooks_distrusted(caplog: pytest.LogCaptureFixture) -> None:
    track(lambda _now, _asked: DONE, jobs=5, age=timedelta(minutes=1), is_announced=True)

    assert "PUBLIC_URL" not in caplog.text
