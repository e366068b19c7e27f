import json
import math
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from services.errors import InvalidWish
from services.parameters import (
    ADAPTERS,
    BASE_MODELS,
    GENERATE_TABLE,
    IMAGES_MAX,
    LOCK_TABLE,
    PROMPT_CHARACTERS_MAX,
    SCHEDULERS,
    Api,
    Family,
    Role,
    Shape,
    model_id_problem,
)
from services.wishes import NEGATIVE_PROMPT, Asked, ExtraAdapter, ModelChoice, Reference, Wish, adapters_wish
from tests.wishes import CHECKPOINT, MODELS, SD, SDXL, face, style, with_adapters, with_identity

TEXT = st.text(max_size=60)
OWN_SDXL = ModelChoice(key=CHECKPOINT, label="Mine", family=Family.SDXL, model_id=CHECKPOINT)


@st.composite
def references(draw: st.DrawFn) -> tuple[Reference, ...]:
    """Images in the order that requests have them, in any number and strength."""
    scale = st.floats(0, 1)
    faces = draw(st.lists(st.builds(face, scale), max_size=4))
    styles = draw(st.lists(st.builds(style, scale), max_size=4))
    return (*faces, *styles)


def refusal(error: pytest.ExceptionInfo[InvalidWish]) -> tuple[str, object, str]:
    return error.value.field, error.value.value, error.value.allowed


# ---------------------------------------------------------------------------------------------------- prompts


def test_a_prompt_becomes_one_line_without_what_no_text_can_carry() -> None:
    assert with_adapters("  a\nquiet\x00 \ud800harbour ").prompt == "a quiet harbour"


@pytest.mark.parametrize("prompt", ["", " \n ", "\x00", "\x00 \x00", "\ud800 ", "x" * (PROMPT_CHARACTERS_MAX + 1)])
@pytest.mark.parametrize("make", [with_adapters, with_identity])
def test_an_empty_or_endless_prompt_is_refused(prompt: str, make: Any) -> None:
    with pytest.raises(InvalidWish, match=f"`prompt` .* 1 to {PROMPT_CHARACTERS_MAX} characters"):
        make(prompt)


@given(TEXT)
def test_what_is_left_of_a_prompt_is_clean(typed: str) -> None:
    assume(any(character.isprintable() and not character.isspace() for character in typed))

    prompt = with_adapters(typed).prompt

    assert prompt == " ".join(prompt.split())
    assert with_adapters(prompt).prompt == prompt
    prompt.encode()


def test_a_negative_prompt_is_a_list_of_flaws_until_somebody_names_one() -> None:
    assert with_adapters().negative_prompt == NEGATIVE_PROMPT
    assert with_adapters(negative_prompt=" snow\n").negative_prompt == "snow"
    assert with_adapters(negative_prompt=" ").negative_prompt == ""


@pytest.mark.parametrize(
    ("typed", "prompt", "negative_prompt"),
    [
        ("a harbour, negative prompt: people, boats", "a harbour", "people, boats"),
        ("a harbour\nNegative prompt: people", "a harbour", "people"),
        ("a harbour. Negativprompt: Boote", "a harbour.", "Boote"),
        ("un port, prompt négatif : bateaux", "un port", "bateaux"),
        ("un puerto, prompt negativo: barcos", "un puerto", "barcos"),
        ("un porto, (negative prompt: barche:1.2)", "un porto", "barche:1.2)"),
        ("гавань, негативный промпт: лодки", "гавань", "лодки"),
        ("港、反向提示词\uff1a人", "港", "人"),
        ("港、ネガティブプロンプト: 人", "港", "人"),
        ("a harbour, negative: boats", "a harbour", "boats"),
        ("a harbour --no boats, people", "a harbour", "boats, people"),
        ("a harbour --no boats --ar 3:2 --no people", "a harbour  --ar 3:2", "boats, people"),
        ("a film negative: silver tones", "a film negative: silver tones", NEGATIVE_PROMPT),
        ("a sign that says no: boats", "a sign that says no: boats", NEGATIVE_PROMPT),
        ("negative prompt: boats", "negative prompt: boats", NEGATIVE_PROMPT),
        ("a harbour, negative prompt:", "a harbour, negative prompt:", NEGATIVE_PROMPT),
    ],
)
def test_what_a_prompt_says_is_unwanted_is_no_part_of_it(typed: str, prompt: str, negative_prompt: str) -> None:
    wish = with_adapters(typed)

    assert (wish.prompt, wish.negative_prompt) == (" ".join(prompt.split()), negative_prompt)
    assert with_adapters(typed, negative_prompt="snow").negative_prompt == (
        "snow" if negative_prompt == NEGATIVE_PROMPT else f"snow, {negative_prompt}"
    )


def test_an_endless_negative_prompt_is_refused() -> None:
    with pytest.raises(InvalidWish, match="`negative_prompt`"):
        with_adapters(negative_prompt="x" * (PROMPT_CHARACTERS_MAX + 1))


# ----------------------------------------------------------------------------------------------------- ranges

IN_BOTH_APIS: list[tuple[str, str, list[float], list[float]]] = [
    ("count", "count", [1, 4], [0, 5, -1]),
    ("steps", "num_inference_steps", [1, 100], [0, 101]),
    ("guidance", "guidance_scale", [1.0, 20.0], [0.99, 20.01, math.nan, math.inf, -math.inf]),
    ("seed", "seed", [0, 2**31 - 1], [-1, 2**31]),
]
RANGES: list[tuple[str, Any, tuple[Reference, ...], str, list[float], list[float]]] = [
    *((option, with_adapters, (), field, good, bad) for option, field, good, bad in IN_BOTH_APIS),
    *((option, with_identity, (face(),), field, good, bad) for option, field, good, bad in IN_BOTH_APIS),
    ("strength", with_adapters, (), "strength", [0, 0.5, 1], [-0.01, 1.01, math.nan]),
    ("steps", with_identity, (), "num_inference_steps", [1, 50], [0, 51]),
    ("guidance", with_identity, (), "guidance_scale", [0, 20], [-0.01, 20.01]),
]


@pytest.mark.parametrize(("option", "make", "images", "field", "good", "bad"), RANGES)
def test_the_ends_of_a_range_are_taken_and_nothing_beyond_them(
    option: str, make: Any, images: tuple[Reference, ...], field: str, good: list[float], bad: list[float]
) -> None:
    for value in good:
        assert make("x", *images, **{option: value})
    for value in bad:
        with pytest.raises(InvalidWish) as error:
            make("x", *images, **{option: value})
        assert (error.value.field, repr(error.value.value)) == (field, repr(value))
        assert [float(end) for end in error.value.allowed.split(" to ")] == [good[0], good[-1]]


@pytest.mark.parametrize("scheduler", SCHEDULERS)
def test_every_scheduler_of_the_documentation_is_taken(scheduler: str) -> None:
    assert with_adapters(scheduler=scheduler).scheduler == scheduler


@pytest.mark.parametrize("scheduler", ["", "Euler", "eulerdiscretescheduler"])
def test_another_scheduler_is_refused_with_those_that_there_are(scheduler: str) -> None:
    with pytest.raises(InvalidWish, match=r"`scheduler` .* one of EulerDiscreteScheduler, DDIMScheduler"):
        with_adapters(scheduler=scheduler)


@pytest.mark.parametrize("scale", [-0.01, 1.01, math.nan])
@pytest.mark.parametrize("image", [face, style])
def test_a_scale_outside_0_to_1_is_refused(image: Any, scale: float) -> None:
    with pytest.raises(InvalidWish, match="`ip_adapter_scale`"):
        with_adapters("x", image(scale))


# ------------------------------------------------------------------------------------------------------ sizes


def test_a_side_that_is_no_multiple_of_8_is_refused() -> None:
    with pytest.raises(InvalidWish, match="`height` cannot be `514`: it takes multiples of 8"):
        with_adapters(size="512x514")


def test_a_wish_knows_the_name_of_its_shape() -> None:
    assert with_adapters(size="wide", model=SD).shape is Shape.WIDE
    assert with_adapters(size="512x512", model=SD).shape is Shape.SQUARE
    assert with_adapters(size="512x512", model=SDXL).shape is None
    assert with_identity("x", face(), size="portrait").shape is Shape.PORTRAIT


def test_a_size_beyond_the_ideal_is_taken_with_a_note() -> None:
    assert with_adapters(size="1024x768").notes == ()
    assert with_adapters(size="1032x768").notes == ("Stable Diffusion XL is at its best up to 1024 pixels a side.",)
    assert "1.5 is at its best up to 512" in with_adapters(size="512x520", model=SD).notes[0]


# ------------------------------------------------------------------------------------------------- model ids


@pytest.mark.parametrize(
    ("model_id", "family", "is_one"),
    [
        ("sd1.5", Family.SD, True),
        ("sdxl", Family.SDXL, True),
        (CHECKPOINT, Family.SD, True),
        (CHECKPOINT.upper(), Family.SDXL, True),
        ("sdxl", Family.SD, False),
        ("sd1.5", Family.SDXL, False),
        ("SDXL", Family.SDXL, False),
        (f"{CHECKPOINT} ", Family.SDXL, False),
        (CHECKPOINT[:-1], Family.SD, False),
        ("", Family.SD, False),
    ],
)
def test_a_model_id_is_the_familys_own_name_or_a_uuid(model_id: str, family: Family, is_one: bool) -> None:
    assert (model_id_problem(model_id, family) is None) is is_one
    model = ModelChoice(key="x", label="X", family=family, model_id=model_id)
    if is_one:
        assert with_adapters(model=model).model_id == model_id
    else:
        with pytest.raises(InvalidWish, match=rf"`model_id` .* {BASE_MODELS[family]} or the UUID of a checkpoint"):
            with_adapters(model=model)


def test_photos_with_a_checkpoint_of_ones_own_come_with_a_note() -> None:
    assert "documents photos for its own SDXL model only" in with_adapters("x", face(), model=OWN_SDXL).notes[0]
    assert with_adapters("x", model=OWN_SDXL).notes == ()
    assert with_adapters("x", face()).notes == ()


# -------------------------------------------------------------------------- which adapters go with which lists

FACE_SD, STYLE_SD = "ip-adapter-plus-face_sd15", "ip-adapter-plus_sd15"
FACE_XL, STYLE_XL = "ip-adapter-plus-face_sdxl_vit-h", "ip-adapter-plus_sdxl_vit-h"


@pytest.mark.parametrize(
    ("model", "images", "adapters", "scales"),
    [
        (SD, [], [], []),
        (SD, [face(0.3)], [FACE_SD], [0.3]),
        (SD, [style(0.3), style(0.4)], [STYLE_SD], [0.3, 0.4]),
        (SD, [face(0.3), style(0.4)], [STYLE_SD, FACE_SD], [0.4, 0.3]),
        (SDXL, [], [], []),
        (SDXL, [face(0.3)], [FACE_XL], [0.3]),
        (SDXL, [face(0.1), face(0.2), face(0.3)], [FACE_XL], [0.1, 0.2, 0.3]),
        (SDXL, [style(0.1), style(0.2), style(0.3)], [STYLE_XL], [0.1, 0.2, 0.3]),
        (SDXL, [face(0.9), style(0.1), style(0.2)], [STYLE_XL, FACE_XL], [0.1, 0.2, 0.9]),
    ],
)
def test_one_name_a_role_but_one_scale_an_image_with_styles_first(
    model: ModelChoice, images: list[Reference], adapters: list[str], scales: list[float]
) -> None:
    wish = with_adapters("x", *images, model=model)

    assert (list(wish.adapters), list(wish.adapter_scales)) == (adapters, scales)
    assert list(wish.references) == images


@pytest.mark.parametrize(
    ("model", "images", "told"),
    [
        (SD, [face()] * 2, ("ip_adapter_image", "2 faces", "one face with Stable Diffusion 1.5")),
        (SDXL, [face()] * 2 + [style()], ("ip_adapter_image", "2 faces", "one face where there is a style image")),
        (SDXL, [face()] * 4, ("face", "4 images", "at most 3")),
        (SDXL, [style()] * 4, ("style", "4 images", "at most 3")),
    ],
)
def test_combinations_that_no_client_ever_sent_are_refused(
    model: ModelChoice, images: list[Reference], told: tuple[str, object, str]
) -> None:
    with pytest.raises(InvalidWish) as error:
        with_adapters("x", *images, model=model)

    assert refusal(error) == told


@pytest.mark.parametrize(
    ("model", "images", "adapter", "adapters"),
    [
        (SD, [face()], STYLE_SD, [STYLE_SD]),
        (SDXL, [face()], "ip-adapter_sdxl", ["ip-adapter_sdxl"]),
        (SDXL, [style()], "ip-adapter_sdxl", ["ip-adapter_sdxl"]),
        (SDXL, [face(), style()], "ip-adapter_sdxl_vit-h", ["ip-adapter_sdxl_vit-h", FACE_XL]),
        (SDXL, [face(), style()], FACE_XL, [STYLE_XL, FACE_XL]),
    ],
)
def test_a_named_adapter_reads_the_only_role_or_beside_another_its_own(
    model: ModelChoice, images: list[Reference], adapter: str, adapters: list[str]
) -> None:
    assert list(with_adapters("x", *images, model=model, adapter=adapter).adapters) == adapters


@pytest.mark.parametrize(
    ("images", "adapter", "allowed"),
    [
        ([face()], FACE_SD, f"one of {', '.join(ADAPTERS[Family.SDXL])}"),
        ([face()], "[ip-adapter_sdxl]", f"one of {', '.join(ADAPTERS[Family.SDXL])}"),
        ([], FACE_XL, "requests with a face or a style image"),
        ([style()], FACE_XL, "requests with a face"),
    ],
)
def test_an_adapter_that_cannot_be_used_is_refused(images: list[Reference], adapter: str, allowed: str) -> None:
    with pytest.raises(InvalidWish) as error:
        with_adapters("x", *images, adapter=adapter)

    assert refusal(error) == ("ip_adapter", adapter, allowed)


def test_an_extra_adapter_comes_last_with_its_own_scale() -> None:
    extra = ExtraAdapter(name="own", label="Own", family=Family.SDXL, scale=0.2)
    asked = Asked(prompt="x", references=(face(0.5),))

    wish = adapters_wish(asked, model=SDXL, seed=7, extra=extra)

    assert (wish.adapters, wish.adapter_scales) == ((FACE_XL, "own"), (0.5, 0.2))
    with pytest.raises(InvalidWish, match=r"`extra` cannot be `Own`: it takes adapters for Stable Diffusion 1\.5"):
        adapters_wish(asked, model=SD, seed=7, extra=extra)


@given(references(), st.sampled_from(Family), st.sampled_from([None, *(n for f in Family for n in ADAPTERS[f])]))
def test_whatever_is_taken_can_be_sent(images: tuple[Reference, ...], family: Family, adapter: str | None) -> None:
    try:
        wish = with_adapters("x", *images, model=MODELS[family], adapter=adapter)
    except InvalidWish:
        return
    faces, styles = wish.count_of(Role.FACE), wish.count_of(Role.STYLE)
    assert faces <= 3
    assert styles <= 3
    assert faces <= 1 or (not styles and family is Family.SDXL)
    assert len(wish.adapter_scales) == len(images)
    assert len(wish.adapters) == bool(faces) + bool(styles)
    assert set(wish.adapters) <= set(ADAPTERS[family])


# ------------------------------------------------------------------------------------------- the identity API


def test_with_a_face_the_identity_api_locks_it_and_without_one_it_generates() -> None:
    locked, generated = with_identity("x", face()), with_identity("x")

    assert (locked.table, generated.table) == (LOCK_TABLE, GENERATE_TABLE)
    assert [(wish.steps, wish.guidance) for wish in (locked, generated)] == [(8, 1.5), (8, 0.0)]
    for wish in (locked, generated):
        assert (wish.api, wish.family, wish.model_id, wish.scheduler, wish.strength) == (Api.IDENTITY, *[None] * 4)
        assert (wish.adapters, wish.adapter_scales, wish.safety_checker) == ((), (), None)


@pytest.mark.parametrize("count", range(1, IMAGES_MAX + 1))
def test_the_identity_api_makes_one_picture_a_job(count: int) -> None:
    wish = with_identity(count=count)

    assert (wish.images, wish.jobs) == (count, count)
    assert with_adapters(count=count).jobs == 1


@pytest.mark.parametrize("images", [[face()] * 2, [style()], [face(), style()]])
def test_the_identity_api_takes_one_face_and_nothing_else(images: list[Reference]) -> None:
    with pytest.raises(InvalidWish, match=r"`input_image` .* it takes one face"):
        with_identity("x", *images)


def test_what_the_identity_api_has_no_field_for_is_left_out_with_a_note() -> None:
    locked = with_identity("x", face(), negative_prompt="snow", enhance_prompt=True)
    generated = with_identity("x", negative_prompt="snow", enhance_prompt=True)

    assert (locked.negative_prompt, locked.enhance_prompt) == ("snow", False)
    assert (generated.negative_prompt, generated.enhance_prompt) == (None, True)
    assert ["enrich" in note for note in locked.notes] == [True]
    assert ["negative prompt" in note for note in generated.notes] == [True]


def test_an_empty_negative_prompt_does_not_switch_the_guidance_on() -> None:
    assert with_identity("x", face()).negative_prompt is None
    assert with_identity("x", face(), negative_prompt=" ").negative_prompt is None


# --------------------------------------------------------------------------------------------------- the rest


def test_the_members_seed_goes_before_the_drawn_one() -> None:
    assert [with_adapters(seed=seed).seed for seed in (None, 0, 5)] == [7, 0, 5]


def test_jobs_that_take_about_as_long_are_of_one_kind() -> None:
    kinds = [
        with_adapters().kind,
        with_adapters(model=SD).kind,
        with_adapters(steps=20).kind,
        with_adapters(size="512x512").kind,
        with_adapters(count=2).kind,
        with_identity().kind,
        with_identity("x", face()).kind,
    ]

    assert len(set(kinds)) == len(kinds)
    assert with_adapters("other", seed=3).kind == with_adapters().kind
    assert with_identity(count=3).kind == with_identity().kind


@given(
    prompt=TEXT,
    images=references(),
    family=st.sampled_from(Family),
    asked_for=st.fixed_dictionaries(
        {},
        optional={
            "count": st.integers(-1, 6),
            "size": st.sampled_from([*Shape, "768x512", "8x8", "no size"]),
            "negative_prompt": TEXT,
            "steps": st.integers(-1, 120),
            "guidance": st.floats(-1, 25),
            "seed": st.integers(-2, 2**32),
        },
    ),
)
def test_every_wish_survives_the_database(
    prompt: str, images: tuple[Reference, ...], family: Family, asked_for: dict[str, Any]
) -> None:
    for make in (
        lambda: with_adapters(prompt, *images, model=MODELS[family], **asked_for),
        lambda: with_identity(prompt, *images, **asked_for),
    ):
        try:
            wish = make()
        except InvalidWish:
            continue
        text = wish.to_json()
        text.encode()
        json.loads(text)
        assert Wish.from_json(text) == wish
