"""Types by name, sizes by header."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.media import content_type_of, picture_size, safe_filename
from tests.playground.tiny_bot import picture


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP"])
def test_the_size_of_a_picture_is_read_from_its_header(kind: str) -> None:
    assert picture_size(picture(size=(123, 45), kind=kind)) == (123, 45)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP"])
def test_a_picture_that_breaks_off_has_no_size(kind: str) -> None:
    whole = picture(kind=kind)

    assert [picture_size(whole[:length]) for length in range(8)] == [None] * 8


@given(st.sampled_from([b"\x89PNG\r\n\x1a\n", b"GIF89a", b"\xff\xd8\xff", b"RIFF0000WEBPVP8X", b""]), st.binary())
def test_no_bytes_break_the_reader(start: bytes, rest: bytes) -> None:
    size = picture_size(start + rest)

    assert size is None or len(size) == 2


def test_the_type_goes_by_the_name() -> None:
    assert content_type_of("ME.JPG") == "image/jpeg"
    assert content_type_of("me.exe") is None


def test_names_are_made_safe_for_references() -> None:
    assert safe_filename("my face (1).png") == "my_face__1_.png"
    assert safe_filename("") == "file"
