import asyncio
import io
import struct
import zlib
from collections.abc import AsyncIterator

import numpy as np
import pytest
from PIL import Image

from services.errors import PhotoRefused
from services.photos import CROP_SIDE_PX, PHOTO_BYTES_MAX, Photos
from tests.photographs import admiral, astronaut, coffee, encoded

UPRIGHT_TURNS = {1: 0, 3: 180, 6: 90, 8: 270}


@pytest.fixture
async def photos() -> AsyncIterator[Photos]:
    async with Photos(detect=True) as opened:
        yield opened


async def crop(photos: Photos, photo: bytes) -> Image.Image:
    return Image.open(io.BytesIO((await photos.crop(photo)).jpeg))


def difference(one: Image.Image, other: Image.Image) -> float:
    """Mean difference of two pictures in grey levels, 0 to 255."""
    pixels = [np.asarray(image.convert("L").resize((64, 64)), dtype=float) for image in (one, other)]
    return float(np.abs(pixels[0] - pixels[1]).mean())


def png_claiming(width: int, height: int) -> bytes:
    """A PNG whose header promises that many pixels, with next to no data."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


def with_exif(image: Image.Image, orientation: int) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010F] = "SecretCamera"
    exif.get_ifd(0x8825)[1] = "N"  # GPS
    return encoded(image, exif=exif)


async def test_a_prepared_photo_is_used_byte_for_byte(photos: Photos) -> None:
    prepared = [await photos.crop(encoded(astronaut())), await photos.whole(encoded(coffee()))]

    assert [(await photos.verified(each.jpeg)).jpeg for each in prepared] == [each.jpeg for each in prepared]


@pytest.mark.parametrize(
    "photo",
    [
        b"hello",
        encoded(astronaut(), "PNG"),
        encoded(astronaut())[:9000],
        encoded(astronaut().resize((1032, 1032))),
        encoded(astronaut().convert("L")),
        with_exif(astronaut(), 1),
    ],
    ids=["text", "another format", "cut off", "too large", "grey", "with metadata"],
)
async def test_what_was_never_prepared_is_not_taken_for_it(photos: Photos, photo: bytes) -> None:
    with pytest.raises(PhotoRefused, match="damaged"):
        await photos.verified(photo)


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
async def test_one_clear_face_becomes_a_square_jpeg(photos: Photos, form: str) -> None:
    cut = await crop(photos, encoded(astronaut(), form))

    assert (cut.format, cut.size, cut.mode) == ("JPEG", (CROP_SIDE_PX, CROP_SIDE_PX), "RGB")


@pytest.mark.parametrize(("orientation", "degrees"), UPRIGHT_TURNS.items())
async def test_the_crop_is_upright_whatever_the_camera_wrote(photos: Photos, orientation: int, degrees: int) -> None:
    upright = await crop(photos, encoded(astronaut()))

    turned = await crop(photos, with_exif(astronaut().rotate(degrees, expand=True), orientation))

    assert difference(upright, turned) < 6


@pytest.mark.parametrize("degrees", [90, 180, 270])
async def test_a_photo_that_lies_on_its_side_is_turned(photos: Photos, degrees: int) -> None:
    upright = await crop(photos, encoded(astronaut()))

    turned = await crop(photos, encoded(astronaut().rotate(degrees, expand=True)))

    assert difference(upright, turned) < 12


async def test_no_metadata_is_left(photos: Photos) -> None:
    jpeg = (await photos.crop(with_exif(astronaut(), 1))).jpeg

    assert b"SecretCamera" not in jpeg
    assert not Image.open(io.BytesIO(jpeg)).getexif()


@pytest.mark.parametrize("mode", ["RGBA", "P", "L", "LA", "CMYK"])
async def test_every_kind_of_pixel_is_understood(photos: Photos, mode: str) -> None:
    form = "JPEG" if mode == "CMYK" else "PNG"

    assert (await crop(photos, encoded(astronaut().convert(mode), form))).size == (CROP_SIDE_PX, CROP_SIDE_PX)


async def test_sixteen_bits_of_grey_keep_their_tones(photos: Photos) -> None:
    grey = astronaut().convert("L")
    deep = Image.fromarray(np.asarray(grey).astype(np.uint16) * 257)

    cut = await crop(photos, encoded(deep, "PNG"))

    assert difference(cut, await crop(photos, encoded(grey, "PNG"))) < 2


async def test_transparency_is_put_on_white(photos: Photos) -> None:
    cut_out = astronaut().convert("RGBA")
    cut_out.putalpha(Image.new("L", cut_out.size, 255))
    cut_out.paste((0, 0, 0, 0), (0, 0, 150, 512))

    cut = await crop(photos, encoded(cut_out, "PNG"))

    assert np.asarray(cut)[256, 2].min() > 240


@pytest.mark.parametrize("form", ["PNG", "WEBP"])
async def test_an_animation_counts_as_its_first_picture(photos: Photos, form: str) -> None:
    moving = encoded(astronaut(), form, save_all=True, append_images=[coffee().resize((512, 512))])

    assert difference(await crop(photos, moving), await crop(photos, encoded(astronaut()))) < 6


async def test_a_face_at_the_edge_is_completed_beyond_it(photos: Photos) -> None:
    edge = astronaut().crop((150, 40, 300, 260))

    assert (await crop(photos, encoded(edge.resize((600, 880))))).size == (CROP_SIDE_PX, CROP_SIDE_PX)


def two_people() -> Image.Image:
    both = Image.new("RGB", (1024, 600))
    both.paste(astronaut(), (0, 0))
    both.paste(admiral(), (512, 0))
    return both


REFUSALS = {
    "no_face": (encoded(coffee()), "no face in the photo"),
    "two_faces": (encoded(two_people()), "2 faces in the photo"),
    "small_face": (encoded(astronaut().resize((200, 200))), "face in the photo is too small"),
    "tiny": (encoded(astronaut().resize((100, 100))), "photo is too small"),
    "gif": (encoded(astronaut().convert("P"), "GIF"), "not a photo that the bot can read"),
    "svg": (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "not a photo that the bot can read"),
    "empty": (b"", "not a photo that the bot can read"),
    "truncated": (encoded(astronaut())[:9000], "photo is damaged"),
    "bomb": (png_claiming(30_000, 30_000), "more than 40 megapixels"),
    "just_too_many": (png_claiming(8000, 5001), "more than 40 megapixels"),
    "too_long": (b"\xff" * (PHOTO_BYTES_MAX + 1), "larger than 10 MiB"),
}


@pytest.mark.parametrize(("photo", "words"), REFUSALS.values(), ids=REFUSALS)
async def test_what_cannot_be_used_is_refused_with_a_sentence_of_ours(photos: Photos, photo: bytes, words: str) -> None:
    with pytest.raises(PhotoRefused, match=words) as refusal:
        await photos.crop(photo)

    assert "identify" not in str(refusal.value)
    assert str(refusal.value).endswith(".")


async def test_a_jpeg_may_have_a_hundred_megapixels(photos: Photos) -> None:
    huge = encoded(astronaut().resize((9900, 9900), Image.Resampling.BOX), quality=30)

    assert (await crop(photos, huge)).size == (CROP_SIDE_PX, CROP_SIDE_PX)


async def test_without_a_detector_the_middle_is_cut_out_and_nothing_is_claimed() -> None:
    async with Photos(detect=False) as photos:
        middle = await photos.crop(encoded(coffee()))

    assert not middle.checked
    assert Image.open(io.BytesIO(middle.jpeg)).size == (CROP_SIDE_PX, CROP_SIDE_PX)


async def test_the_event_loop_turns_while_photos_are_looked_at(photos: Photos) -> None:
    work = asyncio.gather(*(photos.crop(encoded(astronaut())) for _ in range(3)))
    turns = 0
    while not work.done():
        await asyncio.sleep(0)
        turns += 1
    await work

    assert turns > 100
