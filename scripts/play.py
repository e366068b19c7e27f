"""Try the bot with nothing to configure: engine, playground and bot as three real processes, and one address to open.

Their data and logs are in data/play/, or where PLAY_DATA says. PLAY_PORT chooses the first of three neighbouring ports.
"""

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp

from services.config import variables

ROOT = Path(__file__).parent.parent
DATA = Path(os.environ.get("PLAY_DATA", "") or ROOT / "data" / "play").absolute()
FIRST_PORT = 8765
READY_S = 60.0
STOP_S = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """One of the three: how it is started and where it says that it is ready."""

    name: str
    arguments: list[str]
    ready_url: str
    env: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def log(self) -> Path:
        """Everything it prints."""
        return DATA / f"{self.name}.log"


class PlayError(Exception):
    """Its text says what went wrong and what to do."""


def programs(first_port: int) -> list[Program]:
    """The three, in the order in which they are started."""
    discord, engine, health = (f"127.0.0.1:{first_port + offset}" for offset in range(3))
    # A real .env beside the checkout must not reach this bot: what is set here, even to nothing, is not read from it.
    settings = dict.fromkeys(variables(), "") | {
        "DISCORD_TOKEN": "ODc2NTAwMDAwMDAwMDAwMDAw.cGxheQ.cGxheWdyb3VuZC1vbmx5LW5vdC1hLXJlYWwtdG9rZW4",
        "DISCORD_API_URL": f"http://{discord}/api/v10",
        "DISCORD_GATEWAY_URL": f"ws://{discord}/gateway",
        "IMAGEPIPELINE_API_KEY": "play",
        "IMAGEPIPELINE_URL": f"http://{engine}",
        "DATABASE_URL": f"sqlite:///{(DATA / 'facelock.db').as_posix()}",
        "FACE_CONSENT": "declare",
        "HTTP_PORT": str(first_port + 2),
    }
    return [
        Program(
            name="engine",
            arguments=["-m", "engine", "--port", str(first_port + 1), "--api-key", "play", "--allow-private-hosts"],
            ready_url=f"http://{engine}/health",
        ),
        Program(
            name="playground",
            arguments=["-m", "playground", "--port", str(first_port), "--bot-token", settings["DISCORD_TOKEN"]],
            ready_url=f"http://{discord}/",
        ),
        Program(name="bot", arguments=["bot.py"], ready_url=f"http://{health}/readyz", env=settings),
    ]


async def play(first_port: int) -> None:
    """Run until Ctrl-C.

    Raises:
        PlayError: a port is taken, or one of the programs ended.
    """
    for port in range(first_port, first_port + 3):
        _check_free(port)
    DATA.mkdir(parents=True, exist_ok=True)
    stop = asyncio.Event()
    _stop_on_signals(stop)
    running: list[tuple[Program, asyncio.subprocess.Process]] = []
    try:
        for program in programs(first_port):
            running.append((program, await _start(program)))
            await _until_ready(*running[-1], stop)
        if not stop.is_set():
            print(
                f"\nFacelock is ready: http://127.0.0.1:{first_port}\n\nType /imagine there. Ctrl-C ends it.",
                flush=True,
            )
        await _until_one_ends(running, stop)
    finally:
        for _, process in reversed(running):  # the bot first, so that it can say goodbye to the others
            await _stop(process)


def _check_free(port: int) -> None:
    with socket.socket() as probe:
        if os.name == "posix":  # elsewhere this option would let two servers share a port
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise PlayError(
                f"Port {port} is taken, perhaps by another `make play`. End that one, or choose other ports: "
                f"make play PLAY_PORT={port + 1000}"
            ) from error


async def _start(program: Program) -> asyncio.subprocess.Process:
    with program.log.open("wb") as log:
        return await asyncio.create_subprocess_exec(
            sys.executable,
            *program.arguments,
            cwd=ROOT,
            env=os.environ | program.env,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            # Apart from us, so that Ctrl-C does not reach it and we can end the three in order.
            start_new_session=sys.platform != "win32",
            creationflags=subprocess.CREATE_NEW_PROCESS_GROUP if sys.platform == "win32" else 0,
        )


async def _until_ready(program: Program, process: asyncio.subprocess.Process, stop: asyncio.Event) -> None:
    deadline = asyncio.get_running_loop().time() + READY_S
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=2)) as session:
        while not stop.is_set():
            if process.returncode is not None:
                raise _ended(program)
            with contextlib.suppress(aiohttp.ClientError, TimeoutError):
                async with session.get(program.ready_url) as response:
                    if response.ok:
                        return
            if asyncio.get_running_loop().time() > deadline:
                raise PlayError(f"The {program.name} did not get ready in {READY_S:.0f} s. Its log: {program.log}")
            await asyncio.sleep(0.1)


async def _until_one_ends(running: list[tuple[Program, asyncio.subprocess.Process]], stop: asyncio.Event) -> None:
    waits = {asyncio.ensure_future(process.wait()): program for program, process in running}
    stopped = asyncio.ensure_future(stop.wait())
    await asyncio.wait({*waits, stopped}, return_when=asyncio.FIRST_COMPLETED)
    for wait, program in waits.items():
        if wait.done() and not stop.is_set():
            raise _ended(program)
        wait.cancel()
    stopped.cancel()


def _ended(program: Program) -> PlayError:
    lines = program.log.read_text(encoding="utf-8", errors="replace").splitlines()[-15:]
    return PlayError("\n".join([f"The {program.name} ended. The last lines of its log ({program.log}):", *lines]))


async def _stop(process: asyncio.subprocess.Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
    try:
        await asyncio.wait_for(process.wait(), STOP_S)
    except TimeoutError:
        process.kill()
        await process.wait()


def _stop_on_signals(stop: asyncio.Event) -> None:
    loop = asyncio.get_running_loop()
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        if number is None:  # Windows has no SIGHUP
            continue
        try:
            loop.add_signal_handler(number, stop.set)
        except NotImplementedError:  # Windows
            signal.signal(number, lambda _number, _frame: loop.call_soon_threadsafe(stop.set))


def main() -> int:
    """The exit status."""
    first_port = os.environ.get("PLAY_PORT", "") or str(FIRST_PORT)
    try:
        if not first_port.isdecimal() or not 1 <= int(first_port) <= 65533:
            raise PlayError(f"PLAY_PORT should be a port number from 1 to 65533, not {first_port!r}")
        asyncio.run(play(int(first_port)))
    except PlayError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
