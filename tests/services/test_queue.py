from datetime import timedelta

import pytest

from db.connection import Database
from services.generations import Generations
from services.queue import WAIT_MAX, Place, Queue
from services.quotas import Quota
from tests.conftest import Clock
from tests.generations import new_generation


@pytest.fixture
def generations(database: Database, clock: Clock) -> Generations:
    quota = Quota(images=99, window=timedelta(hours=24))
    return Generations(database, quota=quota, unfinished_max=100, now=clock)


@pytest.fixture
def queue(generations: Generations) -> Queue:
    return Queue(generations, in_flight_max=2)


async def queued(generations: Generations, member_id: int, *, jobs: int = 1) -> int:
    """A generation of that member with so many jobs in line."""
    new = new_generation(interaction_id=len(await generations.unfinished()) + 1, member_id=member_id, images=jobs)
    generation = await generations.get(await generations.accept(new) or 0)
    assert generation is not None
    assert await generations.queue(generation, kind="any", jobs=jobs, shown=None)
    return generation.id


async def test_slots_go_round_and_never_above_the_number_allowed(generations: Generations, queue: Queue) -> None:
    hog = await queued(generations, 1, jobs=4)
    other = await queued(generations, 2)

    claimed = [await queue.claim() for _ in range(4)]

    assert [job.generation_id if job else None for job in claimed] == [hog, other, None, None]
    assert not await queue.is_moving()


async def test_a_slot_that_comes_free_goes_to_the_next(generations: Generations, queue: Queue) -> None:
    first, second = await queued(generations, 1, jobs=3), await queued(generations, 2)
    jobs = [job for job in (await queue.claim(), await queue.claim()) if job]
    assert [job.generation_id for job in jobs] == [first, second]

    await generations.job_done(jobs[0], pictures=1, length=None)

    job = await queue.claim()
    assert job is not None
    assert (job.generation_id, job.n) == (first, 1)


async def test_the_place_counts_generations_and_the_rounds_count_jobs(
    generations: Generations, queue: Queue, clock: Clock
) -> None:
    hog = await queued(generations, 1, jobs=4)
    behind = await queued(generations, 1)
    other = await queued(generations, 2)

    async def place(generation_id: int, member_id: int, jobs: int = 1) -> Place:
        return await queue.place_of(generation_id, member_id=member_id, jobs=jobs, now=clock.now)

    assert await place(hog, 1, 4) == Place(place=1, rounds=3)
    assert await place(other, 2) == Place(place=2, rounds=1)
    assert await place(behind, 1) == Place(place=3, rounds=3)
    assert await place(99, 3, 2) == Place(place=3, rounds=3)  # not in line yet
    assert (await queue.claim(), await queue.claim()) != (None, None)
    assert await place(behind, 1) == Place(place=2, rounds=3)


async def test_who_has_waited_a_day_is_named(generations: Generations, queue: Queue, clock: Clock) -> None:
    old = await queued(generations, 1, jobs=2)
    clock.advance(hours=1)
    await queued(generations, 2)

    clock.now += WAIT_MAX - timedelta(minutes=30)

    assert await queue.expired(clock.now) == [old]
