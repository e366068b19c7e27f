import pytest

from cogs.imagine import CHOICE_CHARACTERS_MAX
from cogs.styles import CHARACTERS_MAX, listed
from services.catalog import read_catalog
from services.request import Preset
from services.words import speaking
from tests.languages import LANGUAGES
from tests.wishes import SDXL


def preset(number: int) -> Preset:
    return Preset(name=f"Style *{number}*", description="x" * 100, prompt="{prompt}")


@pytest.mark.parametrize("language", LANGUAGES)
def test_those_that_come_with_the_bot_fit_into_one_message(language: str) -> None:
    presets = read_catalog(None, (SDXL,)).presets

    with speaking(language):
        text = listed(presets)

        assert len(text) <= CHARACTERS_MAX
        assert all(f"**{each.name}**: {each.told}" in text for each in presets)
        assert all(len(f"{each.name}: {each.told}") <= CHOICE_CHARACTERS_MAX for each in presets)


def test_of_too_many_the_last_are_counted() -> None:
    text = listed([preset(number) for number in range(300)])

    assert len(text) <= CHARACTERS_MAX
    shown = text.count("\n- ")
    assert text.endswith(f"And {300 - shown} more: begin to type in `preset`.")
    assert "Style \\*0\\*" in text


def test_none_is_a_sentence() -> None:
    assert "no styles" in listed([])
