import asyncio
import dataclasses
import sqlite3
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from db import ledger
from db.connection import Database
from db.generations import NewGeneration, Source, State
from db.provider_jobs import KnownLength, ProviderJob
from services.errors import GenerationFailed, QueueFull, QuotaExceeded
from services.generations import Generations
from services.presenter import Shown
from services.quotas import Quota
from tests.conftest import Clock
from tests.generations import new_generation

FAULT = GenerationFailed("test", "It did not work.")


def wish_of(member_id: int, *, images: int = 1, interaction_id: int, scope: str = "guild:1") -> NewGeneration:
    return new_generation(interaction_id=interaction_id, scope=scope, member_id=member_id, images=images)


@pytest.fixture
def generations(database: Database, clock: Clock) -> Generations:
    quota = Quota(images=10, window=timedelta(hours=24))
    return Generations(database, quota=quota, unfinished_max=100, now=clock)


async def accept(generations: Generations, *, images: int = 1, interaction_id: int = 1) -> int:
    accepted = await generations.accept(wish_of(7, images=images, interaction_id=interaction_id))
    assert accepted is not None
    return accepted


async def queue(generations: Generations, generation_id: int, *, jobs: int = 1, shown: Shown | None = None) -> None:
    generation = await generations.get(generation_id)
    assert generation is not None
    assert await generations.queue(generation, kind="any", jobs=jobs, shown=shown)


async def start(generations: Generations, generation_id: int) -> list[ProviderJob]:
    """Give every waiting job of it a slot."""
    started = [await generations.start(job.id) for job in await generations.jobs(generation_id)]
    return [job for job in started if job is not None]


async def run_to_finished(generations: Generations, generation_id: int, *, pictures: int) -> None:
    await queue(generations, generation_id)
    (job,) = await start(generations, generation_id)
    assert await generations.job_done(job, pictures=pictures, length=None)


async def state_of(generations: Generations, generation_id: int) -> State:
    generation = await generations.get(generation_id)
    assert generation is not None
    return generation.state


async def left(generations: Generations) -> int:
    return (await generations.balance(scope="guild:1", member_id=7)).left


async def test_fifty_simultaneous_commands_with_ten_images_left_accept_exactly_ten(generations: Generations) -> None:
    outcomes = await asyncio.gather(
        *(generations.accept(wish_of(7, interaction_id=number)) for number in range(50)), return_exceptions=True
    )

    assert sum(isinstance(outcome, int) for outcome in outcomes) == 10
    assert sum(isinstance(outcome, QuotaExceeded) for outcome in outcomes) == 40
    assert await left(generations) == 0


async def test_a_replayed_command_is_taken_once_even_when_the_quota_is_used_up(generations: Generations) -> None:
    await accept(generations, images=10)

    assert await generations.accept(wish_of(7, images=10, interaction_id=1)) is None
    assert await left(generations) == 0


async def test_members_and_servers_have_separate_accounts(generations: Generations) -> None:
    await accept(generations, images=10)

    assert await generations.accept(wish_of(8, images=10, interaction_id=2)) is not None
    assert await generations.accept(wish_of(7, images=10, interaction_id=3, scope="member:7")) is not None


async def test_a_refusal_says_when_the_next_image_comes_free(generations: Generations, clock: Clock) -> None:
    await accept(generations, images=10)
    free_at = clock.now + timedelta(hours=24)
    clock.advance(hours=5)

    with pytest.raises(QuotaExceeded, match=f"<t:{int(free_at.timestamp())}:R>"):
        await generations.accept(wish_of(7, interaction_id=2))


async def test_asking_for_more_than_is_left_says_when_there_will_be_enough(
    generations: Generations, clock: Clock
) -> None:
    await accept(generations, images=4)
    clock.advance(hours=1)
    await accept(generations, images=5, interaction_id=2)
    enough_at = clock.now + timedelta(hours=23)

    with pytest.raises(QuotaExceeded, match=rf"1 of your 10 images left.* 3 <t:{int(enough_at.timestamp())}:R>"):
        await generations.accept(wish_of(7, images=3, interaction_id=3))


async def test_images_come_free_when_they_leave_the_window(generations: Generations, clock: Clock) -> None:
    await accept(generations, images=10)

    clock.advance(hours=24)

    assert await left(generations) == 10


async def test_a_refund_counts_from_its_charge_and_not_from_its_own_moment(
    generations: Generations, clock: Clock
) -> None:
    generation_id = await accept(generations, images=10)
    clock.advance(hours=23)
    await generations.fail(generation_id, FAULT)
    await accept(generations, images=6, interaction_id=2)

    clock.advance(hours=2)

    assert await left(generations) == 4


async def test_a_failure_refunds_everything_once(generations: Generations) -> None:
    generation_id = await accept(generations, images=4)

    outcomes = await asyncio.gather(*(generations.fail(generation_id, FAULT) for _ in range(5)))

    assert sorted(outcomes) == [False, False, False, False, True]
    assert await left(generations) == 10


async def test_missing_pictures_are_refunded_when_it_finishes(generations: Generations) -> None:
    generation_id = await accept(generations, images=4)

    await run_to_finished(generations, generation_id, pictures=3)

    assert await left(generations) == 7


async def test_what_cannot_be_delivered_after_a_partial_refund_is_refunded_in_whole(generations: Generations) -> None:
    generation_id = await accept(generations, images=4)
    await run_to_finished(generations, generation_id, pictures=3)

    assert await generations.fail(generation_id, FAULT)

    assert await left(generations) == 10


async def test_the_database_itself_refuses_a_refund_beyond_the_charge(
    generations: Generations, database: Database, clock: Clock
) -> None:
    generation_id = await accept(generations, images=2)

    with pytest.raises(sqlite3.IntegrityError, match="exceeds its charge"):
        async with database.transaction() as connection:
            await ledger.refund(connection, generation_id=generation_id, images=3, at=clock.now)


@pytest.mark.parametrize("statement", ["UPDATE ledger SET images = 1", "DELETE FROM ledger"])
async def test_the_ledger_cannot_be_changed(generations: Generations, database: Database, statement: str) -> None:
    await accept(generations, images=2)

    with pytest.raises(sqlite3.IntegrityError, match="append only"):
        async with database.transaction() as connection:
            await connection.execute(statement)


async def test_a_member_may_have_only_so_many_unfinished_requests(database: Database, clock: Clock) -> None:
    generations = Generations(database, quota=Quota(images=99, window=timedelta(hours=1)), unfinished_max=2, now=clock)
    first = await accept(generations)
    await accept(generations, interaction_id=2)

    with pytest.raises(QueueFull, match="2 requests under way"):
        await generations.accept(wish_of(7, interaction_id=3))

    await generations.fail(first, FAULT)
    await accept(generations, interaction_id=4)


async def test_only_one_of_two_claims_gets_a_waiting_job(generations: Generations) -> None:
    generation_id = await accept(generations)
    await queue(generations, generation_id)
    (waiting,) = (await generations.line()).waiting

    jobs = await asyncio.gather(generations.start(waiting.id), generations.start(waiting.id))

    assert sum(job is not None for job in jobs) == 1
    assert (await generations.line()).in_flight == {7: 1}


async def test_a_job_that_is_put_back_holds_no_slot_and_gets_a_new_id(generations: Generations) -> None:
    generation_id = await accept(generations)
    await queue(generations, generation_id)
    (first,) = await start(generations, generation_id)

    await generations.put_back(first, is_try=True)

    assert await state_of(generations, generation_id) is State.QUEUED
    assert (await generations.line()).in_flight == {}
    (second,) = await start(generations, generation_id)
    assert first.id != second.id
    assert (first.tries, second.tries) == (0, 1)


async def test_a_generation_runs_on_while_one_of_its_jobs_is_put_back(generations: Generations) -> None:
    generation_id = await accept(generations, images=2)
    await queue(generations, generation_id, jobs=2)
    first, second = await start(generations, generation_id)

    await generations.put_back(first, is_try=False)
    assert await state_of(generations, generation_id) is State.RUNNING
    await generations.put_back(second, is_try=False)
    assert await state_of(generations, generation_id) is State.QUEUED


async def test_several_jobs_finish_together_with_what_came_and_the_rest_refunded(generations: Generations) -> None:
    generation_id = await accept(generations, images=4)
    await queue(generations, generation_id, jobs=4)
    first, second, third, fourth = await start(generations, generation_id)

    assert not await generations.job_done(first, pictures=1, length=None)
    assert not await generations.job_failed(second, FAULT)
    assert not await generations.job_done(third, pictures=1, length=None)
    assert await state_of(generations, generation_id) is State.RUNNING
    assert await generations.job_done(fourth, pictures=1, length=None)

    finished = await generations.get(generation_id)
    assert finished is not None
    assert (finished.state, finished.pictures, finished.failure_text) == (State.FINISHED, 3, str(FAULT))
    assert await left(generations) == 7


async def test_several_jobs_that_all_fail_are_one_failure_with_one_refund(generations: Generations) -> None:
    generation_id = await accept(generations, images=3)
    await queue(generations, generation_id, jobs=3)
    jobs = await start(generations, generation_id)

    outcomes = [await generations.job_failed(job, FAULT) for job in jobs]

    failed = await generations.get(generation_id)
    assert failed is not None
    assert outcomes == [False, False, True]
    assert (failed.state, failed.failure_code, failed.failure_text) == (State.FAILED, "test", str(FAULT))
    assert await left(generations) == 10


async def test_news_of_a_job_counts_once(generations: Generations) -> None:
    generation_id = await accept(generations, images=2)
    await queue(generations, generation_id)
    (job,) = await start(generations, generation_id)

    outcomes = [
        await generations.job_done(job, pictures=1, length=None),
        await generations.job_done(job, pictures=2, length=None),
        await generations.job_failed(job, FAULT),
    ]

    assert outcomes == [True, False, False]
    assert await left(generations) == 9


async def test_a_failed_generation_leaves_no_job_behind(generations: Generations) -> None:
    generation_id = await accept(generations, images=2)
    await queue(generations, generation_id, jobs=2)
    (first, *_) = await start(generations, generation_id)

    await generations.fail(generation_id, FAULT)

    line = await generations.line()
    assert (line.waiting, line.in_flight, await generations.at_provider()) == ([], {}, [])
    assert not await generations.job_done(first, pictures=1, length=None)
    assert await generations.submitted(first.id, "late") is None


# ------------------------------------------------------------------------------------------------- cancelling


async def test_what_waits_is_cancelled_and_refunded_at_once(generations: Generations) -> None:
    received = await accept(generations, images=2)
    queued = await accept(generations, images=3, interaction_id=2)
    await queue(generations, queued)

    assert [await generations.cancel(number) for number in (received, queued, queued)] == [True, True, False]

    assert [await state_of(generations, number) for number in (received, queued)] == [State.CANCELLED] * 2
    assert await left(generations) == 10
    assert (await generations.line()).waiting == []
    assert await generations.behind() == [received, queued]
    assert await generations.unfinished() == []


async def test_what_is_cancelled_before_it_is_queued_is_never_queued(generations: Generations) -> None:
    generation_id = await accept(generations)
    received = await generations.get(generation_id)
    assert received is not None
    await generations.cancel(generation_id)

    assert not await generations.queue(received, kind="any", jobs=1, shown=Shown(message_id=5))
    assert await generations.jobs(generation_id) == []


async def test_what_is_at_the_provider_counts_as_in_flight_until_it_is_dropped(generations: Generations) -> None:
    generation_id = await accept(generations, images=3)
    await queue(generations, generation_id, jobs=3)
    jobs = await generations.jobs(generation_id)
    first, second = [await generations.start(job.id) for job in jobs[:2]]
    assert first is not None
    assert second is not None
    await generations.submitted(first.id, "p1")

    assert await generations.cancel(generation_id)

    assert await left(generations) == 10
    line = await generations.line()
    assert (line.waiting, line.in_flight) == ([], {7: 2})
    assert [job.id for job in await generations.at_provider()] == [first.id, second.id]
    assert await generations.drop(first)
    await generations.put_back(second, is_try=True)
    line = await generations.line()
    assert (line.waiting, line.in_flight) == ([], {})


async def test_only_what_was_cancelled_is_dropped(generations: Generations) -> None:
    generation_id = await accept(generations)
    await queue(generations, generation_id)
    (job,) = await start(generations, generation_id)

    assert not await generations.drop(job)
    assert await generations.job_done(job, pictures=1, length=None)


async def test_a_cancelled_request_at_the_provider_is_one_of_the_members_requests(
    database: Database, clock: Clock
) -> None:
    generations = Generations(database, quota=Quota(images=99, window=timedelta(hours=1)), unfinished_max=1, now=clock)
    generation_id = await accept(generations)
    await queue(generations, generation_id)
    (job,) = await start(generations, generation_id)
    await generations.cancel(generation_id)

    with pytest.raises(QueueFull):
        await accept(generations, interaction_id=2)
    await generations.drop(job)
    await accept(generations, interaction_id=3)


async def test_what_has_its_pictures_cannot_be_cancelled(generations: Generations) -> None:
    generation_id = await accept(generations, images=2)
    await run_to_finished(generations, generation_id, pictures=2)

    assert not await generations.cancel(generation_id)
    assert await left(generations) == 8


async def test_what_was_cancelled_forgets_token_and_photos_once_that_is_shown(generations: Generations) -> None:
    accepted = await generations.accept(
        dataclasses.replace(wish_of(7, interaction_id=1), photos=(Source(url="https://cdn.example/face.jpg"),))
    )
    assert accepted is not None
    await generations.cancel(accepted)
    cancelled = await generations.get(accepted)
    assert cancelled is not None

    await generations.mark_shown(accepted, version=cancelled.version, shown=Shown(message_id=5))

    over = await generations.get(accepted)
    assert over is not None
    assert (over.state, over.token, over.photos, over.hosted) == (State.CANCELLED, None, (), ())


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    steps=st.lists(
        st.sampled_from(["done", "half", "failed", "put back", "fail all", "cancel"]), min_size=1, max_size=6
    )
)
async def test_of_cancelling_finishing_and_failing_at_once_exactly_one_wins(
    database: Database, clock: Clock, steps: list[str]
) -> None:
    clock.advance(days=2)  # each example begins with an empty window
    quota = Quota(images=20, window=timedelta(hours=24))
    generations = Generations(database, quota=quota, unfinished_max=100_000, now=clock)
    ends = [step for step in steps if step not in ("cancel", "fail all")]
    images = 2 * max(1, len(ends))
    generation_id = await accept(generations, images=images, interaction_id=int(clock.now.timestamp()))
    await queue(generations, generation_id, jobs=max(1, len(ends)))
    jobs = await start(generations, generation_id)
    unended = iter(jobs)

    async def take(step: str, job: ProviderJob | None) -> bool:
        if job is None:
            return await (
                generations.cancel(generation_id) if step == "cancel" else generations.fail(generation_id, FAULT)
            )
        if step == "put back":
            await generations.put_back(job, is_try=True)
            return False
        if step == "failed":
            return await generations.job_failed(job, FAULT)
        return await generations.job_done(job, pictures=2 if step == "done" else 1, length=None)

    works = [take(step, next(unended) if step in ends else None) for step in steps]
    outcomes = await asyncio.gather(*works)
    for job in jobs:
        await generations.drop(job)

    over = await generations.get(generation_id)
    assert over is not None
    is_over = over.state in (State.FINISHED, State.FAILED, State.CANCELLED)
    # What has finished may still fail, where it cannot be delivered; nothing else ends twice.
    is_undeliverable = over.state is State.FAILED and "fail all" in steps
    assert 1 <= outcomes.count(True) <= 1 + is_undeliverable if is_over else outcomes.count(True) == 0
    assert is_over or "put back" in steps
    used = (await generations.balance(scope="guild:1", member_id=7)).used
    assert used == {State.FINISHED: over.pictures, State.FAILED: 0, State.CANCELLED: 0}.get(over.state, images)
    if over.state is State.CANCELLED:
        line = await generations.line()
        assert generation_id not in {job.generation_id for job in line.waiting}
        assert generation_id not in {job.generation_id for job in await generations.at_provider()}


async def test_what_jobs_taught_is_remembered_per_kind_and_the_last_ones_win(
    generations: Generations, clock: Clock
) -> None:
    for number in range(1, 4):
        generation_id = await accept(generations, interaction_id=number)
        await queue(generations, generation_id)
        (job,) = await start(generations, generation_id)
        clock.advance(seconds=1)
        known = KnownLength("any", number, number + 1.0) if number != 2 else None
        await generations.job_done(job, pictures=1, length=known)

    assert await generations.lengths(each=5) == [KnownLength("any", 1.0, 2.0), KnownLength("any", 3.0, 4.0)]
    assert await generations.lengths(each=1) == [KnownLength("any", 3.0, 4.0)]


async def test_what_is_over_forgets_token_and_photos(generations: Generations) -> None:
    accepted = await generations.accept(
        dataclasses.replace(wish_of(7, interaction_id=1), photos=(Source(url="https://cdn.example/face.jpg"),))
    )
    assert accepted is not None
    await run_to_finished(generations, accepted, pictures=1)
    finished = await generations.get(accepted)
    assert finished is not None

    await generations.mark_shown(accepted, version=finished.version, shown=Shown(message_id=5))

    settled = await generations.get(accepted)
    assert settled is not None
    assert (settled.state, settled.token, settled.photos, settled.hosted) == (State.SETTLED, None, (), ())


async def test_a_late_confirmation_of_an_old_version_settles_nothing(generations: Generations) -> None:
    generation_id = await accept(generations)
    await queue(generations, generation_id, shown=Shown(message_id=5))
    queued = await generations.get(generation_id)
    assert queued is not None
    (job,) = await start(generations, generation_id)
    await generations.job_done(job, pictures=1, length=None)

    await generations.mark_shown(generation_id, version=queued.version, shown=Shown(message_id=5))

    finished = await generations.get(generation_id)
    assert finished is not None
    assert finished.state is State.FINISHED
    assert await generations.behind() == [generation_id]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    steps=st.lists(
        st.tuples(st.integers(1, 4), st.sampled_from(["deliver", "partial", "fail", "late"])), min_size=1, max_size=12
    )
)
async def test_no_path_loses_or_makes_images(database: Database, clock: Clock, steps: list[tuple[int, str]]) -> None:
    clock.advance(days=2)  # each example begins with an empty window
    generations = Generations(
        database, quota=Quota(images=20, window=timedelta(hours=24)), unfinished_max=100_000, now=clock
    )
    spent, number = 0, int(clock.now.timestamp() * 1000)
    for images, end in steps:
        number += 1
        clock.advance(seconds=1)
        try:
            generation_id = await generations.accept(wish_of(7, images=images, interaction_id=number))
        except QuotaExceeded:
            assert spent + images > 20
            continue
        assert generation_id is not None
        if end == "fail":
            await generations.fail(generation_id, FAULT)
            continue
        pictures = images if end == "deliver" else max(1, images - 1)
        await run_to_finished(generations, generation_id, pictures=pictures)
        if end == "late":
            await generations.fail(generation_id, FAULT)
        else:
            spent += pictures
        assert (await generations.balance(scope="guild:1", member_id=7)).used == spent
