from cogs.styles import CHARACTERS_MAX, listed
from services.catalog import read_catalog
from services.request import Preset
from tests.wishes import SDXL


def preset(number: int) -> Preset:
    return Preset(name=f"Style *{number}*", description="x" * 100, prompt="{prompt}")


def test_those_that_come_with_the_bot_fit_into_one_message() -> None:
    presets = read_catalog(None, (SDXL,)).presets

    text = listed(presets)

    assert len(text) <= CHARACTERS_MAX
    assert all(f"**{each.name}**: {each.description}" in text for each in presets)


def test_of_too_many_the_last_are_counted() -> None:
    text = listed([preset(number) for number in range(300)])

    assert len(text) <= CHARACTERS_MAX
    shown = text.count("\n- ")
    assert text.endswith(f"And {300 - shown} more: begin to type in `preset`.")
    assert "Style \\*0\\*" in text


def test_none_is_a_sentence() -> None:
    assert "no styles" in listed([])
