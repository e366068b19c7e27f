"""Colours for the preview pictures: harmonious moods, varied by chance, and tinted by style images."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import NamedTuple

from PIL import Image

RGB = tuple[int, int, int]

HUE_JITTER_DEGREES = 14.0
STYLE_SWATCHES = 6


class Tone(NamedTuple):
    """A colour in OKLCH: perceived lightness 0-1, chroma 0 to about 0.3, hue in degrees.

    Equal steps look equal there, which is what makes blends and ridges fade evenly.
    Source of the numbers: https://bottosson.github.io/posts/oklab/
    """

    lightness: float
    chroma: float
    hue: float

    def turned(self, degrees: float) -> "Tone":
        """Return the colour with its hue turned."""
        return self._replace(hue=(self.hue + degrees) % 360)

    def blended(self, other: "Tone", amount: float) -> "Tone":
        """Return the colour on the straight way to another: 0 is this one, 1 the other."""
        a1, b1 = _axes(self)
        a2, b2 = _axes(other)
        lightness = self.lightness + (other.lightness - self.lightness) * amount
        return _from_axes(lightness, a1 + (a2 - a1) * amount, b1 + (b2 - b1) * amount)

    def rgb(self) -> RGB:
        """Return the nearest colour that a screen can show."""
        a, b = _axes(self)
        long = (self.lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
        medium = (self.lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
        short = (self.lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
        return (
            _encode(4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short),
            _encode(-1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short),
            _encode(-0.0041960863 * long - 0.7034186147 * medium + 1.7076147010 * short),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Palette:
    """The colours of one picture. ``far`` and ``near`` are the ends of the landscape's depth."""

    sky_top: Tone
    sky_low: Tone
    sun: Tone
    far: Tone
    near: Tone

    @property
    def is_night(self) -> bool:
        """Tell whether stars would show."""
        return self.sky_top.lightness < 0.35

    @property
    def paper(self) -> Tone:
        """A nearly white that goes with the sky."""
        return Tone(0.965, 0.012, self.sky_low.hue)

    @property
    def ink(self) -> Tone:
        """A nearly black that goes with the land, readable on the paper."""
        return Tone(0.30, min(0.05, self.near.chroma), self.near.hue)

    @property
    def accent(self) -> Tone:
        """A stronger colour of the same picture, still readable on the paper."""
        return Tone(0.52, max(0.09, self.far.chroma), self.far.hue)


_MOODS = {
    # sky above, sky at the horizon, sun, farthest land, nearest land
    "dawn": ((0.70, 0.075, 265), (0.91, 0.065, 60), (0.97, 0.05, 85), (0.73, 0.075, 15), (0.36, 0.065, 285)),
    "lagoon": ((0.60, 0.085, 218), (0.93, 0.050, 160), (0.98, 0.055, 105), (0.70, 0.070, 198), (0.31, 0.060, 225)),
    "autumn": ((0.84, 0.050, 82), (0.95, 0.050, 88), (0.72, 0.165, 42), (0.76, 0.110, 65), (0.37, 0.090, 38)),
    "night": ((0.22, 0.065, 272), (0.46, 0.085, 252), (0.95, 0.025, 95), (0.40, 0.070, 258), (0.16, 0.035, 265)),
    "meadow": ((0.79, 0.075, 218), (0.96, 0.050, 108), (0.98, 0.070, 100), (0.80, 0.085, 145), (0.42, 0.090, 155)),
    "dusk": ((0.40, 0.105, 295), (0.80, 0.125, 48), (0.90, 0.120, 75), (0.55, 0.110, 345), (0.24, 0.055, 290)),
    "alpine": ((0.68, 0.095, 238), (0.94, 0.030, 215), (0.99, 0.025, 95), (0.76, 0.050, 228), (0.36, 0.060, 175)),
    "rose": ((0.80, 0.075, 352), (0.95, 0.035, 35), (0.74, 0.155, 25), (0.78, 0.080, 355), (0.37, 0.085, 350)),
    "aurora": ((0.25, 0.070, 285), (0.56, 0.105, 175), (0.94, 0.045, 140), (0.45, 0.080, 200), (0.17, 0.040, 250)),
    "desert": ((0.74, 0.075, 198), (0.93, 0.060, 78), (0.98, 0.045, 88), (0.79, 0.100, 58), (0.45, 0.105, 38)),
    "twilight": ((0.29, 0.075, 262), (0.72, 0.085, 68), (0.95, 0.060, 85), (0.47, 0.060, 278), (0.19, 0.040, 270)),
    "plum": ((0.24, 0.065, 312), (0.52, 0.105, 352), (0.95, 0.035, 55), (0.42, 0.080, 332), (0.17, 0.045, 300)),
}

# Words of a prompt that call for some of the moods; any other prompt may get any of them.
_MOODS_BY_WORD = {
    "night": ("night", "aurora", "plum", "twilight"),
    "moon": ("night", "plum", "aurora", "twilight"),
    "stars": ("aurora", "night", "twilight", "plum"),
    "midnight": ("night", "plum", "aurora", "twilight"),
    "sunset": ("dusk", "rose", "autumn", "dawn", "twilight"),
    "dusk": ("dusk", "twilight", "rose", "plum"),
    "evening": ("dusk", "autumn", "twilight", "rose", "dawn"),
    "dawn": ("dawn", "desert", "rose", "meadow"),
    "sunrise": ("dawn", "desert", "rose", "meadow"),
    "autumn": ("autumn", "dusk", "desert", "rose"),
    "winter": ("alpine", "night", "lagoon", "dawn"),
    "snow": ("alpine", "night", "lagoon", "dawn"),
    "spring": ("meadow", "rose", "alpine", "dawn"),
    "summer": ("meadow", "lagoon", "desert", "alpine"),
    "desert": ("desert", "dusk", "autumn", "dawn"),
}


def choose_palette(words: Sequence[str], variant: int, *, chance: Random) -> Palette:
    """Take a mood, of those that the prompt's words call for, and turn its hues a little, together.

    Variants that follow each other get different moods, as the pictures of one job should.
    """
    moods = next((_MOODS_BY_WORD[word] for word in words if word in _MOODS_BY_WORD), tuple(_MOODS))
    turn = chance.uniform(-HUE_JITTER_DEGREES, HUE_JITTER_DEGREES)
    sky_top, sky_low, sun, far, near = (Tone(*numbers).turned(turn) for numbers in _MOODS[moods[variant % len(moods)]])
    return Palette(sky_top=sky_top, sky_low=sky_low, sun=sun, far=far, near=near)


def tint(palette: Palette, style: Image.Image, amount: float) -> Palette:
    """Pull a palette towards the main colours of a style image: 0 leaves it, 1 takes them over.

    Light ones go to the sky and dark ones to the land; each keeps most of its place's own lightness, or the picture
    would lose its depth.
    """
    swatches = main_colours(style)
    spread = [swatches[round(place * (len(swatches) - 1))] for place in (0.0, 0.25, 0.5, 0.75, 1.0)]
    dark, dim, middle, bright, light = spread

    def pull(tone: Tone, towards: Tone) -> Tone:
        kept = towards._replace(lightness=tone.lightness * 0.7 + towards.lightness * 0.3)
        return tone.blended(kept, amount)

    return Palette(
        sky_top=pull(palette.sky_top, middle),
        sky_low=pull(palette.sky_low, bright),
        sun=pull(palette.sun, light),
        far=pull(palette.far, dim),
        near=pull(palette.near, dark),
    )


def main_colours(image: Image.Image) -> list[Tone]:
    """Return up to six main colours, from dark to light."""
    small = image.resize((48, 48), Image.Resampling.BOX)
    counted = small.quantize(STYLE_SWATCHES, method=Image.Quantize.MEDIANCUT).convert("RGB").getcolors(48 * 48) or []
    colours = [colour for _, colour in counted if isinstance(colour, tuple)]
    return sorted((tone_of((red, green, blue)) for red, green, blue, *_ in colours), key=lambda tone: tone.lightness)


def tone_of(colour: RGB) -> Tone:
    """Return a screen colour as a tone."""
    red, green, blue = (_decode(channel) for channel in colour)
    long = (0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue) ** (1 / 3)
    medium = (0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue) ** (1 / 3)
    short = (0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue) ** (1 / 3)
    return _from_axes(
        0.2104542553 * long + 0.7936177850 * medium - 0.0040720468 * short,
        1.9779984951 * long - 2.4285922050 * medium + 0.4505937099 * short,
        0.0259040371 * long + 0.7827717662 * medium - 0.8086757660 * short,
    )


def _axes(tone: Tone) -> tuple[float, float]:
    angle = math.radians(tone.hue)
    return tone.chroma * math.cos(angle), tone.chroma * math.sin(angle)


def _from_axes(lightness: float, a: float, b: float) -> Tone:
    return Tone(lightness, math.hypot(a, b), math.degrees(math.atan2(b, a)) % 360)


def _encode(linear: float) -> int:
    bounded = min(1.0, max(0.0, linear))
    curved = 12.92 * bounded if bounded <= 0.0031308 else 1.055 * bounded ** (1 / 2.4) - 0.055
    return round(curved * 255)


def _decode(channel: int) -> float:
    value = channel / 255
    return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4
