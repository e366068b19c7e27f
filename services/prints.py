"""What a photo is known by: hashes of bytes, which tell nothing of a face and find no other photo of it."""

import asyncio
import hashlib
from collections.abc import Sequence

from db.generations import Print
from services.photos import Prepared

__all__ = ["Print", "print_of", "prints_of", "sha256"]


async def sha256(content: bytes) -> str:
    """The SHA-256 of up to 10 MiB, in hexadecimal digits."""
    return await asyncio.to_thread(lambda: hashlib.sha256(content).hexdigest())


async def print_of(prepared: Prepared, *, file: str) -> Print:
    """What a prepared photo of the file of that hash is known by."""
    return Print(file, await sha256(prepared.jpeg))


async def prints_of(prepared: Sequence[Prepared]) -> list[Print]:
    """The same of several, in their order."""
    return [await print_of(photo, file=photo.file or "") for photo in prepared]
