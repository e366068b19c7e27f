import logging
from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import web

from bot import utc_now
from services.image_check import ImageCheck
from services.metrics import Metrics
from tests.servers import Recorder, recording_server

WAITS_S = (1.0, 3.0)
PICTURE = b"not looked at here"


class Checker:
    """A check, its server, and how long it has waited between tries."""

    def __init__(self, session: aiohttp.ClientSession, server: Recorder) -> None:
        self.server = server
        self.waited_s: list[float] = []
        self._session = session

    async def passes(self, *, key: str | None = None, path: str = "/check") -> bool:
        url = self.server.url + path
        check = ImageCheck(
            self._session, url=url, key=key, waits_s=WAITS_S, sleep=self._sleep, metrics=Metrics(now=utc_now)
        )
        return await check.passes(PICTURE, media_type="image/webp", generation_id=7)

    async def _sleep(self, seconds: float) -> None:
        self.waited_s.append(seconds)


@pytest.fixture
async def checker() -> AsyncIterator[Checker]:
    async with recording_server() as server, aiohttp.ClientSession() as session:
        yield Checker(session, server)


async def test_a_picture_is_sent_as_it_is_with_its_type_and_the_key(checker: Checker) -> None:
    checker.server.answer({"ok": True})

    assert await checker.passes(key="k-1")

    (asked,) = checker.server.asked
    assert (asked.method, asked.path, asked.body) == ("POST", "/check", PICTURE)
    assert asked.headers["Content-Type"] == "image/webp"
    assert asked.headers["Authorization"] == "Bearer k-1"


async def test_without_a_key_none_is_sent(checker: Checker) -> None:
    checker.server.answer({"ok": True})

    await checker.passes()

    assert "Authorization" not in checker.server.asked[0].headers


async def test_a_no_is_final_and_its_reason_is_for_the_log(checker: Checker, caplog: pytest.LogCaptureFixture) -> None:
    checker.server.answer({"ok": False, "reason": "nudity"})

    with caplog.at_level(logging.INFO):
        assert not await checker.passes(key="k-1")

    assert checker.waited_s == []
    assert "generation 7 did not pass the check: nudity" in caplog.text
    assert "k-1" not in caplog.text


@pytest.mark.parametrize("nonsense", ["not JSON", b"\xff\xfe", [], None, {}, {"ok": "yes"}, {"ok": 1}, {"reason": "?"}])
async def test_what_is_no_clear_answer_is_asked_again_and_then_counts_as_no(checker: Checker, nonsense: object) -> None:
    checker.server.answer(nonsense)

    assert not await checker.passes()

    assert checker.waited_s == list(WAITS_S)
    assert len(checker.server.asked) == 3


@pytest.mark.parametrize("status", [302, 401, 404, 429, 500])
async def test_an_error_is_no_yes_whatever_it_says(checker: Checker, status: int) -> None:
    checker.server.answer({"ok": True}, status=status, headers={"Location": "/elsewhere"})

    assert not await checker.passes()

    assert {asked.path for asked in checker.server.asked} == {"/check"}


async def test_a_checker_that_recovers_is_believed(checker: Checker) -> None:
    async def broken(request: web.Request) -> web.Response:
        assert request.transport is not None
        request.transport.close()
        return web.Response()

    checker.server.answers.append(broken)
    checker.server.answer({"ok": True})

    assert await checker.passes()

    assert checker.waited_s == [WAITS_S[0]]


async def test_a_checker_that_is_not_there_lets_nothing_pass(checker: Checker) -> None:
    checker.server.url = "http://127.0.0.1:1"

    assert not await checker.passes()
