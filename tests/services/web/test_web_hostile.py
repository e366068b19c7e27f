import asyncio
import contextlib
import gc
import socket
import tracemalloc

import pytest

from services.web import Bounds
from tests.services.web.outside import JOB, Answer, Outside, head_of_post, served


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
