"""`python -m playground`: run it until Ctrl-C or SIGTERM."""

import argparse
import asyncio
import logging
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

from playground.rate_limits import DISCORD_LIKE
from playground.server import HOST, Playground
from playground.world import GUILD_ID, default_token

DEFAULT_PORT = 8765


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the playground; the exit status is 1 when its port is taken."""
    parser = _parser()
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    try:
        asyncio.run(_run(options))
    except OSError as error:
        sys.stderr.write(f"{_explain(error, options)}\n")
        return 1
    except KeyboardInterrupt:
        return 0
    return 0


def _explain(error: OSError, options: argparse.Namespace) -> str:
    if options.capture is not None and error.filename == str(options.capture):
        return f"Cannot write {options.capture}: {error.strerror}. Name another file for --capture."
    # The loop's own text for this repeats the address; the system's is short.
    reason = os.strerror(error.errno) if error.errno else str(error)
    return f"Cannot listen on {HOST}:{options.port}: {reason}. Try another --port."


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m playground",
        description="A small Discord on this machine, for trying and testing a bot. For development only.",
        epilog=f"default token: {default_token()}\nid of the server: {GUILD_ID}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--port", type=int, default=DEFAULT_PORT, help="port on 127.0.0.1 (%(default)s; 0: any)")
    parser.add_argument("--bot-token", default=default_token(), metavar="TOKEN", help="what the bot logs in with")
    parser.add_argument(
        "--capture", type=Path, metavar="FILE", help="append every REST request to FILE, one JSON a line"
    )
    parser.add_argument("--no-rate-limits", action="store_true", help="do not answer 429 as Discord would")
    return parser


async def _run(options: argparse.Namespace) -> None:
    rates = None if options.no_rate_limits else DISCORD_LIKE
    running = Playground.run(port=options.port, token=options.bot_token, capture_file=options.capture, rates=rates)
    async with running as playground:
        sys.stdout.write(f"The playground is at {playground.url}\n")
        sys.stdout.flush()
        await _told_to_stop()


async def _told_to_stop() -> None:
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()

    def told(_number: int, _frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(stop.set)

    for number in (signal.SIGINT, signal.SIGTERM):
        try:
            loop.add_signal_handler(number, stop.set)
        except NotImplementedError:
            # Windows: no handlers on the loop, but the plain ones may call into it.
            signal.signal(number, told)
    await stop.wait()


if __name__ == "__main__":
    sys.exit(main())
