"""What a server has chosen for requests that leave it open."""

from dataclasses import replace

import pytest

from services.catalog import Catalog
from services.defaults import capped, choose
from services.errors import InvalidWish, NotAllowed
from services.parameters import FAMILY_TABLES, Family
from services.servers import UNTOUCHED
from services.wishes import Asked, ExtraAdapter, Preset
from tests.wishes import SD, SDXL

HANDS = ExtraAdapter(name="hands", label="Fix hands", family=Family.SD, scale=1)
INK = Preset(name="Ink", description="With a pen", prompt="ink of {prompt}", model="sd", steps=40, extra="hands")
CLAY = Preset(name="Clay", description="With the hands", prompt="clay of {prompt}")
CATALOG = Catalog(models=(SDXL, SD), extras=(HANDS,), presets=(INK, CLAY))
TABLE = FAMILY_TABLES[Family.SDXL]


def test_a_server_that_has_chosen_nothing_changes_nothing() -> None:
    choice = choose(CATALOG, UNTOUCHED)

    assert (choice.model, choice.preset, choice.extra) == (SDXL, None, None)


def test_what_a_member_names_comes_first_then_what_their_preset_brings_then_the_servers_choice() -> None:
    settings = replace(UNTOUCHED, model="sdxl", preset="clay")

    assert choose(CATALOG, settings).preset == CLAY
    assert choose(CATALOG, settings, preset="ink").model == SD
    assert choose(CATALOG, settings, preset="ink").extra == HANDS
    assert choose(CATALOG, settings, model="sd").model == SD
    assert choose(CATALOG, settings).model == SDXL


def test_a_default_styles_adapter_gives_way_to_the_model_that_was_named_but_not_that_of_a_named_style() -> None:
    settings = replace(UNTOUCHED, preset="ink")

    assert choose(CATALOG, settings).extra == HANDS
    assert choose(CATALOG, settings, model="sdxl").extra is None
    assert choose(CATALOG, settings, model="sdxl", preset="ink").extra == HANDS


def test_what_is_not_offered_any_more_is_said_of_the_server_and_not_of_the_member() -> None:
    settings = replace(UNTOUCHED, model="storybook", preset="clay")

    with pytest.raises(NotAllowed, match="The model that this server has chosen is not offered any more"):
        choose(CATALOG, settings)
    assert choose(CATALOG, settings, model="sd").model == SD
    with pytest.raises(NotAllowed, match="The style that this server has chosen is not offered any more"):
        choose(CATALOG, replace(settings, preset="bronze"), model="sd")
    with pytest.raises(InvalidWish):
        choose(CATALOG, settings, model="bronze")


@pytest.mark.parametrize(
    ("asked", "steps", "size"),
    [
        (Asked(prompt="x"), 20, "768x768"),
        (Asked(prompt="x", size="Wide"), 20, "768x432"),
        (Asked(prompt="x", size="portrait", steps=10), 10, "576x768"),
        (Asked(prompt="x", size="1024x512", steps=50), 50, "1024x512"),
        (Asked(prompt="x", size="512x512", steps=40), 20, "512x512"),
    ],
)
def test_what_was_left_open_or_comes_from_a_preset_is_within_the_caps_and_what_was_named_stays(
    asked: Asked, steps: int, size: str
) -> None:
    settings = replace(UNTOUCHED, steps_max=20, side_px_max=768)

    made = capped(asked, settings, TABLE, preset=INK)

    assert (made.steps, made.size) == (steps, size)
    assert capped(asked, UNTOUCHED, TABLE, preset=INK) == asked


def test_caps_above_the_defaults_leave_them_open() -> None:
    settings = replace(UNTOUCHED, steps_max=30, side_px_max=1024)

    assert capped(Asked(prompt="x"), settings, TABLE, preset=None) == Asked(prompt="x")
