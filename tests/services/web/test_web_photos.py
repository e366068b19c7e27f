import asyncio
import contextlib

import pytest

from services.web import Bounds
from tests.conftest import Clock
from tests.services.web.outside import JPEG, Outside, served


async def test_a_photo_is_given_out_as_a_jpeg_that_nobody_keeps(bot: Outside, clock: Clock) -> None:
    answer = await bot.ask("GET", bot.photo_path(clock))

    assert (answer.status, answer.body) == (200, JPEG)
    assert answer.headers["content-type"] == "image/jpeg"
    assert answer.headers["cache-control"] == "private, no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert bot.photos_asked == [(7, 0)]


async def test_the_head_of_a_photo_says_how_long_it_is(bot: Outside, clock: Clock) -> None:
    answer = await bot.ask("HEAD", bot.photo_path(clock))

    assert (answer.status, answer.headers["content-length"], answer.body) == (200, str(len(JPEG)), b"")


async def test_a_photo_cannot_be_written(bot: Outside, clock: Clock) -> None:
    answer = await bot.ask("PUT", bot.photo_path(clock), body=b"other")

    assert (answer.status, answer.headers["allow"]) == (405, "GET, HEAD")
    assert bot.photos_asked == []


async def test_a_photo_is_gone_when_its_address_is_over(bot: Outside, clock: Clock) -> None:
    path = bot.photo_path(clock)
    clock.advance(minutes=10)

    assert (await bot.ask("GET", path)).status == 404
    assert bot.photos_asked == []


@pytest.mark.parametrize(("generation_id", "number"), [(8, 0), (7, 1)], ids=["over", "file_gone"])
async def test_a_photo_whose_generation_is_over_is_gone_before_that(
    bot: Outside, clock: Clock, generation_id: int, number: int
) -> None:
    answer = await bot.ask("GET", bot.photo_path(clock, generation_id, number))

    assert (answer.status, answer.body) == (404, b"Not Found\n")
    assert bot.photos_asked == [(generation_id, number)]


async def test_a_reader_that_does_not_read_is_let_go(outside: Outside, clock: Clock) -> None:
    (outside.folder / "0.jpg").write_bytes(JPEG * 200)  # more than the sockets hold
    async with served(outside, Bounds(life_s=0.3)) as bot, asyncio.timeout(10), bot.connected() as (reader, writer):
        writer.write(f"GET {bot.photo_path(clock)} HTTP/1.1\r\nHost: bot\r\n\r\n".encode())
        assert (await reader.readline()).split()[1] == b"200"
        with contextlib.suppress(ConnectionError):
            while True:
                writer.write(b" ")
                await writer.drain()
                await bot.ask("GET", "/healthz")
