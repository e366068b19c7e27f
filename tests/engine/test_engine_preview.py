import asyncio
import io
import json
from dataclasses import replace
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageChops, ImageDraw, ImageFont, ImageStat

from engine.parameters import parse
from engine.renderers import ReferenceImage, RenderJob
from engine.renderers.preview import PreviewRenderer, render_sample
from engine.renderers.preview.lettering import UNDRAWABLE, drawable, fit_text, wrap
from engine.renderers.preview.palette import RGB, Palette, Tone, tone_of
from engine.renderers.preview.portrait import Face, place_faces
from engine.renderers.preview.poster import NOTICE, lay_out
from engine.request import Family, Role
from tests.engine.pictures import astronaut

ASTRONAUT = astronaut()
FACE_PHOTO = ASTRONAUT.crop((130, 0, 330, 200))


def job(*references: ReferenceImage, **fields: Any) -> RenderJob:
    body = {"prompt": "portrait in a meadow, soft light", "seed": 7, **fields}
    return RenderJob(id="job", parameters=parse(body, Family.SD).parameters, references=references)


def face(scale: float = 0.6, image: Image.Image = FACE_PHOTO) -> ReferenceImage:
    return ReferenceImage(role=Role.FACE, adapter="ip-adapter-plus-face_sd15", scale=scale, image=image)


def style(scale: float = 0.6, image: Image.Image = ASTRONAUT) -> ReferenceImage:
    return ReferenceImage(role=Role.STYLE, adapter="ip-adapter-plus_sd15", scale=scale, image=image)


def picture(wanted: RenderJob) -> Image.Image:
    return Image.open(io.BytesIO(render_sample(wanted, wanted.parameters.seed)))


def difference(one: RenderJob, other: RenderJob) -> float:
    """How far two pictures are apart: the mean over all pixels and channels, of 255."""
    apart = ImageChops.difference(picture(one).convert("RGB"), picture(other).convert("RGB"))
    return sum(ImageStat.Stat(apart).mean) / 3


def test_the_same_job_gives_the_same_bytes() -> None:
    wanted = job(face(), style())
    first = render_sample(wanted, 7)
    render_sample(job(prompt="something between"), 8)

    assert render_sample(wanted, 7) == first


@pytest.mark.parametrize("prompt", ["a portrait", "at the sea by night", "desert, sunset"])
def test_another_seed_is_clearly_another_picture(prompt: str) -> None:
    pictures = [job(face(), prompt=prompt, seed=seed, width=256, height=256) for seed in range(4)]

    assert min(difference(one, other) for one in pictures for other in pictures if one is not other) > 5


def test_another_prompt_is_another_picture() -> None:
    assert difference(job(face()), job(face(), prompt="portrait at night")) > 5


def test_a_higher_scale_shows_more_of_the_face() -> None:
    without, faint, half, full = job(), job(face(0.1)), job(face(0.5)), job(face(1.0))

    assert 0.5 < difference(without, faint) < difference(without, half) < difference(without, full)


def test_a_face_that_weighs_more_keeps_more_of_its_own_colours() -> None:
    grey = Tone(0.5, 0.0, 0.0)
    palette = Palette(sky_top=grey, sky_low=grey, sun=grey, far=grey, near=grey)
    green = Image.new("RGB", (64, 64), (0, 200, 0))

    def shown(scale: float) -> Image.Image:
        canvas = Image.new("RGB", (200, 200))
        place_faces(canvas, [Face(image=green, scale=scale)], (100, 100), palette=palette)
        return canvas.crop((90, 90, 110, 110))

    greens = [tone_of(cast("RGB", shown(scale).getpixel((10, 10)))).chroma for scale in (0.1, 0.5, 1.0)]

    assert greens == sorted(greens)
    assert shown(1.0).getpixel((10, 10)) == (0, 200, 0)


def test_a_scale_of_zero_is_as_good_as_no_image() -> None:
    assert difference(job(), job(face(0), style(0))) == 0


def test_a_style_image_changes_the_colours_by_its_scale() -> None:
    assert 1 < difference(job(), job(style(0.2))) < difference(job(), job(style(1.0)))


def test_every_face_has_its_place() -> None:
    other = Image.new("RGB", (64, 64), "purple")

    assert difference(job(face()), job(face(), face(0.6, other))) > 2


@pytest.mark.parametrize(
    ("width", "height"), [(512, 512), (512, 768), (1024, 576), (1536, 64), (64, 1536), (64, 64), (1536, 1536)]
)
def test_every_allowed_size_is_honoured(width: int, height: int) -> None:
    drawn = picture(job(face(), style(), width=width, height=height))

    assert (drawn.format, drawn.mode, drawn.size) == ("PNG", "RGB", (width, height))


@pytest.mark.parametrize("size", [(1, 1), (2048, 3), (3, 2048)])
def test_a_reference_of_any_shape_is_used(size: tuple[int, int]) -> None:
    image = Image.new("RGB", size, "teal")

    assert picture(job(face(0.6, image), style(0.6, image))).size == (512, 512)


async def test_each_sample_is_the_picture_of_its_own_seed() -> None:
    renderer = PreviewRenderer()

    four = await renderer.render(job(face(), samples=4, seed=40))
    alone = await renderer.render(job(face(), seed=42))

    assert len(set(four)) == 4
    assert four[2] == alone[0]


def test_the_file_says_what_it_is_and_how_it_was_made() -> None:
    text = picture(job(face(0.4), prompt="ein Gruß", seed=9)).info
    parameters = json.loads(text["parameters"])

    assert (text["renderer"], text["comment"], text["seed"]) == ("preview", NOTICE, "9")
    assert (parameters["prompt"], parameters["seed"], parameters["width"]) == ("ein Gruß", 9, 512)
    assert (parameters["ip_adapter"], parameters["ip_adapter_scale"]) == (["ip-adapter-plus-face_sd15"], [0.4])


@pytest.mark.parametrize("size", [(256, 256), (512, 512), (1024, 576)])
def test_the_picture_says_in_words_that_it_is_a_preview(size: tuple[int, int]) -> None:
    width, height = size
    wanted = job(face(), width=width, height=height)
    layout = lay_out(wanted.parameters.prompt, width, height)
    words = Image.new("L", size)
    font = ImageFont.load_default(layout.notice_size)
    ImageDraw.Draw(words).text((layout.margin, layout.notice_middle), NOTICE, font=font, fill=255, anchor="lm")

    grey = picture(wanted).convert("L")
    ink, paper = (ImageStat.Stat(grey, mask).mean[0] for mask in (words.point([0] * 200 + [255] * 56), None))

    assert ink < 160
    assert paper > ink + 20
    assert ImageStat.Stat(grey.crop((0, height - layout.margin // 2, width, height))).mean[0] > 230


async def test_a_preview_lasts_as_long_as_it_is_told_to() -> None:
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    await PreviewRenderer(seconds=1.5, sleep=sleep).render(job())

    assert slept == [1.5]


async def test_the_event_loop_stays_free_while_a_picture_is_made() -> None:
    turns = 0
    rendering = asyncio.ensure_future(PreviewRenderer().render(job(face(), width=1024, height=1024)))
    while not rendering.done():
        await asyncio.sleep(0)
        turns += 1

    assert turns > 10


@pytest.mark.parametrize(
    ("prompt", "shown"),
    [
        ("a lake,\n\tat night", "a lake, at night"),
        ("Ein Äffchen \N{EN DASH} “süß”", "Ein Affchen - “suss”"),
        ("Crème brûlée à Łódź", "Creme brulee a Lodz"),
        ("a cat 🐈 in 東京", "a cat in"),
        ("портрет в лесу", UNDRAWABLE),
        ("森の中の肖像", UNDRAWABLE),
        ("🎨🎨🎨", UNDRAWABLE),
    ],
)
def test_a_prompt_is_shown_as_far_as_the_font_goes(prompt: str, shown: str) -> None:
    assert drawable(prompt) == shown


@given(st.text(min_size=1, max_size=300), st.integers(8, 1536).map(lambda side: side // 8 * 8))
@settings(max_examples=60, deadline=None)
def test_any_prompt_is_drawn_without_a_fault(prompt: str, side: int) -> None:
    wanted = job(width=max(64, side), height=256)
    odd = replace(wanted, parameters=replace(wanted.parameters, prompt=prompt))

    assert picture(odd).size == (max(64, side), 256)


@given(st.text("abc WM.", min_size=1, max_size=400), st.integers(60, 600), st.integers(1, 5))
@settings(max_examples=100, deadline=None)
def test_words_stay_within_their_box(text: str, width: int, max_lines: int) -> None:
    block = fit_text(text, width=width, sizes=(24.0, 16.0), max_lines=max_lines)
    font = ImageFont.load_default(block.size)

    assert len(block.lines) <= max_lines
    assert all(font.getlength(line) <= width for line in block.lines)


@given(st.text("abc WM", min_size=1, max_size=200), st.integers(40, 300))
def test_wrapping_loses_no_letter(text: str, width: int) -> None:
    lines = wrap(text, ImageFont.load_default(16), width=width)

    assert "".join(lines).replace(" ", "") == text.replace(" ", "")


def test_a_very_long_prompt_is_cut_with_an_ellipsis() -> None:
    layout = lay_out("many words " * 900, 512, 512)

    assert len(layout.prompt.lines) == 4
    assert layout.prompt.lines[-1].endswith("…")


def test_references_are_left_as_they_were() -> None:
    before = FACE_PHOTO.tobytes()

    picture(job(face(), style(1.0, FACE_PHOTO)))

    assert FACE_PHOTO.tobytes() == before


@given(st.tuples(st.integers(0, 255), st.integers(0, 255), st.integers(0, 255)))
def test_a_screen_colour_survives_the_way_through_a_tone(colour: RGB) -> None:
    assert tone_of(colour).rgb() == colour
