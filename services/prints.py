"""What a photo is known by: hashes of bytes, which tell nothing of a face and find no other photo of it."""

import asyncio
import hashlib
from collections.abc import Sequence

from db.generations import Print
from services.parameters import Role
from services.photos import Prepared
from services.wishes import Wish

__all__ = ["Print", "print_of", "prints_of", "sha256"]


async def sha256(content: bytes) -> str:
    """The SHA-256 of up to 10 MiB, in hexadecimal digits."""
    return await asyncio.to_thread(lambda: hashlib.sha256(content).hexdigest())


async def print_of(prepared: Prepared, *, file: str) -> Print:
    """What a prepared photo of the file of that hash is known by."""
    return Print(file, await sha256(prepared.jpeg))


async def prints_of(wish: Wish, prepared: Sequence[Prepared]) -> list[Print | None]:
    """What the faces of a wish are known by, in the order of its references; None for the other images."""
    return [
        await print_of(photo, file=photo.file or "") if reference.role is Role.FACE else None
        for photo, reference in zip(prepared, wish.references, strict=True)
    ]
