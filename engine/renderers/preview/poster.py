"""Composes a preview picture: a landscape on paper, the faces in it, and below it the prompt and what this is."""

import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from PIL import Image, ImageChops, ImageDraw, ImageFont, ImageOps

from engine.renderers import ReferenceImage, RenderJob
from engine.renderers.preview.lettering import TextBlock, draw_block, drawable, fit_text
from engine.renderers.preview.palette import Palette, choose_palette, tint
from engine.renderers.preview.portrait import Face, medallion_radius, place_faces
from engine.renderers.preview.scenery import Point, Sun, paint_scenery
from engine.request import Role

NOTICE = "PREVIEW, no AI model was run"
SHORT_NOTICE = "PREVIEW"

# Shares of the picture's shorter side.
MARGIN = 0.042
PROMPT_SIZES = (0.046, 0.040, 0.035, 0.031)
NOTICE_SIZE = 0.031
SUN_RADIUS = 0.17

MAX_PROMPT_LINES = 4
MIN_LETTER_PX = 9.0
MIN_SIDE_FOR_PROMPT_PX = 160


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Where things go, in pixels: the picture's window, the prompt under it, the notice at the foot."""

    window: tuple[int, int, int, int]
    prompt: TextBlock
    prompt_top: int
    notice_size: float
    notice_middle: float
    margin: int

    @property
    def window_size(self) -> tuple[int, int]:
        """Width and height of the window."""
        left, top, right, bottom = self.window
        return right - left, bottom - top


def paint_poster(job: RenderJob, *, seed: int, chance: Random) -> Image.Image:
    """Paint the whole picture in the size that was asked for, as RGB."""
    wanted = job.parameters
    words = re.findall(r"\w+", wanted.prompt.lower())
    layout = lay_out(wanted.prompt, wanted.width, wanted.height)
    styles = [reference for reference in job.references if reference.role is Role.STYLE and reference.scale > 0]
    faces = [
        Face(image=reference.image, scale=reference.scale)
        for reference in job.references
        if reference.role is Role.FACE and reference.scale > 0
    ]
    variant = seed + zlib.crc32(wanted.prompt.encode())
    palette = choose_palette(words, variant, chance=chance)
    for style in styles:
        palette = tint(palette, style.image, style.scale)
    centre, sun = _focus(layout.window_size, faces, chance)
    scene = paint_scenery(layout.window_size, palette, sun, words=words, chance=chance)
    for style in styles:
        scene = _textured(scene, style)
    if faces:
        place_faces(scene, faces, centre, palette=palette)
    poster = Image.new("RGB", (wanted.width, wanted.height), palette.paper.rgb())
    poster.paste(scene, layout.window[:2], rounded_mask(layout.window_size, layout.margin * 0.35))
    _write(poster, layout, palette, f"seed {seed}")
    return poster


def lay_out(prompt: str, width: int, height: int) -> Layout:
    """Share out the paper; what the words need is taken from the picture's window."""
    short = min(width, height)
    margin = max(3, round(short * MARGIN))
    notice_size = max(MIN_LETTER_PX, short * NOTICE_SIZE)
    foot = margin + round(notice_size * 1.6)
    block = TextBlock(lines=(), size=MIN_LETTER_PX)
    if short >= MIN_SIDE_FOR_PROMPT_PX:
        sizes = tuple(max(MIN_LETTER_PX, short * share) for share in PROMPT_SIZES)
        block = fit_text(drawable(prompt), width=width - 2 * margin, sizes=sizes, max_lines=MAX_PROMPT_LINES)
    gap = round(margin * 0.7) if block.lines else round(margin * 0.2)
    prompt_top = height - foot - block.height
    return Layout(
        window=(margin, margin, width - margin, prompt_top - gap),
        prompt=block,
        prompt_top=prompt_top,
        notice_size=notice_size,
        notice_middle=height - margin - notice_size * 0.4,
        margin=margin,
    )


def _focus(size: tuple[int, int], faces: Sequence[Face], chance: Random) -> tuple[Point, Sun]:
    """Choose where the eye should go: the sun stands there, and the faces hang before it."""
    width, height = size
    short = min(size)
    across = chance.choice((0.36, 0.5, 0.64)) if len(faces) < 2 else 0.5
    reach = medallion_radius(faces, short) * 1.12 if faces else 0.0
    radius = max(short * SUN_RADIUS, reach)
    x = min(max(width * across, radius * 1.25), width - radius * 1.25)
    centre = (x, height * (0.46 if faces else 0.40))
    return centre, Sun(centre=centre, radius=radius)


def _textured(scene: Image.Image, style: ReferenceImage) -> Image.Image:
    """Let a style image show through, softly, like a pattern in the paper."""
    fitted = ImageOps.fit(style.image, scene.size, Image.Resampling.BILINEAR)
    return Image.blend(scene, ImageChops.soft_light(scene, fitted), 0.75 * style.scale)


def rounded_mask(size: tuple[int, int], radius: float) -> Image.Image:
    """Draw a mask with softly rounded corners."""
    width, height = size
    large = Image.new("L", (width * 2, height * 2), 0)
    ImageDraw.Draw(large).rounded_rectangle((0, 0, width * 2 - 1, height * 2 - 1), radius * 2, fill=255)
    return large.reduce(2)


def _write(poster: Image.Image, layout: Layout, palette: Palette, detail: str) -> None:
    draw = ImageDraw.Draw(poster)
    draw_block(draw, layout.prompt, (layout.margin, layout.prompt_top), colour=palette.ink.rgb())
    font = ImageFont.load_default(layout.notice_size)
    room = poster.width - 2 * layout.margin
    notice = NOTICE if font.getlength(NOTICE) <= room else SHORT_NOTICE
    draw.text((layout.margin, layout.notice_middle), notice, font=font, fill=palette.accent.rgb(), anchor="lm")
    if font.getlength(notice) + font.getlength("    " + detail) <= room:
        right = (poster.width - layout.margin, layout.notice_middle)
        draw.text(right, detail, font=font, fill=palette.ink.blended(palette.paper, 0.4).rgb(), anchor="rm")
