import io
import struct
import zlib

import pytest
from PIL import Image

from engine.errors import ReferenceImageError
from engine.images import MAX_IMAGE_BYTES, decode_reference, media_type
from tests.engine.pictures import astronaut, encoded

ASTRONAUT = astronaut()
ORIENTATION = 0x0112


def png_that_claims(width: int, height: int) -> bytes:
    """A PNG whose header promises more pixels than its data holds."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 99)) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(
    ("image_format", "mode"),
    [
        *(("JPEG", mode) for mode in ("RGB", "L", "CMYK")),
        *(("PNG", mode) for mode in ("RGB", "RGBA", "L", "LA", "P", "1")),
        *(("WEBP", mode) for mode in ("RGB", "RGBA", "L")),
    ],
)
def test_every_photo_becomes_rgb_of_the_same_size(image_format: str, mode: str) -> None:
    image = decode_reference(encoded(ASTRONAUT.convert(mode), image_format))

    assert (image.mode, image.size) == ("RGB", ASTRONAUT.size)


def test_a_photo_is_turned_upright_and_forgets_its_camera() -> None:
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    sideways = Image.new("RGB", (30, 20), "red")

    image = decode_reference(encoded(sideways, "JPEG", exif=exif))

    assert image.size == (20, 30)
    assert not image.getexif()
    assert not image.info


def test_a_16_bit_photo_keeps_its_greys() -> None:
    image = decode_reference(encoded(Image.new("I;16", (9, 9), 40_000)))

    assert image.getpixel((4, 4)) == (156, 156, 156)


def test_a_transparent_photo_lies_on_white() -> None:
    image = decode_reference(encoded(Image.new("RGBA", (9, 9), (255, 0, 0, 0))))

    assert image.getpixel((4, 4)) == (255, 255, 255)


def test_a_large_photo_is_made_smaller() -> None:
    image = decode_reference(encoded(Image.new("RGB", (5000, 2500)), "JPEG"))

    assert image.size == (2048, 1024)


@pytest.mark.parametrize(("width", "height"), [(8000, 5001), (12_000, 12_000), (30_000, 30_000)])
def test_too_many_pixels_are_refused_from_the_header(width: int, height: int) -> None:
    with pytest.raises(ReferenceImageError, match="megapixels"):
        decode_reference(png_that_claims(width, height))


@pytest.mark.parametrize("data", [b"", b"<html>", b"GIF89a" + b"\0" * 99, b"\x89PNG\r\n\x1a\n", b"RIFF1234WEBPVP8L"])
def test_what_is_no_photo_is_refused(data: bytes) -> None:
    with pytest.raises(ReferenceImageError, match="not a JPEG, PNG or WebP"):
        decode_reference(data)


def test_a_photo_with_its_end_missing_is_refused() -> None:
    whole = encoded(ASTRONAUT, "JPEG")

    with pytest.raises(ReferenceImageError, match="damaged"):
        decode_reference(whole[: len(whole) // 2])


def test_a_photo_of_too_many_bytes_is_refused() -> None:
    with pytest.raises(ReferenceImageError, match="10 MiB"):
        decode_reference(encoded(ASTRONAUT) + b"\0" * MAX_IMAGE_BYTES)


@pytest.mark.parametrize(
    ("image_format", "name"), [("JPEG", "image/jpeg"), ("PNG", "image/png"), ("WEBP", "image/webp")]
)
def test_the_media_type_is_told_by_content(image_format: str, name: str) -> None:
    assert media_type(encoded(ASTRONAUT, image_format)) == name
    assert media_type(io.BytesIO(b"text").read()) == "application/octet-stream"
