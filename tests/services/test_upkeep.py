from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest

from db.connection import Database
from services.errors import FaceRefused
from services.faces import Faces
from services.presenter import DiscordUnavailable
from services.tasks import Tasks
from services.upkeep import ROUND_S, TOLD_A_ROUND, Expiring, Upkeep
from services.words import speaking, spoken
from tests.conftest import Clock
from tests.languages import LANGUAGES
from tests.photographs import astronaut
from tests.saved_faces import KEY, attached, faces_on

ME = attached(astronaut())
ADA, BEN = 7, 8


class Over(Exception):
    """The rounds that a test wanted are over."""


@dataclass
class NotingNotices:
    """Notes who was told what; unreachable for as long as a test wants it."""

    told: list[tuple[int, list[str], datetime]] = field(default_factory=list[tuple[int, list[str], datetime]])
    spoke: list[str] = field(default_factory=list[str])
    is_down: bool = False

    async def faces_expire(self, member_id: int, expiring: Sequence[Expiring]) -> None:
        if self.is_down:
            raise DiscordUnavailable("down")
        self.spoke.append(spoken())
        self.told.append((member_id, [each.name for each in expiring], expiring[0].at))


@dataclass
class House:
    faces: Faces
    notices: NotingNotices
    clock: Clock

    async def look(self) -> None:
        """What one round does, as at the start of a life."""

        async def over(seconds: float) -> None:
            assert seconds == ROUND_S
            raise Over

        upkeep = Upkeep(faces=self.faces, notices=self.notices, tasks=Tasks(grace_s=0.0, sleep=over))
        with pytest.raises(Over):
            await upkeep.run()

    async def names(self, member_id: int = ADA) -> list[str]:
        return [listed.face.name for listed in await self.faces.of(member_id)]


@pytest.fixture
async def house(database: Database, clock: Clock) -> AsyncIterator[House]:
    async with faces_on(database, clock) as make:
        yield House(make(KEY), NotingNotices(), clock)


async def test_the_owner_is_told_a_week_before_and_once_then_the_face_is_deleted(house: House) -> None:
    await house.faces.save(ADA, "Me", [ME])
    end = house.clock.now + timedelta(days=90)
    house.clock.advance(days=83, seconds=-1)
    await house.look()
    assert house.notices.told == []

    house.clock.advance(seconds=1)
    for _ in range(2):
        await house.look()
    assert house.notices.told == [(ADA, ["Me"], end)]

    house.clock.advance(days=7, seconds=-1)
    await house.look()
    assert await house.names() == ["Me"]
    assert await house.faces.suggested(ADA, "") == ["Me"]

    house.clock.advance(seconds=1)
    await house.look()
    assert await house.names() == []
    assert await house.faces.suggested(ADA, "") == []
    with pytest.raises(FaceRefused):
        await house.faces.choose(ADA, "Me")
    assert len(house.notices.told) == 1


async def test_who_uses_the_face_after_the_warning_keeps_it_and_is_told_again_in_its_time(house: House) -> None:
    await house.faces.save(ADA, "Me", [ME])
    house.clock.advance(days=85)
    await house.look()
    (saved,) = await house.faces.choose(ADA, "Me")
    await house.faces.open(ADA, saved)

    house.clock.advance(days=80)
    await house.look()
    assert await house.names() == ["Me"]
    assert len(house.notices.told) == 1

    house.clock.advance(days=5)
    await house.look()
    assert len(house.notices.told) == 2


async def test_after_a_long_time_without_the_bot_owners_still_have_their_week(house: House) -> None:
    await house.faces.save(ADA, "Me", [ME])
    house.clock.advance(days=200)
    (listed,) = await house.faces.of(ADA)

    await house.look()

    in_a_week = house.clock.now + timedelta(days=7)
    assert listed.expires_at == in_a_week
    assert house.notices.told == [(ADA, ["Me"], in_a_week)]
    assert (await house.faces.of(ADA))[0].expires_at == in_a_week
    house.clock.advance(days=6)
    await house.look()
    assert await house.names() == ["Me"]
    house.clock.advance(days=1)
    await house.look()
    assert await house.names() == []


async def test_nothing_is_deleted_while_nobody_can_be_told(house: House) -> None:
    await house.faces.save(ADA, "Me", [ME])
    house.notices.is_down = True
    for _ in range(3):
        house.clock.advance(days=100)
        await house.look()
    assert await house.names() == ["Me"]

    house.notices.is_down = False
    await house.look()
    assert [told[0] for told in house.notices.told] == [ADA]


async def test_all_faces_of_a_member_are_told_in_one_message(house: House) -> None:
    for member_id, name in ((ADA, "Me"), (BEN, "Ben"), (ADA, "Grandma")):
        await house.faces.save(member_id, name, [ME])
    house.clock.advance(days=83)

    await house.look()

    assert [(member_id, names) for member_id, names, _ in house.notices.told] == [
        (ADA, ["Grandma", "Me"]),
        (BEN, ["Ben"]),
    ]


async def test_only_so_many_members_are_told_in_one_round(house: House) -> None:
    for member_id in range(TOLD_A_ROUND + 3):
        await house.faces.save(member_id, "Me", [ME])
    house.clock.advance(days=83)

    await house.look()
    assert len(house.notices.told) == TOLD_A_ROUND
    await house.look()
    assert sorted(told[0] for told in house.notices.told) == list(range(TOLD_A_ROUND + 3))


@pytest.mark.parametrize("language", LANGUAGES)
async def test_the_owner_is_told_in_the_language_that_they_spoke_when_they_last_chose_it(
    house: House, language: str
) -> None:
    await house.faces.save(ADA, "Me", [ME])
    with speaking(language):
        await house.faces.choose(ADA, "Me")
    house.clock.advance(days=83)

    await house.look()

    assert house.notices.spoke == [language]
