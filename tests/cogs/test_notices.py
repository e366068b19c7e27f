from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from cogs.face import Face
from cogs.notices import DiscordNotices
from playground.model import Message
from services.presenter import DiscordUnavailable
from services.upkeep import Expiring
from tests.cogs.stage import NO_CONSENTS, NO_FACES, NO_MODERATION, CogStage, cog_stage

AT = datetime(2026, 11, 28, tzinfo=UTC)
MESSAGES = r"/channels/\d+/messages$"


@pytest.fixture
async def scene(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[CogStage]:
    async with cog_stage(monkeypatch, lambda _runner: Face(NO_FACES, NO_CONSENTS, NO_MODERATION)) as opened:
        yield opened


async def tell(scene: CogStage, *names: str) -> list[Message]:
    """Tell Ben; what was written by that."""
    ben, before = scene.playground.state.member("Ben").id, set(scene.playground.state.messages)
    await DiscordNotices(scene.bot).faces_expire(ben, [Expiring(name, AT) for name in names])
    return [message for id_, message in scene.playground.state.messages.items() if id_ not in before]


@pytest.mark.parametrize(
    ("names", "headline"),
    [(["Me"], "A face that you saved has not"), (["Me", "a_*b*"], "Faces that you saved have not")],
)
async def test_the_owner_reads_in_private_what_will_be_deleted_and_when(
    scene: CogStage, names: list[str], headline: str
) -> None:
    (message,) = await tell(scene, *names)

    first, *lines = message.text.splitlines()
    assert first.startswith(headline)
    when = f"<t:{int(AT.timestamp())}:R>"
    assert lines == [f"- **Me**: {when}", rf"- **a\_\*b\***: {when}"][: len(names)]
    assert scene.playground.seen_by(message) == {"Ben"}


async def test_who_takes_no_direct_messages_counts_as_told(scene: CogStage) -> None:
    scene.playground.allow_direct_messages("Ben", allowed=False)

    assert await tell(scene, "Me") == []


async def test_while_discord_is_down_it_is_to_be_tried_again(scene: CogStage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cogs.notices.CALL_TIMEOUT_S", 0.1)
    scene.playground.faults.hang("POST", MESSAGES)

    with pytest.raises(DiscordUnavailable):
        await tell(scene, "Me")
