import asyncio
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from engine.__main__ import is_loopback, main
from engine.chaos import EXPLANATIONS
from tests.engine.support import PATIENCE_S

STOP_SIGNALS = [signal.CTRL_BREAK_EVENT] if sys.platform == "win32" else [signal.SIGINT, signal.SIGTERM]
CREATION_FLAGS = subprocess.CREATE_NEW_PROCESS_GROUP if sys.platform == "win32" else 0


def contents(folder: Path) -> list[Path]:
    return list(folder.iterdir())


@asynccontextmanager
async def started(
    *arguments: str, temporary: Path, key: str = ""
) -> AsyncGenerator[tuple[asyncio.subprocess.Process, str], None]:
    """Run the engine as its own process, and lend it with its address once it says that it listens."""
    environment = os.environ | {"TMPDIR": str(temporary), "TEMP": str(temporary), "ENGINE_API_KEY": key}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "engine",
        "--port",
        "0",
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=environment,
        creationflags=CREATION_FLAGS,
    )
    assert process.stdout
    try:
        async with asyncio.timeout(PATIENCE_S):
            line = (await process.stdout.readline()).decode()
            address = re.search(r"http://\S+", line)
            assert address, line
            yield process, address[0]
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


@pytest.mark.parametrize("stop", STOP_SIGNALS)
async def test_it_works_alone_and_ends_cleanly_when_told_to(stop: signal.Signals, tmp_path: Path) -> None:
    async with started("--preview-seconds", "3000", temporary=tmp_path) as (process, address):
        async with aiohttp.ClientSession(headers={"API-Key": "any"}) as session:
            submitted = await session.post(f"{address}/sd/text2image/v1", json={"prompt": "a lake"})
            assert submitted.status == 202
        assert contents(tmp_path)

        process.send_signal(stop)
        _, log = await process.communicate()

    assert process.returncode == 0
    assert b"Traceback" not in log
    assert b"text2image" not in log, "an access log would hold the names of result files"
    assert contents(tmp_path) == []


async def test_a_key_from_the_environment_is_asked_for(tmp_path: Path) -> None:
    async with (
        started(temporary=tmp_path, key="from the environment") as (_, address),
        aiohttp.ClientSession() as session,
    ):
        statuses = [
            (await session.post(f"{address}/sd/text2image/v1", json={}, headers={"API-Key": key})).status
            for key in ("any", "from the environment")
        ]

    assert statuses == [401, 422]


async def test_chaos_tells_how_to_have_the_same_again(tmp_path: Path) -> None:
    async with started("--chaos", "429,job-hang", "--chaos-probability", "1", temporary=tmp_path) as (process, address):
        assert process.stdout
        line = (await process.stdout.readline()).decode()
        async with aiohttp.ClientSession(headers={"API-Key": "any"}) as session:
            refusal = await session.get(f"{address}/sd/text2image/v1/status/1")

    assert re.search(r"--chaos 429,job-hang --chaos-probability 1.0 --chaos-seed \d+$", line.strip())
    assert refusal.status == 429


def test_a_taken_port_is_told_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        assert main(["--port", str(port)], {}) == 1

    error = capsys.readouterr().err
    assert f"Port {port} on 127.0.0.1 is taken" in error
    assert error.count("\n") == 1


def test_a_folder_that_cannot_be_used_is_told_in_one_line(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")

    assert main(["--port", "0", "--data", str(tmp_path / "file")], {}) == 1

    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize("host", ["192.0.2.1", "::", "engine.example"])
def test_an_open_door_without_a_key_is_refused(host: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--host", host], {"ENGINE_API_KEY": ""}) == 1

    assert "ENGINE_API_KEY" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("host", "loopback"),
    [("127.0.0.1", True), ("127.9.9.9", True), ("::1", True), ("localhost", True), ("::", False), ("0", False)],
)
def test_loopback_is_this_machine_alone(host: str, *, loopback: bool) -> None:
    assert is_loopback(host) == loopback


@pytest.mark.parametrize(
    "arguments",
    [
        ["--port", "70000"],
        ["--port", "x"],
        ["--file-ttl-minutes", "nan"],
        ["--public-url", "example.org"],
        ["--work"],
        ["--chaos", "fast"],
    ],
)
def test_a_wrong_argument_is_told_with_its_name(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(arguments, {})

    assert end.value.code == 2
    assert arguments[0] in capsys.readouterr().err


def test_the_documentation_explains_every_fault_as_the_help_does() -> None:
    page = (Path(__file__).parents[2] / "docs" / "engine.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `([a-z0-9-]+)` \| (.+) \|$", page, re.MULTILINE))

    assert {fault: text.replace("`", "") for fault, text in rows.items()} == EXPLANATIONS
