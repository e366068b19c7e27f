import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.catalog import LABEL_CHARACTERS_MAX, SUGGESTIONS_MAX, Catalog, base_models, read_catalog
from services.errors import ConfigError, InvalidWish
from services.request import (
    SCALE_DEFAULT,
    Api,
    Asked,
    ExtraAdapter,
    Family,
    ModelChoice,
    Preset,
    Wish,
    adapters_wish,
    identity_wish,
    styled,
)
from services.tokens import unread
from tests.wishes import CHECKPOINT, SD, SDXL, face, with_adapters, with_identity

OTHER = CHECKPOINT.replace("0123", "4567")
BASE = (SDXL, SD)
FILE = f"""
[[models]]
id = "{CHECKPOINT}"
label = "Dreamlike"
family = "sdxl"

[[adapters]]
name = "ip-adapter-composition_sd15"
label = "Composition"
family = "sd"
scale = 1

[[adapters]]
name = "ip-adapter-light_sd15"
label = " Light "
family = "sd"
"""
DREAMLIKE = ModelChoice(key=CHECKPOINT, label="Dreamlike", family=Family.SDXL, model_id=CHECKPOINT)
COMPOSITION = ExtraAdapter(name="ip-adapter-composition_sd15", label="Composition", family=Family.SD, scale=1.0)
LIGHT = ExtraAdapter(name="ip-adapter-light_sd15", label="Light", family=Family.SD, scale=SCALE_DEFAULT)
STYLE = ExtraAdapter(name="own-style_sdxl", label="Own style", family=Family.SDXL, scale=0.5)
CATALOG = Catalog(models=(*BASE, DREAMLIKE), extras=(COMPOSITION, LIGHT, STYLE))


def read(folder: Path, text: str | bytes) -> Catalog:
    path = folder / "catalog.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_catalog(path, BASE)


def model(**entry: str) -> str:
    entry = {"id": CHECKPOINT, "label": "Dreamlike", "family": "sdxl"} | entry
    return "\n".join(["[[models]]", *(f'{name} = "{value}"' for name, value in entry.items()), ""])


def adapter(**entry: object) -> str:
    entry = {"name": '"own"', "label": '"Own"', "family": '"sd"'} | entry
    return "\n".join(["[[adapters]]", *(f"{name} = {value}" for name, value in entry.items()), ""])


# --------------------------------------------------------------------------------------------------- reading


def test_the_file_may_leave_out_a_base_model(tmp_path: Path) -> None:
    assert [model.key for model in read(tmp_path, 'base_models = ["sdxl"]').models] == ["sdxl"]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ('base_models = ["sd"]', "leaves out sdxl, which is the DEFAULT_MODEL"),
        ("base_models = []", "leaves out sdxl"),
        ('base_models = ["flux"]', "should be a list with some of sdxl, sd"),
        ('base_models = "sdxl"', "should be a list"),
        ("base_models = [1]", "should be a list"),
    ],
)
def test_a_wrong_list_of_base_models_is_named(tmp_path: Path, line: str, problem: str) -> None:
    with pytest.raises(ConfigError, match=problem):
        read(tmp_path, line)


def test_without_a_file_there_are_the_two_base_models_the_default_first() -> None:
    model_ids = {Family.SD: "sd1.5", Family.SDXL: CHECKPOINT}

    catalog = read_catalog(None, base_models(model_ids, default=Family.SD))

    assert [(each.key, each.model_id) for each in catalog.models] == [("sd", "sd1.5"), ("sdxl", CHECKPOINT)]
    assert catalog.model(None).family is Family.SD
    assert catalog.extras == ()


def test_a_file_adds_models_and_adapters(tmp_path: Path) -> None:
    catalog = read(tmp_path, FILE)

    assert (catalog.models, catalog.extras) == ((*BASE, DREAMLIKE), (COMPOSITION, LIGHT))


def test_an_empty_file_adds_nothing(tmp_path: Path) -> None:
    assert read(tmp_path, "") == read_catalog(None, BASE)


@pytest.mark.parametrize("text", ["[[models]", b"\xff\xfe", "x = "])
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, text: str | bytes) -> None:
    with pytest.raises(ConfigError, match=r"CATALOG_FILE: .*catalog\.toml cannot be read: "):
        read(tmp_path, text)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    for path in (tmp_path / "none.toml", tmp_path):
        with pytest.raises(ConfigError, match=r"CATALOG_FILE: .* cannot be read: "):
            read_catalog(path, BASE)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('models = "x"', "models should be tables that begin with [[models]]"),
        ("adapters = [1]", "adapters should be tables that begin with [[adapters]]"),
        ("[[loras]]", "the file: 'loras' is not known here; there are adapters, base_models, models, presets, weights"),
        (model(weight="1"), "model 1: 'weight' is not known here; there are family, id, label"),
        (model(family="flux"), "model 1: family should be sd or sdxl, not 'flux'"),
        (adapter(family='["sd"]'), "adapter 1: family should be sd or sdxl, not ['sd']"),
        (model(label=" "), "model 1: label should be a text of 1 to 100 characters"),
        (model(label="x" * 101), "model 1: label should be a text of 1 to 100 characters"),
        (model(id="dreamlike"), "model 1: id should be sdxl or the UUID of a checkpoint, not 'dreamlike'"),
        (model(id="sd1.5"), "model 1: id should be sdxl or the UUID of a checkpoint, not 'sd1.5'"),
        (model() + model(label="Other"), f"models: '{CHECKPOINT}' is there twice"),
        (model() + model(id=CHECKPOINT.upper(), label="Other"), f"models: '{CHECKPOINT}' is there twice"),
        (model() + model(id=OTHER, label="DREAMLIKE"), "models: 'dreamlike' is there twice"),
        (model(label="sd"), "models: 'sd' is there twice"),
        (model(id="sdxl"), "models: 'sdxl' is there twice"),
        (model(label="stable diffusion xl"), "models: 'stable diffusion xl' is there twice"),
        (adapter(scale='"1"'), "adapter 1: scale should be a number from 0 to 1, not '1'"),
        (adapter(scale="true"), "adapter 1: scale should be a number from 0 to 1, not True"),
        (adapter(scale="1.01"), "adapter 1: scale should be a number from 0 to 1, not 1.01"),
        (adapter(scale="nan"), "adapter 1: scale should be a number from 0 to 1, not nan"),
        (adapter(name="7"), "adapter 1: name should be a text of 1 to 100 characters"),
        (adapter(id='"x"'), "adapter 1: 'id' is not known here; there are family, label, name, scale"),
        (adapter() + adapter(label='"Other"'), "adapters: 'own' is there twice"),
        (adapter() + adapter(name='"other"', label='"OWN"'), "adapters: 'own' is there twice"),
        ("[[weights]]", "weight 1: weight is missing, what each of these pictures counts as"),
        ("[[weights]]\nweight = 1", "weight 1: weight should be a whole number from 2 to 100, not 1"),
        ("[[weights]]\nweight = 2.5", "weight 1: weight should be a whole number from 2 to 100, not 2.5"),
        (
            "[[weights]]\nweight = 2\npixels_over = -1",
            "weight 1: pixels_over should be a whole number from 1 to 2359296, not -1",
        ),
        (
            "[[weights]]\nweight = 2\nsteps = 9",
            "weight 1: 'steps' is not known here; there are model, pixels_over, steps_over, weight",
        ),
        ('[[weights]]\nweight = 2\nmodel = "flux"', "weight 1: model 'flux' is not in this catalogue"),
        ("[[weights]]\nweight = 2\nmodel = 7", "weight 1: model 7 is not in this catalogue"),
    ],
)
def test_what_is_wrong_is_told_with_where_it_is(tmp_path: Path, text: str, problem: str) -> None:
    with pytest.raises(ConfigError) as error:
        read(tmp_path, text)

    assert error.value.problems == [f"CATALOG_FILE: {tmp_path / 'catalog.toml'}: {problem}"]


def test_everything_that_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as error:
        read(tmp_path, model(family="flux", label="") + adapter(scale="2") + "[other]")

    assert len(error.value.problems) == 4


# ------------------------------------------------------------------------------------------ what members say


@pytest.mark.parametrize(
    ("said", "found"),
    [
        (None, SDXL),
        ("sd", SD),
        (" SDXL ", SDXL),
        ("stable diffusion 1.5", SD),
        ("dreamLIKE", DREAMLIKE),
        (CHECKPOINT.upper(), DREAMLIKE),
    ],
)
def test_a_model_is_found_by_its_key_or_label_in_any_case(said: str | None, found: ModelChoice) -> None:
    assert CATALOG.model(said) == found


@pytest.mark.parametrize("said", ["", "flux", "x" * 500])
def test_another_model_is_refused_with_those_that_there_are(said: str) -> None:
    with pytest.raises(InvalidWish, match=r"`model` .* one of Stable Diffusion XL, Stable Diffusion 1\.5, Dreamlike"):
        CATALOG.model(said)


def test_an_extra_adapter_is_found_by_its_name_or_label_in_any_case() -> None:
    assert CATALOG.extra_adapter(None) is None
    assert CATALOG.extra_adapter(" composition ") == COMPOSITION
    assert CATALOG.extra_adapter("OWN-style_sdxl") == STYLE
    with pytest.raises(InvalidWish, match="`extra` cannot be `x`: it takes one of Composition, Light, Own style"):
        CATALOG.extra_adapter("x")
    with pytest.raises(InvalidWish, match="it takes nothing on this bot"):
        Catalog(models=BASE).extra_adapter("x")


def test_what_was_typed_so_far_is_looked_for_anywhere_in_names_and_labels() -> None:
    assert CATALOG.suggested_models("") == [SDXL, SD, DREAMLIKE]
    assert CATALOG.suggested_models(" DIFFUSION ") == [SDXL, SD]
    assert CATALOG.suggested_models(CHECKPOINT[:6]) == [DREAMLIKE]
    assert CATALOG.suggested_extras("own", family=None) == [STYLE]
    assert CATALOG.suggested_extras("_SD", family=None) == [COMPOSITION, LIGHT, STYLE]
    assert CATALOG.suggested_extras("", family=Family.SD) == [COMPOSITION, LIGHT]


@given(st.text(max_size=200), st.sampled_from([None, *Family]))
def test_suggestions_are_what_discord_takes_whatever_was_typed(typed: str, family: Family | None) -> None:
    many = Catalog(
        models=tuple(ModelChoice(key=f"{n}", label=f"m{n}", family=Family.SD, model_id="sd1.5") for n in range(60)),
        extras=tuple(ExtraAdapter(name=f"{n}", label=f"e{n}", family=Family.SDXL, scale=1) for n in range(60)),
    )

    models, extras = many.suggested_models(typed), many.suggested_extras(typed, family=family)

    assert len(models) <= SUGGESTIONS_MAX
    assert len(extras) <= SUGGESTIONS_MAX
    assert len(many.suggested_models("")) == SUGGESTIONS_MAX
    assert LABEL_CHARACTERS_MAX == 100


# --------------------------------------------------------------------------------------------------- presets

PRESET = {"name": '"Bedtime"', "description": '"Soft"', "prompt": '"a picture book of {prompt}"'}


def preset(**entry: str) -> str:
    return "\n".join(["[[presets]]", *(f"{name} = {value}" for name, value in (PRESET | entry).items()), ""])


def test_a_good_dozen_of_presets_comes_with_the_bot(tmp_path: Path) -> None:
    shipped = read_catalog(None, BASE).presets

    assert len(shipped) >= 12
    assert read(tmp_path, FILE).presets == shipped
    for each in shipped:
        asked = styled(Asked(prompt="a harbour"), each, api=Api.ADAPTERS)
        wish = adapters_wish(asked, model=SDXL, seed=1)
        assert wish.prompt == "a harbour"
        assert "a harbour" in wish.sent_prompt
        assert not unread(f"{wish.sent_prompt} {'word ' * 30}"), "there should be room for the member's own words"


def test_an_operators_presets_replace_those_that_came(tmp_path: Path) -> None:
    text = preset(negative_prompt='"text"', model='"dreamlike"', steps="12", guidance="3", extra='"Light"') + FILE

    catalog = read(tmp_path, text)

    assert catalog.presets == (
        Preset(
            name="Bedtime",
            description="Soft",
            prompt="a picture book of {prompt}",
            negative_prompt="text",
            model="dreamlike",
            steps=12,
            guidance=3.0,
            extra="Light",
        ),
    )
    assert catalog.preset("bedTIME ") is catalog.presets[0]
    assert catalog.suggested_presets("sof") == list(catalog.presets)
    assert catalog.suggested_presets("hard") == []


@pytest.mark.parametrize(
    ("entry", "problem"),
    [
        ({"prompt": '"no place"'}, "prompt should have {prompt} where"),
        ({"prompt": "7"}, "prompt should be a text of 1 to 1000"),
        ({"name": '""'}, "name should be a text"),
        ({"steps": "101"}, "steps should be a whole number from 1 to 100, not 101"),
        ({"steps": "7.5"}, "steps should be a whole number"),
        ({"guidance": "true"}, "guidance should be a number from 1 to 20"),
        ({"model": '"flux"'}, "model 'flux' is not in this catalogue"),
        ({"extra": "3"}, "extra 3 is not in this catalogue"),
        ({"loras": "[]"}, "'loras' is not known here"),
    ],
)
def test_what_is_wrong_with_a_preset_is_told(tmp_path: Path, entry: dict[str, str], problem: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(problem)):
        read(tmp_path, preset(**entry))


def test_two_presets_of_one_name_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="'bedtime' is there twice"):
        read(tmp_path, preset() + preset(name='"BEDTIME"'))


def test_an_unknown_preset_is_refused() -> None:
    with pytest.raises(InvalidWish, match="`preset` cannot be `x`: it takes one of those that /styles shows"):
        CATALOG.preset("x")


STYLED = Preset(name="Noir", description="Dark", prompt="noir {prompt}", negative_prompt="colour", steps=12, guidance=3)


def test_a_preset_fills_in_only_what_the_member_left_open() -> None:
    asked = Asked(prompt="a {prompt}", steps=40, references=(face(),))

    wish = adapters_wish(styled(asked, STYLED, api=Api.ADAPTERS), model=SDXL, seed=1)

    assert (wish.steps, wish.guidance, wish.negative_prompt, wish.preset) == (40, 3.0, "colour", "Noir")
    assert wish.sent_prompt == "noir a {prompt}"


def test_with_the_identity_api_a_preset_is_its_words_alone() -> None:
    plain = identity_wish(styled(Asked(prompt="x"), STYLED, api=Api.IDENTITY), seed=1)
    locked = identity_wish(styled(Asked(prompt="x", references=(face(),)), STYLED, api=Api.IDENTITY), seed=1)

    assert (plain.sent_prompt, plain.negative_prompt, plain.steps, plain.notes) == ("noir x", None, 8, ())
    assert (locked.negative_prompt, locked.guidance) == ("colour", 1.5)


# ---------------------------------------------------------------------------------------------------- weights

WEIGHTS = """
[[weights]]
weight = 2
model = "sdxl"

[[weights]]
weight = 3
pixels_over = 1_048_576

[[weights]]
weight = 5
model = "SDXL"
pixels_over = 1_048_576
steps_over = 40
"""


@pytest.mark.parametrize(
    ("wish", "weight"),
    [
        (with_adapters(model=SD), 1),
        (with_adapters(model=SD, steps=100), 1),
        (with_adapters(), 2),
        (with_adapters(size="1024x1024", steps=41), 2),
        (with_adapters(size="1032x1024"), 3),
        (with_adapters(size="1032x1024", steps=40), 3),
        (with_adapters(size="1032x1024", steps=41), 5),
        (with_adapters(model=SD, size="1032x1024", steps=41), 3),
        (with_identity(), 1),
    ],
)
def test_a_picture_counts_as_the_largest_weight_says_all_of_which_fits(tmp_path: Path, wish: Wish, weight: int) -> None:
    assert read(tmp_path, WEIGHTS).weight_of(wish) == weight


def test_without_weights_every_picture_is_one_image(tmp_path: Path) -> None:
    assert read(tmp_path, "").weight_of(with_adapters(size="1536x1536", steps=100)) == 1


def test_a_weight_without_conditions_is_that_of_every_picture(tmp_path: Path) -> None:
    assert read(tmp_path, "[[weights]]\nweight = 4").weight_of(with_identity()) == 4
