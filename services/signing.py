"""Signatures by which the bot knows its own addresses again."""

import base64
import hmac
import json
import secrets
from typing import Self

from db import signing_keys
from db.connection import Database

KEY_BYTES = 32


class Signer:
    """Signs for one purpose: HMAC-SHA256 with a key of its own, as 43 characters of URL-safe text."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    @classmethod
    async def of(cls, database: Database, purpose: str) -> Self:
        """The signer with the key that the database keeps for this purpose; the first time it is made."""
        async with database.transaction() as connection:
            return cls(await signing_keys.kept(connection, purpose, fresh=secrets.token_bytes(KEY_BYTES)))

    def sign(self, *parts: str) -> str:
        """The same for the same parts and key, and for nothing else: ``("ab", "c")`` is not ``("a", "bc")``."""
        digest = hmac.digest(self._key, json.dumps(parts).encode("ascii"), "sha256")
        return base64.urlsafe_b64encode(digest).decode("ascii").rstrip("=")

    def is_genuine(self, signature: str, *parts: str) -> bool:
        """Whether ``sign`` made this signature for these parts; takes as long for a near miss as for any other."""
        return signature.isascii() and hmac.compare_digest(signature, self.sign(*parts))
