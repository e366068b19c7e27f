import asyncio
import base64
from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from services.downloads import DownloadError, Downloads, is_private_url, is_public
from tests.servers import Recorder, recording_server


@pytest.fixture
async def host() -> AsyncIterator[Recorder]:
    async with recording_server() as recorder:
        yield recorder


@pytest.fixture
async def local() -> AsyncIterator[Downloads]:
    async with Downloads(allow_private=True) as downloads:
        yield downloads


@pytest.fixture
async def public_only() -> AsyncIterator[Downloads]:
    async with Downloads(allow_private=False) as downloads:
        yield downloads


async def fetch(downloads: Downloads, url: str, *, bytes_max: int = 100) -> bytes:
    return await downloads.fetch(url, bytes_max=bytes_max, timeout_s=5.0)


async def test_a_file_comes_whole_and_without_any_credentials(host: Recorder, local: Downloads) -> None:
    host.answer(b"picture")

    assert await fetch(local, f"{host.url}/a?sig=1") == b"picture"
    assert not {"API-Key", "Authorization", "Cookie"} & set(host.asked[0].headers)


async def test_a_redirect_is_followed(host: Recorder, local: Downloads) -> None:
    host.answer("", status=302, headers={"Location": "/b"})
    host.answer(b"picture")

    assert await fetch(local, f"{host.url}/a") == b"picture"
    assert [asked.path for asked in host.asked] == ["/a", "/b"]


async def test_endless_redirects_end(host: Recorder, local: Downloads) -> None:
    host.answer("", status=302, headers={"Location": "/again"})

    with pytest.raises(DownloadError, match="too many redirects"):
        await fetch(local, f"{host.url}/a")


async def test_a_file_that_is_too_long_is_dropped(host: Recorder, local: Downloads) -> None:
    host.answer(b"x" * 101)

    with pytest.raises(DownloadError, match="longer than 100 bytes") as error:
        await fetch(local, f"{host.url}/a")
    assert error.value.gone


@pytest.mark.parametrize(("status", "gone"), [(404, True), (403, True), (410, True), (429, False), (500, False)])
async def test_it_is_told_whether_another_try_may_help(
    host: Recorder, local: Downloads, status: int, gone: bool
) -> None:
    host.answer("", status=status)

    with pytest.raises(DownloadError) as error:
        await fetch(local, f"{host.url}/a")
    assert error.value.gone is gone


async def test_a_slow_file_is_given_up(host: Recorder, local: Downloads) -> None:
    async def never(_request: web.Request) -> web.StreamResponse:
        await asyncio.Event().wait()
        return web.Response()

    host.answers.append(never)

    with pytest.raises(DownloadError) as error:
        await local.fetch(f"{host.url}/a", bytes_max=10, timeout_s=0.05)
    assert not error.value.gone


@pytest.mark.parametrize(
    "address",
    [
        "http://example.com/a",
        "https://127.0.0.1/a",
        "https://localhost/a",
        "https://2130706433/a",
        "https://0x7f.1/a",
        "https://[::1]/a",
        "https://[::ffff:127.0.0.1]/a",
        "https://10.0.0.1/a",
        "https://169.254.169.254/latest/meta-data",
        "ftp://example.com/a",
        "file:///etc/passwd",
        "https://",
        "https://[",
        "nonsense",
    ],
)
async def test_nothing_is_fetched_from_inside_the_network(public_only: Downloads, address: str) -> None:
    with pytest.raises(DownloadError) as error:
        await fetch(public_only, address)
    assert error.value.gone


async def test_a_data_address_is_decoded(local: Downloads) -> None:
    encoded = base64.b64encode(b"picture").decode()

    assert await fetch(local, f"data:image/png;base64,{encoded}") == b"picture"


@pytest.mark.parametrize("data", ["data:image/png;base64,***", "data:image/png,plain", "data:;base64," + "A" * 400])
async def test_a_damaged_or_long_data_address_is_refused(local: Downloads, data: str) -> None:
    with pytest.raises(DownloadError):
        await fetch(local, data)


@pytest.mark.parametrize(
    ("url", "private"),
    [
        ("https://api.imagepipeline.io", False),
        ("https://discord.com/api/v10", False),
        ("http://engine:8766", True),
        ("https://engine.lan", True),
        ("http://127.0.0.1:8766", True),
        ("https://8.8.8.8", False),
    ],
)
def test_private_files_are_allowed_where_the_service_itself_is_private(url: str, private: bool) -> None:
    assert is_private_url(url) is private


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("8.8.8.8", True),
        ("2606:4700::1111", True),
        ("::ffff:8.8.8.8", True),
        ("64:ff9b::8.8.8.8", True),
        ("127.0.0.1", False),
        ("::ffff:127.0.0.1", False),
        ("64:ff9b::10.0.0.1", False),
        ("2002:7f00:1::", False),
        ("fe80::1%eth0", False),
        ("100.64.0.1", False),
        ("224.0.0.1", False),
    ],
)
def test_an_address_is_public_only_where_the_internet_is(address: str, public: bool) -> None:
    assert is_public(address) is public
