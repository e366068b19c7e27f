"""A face to try the bot with: drawn here, of nobody.

A detector for photographs has to find it, so light and shadow matter more than lines: eye sockets darker than the
forehead, a lit bridge of the nose, a dark parting of the lips. Everything is drawn twice as large and then reduced.
"""

import io
import math
from collections.abc import Sequence
from functools import lru_cache

from PIL import Image, ImageChops, ImageDraw, ImageFilter

SAMPLE_FACE_NAME = "sample-face.png"

SIZE_PX = 768
_SCALE = 2

# The middle of each eye across the picture, and which way is outward there.
_EYES = ((302.0, -1), (466.0, 1))

Color = tuple[int, int, int]
Point = tuple[float, float]
Box = tuple[float, float, float, float]

_WALL_TOP: Color = (222, 198, 172)
_WALL_BOTTOM: Color = (146, 168, 170)
_SKIN: Color = (226, 176, 146)
_SKIN_LIT: Color = (250, 212, 184)
_SKIN_SHADE: Color = (168, 108, 84)
_SKIN_DEEP: Color = (112, 62, 50)
_BLUSH: Color = (222, 122, 108)
_HAIR: Color = (62, 38, 30)
_HAIR_DARK: Color = (38, 22, 18)
_HAIR_LIT: Color = (112, 68, 48)
_HAIR_GLOSS: Color = (186, 128, 92)
_BROW: Color = (66, 42, 34)
_EYE_WHITE: Color = (244, 240, 236)
_IRIS: Color = (84, 112, 94)
_IRIS_RIM: Color = (38, 50, 46)
_PUPIL: Color = (16, 14, 16)
_LASH: Color = (40, 24, 22)
_LIP: Color = (186, 92, 88)
_LIP_UPPER: Color = (164, 74, 74)
_LIP_DARK: Color = (104, 42, 44)
_SWEATER: Color = (44, 84, 100)
_SWEATER_LIT: Color = (84, 134, 148)


@lru_cache(maxsize=1)
def sample_face() -> bytes:
    """The portrait as a PNG of 768 x 768 pixels. Takes about a second the first time: call it in a thread."""
    portrait = _Portrait()
    portrait.paint()
    target = io.BytesIO()
    portrait.image.resize((SIZE_PX, SIZE_PX), Image.Resampling.LANCZOS).save(target, "PNG", optimize=True)
    return target.getvalue()


class _Portrait:
    """A canvas in the coordinates of the finished picture, with soft brushes."""

    def __init__(self) -> None:
        side = SIZE_PX * _SCALE
        self.image = Image.new("RGB", (side, side), _WALL_TOP)
        self.face = self.hair_behind = self._mask()

    def paint(self) -> None:
        self._wall()
        self._hair_behind()
        self._shoulders()
        self._neck()
        self._ears()
        self._head()
        self._eyes()
        self._nose()
        self._mouth()
        self._hair_in_front()
        self._brows()

    # --------------------------------------------------------------------------------------------------- brushes

    def _mask(self) -> Image.Image:
        return Image.new("L", self.image.size, 0)

    def _lay(
        self,
        mask: Image.Image,
        color: Color,
        *,
        blur: float = 0.0,
        strength: float = 1.0,
        within: Image.Image | None = None,
    ) -> None:
        """Put a color where the mask is, softened by `blur` pixels, and not outside of `within`."""
        reach = round(3 * blur * _SCALE) + 1
        left, top, right, bottom = mask.getbbox() or (0, 0, 1, 1)
        box = (max(left - reach, 0), max(top - reach, 0), *_at_most(self.image.size, right + reach, bottom + reach))
        part = mask.crop(box)
        if blur:
            part = part.filter(ImageFilter.GaussianBlur(blur * _SCALE))
        if within is not None:
            part = ImageChops.multiply(part, within.crop(box))
        if strength < 1.0:
            part = part.point([round(value * strength) for value in range(256)])
        self.image.paste(color, box, part)

    def _oval(
        self, box: Box, color: Color, *, blur: float = 0.0, strength: float = 1.0, within: Image.Image | None = None
    ) -> None:
        self._lay(self._oval_mask(box), color, blur=blur, strength=strength, within=within)

    def _oval_mask(self, box: Box) -> Image.Image:
        mask = self._mask()
        ImageDraw.Draw(mask).ellipse([side * _SCALE for side in box], fill=255)
        return mask

    def _shape(
        self,
        points: Sequence[Point],
        color: Color,
        *,
        blur: float = 0.0,
        strength: float = 1.0,
        within: Image.Image | None = None,
    ) -> None:
        self._lay(self._shape_mask(points), color, blur=blur, strength=strength, within=within)

    def _shape_mask(self, points: Sequence[Point]) -> Image.Image:
        """A closed curve through the points."""
        mask = self._mask()
        ImageDraw.Draw(mask).polygon([(x * _SCALE, y * _SCALE) for x, y in _smooth(points, closed=True)], fill=255)
        return mask

    def _stroke(
        self,
        points: Sequence[Point],
        color: Color,
        *,
        width: float,
        blur: float = 0.0,
        strength: float = 1.0,
        within: Image.Image | None = None,
    ) -> None:
        """A curve through the points, thinner towards its ends."""
        mask = self._mask()
        outline = [(x * _SCALE, y * _SCALE) for x, y in _ribbon(_smooth(points, closed=False), width)]
        ImageDraw.Draw(mask).polygon(outline, fill=255)
        self._lay(mask, color, blur=blur, strength=strength, within=within)

    # ----------------------------------------------------------------------------------------------- from back to front

    def _wall(self) -> None:
        down = Image.linear_gradient("L").resize(self.image.size)
        self.image.paste(_WALL_BOTTOM, mask=down)
        self._oval((120, 40, 700, 560), (244, 228, 206), blur=110, strength=0.7)

    def _hair_behind(self) -> None:
        half = [
            (384, 66),
            (500, 92),
            (582, 190),
            (606, 330),
            (604, 440),
            (628, 540),
            (600, 624),
            (520, 640),
            (384, 648),
        ]
        hair = self._shape_mask(_mirrored(half))
        self._lay(hair, _HAIR, blur=1.0)
        self.hair_behind = hair
        for side in (1, -1):
            for strand in range(9):
                x = 196 + strand * 13
                tip = (x - 26 + strand * 2, 640 - strand * 3)
                path = [(x + 12, 330), (x - 8, 430), (x - 24 + strand * 3, 540), tip]
                color, strength = (_HAIR_LIT, 0.34) if strand % 2 else (_HAIR_DARK, 0.5)
                self._stroke(_flipped(path, side), color, width=9, blur=2.6, strength=strength, within=hair)

    def _shoulders(self) -> None:
        left = [(64, 800), (92, 690), (196, 634), (300, 606)]
        right = [(768 - x, y) for x, y in reversed(left)]
        body = [*left, *right, (704, 860), (64, 860)]
        clothes = self._shape_mask(body)
        self._lay(clothes, _SWEATER, blur=0.8)
        self._oval((110, 630, 380, 860), _SWEATER_LIT, blur=46, strength=0.55, within=clothes)
        self._shape(
            [(470, 620), (720, 690), (740, 860), (520, 860)], (22, 48, 62), blur=40, strength=0.6, within=clothes
        )

    def _neck(self) -> None:
        neck = self._shape_mask([(316, 470), (452, 470), (452, 590), (486, 634), (384, 690), (282, 634), (316, 590)])
        self._lay(neck, _SKIN, blur=0.8)
        self._oval((290, 480, 480, 606), _SKIN_DEEP, blur=22, strength=0.75, within=neck)
        self._stroke([(276, 626), (320, 676), (384, 694), (448, 676), (492, 626)], _SWEATER_LIT, width=16, blur=1.2)
        self._stroke([(274, 638), (320, 690), (384, 708), (448, 690), (494, 638)], (26, 54, 68), width=5, blur=2)

    def _ears(self) -> None:
        for left, right in ((196, 236), (532, 572)):
            self._oval((left, 330, right, 424), _SKIN, blur=1.0)
            self._oval((left + 9, 346, right - 9, 408), _SKIN_SHADE, blur=6, strength=0.7)

    def _head(self) -> None:
        half = [(384, 130), (476, 148), (540, 224), (552, 330), (540, 420), (502, 502), (438, 560), (384, 574)]
        face = self._shape_mask(_mirrored(half))
        self._lay(face, _SKIN, blur=0.8)
        self._shade_face(face)
        self.face = face

    def _shade_face(self, face: Image.Image) -> None:
        rim = ImageChops.invert(face).filter(ImageFilter.GaussianBlur(34 * _SCALE))
        self._lay(rim, _SKIN_SHADE, strength=0.95, within=face)
        self._shape(
            [(470, 160), (560, 260), (556, 420), (500, 520), (450, 566), (520, 400), (508, 260)],
            _SKIN_SHADE,
            blur=30,
            strength=0.5,
            within=face,
        )
        self._oval((280, 150, 480, 290), _SKIN_LIT, blur=34, strength=0.75, within=face)
        for left in (246, 426):
            self._oval((left, 392, left + 96, 462), _SKIN_LIT, blur=22, strength=0.55, within=face)
            self._oval((left + 6, 404, left + 90, 476), _BLUSH, blur=24, strength=0.42, within=face)
        self._oval((344, 508, 424, 556), _SKIN_LIT, blur=16, strength=0.6, within=face)
        self._oval((340, 492, 428, 516), _SKIN_SHADE, blur=9, strength=0.6, within=face)

    def _eyes(self) -> None:
        for center, outward in _EYES:
            self._oval((center - 62, 288, center + 62, 376), _SKIN_SHADE, blur=17, strength=0.85, within=self.face)
            self._oval((center - 50, 296, center + 50, 338), _SKIN_DEEP, blur=11, strength=0.5, within=self.face)
            self._eye(center, outward)

    def _eye(self, x: float, outward: int) -> None:
        y = 340.0
        opening = self._shape_mask(
            [
                (x - 42, y + 3),
                (x - 22, y - 15),
                (x + 4, y - 20),
                (x + 26, y - 13),
                (x + 42, y + 2),
                (x + 20, y + 15),
                (x - 18, y + 15),
            ]
        )
        self._lay(opening, _EYE_WHITE, blur=0.8)
        self._oval((x - 48, y - 34, x + 48, y - 6), _SKIN_DEEP, blur=7, strength=0.75, within=opening)
        self._oval((x - 21, y - 21, x + 21, y + 19), _IRIS_RIM, blur=0.8, within=opening)
        self._oval((x - 17, y - 17, x + 17, y + 15), _IRIS, blur=2.5, within=opening)
        self._oval((x - 12, y - 1, x + 12, y + 14), (140, 164, 130), blur=4, strength=0.7, within=opening)
        self._oval((x - 9.5, y - 11, x + 9.5, y + 8), _PUPIL, blur=0.6, within=opening)
        self._oval((x - 12, y - 13, x - 3, y - 4), (255, 255, 255), blur=0.7, within=opening)
        tip = x + outward * 50
        self._stroke(
            [
                (x - outward * 44, y + 3),
                (x - outward * 20, y - 16),
                (x + outward * 6, y - 21),
                (x + outward * 30, y - 13),
                (tip, y - 4),
            ],
            _LASH,
            width=8,
            blur=0.7,
        )
        self._stroke([(x - 40, y - 16), (x, y - 37), (x + 40, y - 18)], _SKIN_DEEP, width=4, blur=2, strength=0.75)
        self._stroke([(x - 36, y + 11), (x, y + 19), (x + 36, y + 10)], _SKIN_DEEP, width=3.2, blur=1.2, strength=0.7)

    def _brows(self) -> None:
        for center, outward in _EYES:
            inner, middle, outer = center - outward * 50, center + outward * 16, center + outward * 60
            self._stroke([(inner, 284), (middle, 269), (outer, 287)], _BROW, width=15, blur=2.4, strength=0.85)
            self._stroke([(inner, 287), (middle, 273), (outer, 288)], _BROW, width=8, blur=1.4, strength=0.9)

    def _nose(self) -> None:
        self._shape([(366, 296), (402, 296), (410, 400), (384, 424), (358, 400)], _SKIN_LIT, blur=9, strength=0.85)
        self._stroke([(352, 304), (360, 360), (346, 412)], _SKIN_SHADE, width=14, blur=7, strength=0.65)
        self._stroke([(418, 304), (410, 360), (424, 412)], _SKIN_SHADE, width=18, blur=7, strength=0.9)
        self._oval((358, 392, 410, 432), _SKIN_LIT, blur=8, strength=0.75)
        self._stroke([(340, 430), (362, 442), (384, 446), (406, 442), (428, 430)], _SKIN_SHADE, width=14, blur=5)
        for path in ([(346, 438), (356, 431), (372, 439)], [(396, 439), (412, 431), (422, 438)]):
            self._stroke(path, _SKIN_DEEP, width=9, blur=2.0)
        self._stroke([(338, 414), (332, 428), (344, 440)], _SKIN_SHADE, width=5, blur=2.5)
        self._stroke([(430, 414), (436, 428), (424, 440)], _SKIN_SHADE, width=6, blur=2.5)
        self._oval((376, 402, 392, 416), (255, 240, 226), blur=4, strength=0.8)
        self._stroke([(384, 448), (384, 464)], _SKIN_SHADE, width=12, blur=5, strength=0.55)

    def _mouth(self) -> None:
        upper = [
            (310, 472),
            (350, 466),
            (371, 461),
            (384, 466),
            (397, 461),
            (418, 466),
            (458, 472),
            (424, 484),
            (384, 488),
            (344, 484),
        ]
        lower = [(318, 476), (352, 486), (384, 489), (416, 486), (450, 476), (426, 506), (384, 517), (342, 506)]
        teeth = [(334, 478), (384, 484), (434, 478), (412, 494), (384, 498), (356, 494)]
        self._shape(lower, _LIP, blur=1.2)
        self._shape(upper, _LIP_UPPER, blur=1.2)
        self._shape(teeth, _EYE_WHITE, blur=0.9)
        self._stroke([(306, 468), (344, 480), (384, 484), (424, 480), (462, 468)], _LIP_DARK, width=4.5, blur=0.9)
        self._stroke([(334, 484), (384, 500), (434, 484)], _LIP_DARK, width=3, blur=0.9, strength=0.8)
        self._oval((354, 503, 414, 512), (236, 164, 154), blur=4, strength=0.8)
        for x, bend in ((304, -5), (464, 5)):
            self._stroke([(x, 460), (x + bend, 469), (x, 479)], _SKIN_DEEP, width=6, blur=2.6, strength=0.6)

    def _hair_in_front(self) -> None:
        fringe = [
            (400, 67),
            (504, 96),
            (583, 190),
            (607, 330),
            (606, 470),
            (584, 540),
            (562, 430),
            (556, 330),
            (530, 236),
            (474, 176),
            (424, 150),
            (356, 196),
            (280, 240),
            (230, 306),
            (204, 430),
            (184, 540),
            (162, 470),
            (161, 330),
            (185, 190),
            (268, 96),
        ]
        hair = self._shape_mask(fringe)
        self._lay(hair, _SKIN_DEEP, blur=9, strength=0.55, within=self.face)
        self._lay(hair, _HAIR, blur=0.9)
        whole = ImageChops.lighter(hair, self.hair_behind)
        for strand in range(13):
            along = strand / 12
            path = [
                (424, 84 + along * 66),
                (332 - along * 36, 92 + along * 112),
                (226 - along * 6, 178 + along * 108),
                (172 + along * 30, 320 + along * 60),
                (168 + along * 26, 450 + along * 20),
                (150 + along * 46, 596 - along * 30),
            ]
            self._strand(path, strand, within=whole)
            other = [
                (428, 84 + along * 66),
                (504 + along * 4, 104 + along * 92),
                (574 - along * 24, 200 + along * 70),
                (600 - along * 38, 330 + along * 40),
                (600 - along * 26, 450 + along * 20),
                (618 - along * 46, 596 - along * 30),
            ]
            self._strand(other, strand, within=whole)

    def _strand(self, path: Sequence[Point], number: int, *, within: Image.Image) -> None:
        color, strength = ((_HAIR_LIT, 0.5), (_HAIR_DARK, 0.55), (_HAIR_GLOSS, 0.28))[number % 3]
        self._stroke(path, color, width=7, blur=1.8, strength=strength, within=within)


def _flipped(path: Sequence[Point], side: int) -> list[Point]:
    """The path itself, or its mirror image for the other side of the face."""
    return [(x if side > 0 else SIZE_PX - x, y) for x, y in path]


def _at_most(size: tuple[int, int], right: int, bottom: int) -> tuple[int, int]:
    return min(right, size[0]), min(bottom, size[1])


def _mirrored(half: Sequence[Point]) -> list[Point]:
    """A symmetric outline from its right half, which begins and ends on the middle line."""
    return [*half, *[(SIZE_PX - x, y) for x, y in half[-2:0:-1]]]


def _ribbon(curve: Sequence[Point], width: float) -> list[Point]:
    """The outline of a brush stroke along a curve, thinner towards its ends."""
    one_side: list[Point] = []
    other_side: list[Point] = []
    last = len(curve) - 1
    for step, (x, y) in enumerate(curve):
        (ax, ay), (bx, by) = curve[max(step - 1, 0)], curve[min(step + 1, last)]
        along = step / last
        half = width / 2 * min(1.0, 0.2 + 4 * along * (1 - along)) / (math.hypot(bx - ax, by - ay) or 1.0)
        one_side.append((x + (ay - by) * half, y + (bx - ax) * half))
        other_side.append((x - (ay - by) * half, y - (bx - ax) * half))
    return [*one_side, *reversed(other_side)]


def _smooth(points: Sequence[Point], *, closed: bool, steps: int = 24) -> list[Point]:
    """A Catmull-Rom curve through the points."""
    count = len(points)
    ends = count if closed else count - 1
    curve: list[Point] = []
    for i in range(ends):
        around = [points[(i + k) % count] if closed else points[min(max(i + k, 0), count - 1)] for k in (-1, 0, 1, 2)]
        curve.extend(_between(around, step / steps) for step in range(steps))
    return curve if closed else [*curve, points[-1]]


def _between(around: Sequence[Point], t: float) -> Point:
    (ax, ay), (bx, by), (cx, cy), (dx, dy) = around
    return (_cubic(ax, bx, cx, dx, t), _cubic(ay, by, cy, dy, t))


def _cubic(a: float, b: float, c: float, d: float, t: float) -> float:
    """The Catmull-Rom polynomial between b and c."""
    return b + 0.5 * t * (c - a + t * (2 * a - 5 * b + 4 * c - d + t * (3 * (b - c) + d - a)))
