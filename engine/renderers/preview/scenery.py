"""Backdrops for the preview pictures: a sky, a sun, and land that fades with distance."""

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

from PIL import Image, ImageDraw

from engine.renderers.preview.palette import RGB, Palette, Tone

Point = tuple[float, float]
Profile = list[float]

_SCENE_BY_WORD = {
    "mountain": "mountains",
    "mountains": "mountains",
    "alps": "mountains",
    "snow": "mountains",
    "meadow": "hills",
    "field": "hills",
    "hills": "hills",
    "sea": "sea",
    "ocean": "sea",
    "beach": "sea",
    "lake": "sea",
    "island": "sea",
    "forest": "forest",
    "woods": "forest",
    "jungle": "forest",
    "desert": "dunes",
    "dunes": "dunes",
    "mars": "dunes",
}

# Shapes are drawn this many times larger and averaged down: Pillow's polygons have hard edges.
OVERSAMPLING = 3

STARS = 90
STARLIGHT = (255, 252, 240)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sun:
    """Where the sun stands, in pixels. A portrait takes its place."""

    centre: Point
    radius: float


def paint_scenery(
    size: tuple[int, int], palette: Palette, sun: Sun, *, words: Sequence[str], chance: Random
) -> Image.Image:
    """Paint a landscape as RGB: the one that the prompt's words call for, or any."""
    picture = _sky(size, palette)
    if palette.is_night:
        _scatter_stars(picture, chance)
    _paint_sun(picture, palette, sun)
    scene = _choose_scene(words, chance)
    scene(picture, palette, sun, chance)
    return picture


Scene = Callable[[Image.Image, Palette, Sun, Random], None]


def _choose_scene(words: Sequence[str], chance: Random) -> Scene:
    scenes: dict[str, Scene] = {
        "mountains": _mountains,
        "hills": _hills,
        "sea": _sea,
        "forest": _forest,
        "dunes": _dunes,
    }
    called = next((_SCENE_BY_WORD[word] for word in words if word in _SCENE_BY_WORD), None)
    return scenes[called or chance.choice(list(scenes))]


def _mountains(picture: Image.Image, palette: Palette, _sun: Sun, chance: Random) -> None:
    depth = 5
    for layer in range(depth):
        near = layer / (depth - 1)
        profile = _rugged(chance, base=0.68 + 0.27 * near, height=0.22 - 0.09 * near, roughness=0.58 - 0.10 * near)
        _paint_land(picture, profile, _land(palette, near), mist=palette.sky_low)


def _hills(picture: Image.Image, palette: Palette, _sun: Sun, chance: Random) -> None:
    depth = 5
    for layer in range(depth):
        near = layer / (depth - 1)
        profile = _rolling(chance, base=0.62 + 0.28 * near, height=0.09, waves=3.4 - 1.8 * near)
        _paint_land(picture, profile, _land(palette, near), mist=palette.sky_low)


def _dunes(picture: Image.Image, palette: Palette, _sun: Sun, chance: Random) -> None:
    depth = 4
    for layer in range(depth):
        near = layer / (depth - 1)
        profile = _leaning(chance, base=0.70 + 0.26 * near, height=0.15, crests=2.6 - 1.2 * near)
        _paint_land(picture, profile, _land(palette, near), mist=palette.sky_low)


def _forest(picture: Image.Image, palette: Palette, _sun: Sun, chance: Random) -> None:
    ranges = 3
    for layer in range(ranges):
        near = layer / ranges * 0.75
        profile = _rugged(chance, base=0.68 + 0.20 * near, height=0.19 - 0.10 * near, roughness=0.54)
        _paint_land(picture, profile, _land(palette, near), mist=palette.sky_low)
    for near in (0.6, 0.8, 1.0):
        ground = _rolling(chance, base=0.72 + 0.22 * near, height=0.05, waves=1.6)
        trees = _treeline(chance, ground, picture.width / picture.height, height=0.05 + 0.13 * near)
        _paint_land(picture, trees, _land(palette, near), mist=_land(palette, near * 0.8))


def _sea(picture: Image.Image, palette: Palette, sun: Sun, chance: Random) -> None:
    width, height = picture.size
    horizon = round(height * chance.uniform(0.66, 0.70))
    for near in (0.0, 0.3):
        profile = _rugged(chance, base=0.71 + 0.02 * near, height=0.16 - 0.09 * near, roughness=0.5)
        _paint_land(picture, profile, _land(palette, near), mist=palette.sky_low)
    water = _gradient((width, height - horizon), (palette.sky_low.blended(palette.far, 0.35), palette.near))
    picture.paste(water, (0, horizon))
    _paint_glitter(picture, palette, sun, horizon=horizon, chance=chance)
    shore = _rolling(chance, base=0.99, height=0.07, waves=1.2)
    _paint_land(picture, shore, palette.near.blended(palette.ink, 0.5), mist=palette.near)


def _land(palette: Palette, near: float) -> Tone:
    return palette.far.blended(palette.near, near)


def _sky(size: tuple[int, int], palette: Palette) -> Image.Image:
    middle = palette.sky_top.blended(palette.sky_low, 0.5)
    return _gradient(size, (palette.sky_top, middle, palette.sky_low, palette.sky_low))


def _gradient(size: tuple[int, int], tones: Sequence[Tone]) -> Image.Image:
    """Paint tones evenly from top to bottom, blended in the space where equal steps look equal."""
    steps = max(2, min(256, size[1]))
    strip = Image.new("RGB", (1, steps))
    strip.putdata([_at(tones, row / (steps - 1)).rgb() for row in range(steps)])
    return strip.resize(size, Image.Resampling.BILINEAR)


def _at(tones: Sequence[Tone], place: float) -> Tone:
    scaled = place * (len(tones) - 1)
    index = min(int(scaled), len(tones) - 2)
    return tones[index].blended(tones[index + 1], scaled - index)


def _scatter_stars(picture: Image.Image, chance: Random) -> None:
    width, height = (side * OVERSAMPLING for side in picture.size)
    layer = Image.new("L", (width, height), 0)
    draw = ImageDraw.Draw(layer)
    for _ in range(STARS):
        x, y = chance.uniform(0, width), height * 0.62 * chance.random() ** 1.5
        radius = min(width, height) * chance.choice((0.0010, 0.0014, 0.0024))
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=chance.randint(110, 250))
    picture.paste(STARLIGHT, (0, 0), layer.reduce(OVERSAMPLING))


def _paint_sun(picture: Image.Image, palette: Palette, sun: Sun) -> None:
    for reach, strength in ((3.4, 0.55), (1.9, 0.45)):
        _paint_glow(picture, sun, reach=reach, strength=strength, colour=palette.sun.rgb())
    x, y = sun.centre
    edge = math.ceil(sun.radius) + 1
    disc = disc_mask(2 * edge, sun.radius)
    picture.paste(palette.sun.rgb(), (round(x) - edge, round(y) - edge), disc)


def _paint_glow(picture: Image.Image, sun: Sun, *, reach: float, strength: float, colour: RGB) -> None:
    side = max(2, round(sun.radius * reach * 2))
    levels = [round(strength * 255 * max(0.0, 1 - distance / 181) ** 2) for distance in range(256)]
    fade = Image.radial_gradient("L").point(levels)
    x, y = sun.centre
    picture.paste(colour, (round(x - side / 2), round(y - side / 2)), fade.resize((side, side)))


def disc_mask(side: int, radius: float) -> Image.Image:
    """Draw a smooth disc in the middle of a square mask."""
    large = Image.new("L", (side * 4, side * 4), 0)
    middle, reach = side * 2, radius * 4
    ImageDraw.Draw(large).ellipse((middle - reach, middle - reach, middle + reach, middle + reach), fill=255)
    return large.reduce(4)


def _paint_land(picture: Image.Image, profile: Profile, tone: Tone, *, mist: Tone) -> None:
    """Fill everything below a profile, lighter towards the bottom, where mist lies in the valleys."""
    width, height = picture.size
    top = max(0, math.floor(min(profile) * height) - 1)
    if top >= height:
        return
    scale = OVERSAMPLING
    across = width * scale / (len(profile) - 1)
    line = [(index * across, (level * height - top) * scale) for index, level in enumerate(profile)]
    mask = Image.new("L", (width * scale, (height - top) * scale), 0)
    ImageDraw.Draw(mask).polygon([*line, (width * scale, height * scale), (0, height * scale)], fill=255)
    fill = _gradient((width, height - top), (tone, tone, tone.blended(mist, 0.32)))
    picture.paste(fill, (0, top), mask.reduce(scale))


def _paint_glitter(picture: Image.Image, palette: Palette, sun: Sun, *, horizon: int, chance: Random) -> None:
    """Lay the sun's broken reflection on the water: dashes that widen and thin out towards the viewer."""
    height = picture.height
    layer = Image.new("L", picture.size, 0)
    draw = ImageDraw.Draw(layer)
    rows = 46
    for row in range(rows):
        away = (row + chance.random()) / rows
        y = horizon + (height - horizon) * away**1.6
        reach = sun.radius * (0.35 + 1.1 * away)
        for _ in range(3):
            x = sun.centre[0] + chance.gauss(0, reach * 0.5)
            half, thick = reach * chance.uniform(0.08, 0.30), max(1.0, height * 0.0030 * (0.4 + away))
            draw.ellipse((x - half, y - thick, x + half, y + thick), fill=round(215 * (1 - away * 0.75)))
    picture.paste(palette.sun.rgb(), (0, 0), layer)


def _rugged(chance: Random, *, base: float, height: float, roughness: float) -> Profile:
    """Grow a mountain ridge by midpoint displacement; levels are shares of the picture's height, from its top."""
    points = [chance.random() for _ in range(5)]
    spread = 0.5
    for _ in range(6):
        grown: Profile = []
        for left, right in itertools.pairwise(points):
            grown += [left, (left + right) / 2 + chance.uniform(-0.5, 0.5) * spread]
        points = [*grown, points[-1]]
        spread *= roughness
    low, high = min(points), max(points)
    return [base - height * (point - low) / (high - low) for point in points]


def _rolling(chance: Random, *, base: float, height: float, waves: float) -> Profile:
    parts = [
        (waves * factor, chance.uniform(0, math.tau), share) for factor, share in ((1, 0.6), (2.3, 0.3), (4.1, 0.1))
    ]
    steps = [index / 160 for index in range(161)]
    return [
        base
        - height * sum(share * math.sin(place * frequency * math.tau / 2 + shift) for frequency, shift, share in parts)
        for place in steps
    ]


def _leaning(chance: Random, *, base: float, height: float, crests: float) -> Profile:
    """Blow dunes: a long climb and a short fall, each of its own size."""
    profile: Profile = []
    steps = round(240 / crests)
    index = chance.randrange(steps)
    tall = chance.uniform(0.4, 1.0)
    while len(profile) < 241:
        phase = index / steps
        climb = phase / 0.7 if phase < 0.7 else (1 - phase) / 0.3
        profile.append(base - height * tall * climb * climb * (3 - 2 * climb))
        index += 1
        if index >= steps:
            index, tall, steps = 0, chance.uniform(0.35, 1.0), round(240 / crests * chance.uniform(0.6, 1.4))
    return profile


def _treeline(chance: Random, ground: Profile, aspect: float, *, height: float) -> Profile:
    """Stand conifers on a ground line: narrow triangles of varied height, close together."""
    steps = 1800
    line = [ground[min(len(ground) - 1, index * len(ground) // steps)] for index in range(steps)]
    place = 0.0
    while place < steps:
        tall = height * chance.uniform(0.45, 1.0)
        half = max(2.0, tall * 0.17 / aspect * steps)
        for index in range(max(0, round(place - half)), min(steps, round(place + half) + 1)):
            share = 1 - abs(index - place) / half
            ragged = share - 0.12 * (share * 6 % 1)
            line[index] = min(line[index], ground[min(len(ground) - 1, index * len(ground) // steps)] - tall * ragged)
        place += half * chance.uniform(0.5, 1.5)
    return line
