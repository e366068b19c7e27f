"""The bot's own small HTTP server: for whoever watches over it and, with ``PUBLIC_URL``, for the image service."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any

from aiohttp import web
from aiohttp.http import RawRequestMessage

from services.errors import ConfigError
from services.metrics import CONTENT_TYPE
from services.public import Hook, Photo, PublicAddresses

log = logging.getLogger(__name__)

_READING = ("GET", "HEAD")
# For every answer. Content delivery networks keep pictures, and even "not found", unless told not to.
# What reverse proxies add to a request: it comes from further away than whoever watches over the bot should be.
_FORWARDED = ("Forwarded", "Via", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-IP")
_HEADERS = {"Server": "facelock", "Cache-Control": "private, no-store", "X-Content-Type-Options": "nosniff"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Doors:
    """What the outside may knock at.

    Attributes:
        addresses: Tells a genuine path from any other.
        hooked: Told of word about a job of ours: its id and the first bytes of the body, which anybody may have
            written. It must return at once.
        photo: The JPEG file of a generation's photo by its number; None where it is over.
    """

    addresses: PublicAddresses
    hooked: Callable[[str, bytes], None]
    photo: Callable[[int, int], Awaitable[Path | None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """What strangers can cost at most; what that came to is measured in ``docs/webhooks.md``."""

    connections: int = 256  # the oldest makes room for the newest
    life_s: float = 30.0  # of a connection, which carries one request: a photo of 100 KB over a slow line
    body_bytes: int = 64 * 2**10  # handed over; the rest is cut off
    body_s: float = 1.0
    linger_s: float = 1.0  # reading on after the answer: closing at once could destroy it on its way (RFC 9112, 9.6)
    stop_s: float = 0.5  # twice this at the most


DEFAULT_BOUNDS = Bounds()


Page = Callable[[], Awaitable[bytes]]


@contextlib.asynccontextmanager
async def serve(
    *,
    host: str,
    port: int,
    is_ready: Callable[[], bool],
    doors: Doors | None = None,
    metrics: Page | None = None,
    bounds: Bounds = DEFAULT_BOUNDS,
) -> AsyncGenerator[int]:
    """Answer ``/healthz`` (the event loop turns), ``/readyz`` (commands are being answered), ``/metrics`` with the page
    where one is given, and what ``doors`` opens.

    Yields the port that is listened on, which the system chooses where ``port`` is 0.

    Raises:
        ConfigError: the address is taken or not this machine's.
    """
    server = _Server(_Reception(is_ready, doors, metrics, bounds).answer, bounds)
    runner = web.ServerRunner(server, shutdown_timeout=bounds.stop_s)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
    except OSError as error:
        await runner.cleanup()
        reason = f"HTTP_HOST and HTTP_PORT: {host}:{port} cannot be listened on ({error.strerror})"
        raise ConfigError([reason]) from error
    try:
        yield runner.addresses[0][1]
    finally:
        try:
            await runner.cleanup()
        finally:
            server.abort()


class _Reception:
    """Answers requests. A path that is not genuine is met like one that does not exist, whatever the method."""

    def __init__(self, is_ready: Callable[[], bool], doors: Doors | None, metrics: Page | None, bounds: Bounds) -> None:
        self._is_ready = is_ready
        self._doors = doors
        self._metrics = metrics
        self._bounds = bounds

    async def answer(self, request: web.BaseRequest) -> web.Response:
        """Answer, and end the connection: one that a proxy kept could be cut just as the next request comes."""
        response = await self._answer(request)
        response.force_close()
        return response

    async def _answer(self, request: web.BaseRequest) -> web.Response:
        path, doors = request.rel_url.raw_path, self._doors
        if path in ("/healthz", "/readyz"):
            return self._probe(path) if request.method in _READING else _not_allowed(*_READING)
        if path == "/metrics" and self._metrics is not None and not any(name in request.headers for name in _FORWARDED):
            return await _measured(self._metrics) if request.method in _READING else _not_allowed(*_READING)
        if doors is None:
            return _plain(404)
        match doors.addresses.read(path):
            case Hook(job_id):
                if request.method != "POST":
                    return _not_allowed("POST")
                doors.hooked(job_id, await self._first_bytes(request))
                return _plain(204)
            case Photo(generation_id, number):
                if request.method not in _READING:
                    return _not_allowed(*_READING)
                return await _jpeg(await doors.photo(generation_id, number))
            case None:
                return _plain(404)

    def _probe(self, path: str) -> web.Response:
        if path == "/healthz" or self._is_ready():
            return web.json_response({"status": "ok"}, headers=_HEADERS)
        return web.json_response({"status": "not connected to Discord"}, status=503, headers=_HEADERS)

    async def _first_bytes(self, request: web.BaseRequest) -> bytes:
        """What comes of the body within the bounds; one that breaks off counts as far as it came."""
        body = bytearray()
        # OSError: time-outs too. RuntimeError: aiohttp's when the connection was gone before the reading began.
        with contextlib.suppress(OSError, RuntimeError):
            async with asyncio.timeout(self._bounds.body_s):
                while chunk := await request.content.read(self._bounds.body_bytes - len(body)):
                    body += chunk
        return bytes(body)


async def _measured(page: Page) -> web.Response:
    return web.Response(body=await page(), headers=_HEADERS | {"Content-Type": CONTENT_TYPE})


async def _jpeg(file: Path | None) -> web.Response:
    if file is None:
        return _plain(404)
    try:
        body = await asyncio.to_thread(file.read_bytes)
    except FileNotFoundError:  # it was over a moment later
        return _plain(404)
    return web.Response(body=body, content_type="image/jpeg", headers=_HEADERS)


def _not_allowed(*methods: str) -> web.Response:
    return _plain(405, {"Allow": ", ".join(methods)})


def _plain(status: int, headers: dict[str, str] | None = None) -> web.Response:
    text = None if status == HTTPStatus.NO_CONTENT else f"{HTTPStatus(status).phrase}\n"
    return web.Response(status=status, text=text, headers=_HEADERS | (headers or {}))


class _Server(web.Server):
    """aiohttp's server with few and short connections, for without a bound idle ones would take every file handle."""

    def __init__(self, answer: Callable[[web.BaseRequest], Awaitable[web.Response]], bounds: Bounds) -> None:
        super().__init__(answer)
        self._bounds = bounds
        self._options: dict[str, Any] = {
            "access_log": None,
            "auto_decompress": False,
            "lingering_time": bounds.linger_s,
            "max_field_size": 2048,
            "max_headers": 64,
            "read_bufsize": 16 * 2**10,
        }
        self._lives: dict[web.RequestHandler, tuple[asyncio.Transport, asyncio.TimerHandle]] = {}

    def __call__(self) -> web.RequestHandler:
        return _Connection(self, loop=asyncio.get_running_loop(), **self._options)

    def connection_made(self, handler: web.RequestHandler, transport: asyncio.Transport) -> None:
        super().connection_made(handler, transport)
        if len(self._lives) >= self._bounds.connections:
            self._end(next(iter(self._lives)))
        timer = asyncio.get_running_loop().call_later(self._bounds.life_s, transport.abort)
        self._lives[handler] = transport, timer

    def connection_lost(self, handler: web.RequestHandler, exc: BaseException | None = None) -> None:
        super().connection_lost(handler, exc)
        if handler in self._lives:
            self._lives.pop(handler)[1].cancel()

    def abort(self) -> None:
        """End what is left, also where an answer still waits to be read."""
        for handler in list(self._lives):
            self._end(handler)

    def _end(self, handler: web.RequestHandler) -> None:
        transport, timer = self._lives.pop(handler)
        timer.cancel()
        transport.abort()


class _Connection(web.RequestHandler):
    """aiohttp's, but for errors: it logs what came in, and paths are secrets."""

    __slots__ = ()

    def data_received(self, data: bytes) -> None:
        """See aiohttp; what is no HTTP ends the connection, and nothing of it stays in memory.

        The error's traceback leads in a circle to the input itself, up to 256 KiB of it, and thousands of such circles
        can come together before Python looks for them.
        """
        super().data_received(data)
        for message, _ in self._messages:
            if not isinstance(message, RawRequestMessage):
                message.exc.__traceback__ = None
                self.close()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """See aiohttp; a status below 500 means that what came in is no HTTP."""
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            log.error("a request met a bug", exc_info=exc)
        response = _plain(status)
        response.force_close()
        return response
