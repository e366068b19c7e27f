"""Reads images sent by strangers: type by content, size from the header, and only then the pixels."""

import io

from PIL import Image, ImageOps, UnidentifiedImageError

from engine.errors import ReferenceImageError
from engine.request import OutputFormat

# The same bounds as for photos that members send: generous for a phone's camera, small enough to decode at ease.
MAX_IMAGE_BYTES = 10 * 1024 * 1024
# https://www.imagepipeline.io/docs/capabilities/upload
MAX_UPLOAD_BYTES = 20 * 1024 * 1024
MAX_IMAGE_PIXELS = 40_000_000

# No renderer looks at more than a face crop or a style sample; larger images only cost memory.
MAX_REFERENCE_SIDE_PX = 2048

_FORMATS = ("JPEG", "PNG", "WEBP", "GIF")

# High enough that nobody sees the difference.
QUALITY = 92


def media_type(data: bytes) -> str:
    """Return the media type of a JPEG, PNG, WebP or GIF by its first bytes, ``application/octet-stream`` for others."""
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if data.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    if data.startswith((b"GIF87a", b"GIF89a")):
        return "image/gif"
    return "application/octet-stream"


def transcode(data: bytes, output_format: OutputFormat) -> bytes:
    """Return a renderer's picture in another encoding, unless it has that already."""
    if media_type(data) == f"image/{output_format}":
        return data
    with Image.open(io.BytesIO(data)) as image:
        file = io.BytesIO()
        image.convert("RGB").save(file, output_format.value, quality=QUALITY)
    return file.getvalue()


def decode_reference(data: bytes, *, max_bytes: int = MAX_IMAGE_BYTES) -> Image.Image:
    """Decode a JPEG, PNG, WebP or GIF to RGB, upright, on white where it is transparent, at most 2048 px a side.

    Of an animation, that is the first picture. Takes tens of milliseconds for a photo, so call it off the event loop.

    Raises:
        ReferenceImageError: It is something else, broken, or too large.
    """
    if len(data) > max_bytes:
        raise ReferenceImageError(f"The image is larger than {max_bytes // 2**20} MiB. Send a smaller one.")
    image = _open(data)
    try:
        return _upright_rgb(image)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise ReferenceImageError("The image is damaged or incomplete. Save it again and send that file.") from error


def _open(data: bytes) -> Image.Image:
    """Read the header alone: nothing is decoded before the number of pixels is known."""
    try:
        image = Image.open(io.BytesIO(data), formats=_FORMATS)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise _too_many_pixels() from error
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError) as error:
        raise ReferenceImageError("That is not a JPEG, PNG or WebP image.") from error
    if image.width * image.height > MAX_IMAGE_PIXELS:
        raise _too_many_pixels()
    return image


def _too_many_pixels() -> ReferenceImageError:
    return ReferenceImageError(f"The image has more than {MAX_IMAGE_PIXELS // 10**6} megapixels. Send a smaller one.")


def _upright_rgb(image: Image.Image) -> Image.Image:
    image.draft("RGB", (MAX_REFERENCE_SIDE_PX, MAX_REFERENCE_SIDE_PX))  # a JPEG is decoded at a fraction of its size
    image = ImageOps.exif_transpose(image)
    if image.mode.startswith("I"):
        image = image.point(lambda value: value * (1 / 256)).convert("L")  # 16 bits; convert() alone clips to white
    if image.has_transparency_data:
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image.convert("RGBA"))
    image = image.convert("RGB")
    image.thumbnail((MAX_REFERENCE_SIDE_PX, MAX_REFERENCE_SIDE_PX), Image.Resampling.LANCZOS)
    image.info.clear()  # no camera, no place, no comment goes any further
    return image
