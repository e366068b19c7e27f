"""Answers as Discord sends them."""

import json
from collections.abc import Mapping

from aiohttp import web

# discord.py takes a 429 without it for a ban by the network in front of Discord.
VIA = "1.1 playground"


def json_response(body: object, *, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    """JSON with the bare content type: with a charset behind it, discord.py would leave the body unread."""
    response = web.Response(body=json.dumps(body).encode(), status=status, headers={"Via": VIA, **(headers or {})})
    response.headers["Content-Type"] = "application/json"
    return response
