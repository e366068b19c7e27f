"""Request bodies, from bytes."""

import json

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.errors import ApiError
from playground.multipart import read_body

NAMES = st.text(st.characters(exclude_characters='"\\\r\n', exclude_categories=("Cs", "Cc")), min_size=1, max_size=30)


class _Sink:
    """Collects what a form writes, as a connection would."""

    def __init__(self) -> None:
        self.written = bytearray()

    async def write(self, chunk: bytes) -> None:
        self.written += chunk


async def encode(payload: object, files: dict[int, tuple[str, bytes]]) -> tuple[bytes, str]:
    """A form as the client library writes it."""
    form = aiohttp.FormData(quote_fields=False, default_to_multipart=True)
    form.add_field("payload_json", json.dumps(payload))
    for index, (name, content) in files.items():
        form.add_field(f"files[{index}]", content, filename=name, content_type="application/octet-stream")
    whole = form()
    sink = _Sink()
    await whole.write(sink)  # pyright: ignore[reportArgumentType] - it only ever calls write()
    return bytes(sink.written), whole.content_type


@given(st.dictionaries(st.integers(0, 9), st.tuples(NAMES, st.binary(max_size=200)), max_size=4), st.text(max_size=20))
async def test_what_a_client_sends_arrives_byte_for_byte(files: dict[int, tuple[str, bytes]], text: str) -> None:
    body = read_body(*await encode({"content": text}, files))

    assert body.form == {"content": text}
    assert {n: (upload.filename, upload.content) for n, upload in body.files.items()} == files


async def test_content_that_looks_like_a_boundary_stays_content() -> None:
    tricky = b"\r\n--boundary\r\n\r\n--"

    body = read_body(*await encode({}, {0: ("a.bin", tricky)}))

    assert body.files[0].content == tricky


@given(st.binary(max_size=300))
def test_garbage_is_refused_as_invalid(content: bytes) -> None:
    with pytest.raises(ApiError) as refused:
        read_body(b"--x\r\n" + content, "multipart/form-data; boundary=x")

    assert refused.value.code == 50109


@pytest.mark.parametrize("content", [b"{", b"\xff", b"nope", b"NaN", b"[" * 100_000])
def test_json_that_cannot_be_read_is_refused(content: bytes) -> None:
    with pytest.raises(ApiError) as refused:
        read_body(content, "application/json")

    assert refused.value.code == 50109


def test_a_body_may_be_missing() -> None:
    assert read_body(b"", "application/json").form == {}
