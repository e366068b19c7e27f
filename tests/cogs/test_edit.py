"""The form behind Edit: what Discord is sent, and what is read of what comes back."""

import json
from typing import Any

import pytest

from cogs.views.edit import Upload, edit_form, filled_in
from playground.modals import read_modal
from playground.validation import Form, Problems
from services.errors import InvalidWish
from services.remakes import Edit
from services.request import PROMPT_CHARACTERS_MAX, Wish
from services.words import speaking
from tests.languages import LANGUAGES
from tests.wishes import crowded, face, style, with_adapters, with_identity


def fields(wish: Wish, *, is_face_there: bool = True) -> dict[str, dict[str, Any]]:
    """The form's fields as Discord takes them, by label."""
    problems = Problems()
    read = read_modal(Form(edit_form(7, wish, is_face_there=is_face_there).to_dict(), problems))
    problems.raise_if_any()
    assert read["custom_id"] == "fl:edit:7"
    return {label["label"]: label["component"] for label in read["components"]}


async def test_everything_is_filled_in() -> None:
    found = fields(with_adapters("a quiet harbour", face(0.8), size="wide"))

    assert list(found) == ["Prompt", "Likeness", "Shape", "Another face"]
    assert found["Prompt"]["value"] == "a quiet harbour"
    assert found["Likeness"]["value"] == "80"
    assert [option["value"] for option in found["Shape"]["options"] if option.get("default")] == ["wide"]
    assert (found["Another face"]["required"], found["Another face"]["max_values"]) == (False, 1)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("is_face_there", [True, False])
async def test_discord_takes_the_form_in_every_language(language: str, is_face_there: bool) -> None:
    for wish in (with_adapters("x"), with_adapters("x", face()), crowded(with_adapters("x"))):
        with speaking(language):
            assert len(fields(wish, is_face_there=is_face_there)) == 4


async def test_a_size_without_a_name_is_one_of_the_shapes() -> None:
    options = fields(with_adapters(size="768x512"))["Shape"]["options"]

    assert [option["value"] for option in options] == ["768x512", "square", "portrait", "landscape", "wide"]
    assert [option["value"] for option in options if option.get("default")] == ["768x512"]


async def test_the_identity_api_has_no_likeness() -> None:
    assert list(fields(with_identity("x"))) == ["Prompt", "Shape", "Face"]


@pytest.mark.parametrize(
    ("wish", "count", "told"),
    [
        (with_adapters("x", face()), 1, "The photo is no longer in the message."),
        (with_adapters("x", face(), style()), 2, "They are gone. In this order: face, style."),
        (crowded(with_adapters("x")), 6, "They are gone. In this order: face, face, face, style, style, style."),
    ],
)
async def test_photos_that_are_gone_are_asked_for(wish: Wish, count: int, told: str) -> None:
    upload = fields(wish, is_face_there=False)["Attach again"]

    assert told in json.dumps(edit_form(7, wish, is_face_there=False).to_dict())
    assert (upload["required"], upload["min_values"], upload["max_values"]) == (True, count, count)


async def test_the_longest_prompt_fits() -> None:
    assert len(fields(with_adapters("x" * PROMPT_CHARACTERS_MAX))["Prompt"]["value"]) == PROMPT_CHARACTERS_MAX


async def test_the_form_is_not_kept_in_memory() -> None:
    assert edit_form(7, with_adapters(), is_face_there=True).is_finished()


def sent_in(*, likeness: str | None = "60", files: int = 0, custom_id: str = "fl:edit:7") -> dict[str, Any]:
    """As Discord tells of it."""
    inner: list[dict[str, Any]] = [
        {"type": 4, "custom_id": "prompt", "value": "a red bicycle"},
        {"type": 3, "custom_id": "shape", "values": ["wide"]},
        {"type": 19, "custom_id": "photos", "values": [str(number) for number in range(files)]},
    ]
    if likeness is not None:
        inner.append({"type": 4, "custom_id": "likeness", "value": likeness})
    attachments = {str(n): {"id": str(n), "url": f"https://cdn.example/{n}", "size": 10 + n} for n in range(files)}
    return {
        "custom_id": custom_id,
        "components": [{"type": 18, "component": each} for each in inner],
        **({"resolved": {"attachments": attachments}} if files else {}),
    }


def test_what_was_filled_in_is_read() -> None:
    filled = filled_in(sent_in(likeness="85", files=2))

    assert filled is not None
    assert filled.generation_id == 7
    assert filled.edit == Edit(prompt="a red bicycle", likeness=85, size="wide")
    assert filled.photos == (Upload("https://cdn.example/0", 10), Upload("https://cdn.example/1", 11))


@pytest.mark.parametrize(
    ("said", "meant"), [("0", 0), ("100", 100), (" 40 ", 40), ("40%", 40), ("40 %", 40), ("", None), (None, None)]
)
def test_a_likeness_is_read_as_people_write_it(said: str | None, meant: int | None) -> None:
    filled = filled_in(sent_in(likeness=said))

    assert filled is not None
    assert filled.edit.likeness == meant


@pytest.mark.parametrize("said", ["101", "-1", "abc", "4.5", "²", "999999999999999999999"])
def test_a_likeness_that_is_none_is_refused(said: str) -> None:
    with pytest.raises(InvalidWish, match=r"`likeness` cannot be `.*`: it takes 0 to 100"):
        filled_in(sent_in(likeness=said))


@pytest.mark.parametrize("custom_id", ["fl:edit:", "fl:edit:x", "something", "fl:again:7", f"fl:edit:{'9' * 19}"])
def test_another_form_is_left_to_others(custom_id: str) -> None:
    assert filled_in(sent_in(custom_id=custom_id)) is None
