"""Keeping the outside out: only this machine's own names are answered, and no other site's page may act here."""

from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from aiohttp import web

from playground.answers import json_response

# Another name in Host means that somebody pointed their domain at this machine (DNS rebinding).
LOOPBACK_NAMES = frozenset({"127.0.0.1", "localhost", "::1"})

_READING = frozenset({"GET", "HEAD"})

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@web.middleware
async def loopback_only(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse requests that did not start on this machine's own pages or programs."""
    if _name(f"//{request.host}") not in LOOPBACK_NAMES:
        return json_response({"message": "The playground answers on 127.0.0.1 and localhost only."}, status=403)
    if _is_foreign(request):
        return json_response({"message": "Another site's page may not do that here."}, status=403)
    return await handler(request)


def _is_foreign(request: web.Request) -> bool:
    """Whether a browser sends this for a page of another origin. Programs send no Origin, and pass."""
    acts = request.method not in _READING or request.headers.get("Upgrade", "").lower() == "websocket"
    origin = request.headers.get("Origin")
    if not acts or origin is None:
        return False
    return urlsplit(origin).netloc != request.host


def _name(url: str) -> str | None:
    try:
        return urlsplit(url).hostname
    except ValueError:
        return None
