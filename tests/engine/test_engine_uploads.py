import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from engine.errors import InvalidRequestError, TooLargeError
from engine.images import MAX_UPLOAD_BYTES
from engine.uploads import read_parts, read_upload
from tests.engine.pictures import PIXEL, encoded


def form(data: bytes = PIXEL, *, name: str = "file", kind: str | None = "image/png", filename: str = "me.png") -> bytes:
    head = f'--line\r\nContent-Disposition: form-data; name="{name}"; filename="{filename}"\r\n'
    if kind is not None:
        head += f"Content-Type: {kind}\r\n"
    return f"{head}\r\n".encode() + data + b"\r\n--line--\r\n"


@pytest.mark.parametrize("image_format", ["PNG", "JPEG", "WEBP", "GIF"])
def test_an_image_is_read_with_its_name_and_type(image_format: str) -> None:
    data = encoded(Image.new("RGB", (8, 8), "red"), image_format)
    kind = f"image/{image_format.lower()}"

    part = read_upload(form(data, kind=kind, filename="ich ä.x"))

    assert (part.data, part.media_type, part.filename) == (data, kind, "ich ä.x")


def test_the_content_decides_about_the_type() -> None:
    assert read_upload(form(PIXEL, kind="image/jpeg")).media_type == "image/png"


@pytest.mark.parametrize("kind", [None, "application/octet-stream", "image/svg+xml", "text/html"])
def test_a_part_without_the_type_of_an_image_is_refused(kind: str | None) -> None:
    with pytest.raises(InvalidRequestError, match="Content-Type of its own"):
        read_upload(form(kind=kind))


@pytest.mark.parametrize("body", [b"", b"{}", PIXEL, b"--line", b"--line\r\n--line--", form(name="image"), form()[:60]])
def test_a_body_without_the_file_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidRequestError, match="part named file"):
        read_upload(body)


def test_something_else_that_is_called_an_image_is_refused() -> None:
    with pytest.raises(InvalidRequestError, match="content is none of"):
        read_upload(form(b"<svg/>"))


def test_twenty_mebibytes_are_taken_and_no_more() -> None:
    largest = PIXEL + b"\0" * (MAX_UPLOAD_BYTES - len(PIXEL))

    assert len(read_upload(form(largest)).data) == MAX_UPLOAD_BYTES
    with pytest.raises(TooLargeError, match="20 MiB"):
        read_upload(form(largest + b"\0"))


@given(st.lists(st.binary(max_size=60).filter(lambda data: b"\r\n--line" not in b"\r\n" + data), max_size=4))
def test_every_part_comes_back_whole(contents: list[bytes]) -> None:
    parts = [b'--line\r\nContent-Disposition: form-data; name="file"\r\n\r\n' + data + b"\r\n" for data in contents]

    assert [part.data for part in read_parts(b"".join(parts) + b"--line--\r\n")] == contents


@given(st.binary(max_size=200))
def test_any_bytes_are_a_form_or_none(body: bytes) -> None:
    for part in read_parts(b"--line\r\n" + body):
        assert part.name is not None
