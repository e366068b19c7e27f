"""Reads uploaded images out of multipart bodies (RFC 7578)."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from email.message import Message
from email.parser import HeaderParser

from engine.errors import InvalidRequestError, Problem, TooLargeError
from engine.images import MAX_UPLOAD_BYTES, media_type

UPLOAD_TYPES = ("image/png", "image/jpeg", "image/webp", "image/gif")

# Room for the lines around the file.
MAX_UPLOAD_BODY_BYTES = MAX_UPLOAD_BYTES + 64 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One part of a form. ``media_type`` is in lower case, ``filename`` and it are None where the sender named none."""

    name: str
    filename: str | None
    media_type: str | None
    data: bytes = field(repr=False)


def read_upload(body: bytes) -> Part:
    """Return the file in a form, with the media type that its content has.

    Raises:
        InvalidRequestError: There is none, or it is not declared as an image of a known type, or is not one.
        TooLargeError: It is larger than 20 MiB.
    """
    part = next((part for part in read_parts(body) if part.name == "file"), None)
    known = ", ".join(UPLOAD_TYPES)
    if part is None:
        raise _upload_problem("Field required: send the image as multipart/form-data in a part named file", "missing")
    if part.media_type not in UPLOAD_TYPES:
        raise _upload_problem(f"The part needs a Content-Type of its own, one of {known}", "content_type")
    if len(part.data) > MAX_UPLOAD_BYTES:
        raise file_too_large()
    found = media_type(part.data)
    if found not in UPLOAD_TYPES:
        raise _upload_problem(f"Its content is none of {known}", "content")
    return replace(part, media_type=found)


def _upload_problem(message: str, kind: str) -> InvalidRequestError:
    return InvalidRequestError([Problem(loc=("body", "file"), message=message, kind=kind)])


def file_too_large() -> TooLargeError:
    """Say that a file, or the body that it came in, is too large."""
    return TooLargeError(f"The file is larger than {MAX_UPLOAD_BYTES // 2**20} MiB. Send a smaller one.")


def read_parts(body: bytes) -> Iterator[Part]:
    """Yield the parts of a form; none where the body is no form.

    The delimiter is the body's own first line, not what the header Content-Type says: ImagePipeline's SDK 0.4 sends
    its uploads as ``application/json``.
    """
    delimiter, line_end, _ = body.partition(b"\r\n")
    if not line_end or not delimiter.startswith(b"--"):
        return
    for piece in (b"\r\n" + body).split(b"\r\n" + delimiter)[1:]:
        head, blank_line, data = piece.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        if piece.startswith(b"--") or not blank_line:
            return
        part = _part(HeaderParser().parsestr(head.decode("utf-8", "replace")), data)
        if part is not None:
            yield part


def _part(headers: Message, data: bytes) -> Part | None:
    name = headers.get_param("name", header="content-disposition")
    if not isinstance(name, str):
        return None
    declared = headers.get_content_type() if "content-type" in headers else None
    return Part(name=name, filename=headers.get_filename(), media_type=declared, data=data)
