"""The API key: one for the whole engine, sent in whichever header an API has for it."""

import hmac

from aiohttp import web

from engine.errors import UnauthorizedError


class ApiKey:
    """The key that callers must send.

    Args:
        key: None takes any key that is not empty.
        header: Where this API's callers send it.
    """

    def __init__(self, key: str | None, *, header: str) -> None:
        self._key = key
        self._header = header

    def check(self, request: web.Request) -> None:
        """Make sure that a request carries the key.

        Raises:
            UnauthorizedError: It carries none, or another.
        """
        sent = request.headers.get(self._header, "")
        if sent and (self._key is None or _is_same(sent, self._key)):
            return
        fault = "is wrong" if sent else "is missing"
        raise UnauthorizedError(f"The header {self._header} {fault}. Send the key that this engine was started with.")


def _is_same(one: str, other: str) -> bool:
    """Compare two secrets in a time that does not tell how much of them agrees."""
    first, second = (text.encode("utf-8", "surrogateescape") for text in (one, other))
    return hmac.compare_digest(first, second)
