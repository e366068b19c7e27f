"""From the bytes of a stranger's photo to a square crop of the one face in it."""

import asyncio
import contextvars
import importlib
import io
import logging
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self, cast

import numpy as np
from PIL import Image, ImageDraw, ImageFont, ImageOps

from services.errors import PhotoRefused, SeveralFaces
from services.words import _, ngettext

log = logging.getLogger(__name__)

PHOTO_BYTES_MAX = 10 * 2**20
PHOTO_PIXELS_MAX = 40_000_000
# A JPEG can be decoded at an eighth of its size (draft mode), so it may be larger.
JPEG_PIXELS_MAX = 100_000_000
PHOTO_SIDE_PX_MIN = 128
FORMATS = ("JPEG", "PNG", "WEBP")

WORKING_SIDE_PX = 2048
CROP_SIDE_PX = 512
CROP_QUALITY = 92
# As many faces of one photo as can be chosen among: a message shows ten pictures, and each has a button.
CHOICES_MAX = 10
CHOICE_SIDE_PX = 256
STYLE_SIDE_PX = 1024  # the adapters scale to 224 pixels; this leaves the provider the choice

# The detector's policy and its measurements: the long side scaled to 1024, no upsampling; a second box counts as a face
# only with a clear score and a noticeable size, since the detector also finds patterns and posters in the background.
DETECTION_SIDE_PX = 1024
SECOND_FACE_SCORE = 0.35
SECOND_FACE_AREA = 0.08
FACE_SIDE_PX_MIN = 64
CROP_MARGIN = 0.6
# The detector's box ends at the eyebrows; the crop is moved up by this share of it so that the hair is in.
CROP_SHIFT = 0.08

# Our own limits are checked right after the header is read; Pillow's would only warn, and for every thread at once.
Image.MAX_IMAGE_PIXELS = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """``jpeg`` is without metadata: of a face a crop of ``CROP_SIDE_PX`` square, of a style the whole picture, at most
    ``STYLE_SIDE_PX`` on the long side. ``checked`` is False where a detector should have looked for a face and did not.
    ``file`` is the SHA-256 of the file that it was made of, where that is no longer at hand.
    """

    jpeg: bytes = field(repr=False)
    checked: bool
    file: str | None = None


@dataclass(frozen=True, slots=True)
class _Box:
    """A face in pixels of the image that was looked at."""

    left: float
    top: float
    right: float
    bottom: float
    score: float

    @property
    def side(self) -> float:
        return max(self.right - self.left, self.bottom - self.top)


def check_length(photo_bytes: int) -> None:
    """Whether a photo of that many bytes is worth fetching.

    Raises:
        PhotoRefused
    """
    if photo_bytes > PHOTO_BYTES_MAX:
        mib = PHOTO_BYTES_MAX // 2**20
        raise PhotoRefused(_("The photo is larger than {mib} MiB. Attach a smaller copy.", mib=mib))


class Photos:
    """Checks and crops photos, a few at a time, in threads of its own."""

    def __init__(self, *, detect: bool, at_once: int = 2) -> None:
        self._detector = _Detector.load() if detect else None
        self._threads = ThreadPoolExecutor(max_workers=at_once, thread_name_prefix="photo")

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    @property
    def detects(self) -> bool:
        """Whether faces are looked for at all."""
        return self._detector is not None

    async def crop(self, photo: bytes) -> Prepared:
        """The face in a photo.

        Raises:
            PhotoRefused: with a sentence that says what to do.
        """
        return await self._in_thread(self._crop, photo)

    async def verified(self, photo: bytes) -> Prepared:
        """A photo that was prepared before, byte for byte: looked at only as far as to know that it is one.

        Raises:
            PhotoRefused: it is not what this class makes.
        """
        return await self._in_thread(_verified, photo)

    async def whole(self, photo: bytes) -> Prepared:
        """The whole picture, for its style.

        Raises:
            PhotoRefused: with a sentence that says what to do.
        """
        return await self._in_thread(_whole, photo)

    async def _in_thread(self, work: Callable[[bytes], Prepared], photo: bytes) -> Prepared:
        context = contextvars.copy_context()  # with the language of whoever is told what is wrong with the photo
        return await asyncio.get_running_loop().run_in_executor(self._threads, lambda: context.run(work, photo))

    def _crop(self, photo: bytes) -> Prepared:
        image = _decode(photo)
        if self._detector is None:
            return Prepared(jpeg=_to_jpeg(ImageOps.fit(image, (CROP_SIDE_PX, CROP_SIDE_PX))), checked=False)
        upright, faces, scale = _find_faces(image, self._detector)
        found = _clear(faces)
        usable = [face for face in found if face.side / scale >= FACE_SIDE_PX_MIN]
        if not usable:
            raise PhotoRefused(_refusal(found))
        crops = [_to_jpeg(_cut(upright, face, scale)) for face in usable[:CHOICES_MAX]]
        if len(found) > 1:
            raise SeveralFaces(_refusal(found), crops=crops)
        return Prepared(jpeg=crops[0], checked=True)


def _whole(photo: bytes) -> Prepared:
    image = _decode(photo)
    image.thumbnail((STYLE_SIDE_PX, STYLE_SIDE_PX), Image.Resampling.LANCZOS)
    return Prepared(jpeg=_to_jpeg(image), checked=True)


def _damaged() -> PhotoRefused:
    return PhotoRefused(_("The photo is damaged. Save it anew or attach another one."))


def _verified(photo: bytes) -> Prepared:
    try:
        with Image.open(io.BytesIO(photo), formats=("JPEG",)) as image:
            is_ours = max(image.size) <= STYLE_SIDE_PX and image.mode == "RGB" and not image.getexif()
            if is_ours:
                image.load()
    except Exception as error:  # Pillow raises what each format's parser happens to raise
        raise _damaged() from error
    if not is_ours:
        raise _damaged()
    return Prepared(jpeg=photo, checked=True)


def _decode(photo: bytes) -> Image.Image:
    """Upright RGB pixels, at most ``WORKING_SIDE_PX`` on the long side, and nothing else of the file."""
    check_length(len(photo))
    try:
        image = Image.open(io.BytesIO(photo), formats=FORMATS)
    except Exception as error:  # Pillow raises what each format's parser happens to raise
        raise PhotoRefused(
            _("This file is not a photo that the bot can read. Attach a JPEG, PNG or WebP picture.")
        ) from error
    _check_size(image)
    try:
        return _flatten(image)
    except Exception as error:
        raise _damaged() from error


def _check_size(image: Image.Image) -> None:
    """Only the header has been read so far, so a decompression bomb costs nothing."""
    pixels_max = JPEG_PIXELS_MAX if image.format == "JPEG" else PHOTO_PIXELS_MAX
    if image.width * image.height > pixels_max:
        megapixels = pixels_max // 10**6
        raise PhotoRefused(
            _("The photo has more than {megapixels} megapixels. Attach a smaller copy.", megapixels=megapixels)
        )
    if min(image.size) < PHOTO_SIDE_PX_MIN:
        pixels = PHOTO_SIDE_PX_MIN
        raise PhotoRefused(
            _("The photo is too small. Attach one of at least {pixels} pixels on each side.", pixels=pixels)
        )


def _flatten(image: Image.Image) -> Image.Image:
    image.draft("RGB", (WORKING_SIDE_PX, WORKING_SIDE_PX))  # JPEG only: decodes 1/2, 1/4 or 1/8 of the pixels
    image.load()
    orientation = image.getexif().get(0x0112)
    if image.mode.startswith("I"):  # 16 bits of grey, which convert() would clip to white
        image = Image.fromarray((np.asarray(image).astype(np.uint32) >> 8).clip(0, 255).astype(np.uint8))
    if image.mode == "P":
        image = image.convert("RGBA" if "transparency" in image.info else "RGB")
    image.thumbnail((WORKING_SIDE_PX, WORKING_SIDE_PX), Image.Resampling.LANCZOS)
    if image.has_transparency_data:
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image.convert("RGBA"))
    image = image.convert("RGB")
    turn = _TURNS.get(orientation)
    return image if turn is None else image.transpose(turn)


# Exif orientation (tag 0x0112) -> what makes the picture upright: Exif 2.32, section 4.6.4.
_TURNS: dict[Any, Image.Transpose] = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def _find_faces(image: Image.Image, detector: "_Detector") -> tuple[Image.Image, list[_Box], float]:
    """The image turned so that faces are upright, the faces, and how many pixels of theirs are one of the image."""
    scale = DETECTION_SIDE_PX / max(image.size)
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    small = image.resize(size, Image.Resampling.BICUBIC if scale > 1 else Image.Resampling.LANCZOS)
    faces = detector.faces(small)
    if faces:
        return image, faces, scale
    turned = [(angle, detector.faces(small.rotate(angle, expand=True))) for angle in (90, 270, 180)]
    angle, faces = max(turned, key=lambda found: max((face.score for face in found[1]), default=-1.0))
    return (image.rotate(angle, expand=True), faces, scale) if faces else (image, [], scale)


def _clear(faces: Sequence[_Box]) -> list[_Box]:
    """The one that is a face most clearly, with those that count beside it, the largest first."""
    best = max(faces, key=lambda face: face.score, default=None)
    counting = [face for face in faces if best and (face is best or _counts_beside(face, best))]
    return sorted(counting, key=lambda face: face.side, reverse=True)


def _refusal(found: Sequence[_Box]) -> str:
    """Why these are not one face that can be used."""
    if not found:
        return _(
            "The bot found no face in the photo. Use one that shows the face from the front, in good light and "
            "not cut off."
        )
    if len(found) > 1:
        return ngettext(
            "The bot found {number} face in the photo. Crop it to one person and attach it again.",
            "The bot found {number} faces in the photo. Crop it to one person and attach it again.",
            len(found),
        )
    return _(
        "The face in the photo is too small. It should be at least {pixels} pixels wide: "
        "attach a larger picture or one taken closer.",
        pixels=FACE_SIDE_PX_MIN,
    )


def numbered(crop: bytes, number: int) -> bytes:
    """A small copy of a face's crop with its number in a corner, for choosing among several."""
    with Image.open(io.BytesIO(crop), formats=("JPEG",)) as image:
        shown = image.convert("RGB").resize((CHOICE_SIDE_PX, CHOICE_SIDE_PX), Image.Resampling.LANCZOS)
    draw = ImageDraw.Draw(shown)
    font = ImageFont.load_default(CHOICE_SIDE_PX / 5)
    left, top, right, bottom = draw.textbbox((12, 8), str(number), font)
    draw.rectangle((left - 8, top - 6, right + 8, bottom + 6), fill="black")
    draw.text((12, 8), str(number), "white", font)
    return _to_jpeg(shown)


def _counts_beside(face: _Box, best: _Box) -> bool:
    return face.score >= SECOND_FACE_SCORE and face.side**2 >= SECOND_FACE_AREA * best.side**2


def _cut(image: Image.Image, face: _Box, scale: float) -> Image.Image:
    """A square around the face; where it reaches beyond the photo, the edge pixels go on."""
    side = face.side / scale
    centre_x = (face.left + face.right) / 2 / scale
    centre_y = (face.top + face.bottom) / 2 / scale - CROP_SHIFT * side
    half = side * (1 + 2 * CROP_MARGIN) / 2
    left, top = round(centre_x - half), round(centre_y - half)
    right, bottom = left + round(2 * half), top + round(2 * half)
    padding = (
        (max(0, -top), max(0, bottom - image.height)),
        (max(0, -left), max(0, right - image.width)),
        (0, 0),
    )
    box = (max(0, left), max(0, top), min(image.width, right), min(image.height, bottom))
    square = Image.fromarray(np.pad(np.asarray(image.crop(box)), padding, mode="edge"))
    return square.resize((CROP_SIDE_PX, CROP_SIDE_PX), Image.Resampling.LANCZOS)


def _to_jpeg(image: Image.Image) -> bytes:
    """Only pixels: the image was built anew, so no metadata of the photo can be in it."""
    image.info.clear()
    encoded = io.BytesIO()
    image.save(encoded, "JPEG", quality=CROP_QUALITY)
    return encoded.getvalue()


class _Detector:
    """dlib's frontal face detector (histogram of oriented gradients), one instance a thread: it keeps scratch state."""

    def __init__(self, dlib: Any) -> None:
        self._dlib = dlib
        self._own = threading.local()

    @classmethod
    def load(cls) -> "_Detector | None":
        try:
            return cls(importlib.import_module("dlib"))
        except ImportError:
            log.warning("no face detector on this platform: photos are cropped to their middle and not checked")
            return None

    def faces(self, image: Image.Image) -> list[_Box]:
        if not hasattr(self._own, "detector"):
            self._own.detector = self._dlib.get_frontal_face_detector()
        boxes, scores, _detectors = self._own.detector.run(np.asarray(image), 0, 0.0)
        found = zip(cast(Sequence[Any], boxes), cast(Sequence[float], scores), strict=True)
        return [_Box(box.left(), box.top(), box.right(), box.bottom(), score) for box, score in found]
