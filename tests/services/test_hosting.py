from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from db.generations import Generation, Hosted, Source, State
from services.hosting import DiscordHosting, PublicHosting
from services.queue import WAIT_MAX

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


def generation(number: int = 7) -> Generation:
    return Generation(
        id=number,
        interaction_id=1,
        application_id=1,
        token=None,
        scope="guild:1",
        channel_id=2,
        member_id=3,
        locale="en-US",
        file_limit_bytes=10,
        wish="{}",
        images=1,
        weight=1,
        role_ids=(),
        photos=(Source(url="https://cdn.example/a"), Source(url="https://cdn.example/b")),
        hosted=(
            Hosted(url="https://cdn.example/1", attachment_id=1),
            Hosted(url="https://cdn.example/2", attachment_id=2),
        ),
        message_id=None,
        state=State.RUNNING,
        pictures=0,
        version=1,
        shown=1,
        failure_code=None,
        failure_text=None,
        created_at=NOW,
        changed_at=NOW,
    )


@pytest.fixture
def hosting(tmp_path: Path) -> PublicHosting:
    def address(generation_id: int, number: int, until: datetime) -> str:
        return f"https://bot.example/{generation_id}/{number}?until={until - NOW}"

    return PublicHosting(tmp_path / "photos", address=address, lasting=timedelta(minutes=15))


async def test_at_discord_the_thumbnails_are_the_addresses_and_nothing_is_kept() -> None:
    hosting = DiscordHosting()
    await hosting.keep(7, [b"one", b"two"])

    assert hosting.urls(generation()) == ("https://cdn.example/1", "https://cdn.example/2")
    assert await hosting.file(7, 1) is None


async def test_photos_that_the_bot_serves_are_there_until_their_generation_is_over(hosting: PublicHosting) -> None:
    await hosting.keep(7, [b"one", b"two"])

    path = await hosting.file(7, 2)
    assert path is not None
    assert path.read_bytes() == b"two"
    assert await hosting.file(7, 3) is None
    assert await hosting.file(8, 1) is None

    await hosting.discard(7)
    assert await hosting.file(7, 2) is None


def test_their_addresses_are_good_for_as_long_as_a_request_may_take(hosting: PublicHosting) -> None:
    lasting = WAIT_MAX + timedelta(minutes=15)

    assert hosting.urls(generation()) == tuple(f"https://bot.example/7/{n}?until={lasting}" for n in (1, 2))


async def test_what_a_kill_has_left_is_swept(hosting: PublicHosting) -> None:
    await hosting.sweep([])  # also where there is no folder yet
    await hosting.keep(7, [b"one"])
    await hosting.keep(8, [b"one"])

    await hosting.sweep([8])

    assert await hosting.file(7, 1) is None
    assert await hosting.file(8, 1) is not None
