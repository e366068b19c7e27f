"""The page's own files."""

from pathlib import Path

from aiohttp import web

_FOLDER = Path(__file__).with_name("web")

# Spelled out, because Windows takes them from its registry, and a wrong type keeps a browser from running a module.
_TYPES = {".css": "text/css", ".html": "text/html", ".js": "text/javascript", ".svg": "image/svg+xml"}

# The page loads nothing from elsewhere and cannot be framed; blob: is for pictures about to be attached.
_POLICY = (
    "default-src 'self'; img-src 'self' blob: data:; object-src 'none'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'"
)


def routes() -> list[web.RouteDef]:
    """`/` for the page, `/web/{name}` for what it is made of."""
    return [web.get("/", _index), web.get("/web/{name}", _asset)]


async def _index(_request: web.Request) -> web.StreamResponse:
    return _send(_FOLDER / "index.html")


async def _asset(request: web.Request) -> web.StreamResponse:
    path = _FOLDER / request.match_info["name"]
    if path.parent != _FOLDER or path.suffix not in _TYPES or not path.is_file():
        raise web.HTTPNotFound
    return _send(path)


def _send(path: Path) -> web.FileResponse:
    headers = {
        "Content-Type": f"{_TYPES[path.suffix]}; charset=utf-8",
        "Content-Security-Policy": _POLICY,
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "no-cache",
    }
    return web.FileResponse(path, headers=headers)
