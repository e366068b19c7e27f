"""The finished pictures on the bot's disk: verified when they come, fitted to Discord's limits, gone once posted."""

import asyncio
import io
import logging
import os
import shutil
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from services.errors import FacelockError
from services.provenance import Note, has_manifest, with_note

log = logging.getLogger(__name__)

# A picture of 1536 x 1536 pixels as PNG is at most about 7 MB.
PICTURE_BYTES_MAX = 32 * 2**20
PICTURE_PIXELS_MAX = 40_000_000
# https://discord.com/developers/docs/reference#uploading-files: 25 MiB a request, with room for the rest of it.
REQUEST_BYTES_MAX = 24 * 2**20
_SUFFIXES = {"PNG": ".png", "JPEG": ".jpg", "WEBP": ".webp"}
_MEDIA_TYPES = {".png": "image/png", ".jpg": "image/jpeg", ".webp": "image/webp"}
_FITTED = "fitted"

MayKeep = Callable[[str], Awaitable[bool]]


class NotAPictureError(FacelockError):
    """The bytes are no PNG, JPEG or WebP picture, or a damaged one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitted:
    """Files for one message. ``shrunk`` tells that some are re-encoded, ``unsigned`` that a C2PA manifest is lost by
    that.
    """

    paths: tuple[Path, ...]
    shrunk: bool
    unsigned: bool


class Pictures:
    """One folder a generation; its numbered files are the pictures, as the service sent them but for the note that they
    get before they are posted.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._decoding = asyncio.Semaphore(2)

    async def keep(self, generation_id: int, number: int, data: bytes, *, may_keep: MayKeep | None = None) -> bool:
        """Verify a picture by decoding it and keep its bytes unchanged; False where ``may_keep``, which is asked with
        its media type, says no.

        Raises:
            NotAPictureError
        """
        async with self._decoding:
            suffix = await asyncio.to_thread(_verified, data)
        if may_keep is not None and not await may_keep(_MEDIA_TYPES[suffix]):
            return False
        await asyncio.to_thread(_write, self._of(generation_id) / f"{number}{suffix}", data)
        return True

    async def of(self, generation_id: int) -> tuple[Path, ...]:
        """The kept pictures, in order."""
        return await asyncio.to_thread(_numbered, self._of(generation_id))

    async def fitted(self, generation_id: int, *, each_max: int, note_of: Callable[[int], Note]) -> Fitted:
        """Files of at most ``each_max`` bytes each that fit into one message, each with its number's note where it
        carries no C2PA manifest.
        """
        pictures = await self.of(generation_id)
        bytes_max = min(each_max, REQUEST_BYTES_MAX // max(1, len(pictures)))
        async with self._decoding:
            return await asyncio.to_thread(_fit, pictures, bytes_max, note_of)

    async def discard(self, generation_id: int) -> None:
        """They are posted, or will never be."""
        await asyncio.to_thread(shutil.rmtree, self._of(generation_id), ignore_errors=True)

    async def discard_some(self, generation_id: int, numbers: Iterable[int]) -> None:
        """Those of these numbers are made anew."""
        await asyncio.to_thread(_remove, self._of(generation_id), frozenset(numbers))

    async def sweep(self, keep: Iterable[int]) -> None:
        """Remove the folders of generations that are over, such as a kill between posting and discarding leaves."""
        await asyncio.to_thread(_sweep, self._folder, {str(generation_id) for generation_id in keep})

    def _of(self, generation_id: int) -> Path:
        return self._folder / str(generation_id)


def number_of(picture: Path) -> int:
    """Which of its generation's pictures a file is, from 1: numbers stay free where a picture did not come."""
    return int(picture.stem.removeprefix(f"{_FITTED}-"))


def _verified(data: bytes) -> str:
    """The suffix for a file with this picture."""
    try:
        with Image.open(io.BytesIO(data), formats=tuple(_SUFFIXES)) as image:
            suffix = _SUFFIXES[str(image.format)]
            if image.width * image.height > PICTURE_PIXELS_MAX:
                raise NotAPictureError("the picture has too many pixels")
            image.load()
            return suffix
    except NotAPictureError:
        raise
    except Exception as error:  # Pillow raises what each format's parser happens to raise
        raise NotAPictureError("the file is not a picture") from error


def _write(path: Path, data: bytes) -> None:
    """All of it or nothing: "finished" in the database must mean a whole file, also after a kill or a power cut."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.part")
    with part.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


def _numbered(folder: Path) -> tuple[Path, ...]:
    found = [path for path in folder.glob("*") if path.stem.isdecimal()]
    return tuple(sorted(found, key=lambda path: int(path.stem)))


def _remove(folder: Path, numbers: frozenset[int]) -> None:
    for path in _numbered(folder):
        if int(path.stem) in numbers:
            path.unlink(missing_ok=True)


def _fit(pictures: tuple[Path, ...], bytes_max: int, note_of: Callable[[int], Note]) -> Fitted:
    paths: list[Path] = []
    unsigned = False
    for path in pictures:
        note = note_of(int(path.stem))
        data = _noted(path, note)
        is_fit = len(data) <= bytes_max
        paths.append(path if is_fit else _smaller(path, data, bytes_max, note))
        unsigned = unsigned or (not is_fit and has_manifest(data))
    return Fitted(paths=tuple(paths), shrunk=tuple(paths) != pictures, unsigned=unsigned)


def _noted(path: Path, note: Note) -> bytes:
    """The file's bytes with the note, which it gets only once."""
    data = path.read_bytes()
    noted = with_note(data, note)
    if noted != data:
        try:
            _write(path, noted)
        except OSError as error:  # a full disk: better a picture without a note than none
            log.warning("%s of generation %s gets no note: %s", path.name, path.parent.name, error.strerror)
            return data
    return noted


def _smaller(path: Path, data: bytes, bytes_max: int, note: Note) -> Path:
    """The picture as a JPEG that fits with its note: first at falling quality, then at falling size."""
    with Image.open(io.BytesIO(data)) as image:
        pixels = image.convert("RGB")
    smaller = b""
    for quality, share in ((92, 1.0), (85, 1.0), (75, 1.0), (75, 0.7), (75, 0.5), (75, 0.25)):
        encoded = io.BytesIO()
        size = (max(1, round(pixels.width * share)), max(1, round(pixels.height * share)))
        (pixels if share == 1.0 else pixels.resize(size)).save(encoded, "JPEG", quality=quality)
        smaller = with_note(encoded.getvalue(), note)
        if len(smaller) <= bytes_max:
            break
    target = path.with_name(f"{_FITTED}-{path.stem}.jpg")
    _write(target, smaller)
    return target


def _sweep(folder: Path, keep: set[str]) -> None:
    for found in folder.glob("*"):
        if found.name not in keep:
            shutil.rmtree(found, ignore_errors=True)
