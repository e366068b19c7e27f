import socket

import aiohttp
import pytest

from services.errors import ConfigError
from services.web import serve
from tests.conftest import Clock
from tests.services.web.outside import QUICK, Outside


async def test_health_is_the_loop_and_readiness_is_discord() -> None:
    ready = False
    async with serve(host="127.0.0.1", port=0, is_ready=lambda: ready) as port, aiohttp.ClientSession() as session:
        answers: list[tuple[int, str]] = []
        for path in ("healthz", "readyz"):
            async with session.get(f"http://127.0.0.1:{port}/{path}") as response:
                answers.append((response.status, (await response.json())["status"]))
        ready = True
        async with session.get(f"http://127.0.0.1:{port}/readyz") as response:
            answers.append((response.status, (await response.json())["status"]))

    assert answers == [(200, "ok"), (503, "not connected to Discord"), (200, "ok")]


async def test_probes_can_be_read_and_nothing_else(bot: Outside) -> None:
    head, post = await bot.ask("HEAD", "/healthz"), await bot.ask("POST", "/healthz")

    assert (head.status, head.body) == (200, b"")
    assert (post.status, post.headers["allow"]) == (405, "GET, HEAD")


async def test_a_port_that_is_taken_is_named_with_its_settings() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ConfigError, match=rf"HTTP_HOST and HTTP_PORT: 127\.0\.0\.1:{port} cannot be listened on"):
            async with serve(host="127.0.0.1", port=port, is_ready=lambda: True):
                pass


async def test_without_a_public_address_nothing_else_is_open(outside: Outside, clock: Clock) -> None:
    async with serve(host="127.0.0.1", port=0, is_ready=lambda: True) as port:
        outside.port = port
        hook, photo = (
            await outside.ask("POST", outside.hook_path()),
            await outside.ask("GET", outside.photo_path(clock)),
        )

    assert (hook.status, photo.status) == (404, 404)


async def page() -> bytes:
    return b"facelock_up 1\n"


async def test_metrics_are_a_page_only_where_they_are_wanted(outside: Outside) -> None:
    async with serve(host="127.0.0.1", port=0, is_ready=lambda: True, metrics=page, bounds=QUICK) as outside.port:
        wanted, posted = await outside.ask("GET", "/metrics"), await outside.ask("POST", "/metrics")
    async with serve(host="127.0.0.1", port=0, is_ready=lambda: True, bounds=QUICK) as outside.port:
        unwanted = await outside.ask("GET", "/metrics")

    assert (wanted.status, wanted.body) == (200, b"facelock_up 1\n")
    assert wanted.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert wanted.headers["cache-control"] == "private, no-store"
    assert posted.status == 405
    assert unwanted.status == 404


@pytest.mark.parametrize("header", ["X-Forwarded-For: 192.0.2.1", "forwarded: for=192.0.2.1", "Via: 1.1 Caddy"])
async def test_metrics_that_a_proxy_forwards_are_like_a_path_that_does_not_exist(outside: Outside, header: str) -> None:
    async with serve(host="127.0.0.1", port=0, is_ready=lambda: True, metrics=page, bounds=QUICK) as outside.port:
        forwarded = await outside.ask("GET", "/metrics", more=f"{header}\r\n")
        unknown = await outside.ask("GET", "/metric", more=f"{header}\r\n")

    assert forwarded.status == 404
    assert forwarded.without_date() == unknown.without_date()
