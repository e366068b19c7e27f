"""Sealing the photos of faces with keys that are not in the database: AES-256 in Galois/counter mode."""

import base64
import hmac
import logging
import os
import re
import secrets
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from services.errors import FacelockError, FaceRefused
from services.words import _

log = logging.getLogger(__name__)

KEY_BYTES = 32
# NIST SP 800-38D, section 8.2.2: random nonces of 96 bits, for up to 2^32 photos under one key.
NONCE_BYTES = 12
_URL_SAFE = str.maketrans("-_", "+/")


class CannotOpen(FacelockError):
    """The key that sealed this is not there, or this is not what was sealed."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """A nonce, the sealed photo and its tag, and the id of the key."""

    key_id: str
    content: bytes = field(repr=False)


class Vault:
    """Seals with the first of its keys and opens with all of them. Without a key it stays shut."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        self._ciphers = {_id_of(key): AESGCM(key) for key in keys}
        self._first = next(iter(self._ciphers), None)

    @property
    def older_keys(self) -> tuple[str, ...]:
        """The ids of the keys that only open."""
        return tuple(self._ciphers)[1:]

    def seals_with(self, key_id: str) -> bool:
        """Whether what is sealed now is sealed with that key."""
        return key_id == self._first

    def seal(self, photo: bytes, *, member_id: int, place: str) -> Sealed:
        """Seal a photo of this member's for one place, such as ``face 7``; nobody opens it for another one.

        Raises:
            FaceRefused: there is no key.
        """
        if self._first is None:
            raise FaceRefused(
                _("Photos cannot be kept just now: the key is missing. The bot's owner finds why in its log.")
            )
        nonce = secrets.token_bytes(NONCE_BYTES)
        sealed = self._ciphers[self._first].encrypt(nonce, photo, _bound_to(member_id, place))
        return Sealed(self._first, nonce + sealed)

    def open(self, sealed: Sealed, *, member_id: int, place: str) -> bytes:
        """The photo.

        Raises:
            CannotOpen
        """
        cipher = self._ciphers.get(sealed.key_id)
        if cipher is None:
            raise CannotOpen("it was sealed with a key that is not there")
        nonce, content = sealed.content[:NONCE_BYTES], sealed.content[NONCE_BYTES:]
        try:
            return cipher.decrypt(nonce, content, _bound_to(member_id, place))
        except (InvalidTag, ValueError) as error:  # ValueError: too short to have a nonce
            raise CannotOpen("it is damaged, or belongs to somebody else") from error


def read_keys(text: str) -> tuple[bytes, ...]:
    """The keys in a setting or a key file: each 32 bytes as base64, with commas or white space between them.

    Raises:
        ValueError: something in it is no key; the message has nothing of it.
    """
    keys = [base64.b64decode(word.translate(_URL_SAFE), validate=True) for word in re.split(r"[,\s]+", text) if word]
    if any(len(key) != KEY_BYTES for key in keys):
        raise ValueError(f"a key should have {KEY_BYTES} bytes")
    return tuple(keys)


def all_keys(configured: Sequence[bytes], file: Path) -> tuple[bytes, ...]:
    """The configured keys, then those of the key file, which is made where there is neither.

    A file that cannot be used costs the faces that its keys have sealed, and is left as it is, for somebody to mend.
    """
    try:
        return (*configured, *_kept(file, make=not configured))
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it holds no keys"
        log.error("the key file %s cannot be used (%s): faces saved with it cannot be opened", file, reason)
        return tuple(configured)


def _kept(file: Path, *, make: bool) -> tuple[bytes, ...]:
    try:
        text = file.read_text(encoding="ascii")
    except FileNotFoundError:
        return _made(file) if make else ()
    if os.name == "posix" and file.stat().st_mode & 0o077:
        log.warning("the key file %s can be read by others on this machine: chmod 600 %s", file, file)
    keys = read_keys(text)
    if not keys:
        raise ValueError("the file is empty")
    return keys


def _made(file: Path) -> tuple[bytes, ...]:
    """Written under another name first, so that a kill at any moment leaves a whole key or none."""
    key = secrets.token_bytes(KEY_BYTES)
    descriptor, name = tempfile.mkstemp(prefix=f"{file.name}.", dir=file.parent)  # for its owner's eyes only: 0600
    with os.fdopen(descriptor, "wb") as draft:
        draft.write(base64.b64encode(key) + b"\n")
        draft.flush()
        os.fsync(draft.fileno())
    Path(name).replace(file)
    log.info("made a key for saved faces: %s; keep a copy of it, but not beside the copies of the database", file)
    return (key,)


def _id_of(key: bytes) -> str:
    """Names a key without telling anything of it."""
    return hmac.digest(key, b"facelock face key", "sha256")[:8].hex()


def _bound_to(member_id: int, place: str) -> bytes:
    return f"member {member_id}, {place}".encode("ascii")
