"""Sets words on the preview pictures in Pillow's own font, the one that is there on every machine."""

import functools
import unicodedata
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image, ImageDraw, ImageFont

from engine.renderers.preview.palette import RGB

LINE_HEIGHT = 1.32
ELLIPSIS = "…"
UNDRAWABLE = "This prompt is in a script that previews cannot show; the picture's file holds it in full."

# The font has little more than ASCII. What Unicode itself does not take apart into a letter and an accent is here.
_STAND_INS = str.maketrans(
    {
        **dict.fromkeys("\N{EN DASH}\N{EM DASH}\N{MINUS SIGN}\N{NON-BREAKING HYPHEN}", "-"),
        "\N{SINGLE LOW-9 QUOTATION MARK}": "'",
        "\N{MULTIPLICATION SIGN}": "x",
        "\N{LATIN SMALL LETTER DOTLESS I}": "i",
        "„": "“",
        "•": "·",
        "€": "EUR ",
        "ß": "ss",
        "æ": "ae",
        "Æ": "AE",
        "œ": "oe",
        "Œ": "OE",
        "ø": "o",
        "Ø": "O",
        "ł": "l",
        "Ł": "L",
        "đ": "d",
        "Đ": "D",
        "ð": "d",
        "Ð": "D",
        "þ": "th",
        "Þ": "Th",
    }
)

# More than this fits on no picture, and measuring text takes time.
MAX_CHARS = 800


@dataclass(frozen=True, slots=True, kw_only=True)
class TextBlock:
    """Lines that fit: ``size`` is the font's in pixels, ``height`` that of all lines."""

    lines: tuple[str, ...]
    size: float

    @property
    def height(self) -> int:
        """How many pixels the lines take."""
        return round(len(self.lines) * self.size * LINE_HEIGHT)


def drawable(text: str) -> str:
    """Return the start of a text as the font can draw it: accents dropped, unknown characters left out.

    If most of its letters would be lost, a sentence that says so takes its place.
    """
    plain = unicodedata.normalize("NFKD", " ".join(text[:MAX_CHARS].split()).translate(_STAND_INS))
    wanted = [char for char in plain[:MAX_CHARS] if not unicodedata.combining(char)]
    kept = [char for char in wanted if _has_glyph(char)]
    letters, letters_kept = (sum(char.isalnum() for char in chars) for chars in (wanted, kept))
    if letters_kept * 2 < letters or not letters_kept:
        return UNDRAWABLE
    return " ".join("".join(kept).split())


def fit_text(text: str, *, width: int, sizes: Sequence[float], max_lines: int) -> TextBlock:
    """Wrap a text in the first of the sizes that holds it; in the last one it ends in an ellipsis if it must."""
    size = next((size for size in sizes if len(_wrap_at(text, size, width=width)) <= max_lines), sizes[-1])
    lines = _wrap_at(text, size, width=width)
    if len(lines) > max_lines:
        font = ImageFont.load_default(size)
        return TextBlock(lines=(*lines[: max_lines - 1], _shorten(lines[max_lines - 1], font, width=width)), size=size)

    # The narrowest wrapping with no more lines leaves no word alone on the last one.
    narrowest = bisect_left(range(width), True, key=lambda tried: len(_wrap_at(text, size, width=tried)) <= len(lines))
    return TextBlock(lines=tuple(_wrap_at(text, size, width=narrowest)), size=size)


Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


def wrap(text: str, font: Font, *, width: int) -> list[str]:
    """Break a text into lines no wider than ``width`` pixels, between words, and inside a word only if it must."""
    lines: list[str] = []
    line = ""
    for word in text.split():
        longer = f"{line} {word}".lstrip()
        if font.getlength(longer) <= width:
            line = longer
            continue
        if line:
            lines.append(line)
        line = word
        while font.getlength(line) > width and len(line) > 1:
            head = _head(line, font, width=width)
            lines.append(head)
            line = line[len(head) :]
    return [*lines, line]


def draw_block(draw: ImageDraw.ImageDraw, block: TextBlock, at: tuple[float, float], *, colour: RGB) -> None:
    """Draw lines from a top-left corner downwards."""
    font = ImageFont.load_default(block.size)
    x, y = at
    for index, line in enumerate(block.lines):
        draw.text((x, y + (index + 0.5) * block.size * LINE_HEIGHT), line, font=font, fill=colour, anchor="lm")


def _wrap_at(text: str, size: float, *, width: int) -> list[str]:
    return wrap(text, ImageFont.load_default(size), width=width)


def _shorten(line: str, font: Font, *, width: int) -> str:
    while line and font.getlength(line + ELLIPSIS) > width:
        line = line[:-1]
    return line.rstrip(" ,;.") + ELLIPSIS


def _head(word: str, font: Font, *, width: int) -> str:
    sizes = range(2, len(word) + 1)
    return word[: 1 + bisect_left(sizes, True, key=lambda size: font.getlength(word[:size]) > width)]


@functools.lru_cache(maxsize=4096)
def _has_glyph(char: str) -> bool:
    """Compare a character's shape with the box that stands for every missing one."""
    return char == " " or _shape(char) != _shape("\uffff")


def _shape(char: str) -> bytes:
    picture = Image.new("L", (48, 48))
    ImageDraw.Draw(picture).text((12, 12), char, font=ImageFont.load_default(24), fill=255)
    return picture.tobytes()
