"""The drawn face, as the bot's face check sees it."""

import io
from typing import Any

import pytest
from PIL import Image

from playground.sample_face import SIZE_PX, sample_face

dlib: Any = pytest.importorskip("dlib", reason="the face detector has no build for this platform")
numpy: Any = pytest.importorskip("numpy")

# The long side that the detector is given, and what counts as a face there.
LONG_SIDE_PX = 1024
CLEAR, FAINT = 0.5, 0.2


def faces(picture: Image.Image) -> list[float]:
    """The detector's scores, down to those that are barely a face."""
    scale = LONG_SIDE_PX / max(picture.size)
    large = picture.convert("RGB").resize((round(picture.width * scale), round(picture.height * scale)))
    _, scores, _ = dlib.get_frontal_face_detector().run(numpy.asarray(large), 0, 0.0)
    return list(scores)


def as_jpeg(picture: Image.Image, quality: int) -> Image.Image:
    target = io.BytesIO()
    picture.convert("RGB").save(target, "JPEG", quality=quality)
    return Image.open(io.BytesIO(target.getvalue()))


@pytest.fixture(scope="module")
def portrait() -> Image.Image:
    return Image.open(io.BytesIO(sample_face()))


def test_the_portrait_has_exactly_one_clear_face(portrait: Image.Image) -> None:
    scores = faces(portrait)

    assert portrait.size == (SIZE_PX, SIZE_PX)
    assert len([score for score in scores if score > CLEAR]) == 1
    assert len([score for score in scores if score > FAINT]) == 1


@pytest.mark.parametrize("quality", [95, 75, 50])
def test_the_face_is_found_after_compression(portrait: Image.Image, quality: int) -> None:
    (score,) = faces(as_jpeg(portrait, quality))

    assert score > 2 * CLEAR


def test_the_portrait_is_the_same_every_time() -> None:
    first = sample_face()
    sample_face.cache_clear()

    assert sample_face() == first
