"""A real HTTP server on this machine that answers as a test tells it to and remembers what it was asked."""

import contextlib
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class Asked:
    """One request as it arrived."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Recorder:
    """The server's address, its requests, and the answers that it gives next; the last answer is given again."""

    url: str = ""
    asked: list[Asked] = field(default_factory=list)
    answers: list[Handler] = field(default_factory=list)

    def answer(self, body: Any = None, *, status: int = 200, headers: dict[str, str] | None = None) -> None:
        """Add an answer: text as it is, bytes as they are, anything else as JSON."""

        async def handler(_request: web.Request) -> web.Response:
            if isinstance(body, bytes):
                return web.Response(body=body, status=status, headers=headers)
            if isinstance(body, str):
                return web.Response(text=body, status=status, headers=headers)
            return web.json_response(body, status=status, headers=headers)

        self.answers.append(handler)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(Asked(request.method, request.path_qs, dict(request.headers), await request.read()))
        handler = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return await handler(request)


@contextlib.asynccontextmanager
async def recording_server() -> AsyncGenerator[Recorder]:
    recorder = Recorder()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", recorder.handle)
    server = TestServer(app)
    await server.start_server(shutdown_timeout=0.0)  # a handler that hangs on purpose must not hold up the end
    try:
        recorder.url = str(server.make_url("")).rstrip("/")
        yield recorder
    finally:
        await server.close()
