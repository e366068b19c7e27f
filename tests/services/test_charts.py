import asyncio
import io
from dataclasses import replace

import pytest
from PIL import Image

from services import charts
from services.charts import Artist, Chart, ChartError, draw


def chart(days: int = 7, *, images: int = 3, wait_s: float | None = 20.0, failures: int = 2) -> Chart:
    return Chart(
        title="The last days",
        days=[f"11-{day:02}" for day in range(days)],
        images_title="Pictures",
        images=[images] * days,
        waits_title="Waits",
        median_label="half",
        median_s=[wait_s] * days,
        late_label="95 %",
        late_s=[wait_s and 3 * wait_s] * days,
        failures_title="Failures",
        failures=[("It was \N{CYRILLIC SMALL LETTER A} long story", number + 1) for number in range(failures)],
        nothing="None in these days",
    )


EMPTY = chart(images=0, wait_s=None, failures=0)


def colours(png: bytes) -> dict[tuple[int, ...], int]:
    """How many pixels there are of each colour."""
    with Image.open(io.BytesIO(png), formats=["PNG"]) as image:
        found = image.convert("RGB").getcolors(2**24)
    assert found
    return {colour: pixels for pixels, colour in found if isinstance(colour, tuple)}


def rgb(colour: str) -> tuple[int, ...]:
    return tuple(bytes.fromhex(colour.removeprefix("#")))


IMAGES, MEDIAN, LATE, FAILURES = (rgb(colour) for colour in ("#56b4e9", "#f0e442", "#e69f00", "#cc79a7"))


@pytest.mark.parametrize(
    ("drawn", "seen"),
    [
        (EMPTY, set[tuple[int, ...]]()),
        (chart(), {IMAGES, MEDIAN, LATE, FAILURES}),
        (replace(EMPTY, images=[0, 0, 0, 0, 0, 0, 1]), {IMAGES}),
        (replace(EMPTY, median_s=[None] * 6 + [9.0], late_s=[None] * 6 + [9.0]), {MEDIAN, LATE}),
        (chart(failures=7, images=0, wait_s=None), {FAILURES}),
        (chart(90, images=1_000_000, wait_s=86_400.0, failures=7), {IMAGES, MEDIAN, LATE, FAILURES}),
    ],
)
def test_what_there_is_to_see_is_drawn_and_nothing_else(drawn: Chart, seen: set[tuple[int, ...]]) -> None:
    found = colours(draw(drawn))

    assert {colour for colour in (IMAGES, MEDIAN, LATE, FAILURES) if found.get(colour, 0) > 20} >= seen - {MEDIAN}
    assert {colour for colour in (IMAGES, MEDIAN, LATE, FAILURES) if colour in found} == seen


def test_more_images_make_taller_bars() -> None:
    low, high = (replace(EMPTY, images=[number, 0, 0, 0, 0, 0, 10]) for number in (1, 9))

    assert colours(draw(high))[IMAGES] > 1.5 * colours(draw(low))[IMAGES]


def test_the_ground_is_the_charts_own_so_that_it_is_readable_on_any() -> None:
    with Image.open(io.BytesIO(draw(EMPTY))) as image:
        assert image.convert("RGBA").getpixel((2, 2)) == (*rgb("#1e1f22"), 255)


async def test_a_process_of_its_own_draws_the_same() -> None:
    assert await Artist().draw(chart()) == draw(chart())


async def test_a_chart_that_cannot_be_drawn_is_an_error_with_its_reason() -> None:
    with pytest.raises(ChartError, match="ValueError"):
        await Artist().draw(replace(chart(), images=[1, 2]))


async def test_a_process_that_takes_too_long_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(charts, "DRAWING_S_MAX", 0.0)
    artist = Artist()

    with pytest.raises(TimeoutError):
        await artist.draw(chart())

    monkeypatch.undo()
    async with asyncio.timeout(30):
        assert await artist.draw(EMPTY)
