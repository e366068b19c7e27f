"""Forms: what a bot may put into one, and what a member may send back."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given

from playground.errors import ApiError, Json, MemberError
from playground.modals import Filling, read_modal, submitted_components
from playground.multipart import Upload
from playground.validation import Form, Problems
from tests.playground.conftest import JSON


def text_input(custom_id: str = "why", **fields: object) -> Json:
    return {"type": 4, "custom_id": custom_id, "style": 1, **fields}


def string_select(custom_id: str = "kind", *, options: int = 3, **fields: object) -> Json:
    listed = [{"label": f"Option {n}", "value": str(n)} for n in range(options)]
    return {"type": 3, "custom_id": custom_id, "options": listed, **fields}


def user_select(custom_id: str = "who", **fields: object) -> Json:
    return {"type": 5, "custom_id": custom_id, **fields}


def file_upload(custom_id: str = "photos", **fields: object) -> Json:
    return {"type": 19, "custom_id": custom_id, **fields}


def group(kind: int, custom_id: str = "tags", *, options: int = 3, **fields: object) -> Json:
    """A radio group (21) or a checkbox group (22)."""
    return string_select(custom_id, options=options, **fields) | {"type": kind}


def label(component: Json, **fields: object) -> Json:
    return {"type": 18, "label": component["custom_id"].title(), "component": component, **fields}


def modal(*components: Json, **fields: object) -> Json:
    return {"custom_id": "form", "title": "Form", "components": list(components), **fields}


def row(*fields: Json) -> Json:
    return {"type": 1, "components": list(fields)}


def read(definition: object) -> Json:
    problems = Problems()
    found = read_modal(Form(definition, problems, ("data",)))
    problems.raise_if_any()
    return found


TEXT = {"type": 10, "content": "Read this"}
BUTTON = {"type": 2, "style": 1, "label": "x", "custom_id": "x"}
FIRST = "data.components.0"
TWICE = "COMPONENT_CUSTOM_ID_DUPLICATED"
WIDE = "COMPONENT_LAYOUT_WIDTH_EXCEEDED"
NOTHING_REQUIRED = "SELECT_COMPONENT_REQUIRED_ZERO_MIN_VALUES"


@pytest.mark.parametrize(
    ("definition", "path", "code"),
    [
        (modal(label(text_input()), title="x" * 46), "data.title", "BASE_TYPE_BAD_LENGTH"),
        (modal(label(text_input()), title=""), "data.title", "BASE_TYPE_BAD_LENGTH"),
        (modal(label(text_input()), custom_id="x" * 101), "data.custom_id", "BASE_TYPE_BAD_LENGTH"),
        (modal(label(text_input()), custom_id=None), "data.custom_id", "BASE_TYPE_REQUIRED"),
        (modal(), "data.components", "BASE_TYPE_BAD_LENGTH"),
        (modal(*[label(text_input(str(n))) for n in range(6)]), "data.components", "BASE_TYPE_BAD_LENGTH"),
        (modal(row(BUTTON)), f"{FIRST}.components.0.type", "BASE_TYPE_CHOICES"),
        (modal(text_input()), f"{FIRST}.type", "BASE_TYPE_CHOICES"),
        (modal({"type": 17, "components": [TEXT]}), f"{FIRST}.type", "BASE_TYPE_CHOICES"),
        (modal(label(text_input(), label="x" * 46)), f"{FIRST}.label", "BASE_TYPE_BAD_LENGTH"),
        (modal(label(text_input(), label=None)), f"{FIRST}.label", "BASE_TYPE_REQUIRED"),
        (modal(label(text_input(), description="x" * 101)), f"{FIRST}.description", "BASE_TYPE_BAD_LENGTH"),
        (modal({"type": 18, "label": "x"}), f"{FIRST}.component", "BASE_TYPE_REQUIRED"),
        (modal(label(BUTTON)), f"{FIRST}.component.type", "BASE_TYPE_CHOICES"),
        (modal(label(text_input(style=3))), f"{FIRST}.component.style", "BASE_TYPE_CHOICES"),
        (modal(label(text_input(max_length=4001))), f"{FIRST}.component.max_length", "NUMBER_TYPE_MAX"),
        (modal(label(text_input(min_length=9, max_length=8))), f"{FIRST}.component.min_length", "NUMBER_TYPE_MAX"),
        (modal(label(text_input(value="abc", max_length=2))), f"{FIRST}.component.value", "BASE_TYPE_MAX_LENGTH"),
        (modal(label(text_input(value="abc", min_length=4))), f"{FIRST}.component.value", "BASE_TYPE_MIN_LENGTH"),
        (modal(label(text_input(placeholder="x" * 101))), f"{FIRST}.component.placeholder", "BASE_TYPE_MAX_LENGTH"),
        (modal(label(text_input()), label(text_input())), "data.components.1.component.custom_id", TWICE),
        (modal(row(text_input())), f"{FIRST}.components.0.label", "BASE_TYPE_REQUIRED"),
        (modal(row(text_input("a", label="A"), text_input("b", label="B"))), f"{FIRST}.components", WIDE),
        (modal(label(string_select(options=0))), f"{FIRST}.component.options", "BASE_TYPE_BAD_LENGTH"),
        (modal(label(string_select(min_values=0))), f"{FIRST}.component.min_values", NOTHING_REQUIRED),
        (
            modal(label(string_select(disabled=True))),
            f"{FIRST}.component.disabled",
            "SELECT_COMPONENT_DISABLED_IN_MODAL",
        ),
        (modal(label(file_upload(max_values=11))), f"{FIRST}.component.max_values", "NUMBER_TYPE_MAX"),
        (modal(label(file_upload(min_values=3, max_values=2))), f"{FIRST}.component.min_values", "NUMBER_TYPE_MAX"),
        (modal(label(file_upload(min_values=0))), f"{FIRST}.component.min_values", NOTHING_REQUIRED),
        (modal(label(group(21, options=1))), f"{FIRST}.component.options", "BASE_TYPE_BAD_LENGTH"),
        (modal(label(group(22, options=11))), f"{FIRST}.component.options", "BASE_TYPE_BAD_LENGTH"),
        (modal(label(group(22, max_values=4))), f"{FIRST}.component.max_values", "NUMBER_TYPE_MAX"),
        (modal(label(group(22, min_values=0))), f"{FIRST}.component.min_values", NOTHING_REQUIRED),
    ],
)
def test_a_broken_rule_is_named_at_its_place(definition: Json, path: str, code: str) -> None:
    with pytest.raises(ApiError) as refused:
        read(definition)

    node: Any = refused.value.errors
    for part in path.split("."):
        node = node[part]
    assert code in [error["code"] for error in node["_errors"]]


def test_a_form_is_kept_with_what_is_usual_filled_in() -> None:
    found = read(modal(TEXT, label(text_input()), label(file_upload()), label(string_select(required=False))))

    text, why, photos, kind = found["components"]
    assert [text["id"], why["id"], why["component"]["id"], photos["id"]] == [1, 2, 3, 4]
    assert why["component"]["required"] is True
    assert (photos["component"]["min_values"], photos["component"]["max_values"]) == (1, 1)
    assert kind["component"]["required"] is False


@given(JSON)
def test_whatever_comes_is_read_or_refused_as_an_invalid_form(components: object) -> None:
    problems = Problems()

    found = read_modal(Form({"custom_id": "x", "title": "x", "components": components}, problems))

    assert problems.tree or all(component["id"] > 0 for component in found["components"])


# ----------------------------------------------------------------------------------------------------------- filling in


class Find:
    """Knows Ada, and numbers files from 100."""

    def __init__(self) -> None:
        self.files: list[str] = []

    def entity(self, select: Json, which: object) -> str:
        if str(which) not in ("Ada", "11"):
            raise MemberError(f"There is no member {which}.")
        return "11"

    def file(self, upload: Upload) -> str:
        self.files.append(upload.filename)
        return str(99 + len(self.files))


def submit(
    definition: Json, values: Mapping[str, object], files: Mapping[str, Sequence[str]] | None = None
) -> list[Json]:
    uploads = {
        name: [Upload(field=name, filename=one, content=b"x") for one in several]
        for name, several in (files or {}).items()
    }
    return submitted_components(read(definition), Filling(values=values, files=uploads), find=Find())


WHOLE = modal(
    TEXT,
    label(text_input(min_length=3, max_length=10)),
    label(string_select(max_values=2)),
    label(user_select(required=False)),
    label(file_upload(min_values=2, max_values=3, required=False)),
)
GIVEN = {"why": "because", "kind": "1"}


def test_a_submission_has_the_shape_of_its_form() -> None:
    found = submit(WHOLE, {**GIVEN, "Who": "Ada"}, {"Photos": ["a.png", "b.png"]})

    assert found == [
        {"type": 10, "id": 1},
        {"type": 18, "id": 2, "component": {"type": 4, "id": 3, "custom_id": "why", "value": "because"}},
        {"type": 18, "id": 4, "component": {"type": 3, "id": 5, "custom_id": "kind", "values": ["1"]}},
        {"type": 18, "id": 6, "component": {"type": 5, "id": 7, "custom_id": "who", "values": ["11"]}},
        {"type": 18, "id": 8, "component": {"type": 19, "id": 9, "custom_id": "photos", "values": ["100", "101"]}},
    ]


def test_what_may_stay_empty_is_sent_empty() -> None:
    why, kind, who, photos = (top["component"] for top in submit(WHOLE, GIVEN)[1:])

    assert (why["value"], kind["values"], who["values"], photos["values"]) == ("because", ["1"], [], [])


def test_fields_in_rows_go_by_their_own_label() -> None:
    (found,) = submit(modal(row(text_input(label="Reason"))), {"Reason": "because"})

    assert found == {
        "type": 1,
        "id": 1,
        "components": [{"type": 4, "id": 2, "custom_id": "why", "value": "because"}],
    }


def test_what_is_not_touched_keeps_what_the_bot_put_there() -> None:
    kind = string_select()
    kind["options"][2]["default"] = True
    who = user_select(default_values=[{"id": "11", "type": "user"}])

    found = submit(modal(label(text_input(value="because")), label(kind), label(who)), {})

    assert [top["component"].get("value", top["component"].get("values")) for top in found] == [
        "because",
        ["2"],
        ["11"],
    ]


@pytest.mark.parametrize(
    ("values", "files", "said"),
    [
        ({"kind": "1"}, {}, "Fill in Why first."),
        ({**GIVEN, "why": "   "}, {}, "Fill in Why first."),
        ({**GIVEN, "why": "ab"}, {}, "Why takes 3 to 10 characters, this is 2."),
        ({**GIVEN, "why": "x" * 11}, {}, "Why takes 3 to 10 characters, this is 11."),
        ({**GIVEN, "why": 5}, {}, "Why is a text."),
        ({"why": "because"}, {}, "Fill in Kind first."),
        ({**GIVEN, "kind": ["0", "1", "2"]}, {}, "Kind takes 1 to 2 choices, this is 3."),
        ({**GIVEN, "kind": "9"}, {}, "Kind is one of: Option 0, Option 1, Option 2."),
        ({**GIVEN, "who": "Zoe"}, {}, "There is no member Zoe."),
        ({**GIVEN, "who": ["Ada", "Ada"]}, {}, "Who: each can be chosen once."),
        (GIVEN, {"photos": ["a.png"]}, "Photos takes 2 to 3 files, this is 1."),
        (GIVEN, {"photos": ["a.png"] * 4}, "Photos takes 2 to 3 files, this is 4."),
        ({**GIVEN, "age": "5"}, {}, "The form has no field age. Fields: Why, Kind, Who, Photos."),
        (GIVEN, {"face": ["a.png"]}, "The form has no field face. Fields: Why, Kind, Who, Photos."),
    ],
)
def test_what_does_not_fit_gets_a_sentence(
    values: Mapping[str, object], files: Mapping[str, Sequence[str]], said: str
) -> None:
    with pytest.raises(MemberError) as refused:
        submit(WHOLE, values, files)

    assert str(refused.value) == said


def test_a_required_upload_wants_a_file() -> None:
    with pytest.raises(MemberError, match=r"Fill in Photos first\."):
        submit(modal(label(file_upload())), {})


def test_what_is_ticked_has_the_shape_of_its_field() -> None:
    color, tags = group(21, "color"), group(22, "tags", min_values=2)
    form = modal(label(color), label(tags), label({"type": 23, "custom_id": "agree"}))

    found = submit(form, {"Color": "Option 1", "tags": ["0", "Option 2"], "Agree": True})

    assert [top["component"].get("value", top["component"].get("values")) for top in found] == ["1", ["0", "2"], True]


def test_what_is_not_ticked_stays_empty() -> None:
    color, tags = group(21, "color", required=False), group(22, "tags", required=False)
    form = modal(label(color), label(tags), label({"type": 23, "custom_id": "agree"}))

    found = submit(form, {})

    assert [top["component"].get("value", top["component"].get("values")) for top in found] == [None, [], False]


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"color": ["0", "1"]}, "Color takes 1 choice, this is 2."),
        ({"color": "blue"}, "Color is one of: Option 0, Option 1, Option 2."),
        ({}, "Fill in Color first."),
        ({"color": "0", "agree": "yes"}, "Agree is true or false."),
    ],
)
def test_what_cannot_be_ticked_gets_a_sentence(values: Mapping[str, object], said: str) -> None:
    with pytest.raises(MemberError) as refused:
        submit(modal(label(group(21, "color")), label({"type": 23, "custom_id": "agree"})), values)

    assert str(refused.value) == said
