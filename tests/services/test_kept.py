"""Generations that wait for a person, and the photos that are kept for them meanwhile, on a real database."""

from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest

from db.connection import Database
from db.generations import Generation, Source, State, Wait, WaitsFor
from services.errors import GenerationFailed, PhotoRefused, QueueFull
from services.generations import Generations
from services.kept import KeptPhotos, number_in, url_of
from services.queue import Queue
from services.quotas import Quota
from services.vault import Vault
from tests.conftest import Clock
from tests.generations import new_generation

PHOTO = b"\xff\xd8 the bytes of somebody's face"
NEW = new_generation(member_id=7, images=2, photos=(Source(url="https://cdn.example/face.jpg"),))


@dataclass
class Desk:
    """A bot's generations, and what is kept for them."""

    generations: Generations
    kept: KeptPhotos
    clock: Clock

    async def accepted(self, interaction_id: int = 1) -> Generation:
        generation_id = await self.generations.accept(replace(NEW, interaction_id=interaction_id))
        assert generation_id is not None
        return await self.row(generation_id)

    async def row(self, generation_id: int) -> Generation:
        generation = await self.generations.get(generation_id)
        assert generation is not None
        return generation

    async def waiting(self, interaction_id: int = 1) -> Generation:
        """A request that waits for the member 9 for three days."""
        generation = await self.accepted(interaction_id)
        wait = Wait(what=WaitsFor.CONSENT, on=9, n=1, until=self.clock.now + timedelta(days=3))
        photos = [Source(url=url_of(1), is_prepared=True)]
        kept = self.kept.sealed(generation, [PHOTO])
        assert await self.generations.wait(generation.id, wait, photos=photos, kept=kept)
        return await self.row(generation.id)

    async def left(self) -> int:
        return (await self.generations.balance(scope="guild:1", member_id=7)).left


@pytest.fixture
def desk(database: Database, clock: Clock) -> Desk:
    quota = Quota(images=10, window=timedelta(days=30))
    generations = Generations(database, quota=quota, unfinished_max=2, now=clock)
    return Desk(generations, KeptPhotos(database, vault=Vault([b"k" * 32])), clock)


async def test_what_waits_says_why_keeps_its_photo_and_takes_no_place_in_the_queue(desk: Desk) -> None:
    generation = await desk.waiting()

    assert generation.state is State.WAITING
    assert generation.wait == Wait(what=WaitsFor.CONSENT, on=9, n=1, until=desk.clock.now + timedelta(days=3))
    assert [number_in(photo.url) for photo in generation.photos] == [1]
    assert await desk.kept.open(generation, 1) == PHOTO
    assert await desk.generations.unfinished() == [generation]
    assert (await desk.generations.line()).waiting == []


async def test_what_waits_is_one_of_the_members_requests(desk: Desk) -> None:
    await desk.waiting(1)
    await desk.waiting(2)

    with pytest.raises(QueueFull):
        await desk.accepted(3)


async def test_only_what_was_just_received_can_wait(desk: Desk) -> None:
    generation = await desk.accepted()
    await desk.generations.cancel(generation.id)
    wait = Wait(what=WaitsFor.CONSENT, on=9, n=1, until=desk.clock.now)

    assert not await desk.generations.wait(generation.id, wait, photos=[], kept=desk.kept.sealed(generation, [PHOTO]))

    with pytest.raises(PhotoRefused):
        await desk.kept.open(generation, 1)


async def test_it_goes_on_once_and_its_photo_is_forgotten_when_it_is_queued(desk: Desk) -> None:
    generation = await desk.waiting()

    assert [await desk.generations.resume(generation.id) for _ in range(2)] == [True, False]

    resumed = await desk.row(generation.id)
    assert (resumed.state, resumed.wait) == (State.RECEIVED, None)
    assert await desk.kept.open(resumed, 1) == PHOTO
    assert await desk.generations.queue(resumed, kind="any", jobs=1, shown=None)
    with pytest.raises(PhotoRefused):
        await desk.kept.open(resumed, 1)


async def test_the_days_that_it_has_waited_for_somebody_are_none_in_the_queue(desk: Desk) -> None:
    generation = await desk.waiting()
    desk.clock.advance(days=2)
    await desk.generations.resume(generation.id)
    await desk.generations.queue(await desk.row(generation.id), kind="any", jobs=1, shown=None)
    queue = Queue(desk.generations, in_flight_max=1)

    assert await queue.expired(desk.clock.now + timedelta(hours=22)) == []
    assert await queue.expired(desk.clock.now + timedelta(hours=24)) == [generation.id]


@pytest.mark.parametrize("end", ["cancel", "fail"])
async def test_its_photo_is_forgotten_and_its_images_come_back_when_it_ends(desk: Desk, end: str) -> None:
    generation = await desk.waiting()
    assert await desk.left() == 8

    if end == "cancel":
        assert await desk.generations.cancel(generation.id)
    else:
        assert await desk.generations.fail(generation.id, GenerationFailed("test", "It did not work."))

    assert await desk.left() == 10
    assert not await desk.generations.resume(generation.id)
    with pytest.raises(PhotoRefused):
        await desk.kept.open(generation, 1)


async def test_it_has_waited_too_long_when_its_time_is_over(desk: Desk) -> None:
    generation = await desk.waiting()

    desk.clock.advance(days=2, hours=23)
    assert await desk.generations.waited_too_long() == []

    desk.clock.advance(hours=1)
    assert [each.id for each in await desk.generations.waited_too_long()] == [generation.id]


async def test_a_kept_photo_is_nowhere_in_the_clear(desk: Desk, tmp_path: Path) -> None:
    await desk.waiting()

    stored = {path.name: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()}  # noqa: ASYNC240 - in a test
    assert "facelock.db-wal" in stored
    assert [name for name, content in stored.items() if PHOTO[4:] in content] == []


async def test_a_photo_that_is_kept_for_one_request_opens_for_no_other(desk: Desk, database: Database) -> None:
    one, other = await desk.waiting(1), await desk.waiting(2)
    async with database.connection() as connection:
        sql = "UPDATE kept_photos SET sealed = (SELECT sealed FROM kept_photos WHERE generation_id = :one)"
        await connection.execute_fetchall(sql, {"one": one.id})

    assert await desk.kept.open(one, 1) == PHOTO
    with pytest.raises(PhotoRefused):
        await desk.kept.open(other, 1)
