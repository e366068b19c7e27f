"""Reading request bodies: JSON, or multipart/form-data with `payload_json` and `files[n]`, from bytes already here."""

import json
import re
from dataclasses import dataclass, field
from typing import cast

from aiohttp.helpers import parse_mimetype

from playground.errors import ApiError, Json, Refusal

# RFC 7578, section 4.2. Discord reads plain UTF-8 between the quotes, and so do the clients write it.
_PARAMETER = re.compile(r';\s*(name|filename)="((?:[^"\\]|\\.)*)"', re.IGNORECASE)
_ESCAPED = re.compile(r"\\(.)")
_FILE_FIELD = re.compile(r"files\[([0-9]{1,2})\]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """One file as it arrived: its form field, the name its sender gave it, and its bytes."""

    field: str
    filename: str
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """A request's JSON and the files sent with it, by the n of `files[n]`."""

    payload: object = None
    files: dict[int, Upload] = field(default_factory=dict[int, Upload])

    @property
    def form(self) -> Json:
        """The payload as an object; an absent body counts as an empty one."""
        return cast("Json", self.payload) if isinstance(self.payload, dict) else {}


def read_body(content: bytes, content_type: str) -> Body:
    """Parse a body by its Content-Type. Raises ApiError 50109 for JSON or form data that cannot be read."""
    kind = parse_mimetype(content_type)
    if kind.type == "multipart":
        return _read_multipart(content, kind.parameters.get("boundary", ""))
    return Body(payload=_json(content) if content else None)


def split_parts(content: bytes, boundary: str) -> list[tuple[Json, bytes]]:
    """The parts of a multipart body, each with the parameters of its Content-Disposition (`name`, `filename`).

    Raises:
        ValueError: the body does not keep to the format (RFC 7578).
    """
    delimiter = b"--" + boundary.encode()
    if not boundary or not content.startswith(delimiter):
        raise ValueError("no boundary at the start")
    pieces = content[len(delimiter) :].split(b"\r\n" + delimiter)
    if not pieces.pop().startswith(b"--"):
        raise ValueError("no boundary at the end")
    return [_split_part(piece) for piece in pieces]


def _split_part(piece: bytes) -> tuple[Json, bytes]:
    head, found, content = piece.partition(b"\r\n\r\n")
    if not found:
        raise ValueError("a part without a blank line after its headers")
    for line in head.decode("utf-8").split("\r\n"):
        name, _, value = line.partition(":")
        if name.strip().lower() == "content-disposition":
            return _parameters(value), content
    raise ValueError("a part without Content-Disposition")


def _parameters(disposition: str) -> Json:
    return {name.lower(): _ESCAPED.sub(r"\1", value) for name, value in _PARAMETER.findall(disposition)}


def _read_multipart(content: bytes, boundary: str) -> Body:
    try:
        parts = split_parts(content, boundary)
    except ValueError as error:
        raise ApiError(Refusal.INVALID_JSON) from error
    payload: object = None
    files: dict[int, Upload] = {}
    for parameters, part in parts:
        name = str(parameters.get("name", ""))
        if name == "payload_json":
            payload = _json(part)
        elif indexed := _FILE_FIELD.fullmatch(name):
            filename = str(parameters.get("filename") or "file")
            files[int(indexed[1])] = Upload(field=name, filename=filename, content=part)
    return Body(payload=payload, files=files)


def _refuse_constant(name: str) -> object:
    """Python would read NaN and Infinity, which JSON does not have."""
    raise ValueError(name)


def _json(content: bytes) -> object:
    try:
        return json.loads(content, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise ApiError(Refusal.INVALID_JSON) from error
