"""A note in a picture's file that says it was made with AI, and how. Nothing is decoded: the pixels stay as they are.

A file with a C2PA manifest says so itself, and any change would break its signature: it gets no note. Where manifests
stand: C2PA specification 2.2, A.3, https://spec.c2pa.org/specifications/specifications/2.2/specs/C2PA_Specification.html
"""

import json
import re
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum, auto
from xml.sax.saxutils import escape

from services.wishes import Wish

SOFTWARE = "Facelock"
# https://cv.iptc.org/newscodes/digitalsourcetype/
SOURCE_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"

_SENTENCE = "Made with AI."
# Pictures travel: ids in Discord's own markup and outside it, and addresses, are nobody else's business.
_PRIVATE = re.compile(r"<[^<>]*\d{17,20}>|\b\d{17,20}\b|\bhttps?://\S+", re.IGNORECASE)
# https://www.w3.org/TR/xml/#charsets
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

_PNG = b"\x89PNG\r\n\x1a\n"
_JPEG = b"\xff\xd8"
_APP0, _APP1, _APP11, _SOS = b"\xe0", b"\xe1", b"\xeb", b"\xda"
_SEGMENT_BYTES_MAX = 0xFFFF
# Fill bytes, and markers that have no length: ITU-T T.81, table B.1.
_NOT_IN_HEADERS = frozenset(bytes([mark]) for mark in (0x00, 0x01, *range(0xD0, 0xDA), 0xFF))
# XMP specification part 3: what it stands behind in a JPEG's APP1, and as which text in a PNG.
_XMP_IN_JPEG = b"http://ns.adobe.com/xap/1.0/\0"
_XMP_IN_PNG = "XML:com.adobe.xmp"
# Where a packet says one of these, it has a statement of its own.
_IPTC_NAMES = (b"DigitalSourceType", b"AISystemUsed", b"AIPromptInformation")
# https://developers.google.com/speed/webp/docs/riff_container#extended_file_format
_WEBP_HAS_XMP, _WEBP_HAS_ALPHA = 0x04, 0x10


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """How a picture was made; nothing of who asked for it or of the photos. A private prompt is None."""

    prompt: str | None
    model: str | None
    seed: int
    steps: int
    guidance: float
    width: int
    height: int
    made_at: datetime

    @property
    def parameters(self) -> str:
        """The form that Stable Diffusion's web UIs write and read: the prompt, then one line of ``name: value``."""
        said = {
            "Steps": self.steps,
            "CFG scale": f"{self.guidance:g}",
            "Seed": self.seed,
            "Size": f"{self.width}x{self.height}",
            "Model": _value(_public(self.model)) if self.model else None,
            "Date": self.made_on,
        }
        line = ", ".join(f"{name}: {value}" for name, value in said.items() if value is not None)
        return f"{_public(self.prompt)}\n{line}" if self.prompt else line

    @property
    def made_on(self) -> str:
        """The day, in UTC, as XMP writes it."""
        return self.made_at.astimezone(UTC).date().isoformat()


def note_for(wish: Wish, *, number: int, is_private: bool, made_at: datetime) -> Note:
    """The note for a wish's picture of that number, counted from 1."""
    return Note(
        prompt=None if is_private else wish.prompt,
        model=wish.model_label,
        seed=wish.seed_of((number - 1) // (wish.images // wish.jobs)),
        steps=wish.steps,
        guidance=wish.guidance,
        width=wish.width,
        height=wish.height,
        made_at=made_at,
    )


def has_manifest(data: bytes) -> bool:
    """Whether a PNG, JPEG or WebP file carries a C2PA manifest, or names one elsewhere that speaks for its bytes."""
    try:
        return _is_signed(_parsed(data))
    except _OddFileError:
        return False


def with_note(data: bytes, note: Note) -> bytes:
    """The file with the note. It stays as it is where it carries a manifest or a note already, and where it is damaged
    or built in a way that this module does not know: no picture is lost over a note.
    """
    try:
        file = _parsed(data)
        if _is_signed(file):
            return data
        match file.form:
            case _Form.PNG:
                return _noted_png(file, note)
            case _Form.JPEG:
                return _noted_jpeg(file, note)
            case _Form.WEBP:
                return _noted_webp(file, note)
    except _OddFileError:
        return data


class _OddFileError(Exception):
    """The file is not built as its format says, or in a rare way that is better left alone."""


class _Form(Enum):
    PNG = auto()
    JPEG = auto()
    WEBP = auto()


@dataclass(frozen=True, slots=True)
class _Piece:
    """A chunk or segment: its kind, what is in it, and all its bytes as they stand in the file."""

    kind: bytes
    body: memoryview
    raw: memoryview


@dataclass(frozen=True, slots=True)
class _File:
    """A file in pieces. ``rest`` is what follows them: all after the headers of a JPEG, nothing in tidy others."""

    form: _Form
    pieces: Sequence[_Piece]
    rest: memoryview


def _parsed(data: bytes) -> _File:
    view = memoryview(data)
    if data.startswith(_PNG):
        return _file(_Form.PNG, view, len(_PNG), _png_pieces(view))
    if data.startswith(_JPEG):
        return _file(_Form.JPEG, view, len(_JPEG), _jpeg_pieces(view))
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return _file(_Form.WEBP, view, 12, _webp_pieces(view))
    raise _OddFileError


def _file(form: _Form, data: memoryview, start: int, found: Iterator[_Piece]) -> _File:
    pieces = list(found)
    return _File(form, pieces, data[start + sum(len(piece.raw) for piece in pieces) :])


def _png_pieces(data: memoryview) -> Iterator[_Piece]:
    """https://www.w3.org/TR/png-3/#5Chunk-layout."""
    at, kind = len(_PNG), b""
    while kind != b"IEND":
        head = _cut(data, at, 8)
        length, kind = int.from_bytes(head[:4], "big"), bytes(head[4:])
        raw = _cut(data, at, 12 + length)
        yield _Piece(kind, raw[8:-4], raw)
        at += len(raw)


def _jpeg_pieces(data: memoryview) -> Iterator[_Piece]:
    """The segments before the picture: ITU-T T.81, B.1.1.4 and B.2."""
    at = len(_JPEG)
    while True:
        head = _cut(data, at, 4)
        kind, length = bytes(head[1:2]), int.from_bytes(head[2:], "big")
        if head[0] != 0xFF or kind in _NOT_IN_HEADERS:
            raise _OddFileError
        if kind == _SOS:
            return
        raw = _cut(data, at, 2 + length)
        yield _Piece(kind, raw[4:], raw)
        at += len(raw)


def _webp_pieces(data: memoryview) -> Iterator[_Piece]:
    """https://developers.google.com/speed/webp/docs/riff_container#riff_file_format."""
    end = 8 + int.from_bytes(_cut(data, 4, 4), "little")
    inside, at = _cut(data, 0, end), 12
    while at < end:
        head = _cut(inside, at, 8)
        length = int.from_bytes(head[4:], "little")
        raw = _cut(inside, at, 8 + length + length % 2)
        yield _Piece(bytes(head[:4]), raw[8 : 8 + length], raw)
        at += len(raw)


def _cut(data: memoryview, at: int, length: int) -> memoryview:
    if at + length > len(data):
        raise _OddFileError
    return data[at : at + length]


def _is_signed(file: _File) -> bool:
    return any(_is_manifest(piece) or b"dcterms:provenance" in (_packet(piece) or b"") for piece in file.pieces)


def _is_manifest(piece: _Piece) -> bool:
    if piece.kind == _APP11:
        # A JUMBF box: "JP", two numbers, then boxes, the first of which is described as c2pa.
        body = bytes(piece.body)
        return body.startswith(b"JP") and b"jumb" in body and b"c2pa" in body
    return piece.kind in (b"caBX", b"C2PA")


def _packet(piece: _Piece) -> bytes | None:
    """The XMP packet in this piece, if that is what it holds."""
    if piece.kind == b"XMP ":
        return bytes(piece.body)
    if piece.kind == _APP1 and bytes(piece.body[: len(_XMP_IN_JPEG)]) == _XMP_IN_JPEG:
        return bytes(piece.body[len(_XMP_IN_JPEG) :])
    if piece.kind == b"iTXt" and _keyword(piece) == _XMP_IN_PNG:
        said = bytes(piece.body[len(_XMP_IN_PNG) + 1 :])
        if not said.startswith(b"\0\0") or said.count(b"\0") < 4:
            raise _OddFileError  # compressed, which XMP in a PNG must not be
        return said[2:].split(b"\0", 2)[2]
    return None


def _keyword(piece: _Piece) -> str | None:
    """What a PNG's text is called."""
    if piece.kind not in (b"tEXt", b"zTXt", b"iTXt"):
        return None
    return bytes(piece.body[:80]).partition(b"\0")[0].decode("latin-1")


def _noted_png(file: _File, note: Note) -> bytes:
    """Texts stand before the picture, where a reader finds them without reading all of it."""
    picture = next((n for n, piece in enumerate(file.pieces) if piece.kind == b"IDAT"), None)
    if picture is None:
        raise _OddFileError
    known = {_keyword(piece) for piece in file.pieces}
    texts = {
        "Software": SOFTWARE,
        "Description": f"{_SENTENCE}\n{note.parameters}",
        "parameters": note.parameters,
    }
    new = [_png_text(keyword, text.encode()) for keyword, text in texts.items() if keyword not in known]
    old, xmp = _with_xmp(file, note, lambda packet: _png_text(_XMP_IN_PNG, packet))
    return b"".join((_PNG, *old[:picture], *new, *xmp, *old[picture:], file.rest))


def _png_text(keyword: str, text: bytes) -> bytes:
    """An iTXt chunk, uncompressed and of no language: https://www.w3.org/TR/png-3/#11iTXt."""
    said = b"iTXt" + keyword.encode() + bytes(5) + text
    return (len(said) - 4).to_bytes(4, "big") + said + zlib.crc32(said).to_bytes(4, "big")


def _noted_jpeg(file: _File, note: Note) -> bytes:
    """Behind the segments of JFIF and Exif, which have to be the first."""
    old, xmp = _with_xmp(file, note, _jpeg_xmp)
    kinds = [piece.kind for piece in file.pieces]
    at = next((n for n, kind in enumerate(kinds) if kind not in (_APP0, _APP1)), len(kinds))
    return b"".join((_JPEG, *old[:at], *xmp, *old[at:], file.rest))


def _jpeg_xmp(packet: bytes) -> bytes:
    length = 2 + len(_XMP_IN_JPEG) + len(packet)
    if length > _SEGMENT_BYTES_MAX:
        raise _OddFileError
    return b"\xff" + _APP1 + length.to_bytes(2, "big") + _XMP_IN_JPEG + packet


def _noted_webp(file: _File, note: Note) -> bytes:
    """XMP comes last, and the header, which the plainest files lack, has to announce it."""
    old, xmp = _with_xmp(file, note, lambda packet: _webp_chunk(b"XMP ", packet))
    if file.pieces and file.pieces[0].kind == b"VP8X":
        header, *others = bytes(_cut(file.pieces[0].body, 0, 10)), *old[1:]
    else:
        header, *others = _webp_header(file), *old
    announced = _webp_chunk(b"VP8X", bytes([header[0] | _WEBP_HAS_XMP]) + header[1:])
    said = b"".join((b"WEBP", announced, *others, *xmp))
    return b"".join((b"RIFF", len(said).to_bytes(4, "little"), said, file.rest))


def _webp_chunk(kind: bytes, body: bytes) -> bytes:
    return kind + len(body).to_bytes(4, "little") + body + bytes(len(body) % 2)


def _webp_header(file: _File) -> bytes:
    """What is in the VP8X chunk of a plain file, which is one chunk alone; the picture itself knows its size.

    https://www.rfc-editor.org/rfc/rfc6386#section-9.1, https://www.rfc-editor.org/rfc/rfc9649#section-3.4
    """
    if len(file.pieces) != 1:
        raise _OddFileError
    picture, flags = file.pieces[0], 0
    if picture.kind == b"VP8 " and bytes(_cut(picture.body, 3, 3)) == b"\x9d\x01\x2a":
        said = _cut(picture.body, 6, 4)
        width, height = (int.from_bytes(side, "little") & 0x3FFF for side in (said[:2], said[2:]))
    elif picture.kind == b"VP8L" and bytes(_cut(picture.body, 0, 1)) == b"\x2f":
        bits = int.from_bytes(_cut(picture.body, 1, 4), "little")
        width, height = (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
        flags = _WEBP_HAS_ALPHA if bits >> 28 & 1 else 0
    else:
        raise _OddFileError
    if not width or not height:
        raise _OddFileError
    return bytes([flags, 0, 0, 0]) + b"".join((side - 1).to_bytes(3, "little") for side in (width, height))


def _with_xmp(file: _File, note: Note, wrap: Callable[[bytes], bytes]) -> tuple[list[bytes | memoryview], list[bytes]]:
    """The file's pieces with the note in the one that holds XMP; where none does, also a new one that does."""
    old: list[bytes | memoryview] = [piece.raw for piece in file.pieces]
    packets = {n: packet for n, piece in enumerate(file.pieces) if (packet := _packet(piece)) is not None}
    for n, packet in packets.items():
        if not any(name in packet for name in _IPTC_NAMES):
            before, end, after = packet.rpartition(b"</rdf:RDF>")
            old[n] = wrap(before + _statement(note).encode() + end + after) if end else old[n]
    return old, [] if packets else [wrap(_packet_of(note))]


def _packet_of(note: Note) -> bytes:
    """A whole XMP packet: ISO 16684-1, 7.3."""
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
        f'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">{_origin(note)}{_statement(note)}</rdf:RDF>'
        '</x:xmpmeta><?xpacket end="w"?>'
    ).encode()


def _origin(note: Note) -> str:
    """What any program shows of a picture."""
    return (
        '<rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/"'
        ' xmlns:dc="http://purl.org/dc/elements/1.1/">'
        f"<xmp:CreatorTool>{SOFTWARE}</xmp:CreatorTool><xmp:CreateDate>{note.made_on}</xmp:CreateDate>"
        f'<dc:description><rdf:Alt><rdf:li xml:lang="x-default">{_SENTENCE}\n{escape(note.parameters)}</rdf:li>'
        "</rdf:Alt></dc:description></rdf:Description>"
    )


def _statement(note: Note) -> str:
    """What IPTC has for pictures made with AI: https://iptc.org/std/photometadata/specification/."""
    said = {
        "DigitalSourceType": SOURCE_TYPE,
        "AISystemUsed": _public(note.model or ""),
        "AIPromptInformation": note.parameters,
    }
    return "".join(
        (
            '<rdf:Description rdf:about="" xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/">',
            *(f"<Iptc4xmpExt:{name}>{escape(text)}</Iptc4xmpExt:{name}>" for name, text in said.items() if text),
            "</rdf:Description>",
        )
    )


def _public(text: str) -> str:
    """The text as it may travel in a file, and as XML can carry it."""
    return _PRIVATE.sub("…", _NOT_XML.sub("", text))


def _value(text: str) -> str:
    """Quoted as the web UIs do it, where the text would not end where it ends."""
    return json.dumps(text, ensure_ascii=False) if re.search(r"[,:\n]", text) else text
