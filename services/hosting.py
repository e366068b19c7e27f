"""Where the image service finds the prepared photos while a request is under way."""

import asyncio
import shutil
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

from db.generations import Generation
from services.queue import WAIT_MAX


class Hosting(Protocol):
    """Gives prepared photos an address until their generation is over."""

    async def keep(self, generation_id: int, photos: Sequence[bytes]) -> None:
        """They are prepared, and about to be shown at Discord."""
        ...

    def urls(self, generation: Generation) -> tuple[str, ...]:
        """Their addresses, in order."""
        ...

    async def file(self, generation_id: int, number: int) -> Path | None:
        """The file of a generation's photo of that number, from 1, where the bot's own server gives it out."""
        ...

    async def discard(self, generation_id: int) -> None:
        """Nobody needs them any more."""
        ...

    async def sweep(self, keep: Iterable[int]) -> None:
        """Remove what a kill has left of all other generations."""
        ...


class DiscordHosting:
    """The addresses of the thumbnails in the progress message: no server of one's own is needed, nothing is kept."""

    async def keep(self, generation_id: int, photos: Sequence[bytes]) -> None:
        """Nothing to do."""

    def urls(self, generation: Generation) -> tuple[str, ...]:
        """Where Discord serves them, for a day."""
        return tuple(photo.url for photo in generation.hosted)

    async def file(self, generation_id: int, number: int) -> Path | None:
        """There are none; addresses that an earlier setting has made are over."""
        return None

    async def discard(self, generation_id: int) -> None:
        """Nothing to do."""

    async def sweep(self, keep: Iterable[int]) -> None:
        """Nothing to do."""


class PublicHosting:
    """Files that the bot's own server gives out under signed addresses, in one folder a generation.

    ``address`` makes the address of a generation's photo of that number, from 1, good until that moment; ``lasting`` is
    how long a request may take once it has left the queue.
    """

    def __init__(self, folder: Path, *, address: Callable[[int, int, datetime], str], lasting: timedelta) -> None:
        self._folder = folder
        self._address = address
        self._lasting = WAIT_MAX + lasting

    async def keep(self, generation_id: int, photos: Sequence[bytes]) -> None:
        """Write them down."""
        await asyncio.to_thread(self._write, generation_id, photos)

    def urls(self, generation: Generation) -> tuple[str, ...]:
        """Addresses at the bot's own server."""
        until = generation.begun_at + self._lasting
        return tuple(self._address(generation.id, number, until) for number in self._numbers(generation))

    async def file(self, generation_id: int, number: int) -> Path | None:
        """The file behind an address; None where it is over."""
        path = self._path(generation_id, number)
        return path if await asyncio.to_thread(path.is_file) else None

    async def discard(self, generation_id: int) -> None:
        """Delete the generation's folder."""
        await asyncio.to_thread(shutil.rmtree, self._folder / str(generation_id), ignore_errors=True)

    async def sweep(self, keep: Iterable[int]) -> None:
        """Delete the folders of all other generations."""
        kept = {str(generation_id) for generation_id in keep}
        for found in await asyncio.to_thread(lambda: list(self._folder.glob("*"))):
            if found.name not in kept:
                await asyncio.to_thread(shutil.rmtree, found, ignore_errors=True)

    def _numbers(self, generation: Generation) -> range:
        return range(1, len(generation.photos) + 1)

    def _path(self, generation_id: int, number: int) -> Path:
        return self._folder / str(generation_id) / f"{number}.jpg"

    def _write(self, generation_id: int, photos: Sequence[bytes]) -> None:
        for number, photo in enumerate(photos, start=1):
            path = self._path(generation_id, number)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(photo)
