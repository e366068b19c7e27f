from collections.abc import AsyncIterator

import pytest

from cogs.quota import Quota
from tests.cogs.stage import CogStage, cog_stage

MINE = "You have used 0 of 20 images in the last 24 hours; 20 left."


@pytest.fixture
async def scene(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[CogStage]:
    async with cog_stage(monkeypatch, Quota) as opened:
        yield opened


async def told(scene: CogStage, member: str, channel: str = "pictures") -> str:
    playground = scene.playground
    message = await playground.answered(playground.command("quota", member=member, channel=channel))
    assert playground.seen_by(message) == {member}
    return message.text


async def test_a_member_reads_what_is_left_of_the_quota(scene: CogStage) -> None:
    scene.noting.account_usd = 12.345

    assert await told(scene, "Ben") == MINE


async def test_who_manages_the_server_also_reads_what_is_left_in_the_account(scene: CogStage) -> None:
    assert await told(scene, "Ada") == MINE
    for usd, line in ((12.345, "12.35"), (0.0, "0.00")):
        scene.noting.account_usd = usd
        assert await told(scene, "Ada") == f"{MINE}\nThe image service's account: {line} USD left."


async def test_nobody_reads_of_the_account_in_a_direct_message(scene: CogStage) -> None:
    scene.noting.account_usd = 12.345

    assert await told(scene, "Ada", channel="dm") == MINE
