"""Signed, expiring addresses of files. https://discord.com/developers/docs/reference#signed-attachment-cdn-urls."""

import hashlib
import hmac
from collections.abc import Callable, Mapping
from urllib.parse import quote

from playground.model import Attachment
from playground.state import EPHEMERAL_UPLOAD_LIFE_S

# "Lifetime 1 day", says the announcement of April 2024.
URL_LIFE_S = 24 * 3600

GONE = "This content is no longer available."


class Cdn:
    """Signs addresses, and checks those that come back."""

    def __init__(self, *, key: bytes, now: Callable[[], float]) -> None:
        self.base_url = ""
        self._key = key
        self._now = now

    def url(self, attachment: Attachment) -> str:
        """A fresh address of a file."""
        folder = "ephemeral-attachments" if attachment.ephemeral else "attachments"
        path = f"/{folder}/{attachment.channel_id}/{attachment.id}/{quote(attachment.filename)}"
        issued = int(self._now())
        expires = issued + int(EPHEMERAL_UPLOAD_LIFE_S if attachment.ephemeral else URL_LIFE_S)
        ex, at = f"{expires:x}", f"{issued:x}"
        return f"{self.base_url}{path}?ex={ex}&is={at}&hm={self._sign(path, ex, at)}&"

    def is_valid(self, path: str, query: Mapping[str, str]) -> bool:
        """Whether an address was signed here and has not expired."""
        ex, at = query.get("ex", ""), query.get("is", "")
        if not hmac.compare_digest(self._sign(path, ex, at).encode(), query.get("hm", "").encode()):
            return False
        return int(ex, 16) > self._now()

    def _sign(self, path: str, ex: str, at: str) -> str:
        return hmac.new(self._key, f"{path}?{ex}&{at}".encode(), hashlib.sha256).hexdigest()
