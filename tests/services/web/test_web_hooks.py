"""Over real sockets, most of them raw: what comes from the outside is rarely as polite as an HTTP client."""

import asyncio
import contextlib
import gc
import json
import logging
import socket
import tracemalloc
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import aiohttp
import pytest

from db.connection import Database
from services.errors import ConfigError
from services.public import PublicAddresses
from services.web import Bounds, Doors, serve
from tests.conftest import Clock

BASE = "https://bot.example"
JOB = "0f8fad5b-d9cb-469f-a165-70867728950e"
JPEG = b"\xff\xd8\xff" + b"j" * 100_000
# Short where a test waits for the end of it, and long enough to be no race where it must not come.
QUICK = Bounds(body_s=0.1, linger_s=0.1, stop_s=0.1)


@dataclass
class Outside:
    """Both sides of the wire: the addresses, what came through the doors, and a client."""

    addresses: PublicAddresses
    folder: Path
    port: int = 0
    hooks: list[tuple[str, bytes]] = field(default_factory=list)
    photos_asked: list[tuple[int, int]] = field(default_factory=list)

    def doors(self) -> Doors:
        return Doors(
            addresses=self.addresses, hooked=lambda job_id, body: self.hooks.append((job_id, body)), photo=self.photo
        )

    async def photo(self, generation_id: int, number: int) -> Path | None:
        self.photos_asked.append((generation_id, number))
        return self.folder / f"{number}.jpg" if generation_id == 7 else None

    def hook_path(self, job_id: str = JOB) -> str:
        return self.addresses.hook(job_id).removeprefix(BASE)

    def photo_path(self, clock: Clock, generation_id: int = 7, number: int = 0) -> str:
        url = self.addresses.photo(generation_id, number, clock.now + timedelta(minutes=10))
        return url.removeprefix(BASE)

    @contextlib.asynccontextmanager
    async def connected(self) -> AsyncGenerator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            yield reader, writer
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def ask(self, method: str, path: str, *, body: bytes = b"", more: str = "") -> "Answer":
        head = f"{method} {path} HTTP/1.1\r\nHost: bot\r\nContent-Length: {len(body)}\r\n{more}\r\n"
        return await self.ask_raw(head.encode() + body)

    async def ask_raw(self, request: bytes) -> "Answer":
        """Send it all and read until the other side closes."""
        async with asyncio.timeout(10), self.connected() as (reader, writer):
            writer.write(request)
            return Answer.of(await reader.read())


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @classmethod
    def of(cls, raw: bytes) -> "Answer":
        head, _, body = raw.partition(b"\r\n\r\n")
        first, *lines = head.decode("ascii").split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        return cls(int(first.split()[1]), headers, body)

    def without_date(self) -> tuple[int, dict[str, str], bytes]:
        return self.status, {name: value for name, value in self.headers.items() if name != "date"}, self.body


def head_of_post(path: str, *headers: str) -> bytes:
    return "\r\n".join([f"POST {path} HTTP/1.1", "Host: bot", *headers, "", ""]).encode()


@pytest.fixture
async def outside(database: Database, clock: Clock, tmp_path: Path) -> Outside:
    (tmp_path / "0.jpg").write_bytes(JPEG)
    return Outside(await PublicAddresses.of(database, BASE, now=clock), tmp_path)


@contextlib.asynccontextmanager
async def served(outside: Outside, bounds: Bounds = QUICK) -> AsyncGenerator[Outside]:
    async with serve(host="127.0.0.1", port=0, is_ready=lambda: True, doors=outside.doors(), bounds=bounds) as port:
        outside.port = port
        yield outside


@pytest.fixture
async def bot(outside: Outside) -> AsyncIterator[Outside]:
    async with served(outside):
        yield outside


# Watching over it


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


# Hooks


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


# Hostile bodies


async def test_of_a_huge_body_only_the_beginning_is_read(bot: Outside) -> None:
    size, sent = 50 * 2**20, 0
    async with asyncio.timeout(20), bot.connected() as (reader, writer):
        writer.write(head_of_post(bot.hook_path(), f"Content-Length: {size}"))
        status_line = asyncio.ensure_future(reader.readline())
        with contextlib.suppress(ConnectionError):
            while sent < size:
                writer.write(b"x" * 2**16)
                sent += 2**16
                await writer.drain()

        assert (await status_line).split()[1] == b"204"
    assert bot.hooks == [(JOB, b"x" * 2**16)]


async def test_a_client_that_sends_everything_before_it_reads_gets_its_answer(outside: Outside) -> None:
    async with served(outside, Bounds()) as bot, asyncio.timeout(10), bot.connected() as (reader, writer):
        writer.write(head_of_post(bot.hook_path(), "Content-Length: 8000000") + b"x" * 8_000_000)
        await writer.drain()
        while await bot.ask("GET", "/healthz") and not bot.hooks:
            pass

        assert Answer.of(await reader.read()).status == 204


async def test_a_damaged_body_is_as_good_as_any(bot: Outside) -> None:
    head = head_of_post(bot.hook_path(), "Transfer-Encoding: chunked")

    async with asyncio.timeout(10), bot.connected() as (reader, writer):
        writer.write(head + b"3\r\nabc\r\n")
        await bot.ask("GET", "/healthz")
        writer.write(b"no length\r\n")
        answer = Answer.of(await reader.read())

    assert answer.status == 204
    assert bot.hooks == [(JOB, b"abc")]


async def test_a_body_without_an_end_is_cut_off_and_its_connection_closed(bot: Outside) -> None:
    async with asyncio.timeout(20), bot.connected() as (reader, writer):
        writer.write(head_of_post(bot.hook_path(), "Transfer-Encoding: chunked"))
        status_line = asyncio.ensure_future(reader.readline())
        with contextlib.suppress(ConnectionError):
            while True:
                writer.write(b"4000\r\n" + b"x" * 0x4000 + b"\r\n")
                await writer.drain()

        assert (await status_line).split()[1] == b"204"
    assert bot.hooks == [(JOB, b"x" * 2**16)]


@pytest.mark.parametrize("sent", [b"", b'{"status'])
async def test_a_body_that_does_not_come_is_not_waited_for(bot: Outside, sent: bytes) -> None:
    head = head_of_post(bot.hook_path(), "Content-Length: 1000")

    answer = await bot.ask_raw(head + sent)

    assert answer.status == 204
    assert bot.hooks == [(JOB, sent)]


async def test_a_body_that_trickles_gets_no_more_time_than_one_that_stands_still(outside: Outside) -> None:
    trickled = asyncio.Event()
    async with (
        served(outside, Bounds(body_s=0.2, linger_s=0.0)) as bot,
        asyncio.timeout(10),
        bot.connected() as (reader, writer),
    ):
        writer.write(head_of_post(bot.hook_path(), "Content-Length: 100000"))

        async def trickle() -> None:
            with contextlib.suppress(ConnectionError):
                while not trickled.is_set():
                    writer.write(b"x")
                    await writer.drain()
                    await asyncio.sleep(0)

        task = asyncio.ensure_future(trickle())
        status_line = await reader.readline()
        trickled.set()
        await task

    assert status_line.split()[1] == b"204"
    assert len(bot.hooks) == 1


async def test_a_hook_whose_sender_hangs_up_half_way_is_heard(bot: Outside) -> None:
    async with bot.connected() as (_, writer):
        writer.write(head_of_post(bot.hook_path(), "Content-Length: 10") + b"abc")

    async with asyncio.timeout(10):
        while not bot.hooks:
            await bot.ask("GET", "/healthz")
    assert bot.hooks == [(JOB, b"abc")]


@pytest.mark.parametrize(
    "request_",
    [
        b"\x16\x03\x01\x02\x00\x01\x00",
        b"hello\r\n\r\n",
        b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\nHost: bot\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: bot\r\nX: " + b"a" * 3000 + b"\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: bot\r\n" + b"X: a\r\n" * 70 + b"\r\n",
        b"GET /healthz HTTP/9.9\r\nHost: bot\r\n\r\n",
        b"GET /hooks/\xff HTTP/1.1\r\nHost: bot\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\n\r\n",
        b"POST /healthz HTTP/1.1\r\nHost: bot\r\nContent-Length: -1\r\n\r\n",
    ],
    ids=["tls", "no_http", "long_path", "long_header", "many_headers", "version", "bytes", "no_host", "length"],
)
async def test_what_is_no_http_is_refused_and_told_nothing(bot: Outside, request_: bytes) -> None:
    answer = await bot.ask_raw(request_)

    assert (answer.status, answer.body) == (400, b"Bad Request\n")
    assert answer.headers["server"] == "facelock"


async def test_what_is_no_http_is_not_kept_in_memory(bot: Outside) -> None:
    gc.collect()
    gc.disable()
    tracemalloc.start()
    try:
        for _ in range(100):
            with contextlib.suppress(ConnectionError):  # it is not read to its end
                await bot.ask_raw(b"no http " * 25_000)
        kept_bytes, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
        gc.enable()

    assert kept_bytes < 5 * 10**6  # of 20 MB


# Floods


async def test_a_thousand_forged_requests_are_answered_and_the_loop_goes_on(bot: Outside) -> None:
    limit = asyncio.Semaphore(50)

    async def forge(number: int) -> int:
        async with limit:
            return (await bot.ask("POST", f"/hooks/{number}/{'A' * 43}", body=b"x" * 1000)).status

    flood = asyncio.gather(*(forge(number) for number in range(1000)))
    probes: list[int] = []
    while not flood.done():
        probes.append((await bot.ask("GET", "/healthz")).status)

    assert set(await flood) == {404}
    assert set(probes) == {200}
    assert bot.hooks == []


async def test_a_thousand_genuine_ones_are_all_heard(bot: Outside) -> None:
    limit = asyncio.Semaphore(50)

    async def post() -> int:
        async with limit:
            return (await bot.ask("POST", bot.hook_path(), body=b"{}")).status

    assert set(await asyncio.gather(*(post() for _ in range(1000)))) == {204}
    assert len(bot.hooks) == 1000


async def test_idle_connections_make_room_the_oldest_first(outside: Outside) -> None:
    async with served(outside, Bounds(connections=20)) as bot, contextlib.AsyncExitStack() as stack:
        idle = [await stack.enter_async_context(bot.connected()) for _ in range(50)]

        assert (await bot.ask("POST", bot.hook_path())).status == 204
        async with asyncio.timeout(10):
            with contextlib.suppress(ConnectionError):
                await idle[0][0].read()  # ends, because the other side has closed
        newest_reader, newest_writer = idle[-1]
        newest_writer.write(b"GET /healthz HTTP/1.1\r\nHost: bot\r\n\r\n")
        assert (await newest_reader.readline()).split()[1] == b"200"


async def test_a_connection_that_must_make_room_may_be_at_any_step_of_a_request(
    outside: Outside, caplog: pytest.LogCaptureFixture
) -> None:
    async with served(outside, Bounds(connections=2)) as bot:
        for steps in range(6):
            with contextlib.ExitStack() as stack:
                address = ("127.0.0.1", bot.port)
                first = stack.enter_context(socket.create_connection(address))
                await bot.ask("GET", "/healthz")  # by then the first is accepted
                for _ in range(2):
                    stack.enter_context(socket.create_connection(address))
                for _ in range(steps):
                    await asyncio.sleep(0)
                first.sendall(head_of_post(bot.hook_path(), "Content-Length: 10"))
                await bot.ask("GET", "/healthz")

    assert bot.hooks
    assert [record.message for record in caplog.records if record.exc_info] == []


@pytest.mark.parametrize("sent", [b"", b"GET /healthz HTTP/1.1\r\nHost: b"], ids=["silent", "half_a_head"])
async def test_a_connection_that_never_asks_is_closed_after_its_time(outside: Outside, sent: bytes) -> None:
    async with (
        served(outside, Bounds(life_s=0.1)) as bot,
        asyncio.timeout(10),
        bot.connected() as (reader, writer),
    ):
        writer.write(sent)
        with contextlib.suppress(ConnectionError):
            assert await reader.read() == b""


async def test_a_connection_carries_one_request(bot: Outside) -> None:
    request = b"GET /healthz HTTP/1.1\r\nHost: bot\r\n\r\n"

    answer = await bot.ask_raw(request * 3)

    assert answer.headers["connection"] == "close"
    assert answer.body == b'{"status": "ok"}'


# The photo


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


# Ending, and what it leaves behind


@pytest.mark.parametrize("sent", ["silent", "half a head", "hook", "lingering", "photo"])
async def test_it_ends_within_about_a_second_whatever_hangs(outside: Outside, clock: Clock, sent: str) -> None:
    (outside.folder / "0.jpg").write_bytes(JPEG * 200)
    requests = {
        "silent": b"",
        "half a head": b"GET /heal",
        "hook": head_of_post(outside.hook_path(), "Content-Length: 100"),
        "lingering": head_of_post("/nothing-here", "Content-Length: 100"),
        "photo": f"GET {outside.photo_path(clock)} HTTP/1.1\r\nHost: bot\r\n\r\n".encode(),
    }
    loop = asyncio.get_running_loop()
    async with contextlib.AsyncExitStack() as stack:
        async with served(outside, Bounds(body_s=60.0, linger_s=60.0)) as bot:
            readers: list[asyncio.StreamReader] = []
            for _ in range(5):
                reader, writer = await stack.enter_async_context(bot.connected())
                readers.append(reader)
                writer.write(requests[sent])
            await bot.ask("GET", "/healthz")
            began = loop.time()

        assert loop.time() - began < 4.0  # seconds; measured: 1.0, and this machine may be busy
        for reader in readers:
            with contextlib.suppress(ConnectionError):
                assert len(await asyncio.wait_for(reader.read(), 10)) < len(JPEG) * 200


async def test_neither_paths_nor_bodies_are_logged(
    bot: Outside, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    hook, photo = bot.hook_path(), bot.photo_path(clock)

    await bot.ask("POST", hook, body=b"secret")
    await bot.ask("GET", photo)
    await bot.ask("GET", f"{hook}secret")
    await bot.ask_raw(f"GET {hook} secret HTTP/1.1\r\n\r\n".encode())
    await bot.ask_raw(f"POST {hook} HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nsecret\r\n".encode())

    assert bot.hooks
    assert [line for line in caplog.messages if "secret" in line or JOB in line or "/photos" in line] == []
    assert [record for record in caplog.records if record.exc_info] == []


async def test_a_bug_behind_a_door_is_logged_and_the_provider_asked_to_come_again(
    outside: Outside, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(_job_id: str, _body: bytes) -> None:
        raise ZeroDivisionError

    doors = Doors(addresses=outside.addresses, hooked=broken, photo=outside.photo)
    async with serve(host="127.0.0.1", port=0, is_ready=lambda: True, doors=doors, bounds=QUICK) as outside.port:
        answer = await outside.ask("POST", outside.hook_path())

    assert (answer.status, answer.body) == (500, b"Internal Server Error\n")
    assert answer.headers["server"] == "facelock"
    assert [record.message for record in caplog.records if record.exc_info] == ["a request met a bug"]


# Metrics


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
