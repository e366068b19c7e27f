"""Submits that may be repeated: the header that names one, and a digest of what was submitted under it."""

import hashlib
from dataclasses import dataclass

from aiohttp import web

from engine.errors import InvalidRequestError, Problem

HEADER = "Idempotency-Key"
MAX_KEY_CHARS = 255


@dataclass(frozen=True, slots=True)
class IdempotencyKey:
    """A caller's word for one submit, and a digest of what was submitted under it."""

    key: str
    digest: bytes


def idempotency_key(request: web.Request, raw: bytes) -> IdempotencyKey | None:
    """Return what a submit with this body is called, None if it has no name.

    Raises:
        InvalidRequestError: The header is empty or too long.
    """
    key = request.headers.get(HEADER)
    if key is None:
        return None
    if not 1 <= len(key) <= MAX_KEY_CHARS:
        message = f"Should be 1 to {MAX_KEY_CHARS} characters long"
        raise InvalidRequestError([Problem(loc=("header", HEADER), message=message, kind="string_length")])
    return IdempotencyKey(key, hashlib.sha256(request.path.encode() + b"\n" + raw).digest())
