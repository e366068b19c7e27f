"""Notes in files that Pillow and the preview engine made: read back by Pillow, with the pixels as they were."""

import io
import struct
import warnings
import zlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from engine.parameters import parse
from engine.renderers import RenderJob
from engine.renderers.preview import render_sample
from engine.request import Family
from services.provenance import Note, has_manifest, note_for, with_note
from tests.photographs import astronaut, encoded
from tests.wishes import with_adapters, with_identity

NOTE = Note(
    prompt="a quiet harbour <at> dawn & dusk, café",
    model="Stable Diffusion XL",
    seed=7,
    steps=30,
    guidance=5.0,
    width=1024,
    height=768,
    made_at=datetime(2026, 11, 21, 23, 59, tzinfo=UTC),
)
LINE = "Steps: 30, CFG scale: 5, Seed: 7, Size: 1024x768, Model: Stable Diffusion XL, Date: 2026-11-21"
PARAMETERS = f"{NOTE.prompt}\n{LINE}"
IPTC = "{http://iptc.org/std/Iptc4xmpExt/2008-02-29/}"
SOURCE_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
OWN_XMP = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    b'<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:source>own</dc:source>'
    b"</rdf:Description></rdf:RDF></x:xmpmeta>"
)
JUMBF = b"JP\0\1\0\0\0\1" + struct.pack(">I4sI4s4s", 24, b"jumb", 16, b"jumd", b"c2pa")
SMALL = astronaut().resize((48, 32))
TRANSPARENT = Image.merge("RGBA", (*SMALL.split(), SMALL.convert("L")))


def preview() -> bytes:
    order = {"model_id": "sdxl", "prompt": "a quiet harbour", "width": 64, "height": 64}
    return render_sample(RenderJob(id="1", parameters=parse(order, Family.SDXL).parameters), 7)


def with_png_xmp(*, compressed: bool) -> bytes:
    texts = PngImagePlugin.PngInfo()
    texts.add_itxt("XML:com.adobe.xmp", OWN_XMP.decode(), zip=compressed)
    return encoded(SMALL, "PNG", pnginfo=texts)


FILES: dict[str, bytes] = {
    "png": encoded(SMALL, "PNG"),
    "png-palette": encoded(SMALL.convert("P"), "PNG"),
    "png-animated": encoded(SMALL, "PNG", save_all=True, append_images=[SMALL.rotate(90)]),
    "png-engine": preview(),
    "jpeg": encoded(SMALL),
    "jpeg-progressive": encoded(SMALL, progressive=True, comment=b"hello"),
    "jpeg-exif": encoded(SMALL, exif=Image.Exif()),
    "jpeg-cmyk": encoded(SMALL.convert("CMYK")),
    "webp": encoded(SMALL, "WEBP"),
    "webp-lossless": encoded(SMALL, "WEBP", lossless=True),
    "webp-lossless-alpha": encoded(TRANSPARENT, "WEBP", lossless=True),
    "webp-alpha": encoded(TRANSPARENT, "WEBP"),
    "webp-icc-exif": encoded(SMALL, "WEBP", icc_profile=b"an odd profile", exif=Image.Exif()),
    "webp-animated": encoded(SMALL, "WEBP", save_all=True, append_images=[SMALL.rotate(90)]),
    "png-xmp": with_png_xmp(compressed=False),
    "jpeg-xmp": encoded(SMALL, xmp=OWN_XMP),
    "webp-xmp": encoded(SMALL, "WEBP", xmp=OWN_XMP),
}


every_file = pytest.mark.parametrize("data", FILES.values(), ids=FILES.keys())


def frames(data: bytes) -> list[tuple[str, tuple[int, int], bytes]]:
    """What is to be seen: every frame's mode, size and pixels."""
    with Image.open(io.BytesIO(data)) as image:
        found: list[tuple[str, tuple[int, int], bytes]] = []
        for number in range(getattr(image, "n_frames", 1)):
            image.seek(number)
            found.append((image.mode, image.size, image.tobytes()))
        return found


def compressed(data: bytes) -> bytes:
    """The part of a file that holds the picture."""
    if data.startswith(b"RIFF"):
        begin = min(at for kind in (b"ALPH", b"ANIM", b"VP8 ", b"VP8L") if (at := data.find(kind)) >= 0)
        return data[begin:].partition(b"EXIF")[0].partition(b"XMP ")[0]
    return data[data.index(b"IDAT" if data.startswith(b"\x89PNG") else b"\xff\xda") :]


def info(data: bytes) -> dict[str, Any]:
    with Image.open(io.BytesIO(data)) as image:
        image.load()
        return {str(key): value for key, value in image.info.items()}


def iptc(data: bytes) -> dict[str, str]:
    """What the file's XMP says in IPTC's names; the XML must be sound."""
    root = ET.fromstring(info(data)["xmp"].strip(b"\0"))  # noqa: S314 - our own bytes
    return {each.tag.removeprefix(IPTC): each.text or "" for each in root.iter() if each.tag.startswith(IPTC)}


@every_file
def test_the_note_says_how_it_was_made_and_the_pixels_stay(data: bytes) -> None:
    noted = with_note(data, NOTE)

    assert iptc(noted) == {
        "DigitalSourceType": SOURCE_TYPE,
        "AISystemUsed": "Stable Diffusion XL",
        "AIPromptInformation": PARAMETERS,
    }
    assert frames(noted) == frames(data)


@every_file
def test_what_the_file_said_before_it_still_says(data: bytes) -> None:
    before, after = info(data), info(with_note(data, NOTE))

    before.pop("xmp", None)
    before.pop("XML:com.adobe.xmp", None)
    assert {name: after.get(name) for name in before} == before


@every_file
def test_a_second_note_changes_nothing(data: bytes) -> None:
    noted = with_note(data, NOTE)

    assert with_note(noted, replace(NOTE, prompt="another")) == noted


@every_file
def test_the_compressed_picture_stays_byte_for_byte(data: bytes) -> None:
    noted = with_note(data, NOTE)

    assert compressed(noted) == compressed(data)


@pytest.mark.parametrize("form", ["png", "jpeg", "webp"])
def test_an_xmp_packet_that_is_there_already_gets_the_statement_added(form: str) -> None:
    noted = with_note(FILES[f"{form}-xmp"], NOTE)

    assert b"<dc:source>own</dc:source>" in info(noted)["xmp"]
    assert noted.count(b"<x:xmpmeta") == 1


def test_a_png_carries_texts_that_any_reader_finds() -> None:
    with Image.open(io.BytesIO(with_note(FILES["png"], NOTE))) as image:
        assert isinstance(image, PngImagePlugin.PngImageFile)
        texts = image.text  # reads to the end; the note is found before

    assert texts["Software"] == "Facelock"
    assert texts["Description"] == f"Made with AI.\n{PARAMETERS}"
    assert texts["parameters"] == PARAMETERS


def test_texts_that_a_png_has_already_are_not_written_over() -> None:
    data = FILES["png-engine"]

    assert info(with_note(data, NOTE))["parameters"] == info(data)["parameters"]
    assert info(with_note(data, NOTE))["Software"] == "Facelock"


@pytest.mark.parametrize(
    ("form", "header"),
    [("webp", b"\x04"), ("webp-lossless", b"\x04"), ("webp-lossless-alpha", b"\x14"), ("webp-alpha", b"\x14")],
)
def test_a_webp_gets_the_header_that_announces_xmp_and_its_size(form: str, header: bytes) -> None:
    noted = with_note(FILES[form], NOTE)

    assert noted[12:30] == b"VP8X\x0a\0\0\0" + header + b"\0\0\0" + b"\x2f\0\0" + b"\x1f\0\0"
    assert int.from_bytes(noted[4:8], "little") == len(noted) - 8


def png_with(kind: bytes, body: bytes, data: bytes = FILES["png"]) -> bytes:
    chunk = len(body).to_bytes(4, "big") + kind + body + zlib.crc32(kind + body).to_bytes(4, "big")
    return data[:33] + chunk + data[33:]


def signed_png(data: bytes) -> bytes:
    """The file with a manifest behind its header."""
    return png_with(b"caBX", JUMBF[8:], data)


def jpeg_with(kind: bytes, body: bytes) -> bytes:
    return FILES["jpeg"][:20] + b"\xff" + kind + (len(body) + 2).to_bytes(2, "big") + body + FILES["jpeg"][20:]


def webp_with(kind: bytes, body: bytes) -> bytes:
    said = FILES["webp-alpha"][8:] + kind + len(body).to_bytes(4, "little") + body + bytes(len(body) % 2)
    return b"RIFF" + len(said).to_bytes(4, "little") + said


def test_a_jpeg_still_begins_with_what_has_to_be_first() -> None:
    noted = with_note(jpeg_with(b"\xe1", b"Exif\0\0II*\0\x08\0\0\0\0\0"), NOTE)

    jfif, exif, xmp = (noted.index(name) for name in (b"JFIF\0", b"Exif\0", b"http://ns.adobe.com/xap/1.0/\0"))
    assert (jfif, exif) == (6, 24)
    assert exif < xmp < noted.index(b"\xff\xdb")


SIGNED = {
    "png": signed_png(FILES["png"]),
    "jpeg": jpeg_with(b"\xeb", JUMBF),
    "webp": webp_with(b"C2PA", JUMBF[8:]),
    "jpeg-elsewhere": encoded(SMALL, xmp=OWN_XMP.replace(b"dc:source", b"dcterms:provenance")),
}
UNSIGNED = {
    "png": png_with(b"caBY", JUMBF[8:]),
    "jpeg-other-jumbf": jpeg_with(b"\xeb", JUMBF.replace(b"c2pa", b"json")),
    "jpeg-other-app11": jpeg_with(b"\xeb", b"HDR " + JUMBF[8:]),
    "webp": webp_with(b"C2PB", JUMBF[8:]),
}


@pytest.mark.parametrize("data", SIGNED.values(), ids=SIGNED.keys())
def test_a_file_with_a_manifest_stays_byte_for_byte(data: bytes) -> None:
    assert frames(data), "it is a picture"
    assert has_manifest(data)
    assert with_note(data, NOTE) == data


@pytest.mark.parametrize("data", UNSIGNED.values(), ids=UNSIGNED.keys())
def test_what_only_looks_like_a_manifest_is_none(data: bytes) -> None:
    assert not has_manifest(data)
    assert with_note(data, NOTE) != data


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"hello",
        b"\x89PNG\r\n\x1a\n",
        b"\xff\xd8",
        b"RIFF\4\0\0\0WEBP",
        FILES["png"][:-1],
        FILES["jpeg"][:100],
        FILES["webp"][:-2],
        with_png_xmp(compressed=True),
        FILES["jpeg"].replace(b"\xff\xdb", b"\xff\xff\xdb", 1),
        FILES["jpeg"][:20] + b"\xff\x01\0\4ab" + FILES["jpeg"][20:],
        FILES["jpeg"][:20] + b"\0\xe2\0\4ab" + FILES["jpeg"][20:],
        FILES["jpeg"][:20] + b"\xff\xe2\0\1" + FILES["jpeg"][20:],
        png_with(b"iTXt", b"XML:com.adobe.xmp\0\0\0en"),
        FILES["webp"].replace(b"\x9d\x01\x2a", b"\x9d\x01\x2b", 1),
        FILES["webp"].replace(b"\x9d\x01\x2a\x30\0", b"\x9d\x01\x2a\0\0", 1),
        encoded(SMALL, xmp=OWN_XMP + b" " * 65_000),
        encoded(SMALL, "GIF"),
    ],
)
def test_what_is_damaged_or_odd_stays_as_it_is(data: bytes) -> None:
    assert with_note(data, NOTE) == data
    assert not has_manifest(data)


def test_bytes_behind_the_end_of_a_picture_stay_there() -> None:
    for form in ("png", "jpeg", "webp"):
        data = FILES[form] + b"tail"

        noted = with_note(data, NOTE)

        assert noted.endswith(b"tail")
        assert iptc(noted)["DigitalSourceType"] == SOURCE_TYPE


damage = st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), min_size=1, max_size=4)


def decoded(data: bytes) -> list[tuple[str, tuple[int, int], bytes]] | None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow's about damaged metadata
        try:
            return frames(data)
        except Exception:  # noqa: BLE001 - whatever Pillow raises: such a file is never kept
            return None


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(sorted(FILES)), damage, st.one_of(st.none(), st.floats(0, 1)))
def test_no_damage_makes_it_raise_or_change_what_is_seen(
    name: str, changes: list[tuple[float, int]], end: float | None
) -> None:
    data = bytearray(FILES[name])
    for place, value in changes:
        # Mostly among the headers, where there is more to break.
        data[int(place**3 * len(data))] = value
    damaged = bytes(data if end is None else data[: int(end * len(data))])

    noted = with_note(damaged, NOTE)

    before = decoded(damaged)
    assert before is None or decoded(noted) == before


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=1000), st.text(max_size=100), st.sampled_from(["png", "jpeg", "webp"]))
def test_any_words_can_stand_in_a_note(prompt: str, model: str, form: str) -> None:
    noted = with_note(FILES[form], replace(NOTE, prompt=prompt, model=model))

    assert iptc(noted)["DigitalSourceType"] == SOURCE_TYPE
    assert frames(noted) == frames(FILES[form])


@pytest.mark.parametrize(
    ("prompt", "said"),
    [
        ("<@123456789012345678> at sea", "… at sea"),
        ("<@!1234567890123456789> and <@&123456789012345678> in <#123456789012345678>", "… and … in …"),
        ("a <:smile:123456789012345678> 123456789012345678!", "a … …!"),
        ("like https://example.com/face.png?x=1 but blue", "like … but blue"),
        ("12 ships, 2 < 3 > 1", "12 ships, 2 < 3 > 1"),
    ],
)
def test_ids_and_addresses_in_a_prompt_do_not_travel(prompt: str, said: str) -> None:
    assert replace(NOTE, prompt=prompt).parameters == f"{said}\n{LINE}"


def test_a_private_prompt_is_not_in_the_file() -> None:
    note = note_for(with_adapters("my secret"), number=1, is_private=True, made_at=NOTE.made_at)

    for form in ("png", "jpeg", "webp"):
        noted = with_note(FILES[form], note)
        assert b"my secret" not in noted
        assert b"Seed: 7" in noted


def test_a_model_whose_name_would_break_the_line_is_quoted() -> None:
    assert 'Model: "Mine: a, b", Date' in replace(NOTE, model="Mine: a, b").parameters
    assert "Model" not in replace(NOTE, model=None).parameters


def test_the_day_is_that_of_utc() -> None:
    west = datetime(2026, 11, 21, 20, 0, tzinfo=timezone(timedelta(hours=-8)))

    assert replace(NOTE, made_at=west).parameters.endswith("Date: 2026-11-22")


def test_the_seed_is_the_one_that_the_service_was_sent() -> None:
    def seeds(wish: Any) -> list[int]:
        notes = [note_for(wish, number=n, is_private=False, made_at=NOTE.made_at) for n in (1, 2, 3)]
        return [note.seed for note in notes]

    assert seeds(with_adapters(count=3)) == [7, 7, 7]
    assert seeds(with_identity(count=3)) == [7, 8, 9]
    assert seeds(with_identity(count=3, seed=2**31 - 2)) == [2**31 - 2, 2**31 - 1, 0]
