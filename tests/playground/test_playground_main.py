"""`python -m playground` as people run it."""

import asyncio
import re
import signal
import socket
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import aiohttp
import pytest

from playground.world import default_token


@asynccontextmanager
async def started(*arguments: str) -> AsyncGenerator[Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "playground", *arguments, stdout=PIPE, stderr=PIPE
    )
    try:
        async with asyncio.timeout(20):
            yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def said(process: Process) -> str:
    assert process.stdout
    return (await process.stdout.readline()).decode()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals to send")
async def test_it_says_where_it_is_and_ends_at_once_with_streams_open(number: signal.Signals) -> None:
    async with started("--port", "0") as process, aiohttp.ClientSession() as http:
        url = re.findall(r"http://127\.0\.0\.1:\d+", await said(process))[0]
        stream = await http.get(f"{url}/client/events?member=Ada")
        socket = await http.ws_connect(f"{url}/gateway")
        await socket.receive_json()
        await stream.content.readline()

        process.send_signal(number)
        async with asyncio.timeout(3):
            assert await process.wait() == 0
        stream.close()
        await socket.close()


async def test_a_taken_port_is_one_clear_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        async with started("--port", port) as process:
            _, errors = await process.communicate()

    assert process.returncode == 1
    assert re.fullmatch(rf"Cannot listen on 127\.0\.0\.1:{port}: .+\. Try another --port\.\s", errors.decode())


async def test_a_capture_that_cannot_be_written_is_named() -> None:
    async with started("--port", "0", "--capture", ".") as process:
        _, errors = await process.communicate()

    assert process.returncode == 1
    assert errors.decode().startswith("Cannot write .: ")


async def test_the_help_shows_the_token_and_the_servers_id() -> None:
    async with started("--help") as process:
        output, _ = await process.communicate()

    assert default_token() in output.decode()
    assert "1100000000000000100" in output.decode()
