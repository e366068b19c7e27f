import os
from pathlib import Path

import pytest
from PIL import Image

from services.pictures import NotAPictureError, Pictures
from tests.photographs import astronaut, encoded


@pytest.fixture
def pictures(tmp_path: Path) -> Pictures:
    return Pictures(tmp_path / "pictures")


def noise(side_px: int) -> bytes:
    return encoded(Image.frombytes("RGB", (side_px, side_px), os.urandom(side_px * side_px * 3)), "PNG")


@pytest.mark.parametrize(("form", "suffix"), [("PNG", ".png"), ("JPEG", ".jpg"), ("WEBP", ".webp")])
async def test_a_picture_is_kept_byte_for_byte_and_named_by_its_content(
    pictures: Pictures, form: str, suffix: str
) -> None:
    data = encoded(astronaut(), form)

    await pictures.keep(7, 1, data)

    (path,) = await pictures.of(7)
    assert (path.read_bytes(), path.suffix) == (data, suffix)


@pytest.mark.parametrize("data", [b"", b"<html>", encoded(astronaut())[:5000], encoded(astronaut(), "BMP")])
async def test_what_is_no_picture_is_not_kept(pictures: Pictures, data: bytes) -> None:
    with pytest.raises(NotAPictureError):
        await pictures.keep(7, 1, data)

    assert await pictures.of(7) == ()


async def test_pictures_come_in_the_order_of_their_numbers(pictures: Pictures) -> None:
    for number in (10, 2, 1):
        await pictures.keep(7, number, encoded(astronaut(), "PNG"))

    assert [path.stem for path in await pictures.of(7)] == ["1", "2", "10"]


async def test_small_pictures_are_posted_as_they_are(pictures: Pictures) -> None:
    await pictures.keep(7, 1, encoded(astronaut(), "PNG"))

    assert await pictures.fitted(7, each_max=10 * 2**20) == (await pictures.of(7), False)


async def test_only_what_is_too_large_is_made_smaller(pictures: Pictures) -> None:
    await pictures.keep(7, 1, encoded(astronaut().resize((64, 64)), "PNG"))
    await pictures.keep(7, 2, noise(600))

    (small, fitted), shrunk = await pictures.fitted(7, each_max=500_000)

    assert shrunk
    assert small in await pictures.of(7)
    assert fitted.stat().st_size <= 500_000
    with Image.open(fitted) as image:
        assert image.size == (600, 600)
    assert len(await pictures.of(7)) == 2


async def test_four_pictures_fit_into_one_request_together(pictures: Pictures) -> None:
    for number in range(1, 5):
        await pictures.keep(7, number, noise(1600))

    fitted, shrunk = await pictures.fitted(7, each_max=100 * 2**20)

    assert shrunk
    assert sum(path.stat().st_size for path in fitted) <= 25 * 2**20


async def test_discarding_and_sweeping_leave_only_what_is_unfinished(pictures: Pictures, tmp_path: Path) -> None:
    for generation_id in (1, 2, 3):
        await pictures.keep(generation_id, 1, encoded(astronaut(), "PNG"))

    await pictures.discard(1)
    await pictures.sweep(keep=[3])

    assert [path.name for path in (tmp_path / "pictures").iterdir()] == ["3"]
