"""Starting, staying and stopping: what the operator meets."""

import asyncio
import contextlib
import os
import socket
import sys
from collections.abc import AsyncGenerator

import aiohttp
import pytest

import bot
from playground.server import Playground
from services.config import Settings
from tests.end_to_end.stage import ROOT, Stage


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


async def exit_of_bot(env: dict[str, str]) -> tuple[int | None, str]:
    """Run the bot until it ends by itself; its exit status and what it printed."""
    clean = {name: value for name, value in os.environ.items() if name in ("PATH", "SYSTEMROOT", "HOME")}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(ROOT / "bot.py"),
        env=clean | env,
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    async with asyncio.timeout(30):
        printed, _ = await process.communicate()
    return process.returncode, printed.decode()


@contextlib.asynccontextmanager
async def supervised(scene: Stage) -> AsyncGenerator[None]:
    settings = Settings.from_env(scene.settings_env())
    bot.point_at(settings)
    stop = asyncio.Event()
    running = asyncio.ensure_future(bot.supervise(settings, stop))
    try:
        yield
    finally:
        stop.set()
        await running


async def test_wrong_settings_are_all_named_and_nothing_is_started(scene: Stage) -> None:
    status, printed = await exit_of_bot(
        scene.settings_env() | {"DISCORD_TOKEN": " ", "QUOTA_IMAGES": "lots", "IMAGEPIPELINE_API_KEY": ""}
    )

    assert status == 1
    assert printed.count("\n  - ") == 3
    assert "Traceback" not in printed


async def test_a_refused_token_ends_the_bot_with_what_to_do(scene: Stage) -> None:
    status, printed = await exit_of_bot(scene.settings_env() | {"DISCORD_TOKEN": "wrong"})

    assert status == 1
    assert "Discord refuses DISCORD_TOKEN. Reset the token" in printed
    assert "Traceback" not in printed


async def test_a_damaged_database_ends_the_bot_with_what_to_do(scene: Stage) -> None:
    (scene.folder / "facelock.db").write_bytes(b"no database at all" * 100)

    status, printed = await exit_of_bot(scene.settings_env())

    assert status == 1
    assert "put a backup in its place" in printed
    assert "Traceback" not in printed


async def test_a_taken_http_port_ends_the_bot_with_what_to_do(scene: Stage) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        status, printed = await exit_of_bot(scene.settings_env() | {"HTTP_PORT": str(taken.getsockname()[1])})

    assert status == 1
    assert "HTTP_PORT" in printed
    assert "Traceback" not in printed


async def test_health_is_told_over_http_and_readiness_follows_the_connection(scene: Stage) -> None:
    port = free_port()
    scene.env["HTTP_PORT"] = str(port)

    async def status(path: str) -> int:
        async with aiohttp.ClientSession() as session, session.get(f"http://127.0.0.1:{port}{path}") as response:
            return response.status

    hanging = scene.playground.faults.hang("GET", r"/users/@me$")
    async with supervised(scene):
        await scene.playground.until(lambda _: hanging.hits)
        before = await status("/healthz"), await status("/readyz")
        hanging.release()
        async with asyncio.timeout(40):
            while await status("/readyz") != 200:
                pass
        after = await status("/healthz")

    assert before == (200, 503)
    assert after == 200


async def test_a_bot_that_starts_before_discord_can_be_reached_connects_when_it_can(
    scene: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bot, "FIRST_RESTART_S", 0.05)
    port = free_port()
    base = f"127.0.0.1:{port}"
    scene.env |= {"DISCORD_API_URL": f"http://{base}/api/v10", "DISCORD_GATEWAY_URL": f"ws://{base}/gateway"}

    async with supervised(scene), Playground.run(port=port) as late:
        await late.ready("imagine", "quota")


async def broken(_queue: object) -> None:
    raise ZeroDivisionError


async def test_a_background_task_that_dies_starts_everything_anew_and_loses_nothing(
    scene: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bot, "FIRST_RESTART_S", 0.05)
    scene.renderer.open.clear()
    async with supervised(scene):
        await scene.playground.ready("imagine", "quota")
        interaction = scene.imagine(photo=None)
        await scene.renderer.begun(1)
        monkeypatch.setattr("services.queue.Queue.claim", broken)
        waiting = scene.imagine(photo=None)
        await scene.playground.until(lambda state: not state.bot_connected)
        monkeypatch.undo()
        scene.renderer.open.set()
        await scene.delivered(interaction)
        await scene.delivered(waiting)
