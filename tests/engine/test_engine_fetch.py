import base64
import gzip
from collections.abc import Callable

import pytest
from aiohttp import web

from engine.errors import ReferenceImageError
from engine.fetch import ImageFetcher, decode_data_uri
from engine.images import MAX_IMAGE_BYTES
from engine.network import Address, is_any, is_public
from tests.engine.pictures import PIXEL, data_uri
from tests.engine.support import host


async def pixel(_request: web.Request) -> web.Response:
    return web.Response(body=PIXEL)


def is_first_loopback(address: Address) -> bool:
    """The test host plays the internet; every other address is the private network."""
    return str(address) == "127.0.0.1"


async def failure(source: str, *, allowed: Callable[[Address], bool] = is_any, timeout_s: float = 20) -> str:
    async with ImageFetcher(allowed=allowed, timeout_s=timeout_s) as fetcher:
        with pytest.raises(ReferenceImageError) as refusal:
            await fetcher.fetch(source)
    return str(refusal.value)


async def test_an_image_is_fetched_from_its_address() -> None:
    async with host(pixel) as url, ImageFetcher(allowed=is_any) as fetcher:
        assert await fetcher.fetch(str(url / "face.png")) == PIXEL


@pytest.mark.parametrize(
    "name",
    ["127.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "localhost", "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "0"],
)
async def test_the_machine_itself_is_out_of_reach_however_it_is_written(name: str) -> None:
    hits: list[str] = []

    async def count(request: web.Request) -> web.Response:
        hits.append(request.path)
        return web.Response(body=PIXEL)

    async with host(count) as url:
        text = await failure(f"http://{name}:{url.port}/face.png", allowed=is_public)

    assert not hits
    assert "private network" in text or "could not be" in text


async def test_a_redirect_into_the_private_network_is_not_followed() -> None:
    async def redirect(request: web.Request) -> web.Response:
        return web.Response(status=302, headers={"Location": f"http://127.0.0.2:{request.url.port}/secret"})

    async with host(redirect) as url:
        text = await failure(str(url), allowed=is_first_loopback)

    assert "private network" in text


@pytest.mark.parametrize(
    ("location", "reason"),
    [("file:///etc/passwd", "http and https"), ("http://me:secret@127.0.0.1/", "user name"), ("http://[", "read")],
)
async def test_a_redirect_to_something_else_is_not_followed(location: str, reason: str) -> None:
    async def redirect(_request: web.Request) -> web.Response:
        return web.Response(status=307, headers={"Location": location})

    async with host(redirect) as url:
        assert reason in await failure(str(url))


@pytest.mark.parametrize(("hops", "arrives"), [(5, True), (6, False)])
async def test_five_redirects_are_followed_and_no_more(hops: int, *, arrives: bool) -> None:
    async def count_down(request: web.Request) -> web.Response:
        left = int(request.match_info["path"])
        return web.Response(status=302, headers={"Location": f"/{left - 1}"}) if left else web.Response(body=PIXEL)

    async with host(count_down) as url, ImageFetcher(allowed=is_any) as fetcher:
        first = str(url / str(hops))
        if arrives:
            assert await fetcher.fetch(first) == PIXEL
        else:
            assert "more than 5 times" in await failure(first)


async def test_neither_cookies_nor_credentials_are_sent() -> None:
    seen: list[str] = []

    async def bait(request: web.Request) -> web.Response:
        seen.extend(name.lower() for name in request.headers)
        answer = (
            web.Response(status=302, headers={"Location": "/next"}) if request.path == "/" else web.Response(body=PIXEL)
        )
        answer.set_cookie("session", "bait")
        return answer

    async with host(bait) as url, ImageFetcher(allowed=is_any) as fetcher:
        await fetcher.fetch(str(url))

    assert seen.count("host") == 2
    assert not {"cookie", "authorization", "api-key", "referer", "proxy-authorization"} & set(seen)


@pytest.mark.parametrize("status", [204, 403, 404, 500])
async def test_an_answer_without_an_image_is_told_with_its_status(status: int) -> None:
    async def refuse(_request: web.Request) -> web.Response:
        return web.Response(status=status)

    async with host(refuse) as url:
        assert f"HTTP status {status}" in await failure(str(url))


async def test_too_many_bytes_are_refused() -> None:
    async def flood(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for _ in range(MAX_IMAGE_BYTES // 2**20 + 1):
            await response.write(b"\0" * 2**20)
        return response

    async with host(flood) as url:
        assert "larger than 10 MiB" in await failure(str(url))


async def test_a_compressed_answer_is_not_unpacked() -> None:
    async def bomb(_request: web.Request) -> web.Response:
        return web.Response(body=gzip.compress(b"\0" * 10**7), headers={"Content-Encoding": "gzip"})

    async with host(bomb) as url, ImageFetcher(allowed=is_any) as fetcher:
        assert len(await fetcher.fetch(str(url))) < 10**5


async def test_a_host_that_takes_too_long_is_given_up() -> None:
    async with host(pixel) as url:
        assert "longer than 0 s" in await failure(str(url), timeout_s=0)


async def test_a_host_that_is_not_there_is_told_without_its_address() -> None:
    async with host(pixel) as url:
        port = url.port
    text = await failure(f"http://127.0.0.1:{port}/face.png?signature=secret")

    assert "could not be reached" in text
    assert "127.0.0.1" not in text
    assert "secret" not in text


async def test_a_data_uri_is_decoded() -> None:
    async with ImageFetcher() as fetcher:
        assert await fetcher.fetch(data_uri(PIXEL)) == PIXEL
        assert await fetcher.fetch(data_uri(PIXEL).replace("data:", "DATA:").replace("+", "%2B")) == PIXEL


@pytest.mark.parametrize("uri", ["data:,hello", "data:image/png,abc", "data:;base64,a", "data:;base64,Zm9v!", "data:"])
async def test_a_broken_data_uri_is_refused(uri: str) -> None:
    assert "data: URI" in await failure(uri)


def test_a_large_data_uri_is_refused() -> None:
    with pytest.raises(ReferenceImageError, match="larger than 10 MiB"):
        decode_data_uri("data:;base64," + base64.b64encode(b"\0" * (MAX_IMAGE_BYTES + 1)).decode())
