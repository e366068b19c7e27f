import asyncio
import json
from pathlib import Path

import aiohttp
import pytest

from db.connection import Database
from services.public import PublicAddresses
from tests.conftest import Clock
from tests.services.web.outside import BASE, JOB, Outside, head_of_post, served


@pytest.mark.parametrize(
    "body",
    [b'{"status": "completed"}', b"", b"no json {", b"\0\xff\xfe", b"[" * 60_000],
    ids=["json", "empty", "no_json", "no_text", "deep"],
)
async def test_a_genuine_hook_is_answered_204_whatever_it_says(bot: Outside, body: bytes) -> None:
    answer = await bot.ask("POST", bot.hook_path(), body=body)

    assert (answer.status, answer.body) == (204, b"")
    assert bot.hooks == [(JOB, body)]


async def test_an_ordinary_client_is_content(bot: Outside) -> None:
    async with aiohttp.ClientSession() as session:
        for _ in range(3):
            url = f"http://127.0.0.1:{bot.port}{bot.hook_path()}"
            async with session.post(url, json={"status": "completed"}) as response:
                assert response.status == 204

    assert [json.loads(body) for _, body in bot.hooks] == [{"status": "completed"}] * 3


async def test_repeats_and_late_ones_are_answered_alike(bot: Outside, clock: Clock) -> None:
    first = await bot.ask("POST", bot.hook_path())
    again = await bot.ask("POST", bot.hook_path())
    clock.advance(days=100)
    late = await bot.ask("POST", bot.hook_path())

    assert {first.status, again.status, late.status} == {204}
    assert len(bot.hooks) == 3


async def test_a_hook_is_still_good_after_a_restart(tmp_path: Path, clock: Clock) -> None:
    async with Database.open(tmp_path / "kept.db") as database:
        path = Outside(await PublicAddresses.of(database, BASE, now=clock), tmp_path).hook_path()

    async with (
        Database.open(tmp_path / "kept.db") as database,
        served(Outside(await PublicAddresses.of(database, BASE, now=clock), tmp_path)) as bot,
    ):
        assert (await bot.ask("POST", path)).status == 204
        assert bot.hooks == [(JOB, b"")]


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "OPTIONS"])
async def test_a_hook_is_for_posting_only(bot: Outside, method: str) -> None:
    answer = await bot.ask(method, bot.hook_path())

    assert (answer.status, answer.headers["allow"]) == (405, "POST")
    assert bot.hooks == []


FORGED = [
    "/",
    "//",
    "/hooks",
    f"/hooks/{JOB}",
    f"/hooks/{JOB}/",
    f"/hooks/{JOB}/{'A' * 43}",
    "/hooks/../../etc/passwd",
    "/photos",
    f"/photos/7/0/99999999/{'A' * 43}.jpg",
    f"/photos/{'9' * 5000}/0/99999999/{'A' * 43}.jpg",
    "/photos/../../../../etc/passwd",
    "/photos/..%2f..%2f..%2fetc/passwd",
    "/photos/7/0/..\\..\\0.jpg",
    "/0.jpg",
    "/.env",
]


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "DELETE"])
async def test_what_is_not_genuine_is_told_apart_from_nothing_at_all(bot: Outside, method: str) -> None:
    nothing = await bot.ask(method, "/nothing-here")

    answers = [await bot.ask(method, path) for path in FORGED]

    assert nothing.status == 404
    assert {str(answer.without_date()) for answer in answers} == {str(nothing.without_date())}
    assert (bot.hooks, bot.photos_asked) == ([], [])


async def test_a_genuine_signature_with_a_slip_is_not_genuine(bot: Outside, clock: Clock) -> None:
    hook, photo = bot.hook_path(), bot.photo_path(clock)
    near = [hook[:-1], f"{hook}/", hook.replace(JOB, JOB[:-1]), hook.upper(), hook.replace("-", "%2D", 1), f"/x{hook}"]
    near_photos = [photo[:-4], photo.replace("/7/", "/8/"), photo.replace("/0/", "/1/"), f"{photo}/../1.jpg"]

    posts = [(await bot.ask("POST", path)).status for path in near]
    gets = [(await bot.ask("GET", path)).status for path in near_photos]

    assert {*posts, *gets} == {404}
    assert (bot.hooks, bot.photos_asked) == ([], [])


async def test_a_hook_in_chunks_is_put_together(bot: Outside) -> None:
    head = head_of_post(bot.hook_path(), "Transfer-Encoding: chunked")

    answer = await bot.ask_raw(head + b"3\r\n{ab\r\n2\r\nc}\r\n0\r\n\r\n")

    assert answer.status == 204
    assert bot.hooks == [(JOB, b"{abc}")]


async def test_a_compressed_body_is_not_unpacked(bot: Outside) -> None:
    answer = await bot.ask("POST", bot.hook_path(), body=b"not gzip", more="Content-Encoding: gzip\r\n")

    assert answer.status == 204
    assert bot.hooks == [(JOB, b"not gzip")]


async def test_a_client_that_waits_to_be_told_to_go_on_is_not_kept_waiting(bot: Outside) -> None:
    async with asyncio.timeout(10), bot.connected() as (reader, writer):
        writer.write(head_of_post(bot.hook_path(), "Content-Length: 2", "Expect: 100-continue"))

        assert (await reader.readline()).split()[1] == b"204"
