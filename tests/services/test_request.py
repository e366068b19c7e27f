import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.errors import InvalidWish
from services.request import PROMPT_CHARACTERS_MAX, Model, Wish


def wish(prompt: str = "a harbour", *, model: Model = Model.SDXL, model_id: str = "sdxl", images: int = 1) -> Wish:
    return Wish.of(prompt=prompt, model=model, model_id=model_id, images=images, seed=5)


def test_a_prompt_becomes_one_line_without_what_no_text_can_carry() -> None:
    assert wish("  a\nquiet\x00 \ud800harbour ").prompt == "a quiet harbour"


@pytest.mark.parametrize("prompt", ["", " \n ", "\x00", "x" * (PROMPT_CHARACTERS_MAX + 1)])
def test_an_empty_or_endless_prompt_is_refused(prompt: str) -> None:
    with pytest.raises(InvalidWish, match=f"`prompt` .* 1 to {PROMPT_CHARACTERS_MAX} characters"):
        wish(prompt)


@pytest.mark.parametrize("images", [0, 5])
def test_a_count_outside_the_range_names_field_value_and_range(images: int) -> None:
    with pytest.raises(InvalidWish, match=f"`count` cannot be `{images}`: it takes 1 to 4"):
        wish(images=images)


def test_a_model_id_of_the_other_family_is_refused() -> None:
    with pytest.raises(InvalidWish, match=r"sd1\.5 or the UUID of a checkpoint"):
        wish(model=Model.SD, model_id="sdxl")


@given(st.text(min_size=1), st.sampled_from(list(Model)), st.integers(1, 4))
def test_a_wish_survives_the_database(prompt: str, model: Model, images: int) -> None:
    try:
        made = wish(prompt, model=model, model_id={Model.SD: "sd1.5", Model.SDXL: "sdxl"}[model], images=images)
    except InvalidWish:
        return
    assert Wish.from_json(made.to_json()) == made
    made.prompt.encode()
