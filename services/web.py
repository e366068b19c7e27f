"""The bot's own small HTTP server, for whoever watches over it."""

import contextlib
from collections.abc import AsyncGenerator, Callable

from aiohttp import web

from services.errors import ConfigError


@contextlib.asynccontextmanager
async def serve(*, host: str, port: int, is_ready: Callable[[], bool]) -> AsyncGenerator[None]:
    """Answer ``/healthz`` (the event loop turns) and ``/readyz`` (commands are being answered).

    Raises:
        ConfigError: the address is taken or not this machine's.
    """
    runner = web.AppRunner(_application(is_ready), access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
    except OSError as error:
        await runner.cleanup()
        reason = f"HTTP_HOST and HTTP_PORT: {host}:{port} cannot be listened on ({error.strerror})"
        raise ConfigError([reason]) from error
    try:
        yield
    finally:
        await runner.cleanup()


def _application(is_ready: Callable[[], bool]) -> web.Application:
    async def healthz(_request: web.Request) -> web.Response:
        return web.json_response({"status": "ok"})

    async def readyz(_request: web.Request) -> web.Response:
        ready = is_ready()
        return web.json_response(
            {"status": "ok" if ready else "not connected to Discord"}, status=200 if ready else 503
        )

    app = web.Application()
    app.router.add_get("/healthz", healthz)
    app.router.add_get("/readyz", readyz)
    return app
