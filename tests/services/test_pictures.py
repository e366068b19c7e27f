import errno
import io
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
from PIL import Image

from services.pictures import NotAPictureError, Pictures
from services.provenance import Note, note_for
from tests.photographs import astronaut, encoded
from tests.services.test_provenance import SIGNED
from tests.wishes import with_identity

WISH = with_identity(count=4)
NOW = datetime(2026, 11, 21, tzinfo=UTC)


@pytest.fixture
def pictures(tmp_path: Path) -> Pictures:
    return Pictures(tmp_path / "pictures")


def note_of(number: int) -> Note:
    return note_for(WISH, number=number, is_private=False, made_at=NOW)


def read(path: Path) -> tuple[bytes, str]:
    """A picture's pixels, and what its XMP says."""
    with Image.open(path) as image:
        return image.tobytes(), image.info.get("xmp", b"").decode()


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


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP"])
async def test_pictures_that_fit_are_posted_with_their_pixels_as_they_are_and_a_note_each(
    pictures: Pictures, form: str
) -> None:
    data = encoded(astronaut(), form)
    for number in (1, 2):
        await pictures.keep(7, number, data)

    fitted = await pictures.fitted(7, each_max=10 * 2**20, note_of=note_of)

    assert (fitted.shrunk, fitted.unsigned) == (False, False)
    assert fitted.paths == await pictures.of(7)
    with Image.open(io.BytesIO(data)) as image:
        as_sent = image.tobytes()
    for path, seed in zip(fitted.paths, ("Seed: 7", "Seed: 8"), strict=True):
        pixels, said = read(path)
        assert pixels == as_sent
        assert "trainedAlgorithmicMedia" in said
        assert seed in said


async def test_a_signed_picture_is_posted_byte_for_byte(pictures: Pictures) -> None:
    for number, data in enumerate(SIGNED.values(), start=1):
        await pictures.keep(7, number, data)

    fitted = await pictures.fitted(7, each_max=10 * 2**20, note_of=note_of)

    assert [path.read_bytes() for path in fitted.paths] == list(SIGNED.values())
    assert not fitted.unsigned


async def test_fitting_again_writes_nothing(pictures: Pictures) -> None:
    await pictures.keep(7, 1, encoded(astronaut(), "PNG"))
    (path,) = (await pictures.fitted(7, each_max=10 * 2**20, note_of=note_of)).paths
    before = path.stat()

    (again,) = (await pictures.fitted(7, each_max=10 * 2**20, note_of=note_of)).paths

    assert (again.stat().st_ino, again.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


async def test_a_kill_while_the_note_is_written_leaves_the_picture(
    pictures: Pictures, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = encoded(astronaut(), "PNG")
    await pictures.keep(7, 1, data)

    class Killed(BaseException):
        pass

    def fsync(_number: int) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fsync)
        with pytest.raises(Killed):
            await pictures.fitted(7, each_max=10 * 2**20, note_of=note_of)

    (path,) = await pictures.of(7)
    assert path.read_bytes() == data
    (noted,) = (await pictures.fitted(7, each_max=10 * 2**20, note_of=note_of)).paths
    assert "trainedAlgorithmicMedia" in read(noted)[1]


async def test_a_noted_file_takes_the_place_of_the_other_whole(pictures: Pictures, tmp_path: Path) -> None:
    data = encoded(astronaut(), "PNG")
    await pictures.keep(7, 1, data)
    (path,) = await pictures.of(7)
    (tmp_path / "link").hardlink_to(path)

    await pictures.fitted(7, each_max=10 * 2**20, note_of=note_of)

    assert (tmp_path / "link").read_bytes() == data
    assert [each.name for each in path.parent.iterdir()] == ["1.png"]


async def test_a_full_disk_costs_the_note_and_not_the_picture(
    pictures: Pictures, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = encoded(astronaut(), "PNG")
    await pictures.keep(7, 1, data)

    def fsync(_number: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", fsync)
    (path,) = (await pictures.fitted(7, each_max=10 * 2**20, note_of=note_of)).paths

    assert path.read_bytes() == data


async def test_only_what_is_too_large_is_made_smaller(pictures: Pictures) -> None:
    await pictures.keep(7, 1, encoded(astronaut().resize((64, 64)), "PNG"))
    await pictures.keep(7, 2, noise(600))

    fitted = await pictures.fitted(7, each_max=500_000, note_of=note_of)

    assert (fitted.shrunk, fitted.unsigned) == (True, False)
    small, smaller = fitted.paths
    assert small in await pictures.of(7)
    assert smaller.stat().st_size <= 500_000
    with Image.open(smaller) as image:
        assert image.size == (600, 600)
    assert "Seed: 8" in read(smaller)[1]
    assert len(await pictures.of(7)) == 2


@pytest.mark.parametrize("form", SIGNED)
async def test_a_signed_picture_that_is_made_smaller_gets_a_note_in_its_manifests_place(
    pictures: Pictures, form: str
) -> None:
    await pictures.keep(7, 1, SIGNED[form])

    fitted = await pictures.fitted(7, each_max=1, note_of=note_of)

    assert (fitted.shrunk, fitted.unsigned) == (True, True)
    (smaller,) = fitted.paths
    assert "trainedAlgorithmicMedia" in read(smaller)[1]
    assert "provenance" not in read(smaller)[1]


async def test_a_picture_fits_together_with_its_note(pictures: Pictures) -> None:
    data = noise(64)
    await pictures.keep(7, 1, data)

    fitted = await pictures.fitted(7, each_max=len(data), note_of=note_of)

    assert fitted.paths[0].stat().st_size <= len(data)
    assert "trainedAlgorithmicMedia" in read(fitted.paths[0])[1]


async def test_four_pictures_fit_into_one_request_together(pictures: Pictures) -> None:
    for number in range(1, 5):
        await pictures.keep(7, number, noise(1600))

    fitted = await pictures.fitted(7, each_max=100 * 2**20, note_of=note_of)

    assert fitted.shrunk
    assert sum(path.stat().st_size for path in fitted.paths) <= 25 * 2**20


async def test_discarding_and_sweeping_leave_only_what_is_unfinished(pictures: Pictures, tmp_path: Path) -> None:
    for generation_id in (1, 2, 3):
        await pictures.keep(generation_id, 1, encoded(astronaut(), "PNG"))

    await pictures.discard(1)
    await pictures.sweep(keep=[3])

    assert [path.name for path in (tmp_path / "pictures").iterdir()] == ["3"]
