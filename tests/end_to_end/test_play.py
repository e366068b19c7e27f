"""``make play`` as a newcomer meets it: three real processes, one address, and a clean end."""

import asyncio
import contextlib
import json
import os
import re
import signal
import socket
import sys
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.end_to_end.stage import PHOTO, ROOT

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="sends POSIX signals")


def three_free_ports() -> int:
    """The first of three neighbouring ports that nobody uses."""
    for first in range(21_000, 60_000, 10):
        with contextlib.ExitStack() as stack:
            try:
                for port in range(first, first + 3):
                    stack.enter_context(socket.socket()).bind(("127.0.0.1", port))
            except OSError:
                continue
            return first
    raise AssertionError("no free ports")


@contextlib.asynccontextmanager
async def playing(first_port: int | str, folder: Path) -> AsyncGenerator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "scripts.play",
        cwd=ROOT,
        env=os.environ | {"PLAY_PORT": str(first_port), "PLAY_DATA": str(folder)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGINT)
        await process.wait()


async def printed_until(process: asyncio.subprocess.Process, wanted: str) -> str:
    """What it prints up to the line with these words."""
    assert process.stdout is not None
    printed = ""
    async with asyncio.timeout(60):
        while wanted not in printed and (line := await process.stdout.readline()):
            printed += line.decode()
    return printed


async def printed_to_the_end(process: asyncio.subprocess.Process) -> str:
    """What it prints until it ends by itself.

    Awaited to the very end: signalling a process that is just ending makes ``Popen.poll`` take the exit status
    from under asyncio, which then reports 255.
    """
    async with asyncio.timeout(60):
        printed, _ = await process.communicate()
    return printed.decode()


async def imagine(url: str) -> str:
    """Run /imagine with a photo the way the page does; the text of the answer with the picture."""
    async with aiohttp.ClientSession(url) as session:

        async def get(path: str) -> Any:
            async with session.get(path) as response:
                return await response.json()

        world = await get("/client/world?member=Ben")
        channel = next(channel["id"] for channel in world["channels"] if channel["name"] == "pictures")
        options = {"prompt": "a quiet harbour", "whose": "me"}
        command = {"member": "Ben", "channel": channel, "name": "imagine", "options": options}
        form = aiohttp.FormData()
        form.add_field("payload_json", json.dumps(command))
        form.add_field("face", PHOTO[1], filename=PHOTO[0])
        async with session.post("/client/commands", data=form) as response:
            assert response.ok, await response.text()
        async with asyncio.timeout(30):
            while True:
                answer = json.dumps(await get(f"/client/channels/{channel}/messages?member=Ben"))
                if "1 image used" in answer:
                    return answer


async def test_it_prints_one_address_where_imagine_works_and_ends_cleanly(tmp_path: Path) -> None:
    first_port = three_free_ports()
    async with playing(first_port, tmp_path) as process:
        printed = await printed_until(process, "Ctrl-C")
        (url,) = re.findall(r"http://\S+", printed)
        answer = await imagine(url)
        process.send_signal(signal.SIGINT)
        assert await process.wait() == 0

    assert url == f"http://127.0.0.1:{first_port}"
    assert "facelock-" in answer
    for port in range(first_port, first_port + 3):
        with socket.socket() as probe:
            assert probe.connect_ex(("127.0.0.1", port)) != 0


async def test_a_second_one_says_which_port_is_taken(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        async with playing(port, tmp_path) as process:
            printed = await printed_to_the_end(process)

    assert f"Port {port} is taken, perhaps by another `make play`" in printed
    assert "Traceback" not in printed
    assert process.returncode == 1


@pytest.mark.parametrize("port", ["70000", "many", "0"])
async def test_a_wrong_port_is_refused_with_what_it_should_be(port: str, tmp_path: Path) -> None:
    async with playing(port, tmp_path) as process:
        printed = await printed_to_the_end(process)

    assert f"PLAY_PORT should be a port number from 1 to 65533, not '{port}'" in printed
