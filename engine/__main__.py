"""Runs the engine on its own: ``python -m engine``."""

import argparse
import asyncio
import errno
import ipaddress
import logging
import math
import os
import signal
import sys
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from types import FrameType

from aiohttp import web
from yarl import URL

from engine.account import PRICE_USD
from engine.api import EngineSettings, create_app, random_seed
from engine.chaos import DEFAULT_PROBABILITY, EXPLANATIONS, Chaos, Fault, parse_faults
from engine.errors import StartError
from engine.renderers.preview import PreviewRenderer
from engine.request import MAX_SEED

DEFAULT_PORT = 8766
KEY_VARIABLE = "ENGINE_API_KEY"

# Requests are short; what is still open after this is a caller who stopped reading.
SHUTDOWN_TIMEOUT_S = 2.0

_DESCRIPTION = """\
A generation server with both of ImagePipeline's APIs, for a machine of your own. Its preview renderer needs no model
and no GPU: it makes a poster of the prompt and the face, and marks it as a preview.
"""
_EPILOGUE = """\
Point a client at the address that is printed at start and send jobs with POST /identity/lock/image/v1 or
/generate/image/v1 (key in X-API-Key), or /sd/text2image/v1 or /sdxl/text2image/v1 (key in API-Key). GET /health says
how busy the engine is. Ctrl-C ends it; jobs that still wait are dropped.

faults for --chaos:
"""


def main(arguments: Sequence[str] | None = None, environment: Mapping[str, str] = os.environ) -> int:
    """Run until told to stop, and return the exit status: 0 after a clean end, 1 if the engine cannot start."""
    options = _parser().parse_args(arguments)
    logging.basicConfig(level=options.log_level.upper(), format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    try:
        settings = _settings(options, environment)
        refuse_open_door(options.host, settings.api_key)
        asyncio.run(_serve(settings, options))
    except StartError as error:
        sys.stderr.write(f"The engine cannot start. {error}\n")
        return 1
    except KeyboardInterrupt:
        return 0  # Ctrl-C before the signal handlers were in place
    return 0


def refuse_open_door(host: str, api_key: str | None) -> None:
    """Make sure that only this machine can reach an engine without a key.

    Raises:
        StartError: Other machines could.
    """
    if api_key is None and not is_loopback(host):
        raise StartError(
            f"On {host} other machines can reach it, so it needs a key: set {KEY_VARIABLE} (or --api-key) to a long "
            "random text and give clients the same. Or leave --host at 127.0.0.1."
        )


def is_loopback(host: str) -> bool:
    """Tell whether a host to listen on is this machine alone. Names other than localhost may be anything."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


async def _serve(settings: EngineSettings, options: argparse.Namespace) -> None:
    renderer = PreviewRenderer(seconds=options.preview_seconds, workers=options.workers)
    chaos = _chaos(options)
    # The access log would write the secret names of result files.
    runner = web.AppRunner(
        create_app(settings, renderer=renderer, chaos=chaos),
        access_log=None,
        shutdown_timeout=SHUTDOWN_TIMEOUT_S,
    )
    with _stop_signals() as stop:
        try:
            await runner.setup()
            await _listen(runner, options.host, options.port)
            keys = "the API key that was set" if settings.api_key else "any API key, as none was set"
            sys.stdout.write(f"Engine on {_address(runner, options.host)} ({renderer.name} renderer, takes {keys})\n")
            if chaos:
                sys.stdout.write(f"Going wrong on purpose. The same again: {chaos.arguments}\n")
            sys.stdout.flush()
            await stop.wait()
        finally:
            await runner.cleanup()


async def _listen(runner: web.AppRunner, host: str, port: int) -> None:
    try:
        await web.TCPSite(runner, host, port).start()
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            text = f"Port {port} on {host} is taken by another program. End that, or choose another port with --port."
        else:
            text = f"It cannot listen on {host} port {port}: {error.strerror}. Check --host and --port."
        raise StartError(text) from error


def _address(runner: web.AppRunner, host: str) -> URL:
    port = runner.addresses[0][1]  # the one that the system chose, where 0 was asked for
    return URL.build(scheme="http", host=host, port=port)


@contextmanager
def _stop_signals() -> Generator[asyncio.Event, None, None]:
    """Lend an event that Ctrl-C, SIGTERM and (on Windows) Ctrl-Break set."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def ask_to_stop(_number: int, _frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(stop.set)

    # Not loop.add_signal_handler(): Windows has none. This wakes the loop on every system.
    numbers = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGBREAK") if hasattr(signal, name)]
    before = [signal.signal(number, ask_to_stop) for number in numbers]
    try:
        yield stop
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)


def _settings(options: argparse.Namespace, environment: Mapping[str, str]) -> EngineSettings:
    return EngineSettings(
        api_key=(options.api_key or environment.get(KEY_VARIABLE, "")).strip() or None,
        public_url=options.public_url,
        allow_private_hosts=options.allow_private_hosts,
        data=options.data,
        file_ttl=timedelta(minutes=options.file_ttl_minutes),
        queue_limit=options.queue_limit,
        balance_usd=Decimal(str(options.balance_usd)),
    )


def _chaos(options: argparse.Namespace) -> Chaos | None:
    if options.chaos is None:
        return None
    seed = random_seed() if options.chaos_seed is None else options.chaos_seed
    return Chaos(options.chaos, seed=seed, probability=options.chaos_probability)


def _parser() -> argparse.ArgumentParser:
    faults = "".join(f"  {fault:14} {text}\n" for fault, text in EXPLANATIONS.items())
    parser = argparse.ArgumentParser(
        prog="python -m engine",
        description=_DESCRIPTION,
        epilog=_EPILOGUE + faults,
        formatter_class=argparse.RawDescriptionHelpFormatter,  # keeps the list of faults a list
    )
    add = parser.add_argument
    add("--host", default="127.0.0.1", help="address to listen on (default: %(default)s, this machine alone)")
    add("--port", type=_number(int, 0, 65535), default=DEFAULT_PORT, help="port to listen on (default: %(default)s)")
    add("--api-key", metavar="KEY", help=f"key that clients must send; better set {KEY_VARIABLE}, which ps cannot show")
    add(
        "--public-url",
        type=_base_url,
        metavar="URL",
        help="where clients reach the engine, for the addresses of results (default: the host that each request names)",
    )
    add(
        "--allow-private-hosts",
        action="store_true",
        help="fetch reference images from private addresses and send webhooks there too; "
        "callers can then make the engine reach into your network",
    )
    add(
        "--data",
        type=Path,
        metavar="DIR",
        help="keep results in this folder across restarts, until they expire "
        "(default: a temporary folder that is deleted at the end)",
    )
    add(
        "--file-ttl-minutes",
        type=_number(float, 1, 10_080),
        default=60,
        metavar="N",
        help="minutes for which results and ended jobs are kept (default: %(default)s)",
    )
    add(
        "--queue-limit",
        type=_number(int, 1, 100_000),
        default=100,
        metavar="N",
        help="jobs that may wait before new ones are refused (default: %(default)s)",
    )
    add(
        "--workers",
        type=_number(int, 1, 64),
        default=2,
        metavar="N",
        help="jobs that are made at the same time (default: %(default)s)",
    )
    add(
        "--preview-seconds",
        type=_number(float, 0, 3600),
        default=1.5,
        metavar="S",
        help="seconds that each preview is made to last, so that progress shows (default: %(default)s)",
    )
    add(
        "--balance-usd",
        type=_number(float, 0, 1_000_000),
        default=1000,
        metavar="USD",
        help=f"what the account holds at the start; a picture costs {PRICE_USD} (default: %(default)s)",
    )
    add(
        "--chaos",
        type=_faults,
        metavar="FAULTS",
        help="go wrong on purpose, so that a client can rehearse it: faults from the list below, separated by commas, "
        "or all",
    )
    add(
        "--chaos-probability",
        type=_number(float, 0, 1),
        default=DEFAULT_PROBABILITY,
        metavar="P",
        help="how often each fault strikes where it can (default: %(default)s)",
    )
    add(
        "--chaos-seed",
        type=_number(int, 0, MAX_SEED),
        metavar="N",
        help="repeat the faults of another run (default: a new seed, which is printed at start)",
    )
    add("--log-level", choices=("debug", "info", "warning", "error"), default="info", help="default: %(default)s")
    return parser


def _number(kind: type[int] | type[float], low: float, high: float) -> Callable[[str], float]:
    def parse(text: str) -> float:
        value = kind(text)
        if not low <= value <= high or not math.isfinite(value):
            raise argparse.ArgumentTypeError(f"should be from {low} to {high}, not {text}")
        return value

    parse.__name__ = "number"  # argparse says "invalid number value: 'x'"
    return parse


def _faults(text: str) -> frozenset[Fault]:
    try:
        return parse_faults(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _base_url(text: str) -> str:
    try:
        url = URL(text)
    except ValueError:
        url = URL()
    if url.scheme not in {"http", "https"} or not url.host or url.query_string or url.fragment:
        raise argparse.ArgumentTypeError(f"should look like https://engine.example.org, not {text}")
    return text.rstrip("/")


if __name__ == "__main__":
    sys.exit(main())
