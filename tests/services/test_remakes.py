from dataclasses import replace
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from services.catalog import Catalog
from services.errors import InvalidWish, UserError
from services.parameters import ADAPTERS, FAMILY_TABLES, SCHEDULERS, Api, Family, Role, Shape
from services.remakes import Edit, Remakes, drafted, larger_size
from services.wishes import Asked, ExtraAdapter, Reference, Wish, adapters_wish, identity_wish
from tests.wishes import CHECKPOINT, SD, SDXL, face, style, with_adapters, with_identity

OWN = replace(SDXL, key=CHECKPOINT, label="Mine", model_id=CHECKPOINT)
EXTRAS = tuple(ExtraAdapter(name=f"fix-{f}", label=f"Fix {f}", family=f, scale=0.5) for f in Family)
CATALOG = Catalog(models=(SDXL, SD, OWN), extras=EXTRAS)


def remakes(api: Api = Api.ADAPTERS, catalog: Catalog = CATALOG) -> Remakes:
    return Remakes(catalog, api=api, safety_checker=True, server_id=None)


SCALES = st.sampled_from([0.0, 0.25, 0.6, 1.0])
SAID: dict[str, st.SearchStrategy[Any]] = {
    "prompt": st.text(min_size=1, max_size=20),
    "count": st.integers(1, 4),
    "size": st.none() | st.sampled_from([*Shape, "512x768", "640x640", "1536x1536", "64x1536"]),
    "negative_prompt": st.none() | st.sampled_from(["", "fog"]),
    "steps": st.none() | st.integers(1, 50),
    "guidance": st.none() | st.sampled_from([1.0, 1.5, 5.0, 7.5, 12.0]),
}


@st.composite
def adapters_wishes(draw: st.DrawFn) -> Wish:
    """Anything that the adapters API takes."""
    model = draw(st.sampled_from(CATALOG.models))
    faces = draw(st.lists(st.builds(face, SCALES), max_size=3))
    styles = draw(st.lists(st.builds(style, SCALES), max_size=3))
    asked = Asked(
        references=(*faces, *styles),
        strength=draw(st.none() | st.floats(0, 1)),
        scheduler=draw(st.none() | st.sampled_from(SCHEDULERS)),
        adapter=draw(st.none() | st.sampled_from(list(ADAPTERS[model.family]))),
        **{name: draw(values) for name, values in SAID.items()},
    )
    extra = draw(st.none() | st.sampled_from(EXTRAS))
    try:
        return adapters_wish(asked, model=model, seed=7, extra=extra)
    except InvalidWish:
        assume(False)
        raise


@st.composite
def identity_wishes(draw: st.DrawFn) -> Wish:
    """Anything that the identity API takes."""
    references = draw(st.sampled_from([(), (face(),)]))
    said = {name: draw(values) for name, values in SAID.items()}
    try:
        return identity_wish(Asked(references=references, enhance_prompt=draw(st.booleans()), **said), seed=7)
    except InvalidWish:
        assume(False)
        raise


# ---------------------------------------------------------------------------------------------------- again


@given(adapters_wishes())
def test_again_changes_the_seed_and_nothing_else(wish: Wish) -> None:
    assert remakes().again(wish, seed=8) == replace(wish, seed=8)


@given(identity_wishes())
def test_again_with_the_identity_api_changes_the_seed_and_nothing_else(wish: Wish) -> None:
    again = remakes(Api.IDENTITY).again(wish, seed=8)

    assert replace(again, notes=()) == replace(wish, seed=8, notes=())  # what was left out once is not said again


def test_again_forgets_what_the_last_one_was_made_of() -> None:
    assert remakes().again(replace(with_adapters(), caption="A variation."), seed=8).caption is None


def test_what_the_operator_has_changed_since_holds() -> None:
    strict = Remakes(CATALOG, api=Api.ADAPTERS, safety_checker=True, server_id="any")
    wish = replace(with_adapters(), safety_checker=False)

    again = strict.again(wish, seed=8)

    assert (again.safety_checker, again.server_id) == (True, "any")


@pytest.mark.parametrize(
    ("wish", "offer", "told"),
    [
        (with_adapters(model=OWN), remakes(catalog=Catalog(models=(SDXL, SD))), "model Mine is no longer offered"),
        (
            adapters_wish(Asked(prompt="x"), model=SDXL, seed=7, extra=EXTRAS[1]),
            remakes(catalog=Catalog(models=(SDXL, SD), extras=EXTRAS[:1])),
            "adapter `fix-sdxl` is no longer offered",
        ),
        (with_identity("x", face()), remakes(), "another image service"),
        (with_adapters(), remakes(Api.IDENTITY), "another image service"),
    ],
)
def test_what_is_no_longer_offered_is_told(wish: Wish, offer: Remakes, told: str) -> None:
    for remake in (
        lambda: offer.again(wish, seed=8),
        lambda: offer.larger(wish, seed=8),
        lambda: offer.edited(wish, Edit(prompt="y"), seed=8),
    ):
        with pytest.raises(UserError, match=told):
            remake()


# ----------------------------------------------------------------------------------------------------- drafts


@given(adapters_wishes() | identity_wishes(), st.integers(1, 4))
def test_a_picture_of_a_draft_is_made_in_full_as_it_was_meant(wish: Wish, number: int) -> None:
    draft, one = drafted(wish), replace(wish, images=1, jobs=1)

    full = remakes(wish.api).full(draft, number)

    assert (draft.images, draft.jobs) == (4, 4)
    assert draft.steps <= wish.steps
    assert replace(full, caption=None, notes=()) == replace(one, seed=draft.seed_of(number - 1), notes=())
    assert full.caption == "A picture of a draft, made in full."


@pytest.mark.parametrize(("wish", "steps"), [(with_adapters(), 8), (with_adapters(steps=5), 5), (with_identity(), 4)])
def test_a_draft_takes_few_steps(wish: Wish, steps: int) -> None:
    assert drafted(wish).steps == steps


@given(adapters_wishes())
def test_a_draft_again_or_edited_is_a_draft_of_the_same(wish: Wish) -> None:
    draft = drafted(wish)

    assert remakes().again(draft, seed=8) == replace(draft, seed=8)
    assert remakes().edited(draft, Edit(prompt="y"), seed=8) == replace(draft, prompt="y", seed=8)


@pytest.mark.parametrize(("wish", "number"), [(with_adapters(count=4), 1), (drafted(with_adapters()), 5)])
def test_what_is_no_picture_of_a_draft_is_not_made_in_full(wish: Wish, number: int) -> None:
    with pytest.raises(UserError, match="not one of a draft"):
        remakes().full(wish, number)


def test_a_draft_is_neither_varied_nor_enlarged() -> None:
    draft = drafted(with_adapters())

    with pytest.raises(UserError, match="as large as"):
        remakes().larger(draft, seed=8)
    with pytest.raises(UserError, match="cannot be varied"):
        remakes().varied(draft, 1, seed=8)


# ---------------------------------------------------------------------------------------------------- varied


@given(adapters_wishes())
def test_a_variation_is_the_face_and_the_picture_as_its_style(wish: Wish) -> None:
    if wish.count_of(Role.FACE) > 1:
        with pytest.raises(UserError, match="cannot be varied"):
            remakes().varied(wish, 1, seed=8)
        return

    varied = remakes().varied(wish, 1, seed=8)

    faces = [reference for reference in wish.references if reference.role is Role.FACE]
    assert varied.references == (*faces, Reference(role=Role.STYLE, scale=0.6))
    assert (varied.prompt, varied.images, varied.seed) == (wish.prompt, wish.images, 8)
    assert "similar, not identical" in (varied.caption or "")


def test_the_variation_names_the_picture_where_there_were_several() -> None:
    one, several = with_adapters("x", face()), with_adapters(count=3)

    assert remakes().varied(several, 2, seed=8).caption == "A variation of picture 2: similar, not identical."
    assert remakes().varied(one, 1, seed=8).caption == "A variation: similar, not identical."


def test_the_identity_api_varies_nothing() -> None:
    with pytest.raises(UserError, match="cannot be varied"):
        remakes(Api.IDENTITY).varied(with_identity("x", face()), 1, seed=8)


# ---------------------------------------------------------------------------------------------------- larger


@pytest.mark.parametrize(
    ("wish", "family", "size"),
    [
        (with_adapters(model=SD), Family.SDXL, (1024, 1024)),
        (with_adapters(model=SD, size="wide"), Family.SDXL, (1024, 576)),
        (with_adapters(model=SD, size="640x512"), Family.SDXL, (1280, 1024)),
        (with_adapters(), Family.SDXL, (1536, 1536)),
        (with_adapters(size="portrait"), Family.SDXL, (1152, 1536)),
        (with_adapters(size="512x512"), Family.SDXL, (1024, 1024)),
        (with_identity("x", face()), None, (2048, 2048)),
        (with_identity("x", size="512x256"), None, (1024, 512)),
    ],
)
def test_larger_is_a_new_picture_and_says_so(wish: Wish, family: Family | None, size: tuple[int, int]) -> None:
    larger = remakes(wish.api).larger(wish, seed=8)

    assert (larger.family, larger.width, larger.height, larger.seed) == (family, *size, 8)
    assert larger.caption == f"A new picture at {size[0]}x{size[1]}, not the same enlarged."


@given(adapters_wishes() | identity_wishes())
def test_larger_is_larger_or_refused(wish: Wish) -> None:
    if larger_size(wish) is None:
        with pytest.raises(UserError, match=r"^This is as large as the image service makes it\.$"):
            remakes(wish.api).larger(wish, seed=8)
        return

    larger = remakes(wish.api).larger(wish, seed=8)

    assert larger.width * larger.height > wish.width * wish.height
    assert abs(larger.width / larger.height / (wish.width / wish.height) - 1) < 0.15
    assert larger.references == wish.references


def test_larger_leaves_out_what_only_the_small_model_has_and_says_so() -> None:
    wish = adapters_wish(
        Asked(prompt="x", references=(face(),), adapter="ip-adapter-plus_sd15", guidance=9.0),
        model=SD,
        seed=7,
        extra=EXTRAS[0],
    )

    larger = remakes().larger(wish, seed=8)

    assert larger.adapters == ("ip-adapter-plus-face_sdxl_vit-h",)
    assert larger.guidance == 9.0
    assert (larger.caption or "").endswith(" The adapters for Stable Diffusion 1.5 were left out.")


def test_the_default_guidance_becomes_the_larger_models_default() -> None:
    assert remakes().larger(with_adapters(model=SD), seed=8).guidance == FAMILY_TABLES[Family.SDXL].default_guidance


# ---------------------------------------------------------------------------------------------------- edited


def test_an_edit_changes_what_it_names() -> None:
    wish = with_adapters("x", face(), style(0.3), count=2, steps=12)

    edited = remakes().edited(wish, Edit(prompt="a red bicycle", likeness=90, size="wide"), seed=8)

    assert (edited.prompt, edited.shape, edited.references) == ("a red bicycle", Shape.WIDE, (face(0.9), style(0.3)))
    assert (edited.images, edited.steps, edited.seed) == (2, 12, 8)


def test_an_edit_that_names_nothing_is_again() -> None:
    wish = with_adapters("x", face(0.4), size="512x768")

    assert remakes().edited(wish, Edit(prompt="x"), seed=8) == remakes().again(wish, seed=8)


def test_a_new_face_takes_the_place_of_the_first_or_comes_first() -> None:
    def references(wish: Wish) -> tuple[Reference, ...]:
        return remakes().edited(wish, Edit(prompt="x", likeness=80, new_face=True), seed=8).references

    assert references(with_adapters("x", face(), face(0.1))) == (face(0.8), face(0.1))
    assert references(with_adapters("x", style())) == (face(0.8), style())
    assert references(with_adapters("x")) == (face(0.8),)


def test_a_likeness_without_a_face_means_nothing() -> None:
    assert remakes().edited(with_adapters("x", style()), Edit(prompt="x", likeness=80), seed=8).references == (style(),)


def test_a_new_face_brings_the_defaults_of_the_endpoint_that_takes_faces() -> None:
    edited = remakes(Api.IDENTITY).edited(with_identity(), Edit(prompt="x", new_face=True), seed=8)

    assert (edited.references, edited.guidance) == ((face(),), 1.5)


@pytest.mark.parametrize(("edit", "field"), [(Edit(prompt=" "), "prompt"), (Edit(prompt="x", size="round"), "size")])
def test_a_wrong_edit_is_refused(edit: Edit, field: str) -> None:
    with pytest.raises(InvalidWish, match=f"`{field}`"):
        remakes().edited(with_adapters(), edit, seed=8)
