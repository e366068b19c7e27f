"""Discord's component rules, as the playground holds bots to them."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.components import read_components
from playground.errors import ApiError, Json
from playground.validation import Form, Problems
from tests.playground.conftest import JSON


def read(components: object, *, layout: bool = True) -> tuple[Json, ...]:
    """Check a message's components as the REST routes do."""
    problems = Problems()
    found = read_components(Form({"components": components}, problems), layout=layout)
    problems.raise_if_any()
    return found


def text(content: str = "hello") -> Json:
    return {"type": 10, "content": content}


def button(custom_id: str = "a", **fields: object) -> Json:
    return {"type": 2, "style": 1, "label": "Press", "custom_id": custom_id, **fields}


def select(custom_id: str = "s", *, count: int = 3, **fields: object) -> Json:
    options = [{"label": f"Option {n}", "value": str(n)} for n in range(count)]
    return {"type": 3, "custom_id": custom_id, "options": options, **fields}


def row(*buttons: Json) -> Json:
    return {"type": 1, "components": list(buttons)}


def gallery(*urls: str) -> Json:
    return {"type": 12, "items": [{"media": {"url": url}} for url in urls]}


def container(*children: Json, **fields: object) -> Json:
    return {"type": 17, "components": list(children), **fields}


THUMBNAIL = {"type": 11, "media": {"url": "attachment://face.png"}}
PICTURE = "attachment://a.png"


BROKEN: list[tuple[object, str, str]] = [
    ([text("x" * 2000)] * 3, "components", "COMPONENT_DISPLAYABLE_TEXT_SIZE_EXCEEDED"),
    ([container(*[text()] * 20)] * 2, "components", "COMPONENT_MAX_TOTAL_COMPONENTS_EXCEEDED"),
    ([text("")], "components.0.content", "BASE_TYPE_BAD_LENGTH"),
    ([{"type": 10}], "components.0.content", "BASE_TYPE_REQUIRED"),
    ([row(button(), button())], "components.0.components.1.custom_id", "COMPONENT_CUSTOM_ID_DUPLICATED"),
    ([row(button("x" * 101))], "components.0.components.0.custom_id", "BASE_TYPE_BAD_LENGTH"),
    ([row(button(label="x" * 81))], "components.0.components.0.label", "BASE_TYPE_MAX_LENGTH"),
    ([row(button(label=None))], "components.0.components.0", "BUTTON_COMPONENT_INVALID_LABEL_OR_EMOJI"),
    ([row(button(style=7))], "components.0.components.0.style", "BASE_TYPE_CHOICES"),
    ([row({"type": 2, "style": 5, "label": "x"})], "components.0.components.0.url", "BASE_TYPE_REQUIRED"),
    ([row(*[button(str(n)) for n in range(6)])], "components.0.components", "BASE_TYPE_BAD_LENGTH"),
    ([row()], "components.0.components", "BASE_TYPE_BAD_LENGTH"),
    ([row(button(url="https://x"))], "components.0.components.0", "BUTTON_COMPONENT_CUSTOM_ID_URL_MUTUALLY_EXCLUSIVE"),
    ([row(button(), select())], "components.0.components", "COMPONENT_LAYOUT_WIDTH_EXCEEDED"),
    ([row(select("a"), select("b"))], "components.0.components", "COMPONENT_LAYOUT_WIDTH_EXCEEDED"),
    ([row(button("s")), row(select("s"))], "components.1.components.0.custom_id", "COMPONENT_CUSTOM_ID_DUPLICATED"),
    ([row(select(count=0))], "components.0.components.0.options", "BASE_TYPE_BAD_LENGTH"),
    ([row(select(count=26))], "components.0.components.0.options", "BASE_TYPE_BAD_LENGTH"),
    ([row(select(max_values=4))], "components.0.components.0.max_values", "NUMBER_TYPE_MAX"),
    ([row(select(min_values=2))], "components.0.components.0.min_values", "NUMBER_TYPE_MAX"),
    ([row(select(placeholder="x" * 151))], "components.0.components.0.placeholder", "BASE_TYPE_MAX_LENGTH"),
    (
        [row(select(options=[{"label": "x" * 101, "value": "x"}]))],
        "components.0.components.0.options.0.label",
        "BASE_TYPE_BAD_LENGTH",
    ),
    (
        [row(select(options=[{"label": "a", "value": "x"}, {"label": "b", "value": "x"}]))],
        "components.0.components.0.options.1.value",
        "SELECT_COMPONENT_OPTION_VALUE_DUPLICATED",
    ),
    (
        [row(select(options=[{"label": v, "value": v, "default": True} for v in "ab"]))],
        "components.0.components.0.options",
        "SELECT_COMPONENT_TOO_MANY_DEFAULTS",
    ),
    (
        [row({"type": 5, "custom_id": "who", "default_values": [{"id": "1", "type": "role"}]})],
        "components.0.components.0.default_values.0.type",
        "BASE_TYPE_CHOICES",
    ),
    (
        [row({"type": 7, "custom_id": "who", "default_values": [{"id": "1", "type": "channel"}]})],
        "components.0.components.0.default_values.0.type",
        "BASE_TYPE_CHOICES",
    ),
    (
        [row({"type": 8, "custom_id": "where", "channel_types": [0, 99]})],
        "components.0.components.0.channel_types",
        "BASE_TYPE_CHOICES",
    ),
    ([row({"type": 21, "custom_id": "color"})], "components.0.components.0.type", "BASE_TYPE_CHOICES"),
    ([row({"type": 4, "custom_id": "why", "style": 1})], "components.0.components.0.type", "BASE_TYPE_CHOICES"),
    ([{"type": 18, "label": "x", "component": select()}], "components.0.type", "BASE_TYPE_CHOICES"),
    (
        [{"type": 9, "components": [text()], "accessory": select()}],
        "components.0.accessory.type",
        "BASE_TYPE_CHOICES",
    ),
    ([gallery()], "components.0.items", "BASE_TYPE_BAD_LENGTH"),
    ([gallery(*[PICTURE] * 11)], "components.0.items", "BASE_TYPE_BAD_LENGTH"),
    ([gallery("ftp://x/y.png")], "components.0.items.0.media.url", "URL_TYPE_INVALID_SCHEME"),
    ([{"type": 13, "file": {"url": "https://x/y"}}], "components.0.file.url", "URL_TYPE_INVALID_SCHEME"),
    ([{"type": 9, "components": [text()]}], "components.0.accessory", "BASE_TYPE_REQUIRED"),
    ([{"type": 9, "components": [], "accessory": THUMBNAIL}], "components.0.components", "BASE_TYPE_BAD_LENGTH"),
    (
        [{"type": 9, "components": [text()], "accessory": text()}],
        "components.0.accessory.type",
        "BASE_TYPE_CHOICES",
    ),
    ([{"type": 14, "spacing": 3}], "components.0.spacing", "BASE_TYPE_CHOICES"),
    ([container(text(), accent_color=0x1000000)], "components.0.accent_color", "NUMBER_TYPE_MAX"),
    ([container(container(text()))], "components.0.components.0.type", "BASE_TYPE_CHOICES"),
    ([button()], "components.0.type", "BASE_TYPE_CHOICES"),
    ([THUMBNAIL], "components.0.type", "BASE_TYPE_CHOICES"),
    ([text() | {"id": 4}, text() | {"id": 4}], "components.1.id", "COMPONENT_ID_DUPLICATED"),
    (["text"], "components.0", "DICT_TYPE_CONVERT"),
    ("text", "components", "LIST_TYPE_CONVERT"),
]


@pytest.mark.parametrize(("components", "path", "code"), BROKEN)
def test_a_broken_rule_is_named_at_its_place(components: object, path: str, code: str) -> None:
    with pytest.raises(ApiError) as refused:
        read(components)

    assert (refused.value.status, refused.value.code) == (400, 50035)
    node: Any = refused.value.errors
    for part in path.split("."):
        node = node[part]
    assert code in [error["code"] for error in node["_errors"]]


def test_menus_are_kept_with_what_is_usual_filled_in() -> None:
    (first, second) = read([row(select(required=True)), row({"type": 5, "custom_id": "who", "disabled": True})])

    kind, who = first["components"][0], second["components"][0]
    assert (kind["min_values"], kind["max_values"], "required" in kind) == (1, 1, False)
    assert who == {"type": 5, "id": 4, "custom_id": "who", "min_values": 1, "max_values": 1, "disabled": True}


def test_layout_components_need_the_flag() -> None:
    with pytest.raises(ApiError):
        read([text()], layout=False)

    assert read([row(button())], layout=False)


def test_without_the_flag_there_are_five_rows_at_most() -> None:
    rows = [row(button(str(n))) for n in range(6)]

    assert len(read(rows[:5], layout=False)) == 5
    with pytest.raises(ApiError):
        read(rows, layout=False)


def test_every_component_gets_an_id_and_keeps_one_that_it_has() -> None:
    (outer,) = read([container(text() | {"id": 2}, text(), row(button()))])

    first, second, buttons = outer["components"]
    assert [outer["id"], first["id"], second["id"], buttons["id"], buttons["components"][0]["id"]] == [1, 2, 3, 4, 5]


def test_all_that_is_wrong_is_reported_at_once() -> None:
    with pytest.raises(ApiError) as refused:
        read([text(""), row(button("")), gallery()])

    assert refused.value.errors is not None
    assert set(refused.value.errors["components"]) == {"0", "1", "2"}


@given(JSON)
def test_whatever_comes_is_read_or_refused_as_an_invalid_form(components: object) -> None:
    problems = Problems()

    found = read_components(Form({"components": components}, problems), layout=True)

    assert problems.tree or all(component["id"] > 0 for component in found)


@given(st.integers(1, 10), st.integers(1, 5), st.text("ab c", min_size=1, max_size=50).filter(str.strip))
def test_what_keeps_to_the_rules_is_accepted(pictures: int, buttons: int, content: str) -> None:
    section = {"type": 9, "components": [text(content)], "accessory": THUMBNAIL}
    shown = gallery(*[PICTURE] * pictures)

    (outer,) = read([container(section, {"type": 14}, shown, row(*[button(str(n)) for n in range(buttons)]))])

    assert [child["type"] for child in outer["components"]] == [9, 14, 12, 1]
    assert len(outer["components"][2]["items"]) == pictures
