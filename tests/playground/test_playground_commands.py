"""Registering commands, and filling them in."""

from collections.abc import Mapping
from typing import Any

import pytest

from playground.commands import Command, CommandKind, OptionKind, read_command, read_commands
from playground.errors import ApiError, Json, MemberError
from playground.options import Focus, autocomplete_data, command_data, focused_kind
from playground.validation import Problems


def command(*options: Json, **fields: object) -> Json:
    return {"name": "imagine", "description": "Make", "options": list(options), **fields}


def menu(kind: CommandKind = CommandKind.MESSAGE, **fields: object) -> Json:
    return {"type": int(kind), "name": "Who made this?", "description": "", **fields}


def option(kind: OptionKind = OptionKind.STRING, name: str = "prompt", **fields: object) -> Json:
    return {"type": int(kind), "name": name, "description": "What", **fields}


def read(definition: object) -> Json:
    problems = Problems()
    found = read_command(definition, problems)
    problems.raise_if_any()
    return found


CHOICE = {"name": "x", "value": "x"}
NAMES_TWICE = "APPLICATION_COMMAND_OPTIONS_NAME_DUPLICATED"
AUTOCOMPLETE = "APPLICATION_COMMAND_OPTIONS_AUTOCOMPLETE_INVALID"
ORDER = "APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID"
KIND = "APPLICATION_COMMAND_OPTIONS_TYPE_INVALID"


@pytest.mark.parametrize(
    ("definition", "path", "code"),
    [
        (command(name="Imagine"), "name", "APPLICATION_COMMAND_INVALID_NAME"),
        (command(name="ima gine"), "name", "APPLICATION_COMMAND_INVALID_NAME"),
        (command(name="x" * 33), "name", "BASE_TYPE_BAD_LENGTH"),
        (command(description=""), "description", "BASE_TYPE_BAD_LENGTH"),
        (command(description=None), "description", "BASE_TYPE_REQUIRED"),
        (command(type=4), "type", "BASE_TYPE_CHOICES"),
        (menu(description="x"), "description", "APPLICATION_COMMAND_CONTEXT_MENU_DESCRIPTION_INVALID"),
        (menu(options=[option()]), "options", "APPLICATION_COMMAND_CONTEXT_MENU_OPTIONS_INVALID"),
        (menu(name="x" * 33), "name", "BASE_TYPE_BAD_LENGTH"),
        (menu(name=""), "name", "BASE_TYPE_BAD_LENGTH"),
        (command(contexts=[5]), "contexts", "BASE_TYPE_CHOICES"),
        (command(*[option(name=f"o{n}") for n in range(26)]), "options", "BASE_TYPE_MAX_LENGTH"),
        (command(option(), option()), "options", NAMES_TWICE),
        (command(option(), option(name="b", required=True)), "options", ORDER),
        (command(option(), option(OptionKind.SUBCOMMAND, "b")), "options", KIND),
        (command(option(kind=OptionKind(3), type=12)), "options.0.type", "BASE_TYPE_CHOICES"),
        (command(option(choices=[CHOICE] * 26)), "options.0.choices", "BASE_TYPE_MAX_LENGTH"),
        (command(option(choices=[{"name": "x"}])), "options.0.choices.0.value", "BASE_TYPE_REQUIRED"),
        (command(option(max_length=6001)), "options.0.max_length", "NUMBER_TYPE_MAX"),
        (
            command(option(choices=[{"name": "x", "value": "x" * 101}])),
            "options.0.choices.0.value",
            "BASE_TYPE_BAD_LENGTH",
        ),
        (command(option(autocomplete="yes")), "options.0.autocomplete", "BOOLEAN_TYPE_CONVERT"),
        (command(option(autocomplete=True, choices=[CHOICE])), "options.0.autocomplete", AUTOCOMPLETE),
        (command(option(OptionKind.BOOLEAN, autocomplete=True)), "options.0.autocomplete", AUTOCOMPLETE),
        (command(option(OptionKind.ATTACHMENT, autocomplete=True)), "options.0.autocomplete", AUTOCOMPLETE),
        (command(option(OptionKind.SUBCOMMAND, "a", autocomplete=True)), "options.0.autocomplete", AUTOCOMPLETE),
        (
            command(option(OptionKind.SUBCOMMAND, "a", options=[option(OptionKind.SUBCOMMAND, "b")])),
            "options.0.options.0.type",
            KIND,
        ),
    ],
)
def test_a_broken_rule_is_named_at_its_place(definition: Json, path: str, code: str) -> None:
    with pytest.raises(ApiError) as refused:
        read(definition)

    node: Any = refused.value.errors
    for part in path.split("."):
        node = node[part]
    assert code in [error["code"] for error in node["_errors"]]


def test_a_command_has_8000_characters_at_most() -> None:
    choices = [{"name": f"{n}" + "x" * 90, "value": "y" * 90} for n in range(25)]

    with pytest.raises(ApiError):
        read(command(*[option(name=f"o{n}", choices=choices) for n in range(2)]))


def test_names_in_other_scripts_are_allowed() -> None:
    assert read(command(name="bild-größe"))["name"] == "bild-größe"
    assert read(command(name="चित्र"))["name"] == "चित्र"


def test_what_is_false_or_empty_is_left_out_as_discord_does() -> None:
    (stored,) = read(command(option(required=False, choices=[])))["options"]

    assert set(stored) == {"type", "name", "description"}


@pytest.mark.parametrize("kind", [OptionKind.STRING, OptionKind.INTEGER, OptionKind.NUMBER])
def test_texts_and_numbers_may_have_suggestions(kind: OptionKind) -> None:
    (stored,) = read(command(option(kind, autocomplete=True, choices=[])))["options"]

    assert stored["autocomplete"] is True


def test_groups_hold_subcommands() -> None:
    inner = option(OptionKind.SUBCOMMAND, "add", options=[option()])

    stored = read(command(option(OptionKind.SUBCOMMAND_GROUP, "album", options=[inner])))

    assert stored["options"][0]["options"][0]["options"][0]["name"] == "prompt"


def test_two_commands_of_one_name_are_refused() -> None:
    with pytest.raises(ApiError) as refused:
        read_commands([command(), command()])

    assert refused.value.errors == {
        "1": {
            "_errors": [
                {"code": "APPLICATION_COMMANDS_DUPLICATE_NAME", "message": "Application command names must be unique"}
            ]
        }
    }


def test_a_hundred_commands_are_the_most() -> None:
    with pytest.raises(ApiError) as refused:
        read_commands([command(name=f"c{n}") for n in range(101)])

    assert refused.value.code == 30032


def test_commands_in_menus_have_a_name_like_a_sentence_and_no_description() -> None:
    stored = read(menu())

    assert (stored["name"], stored["description"], "options" in stored) == ("Who made this?", "", False)


def test_commands_of_different_kinds_may_have_one_name() -> None:
    kinds = [CommandKind.MESSAGE, CommandKind.USER]

    assert len(read_commands([menu(kind) for kind in kinds])) == 2
    with pytest.raises(ApiError):
        read_commands([menu(), menu()])


@pytest.mark.parametrize("kind", [CommandKind.MESSAGE, CommandKind.USER])
def test_a_menu_has_fifteen_commands_at_most(kind: CommandKind) -> None:
    fifteen = [menu(kind, name=f"Command {n}") for n in range(15)]

    assert len(read_commands([*fifteen, command()])) == 16
    with pytest.raises(ApiError) as refused:
        read_commands([*fifteen, menu(kind)])
    assert refused.value.code == 30032


# ------------------------------------------------------------------------------------------------------- filling in


def fill(definition: Json, values: Mapping[str, object], *path: str) -> Json:
    def resolver(option: Json, value: object) -> tuple[str, Mapping[str, Json]]:
        return str(value), {"users": {str(value): {}}}

    known = Command(id=1, version=1, guild_id=None, definition=read(definition))
    return command_data(known, path, values, resolver=resolver)


def test_values_stand_in_the_order_of_the_options() -> None:
    data = fill(command(option(), option(OptionKind.INTEGER, "count")), {"count": 2, "prompt": "sea"})

    assert data["options"] == [
        {"name": "prompt", "type": 3, "value": "sea"},
        {"name": "count", "type": 4, "value": 2},
    ]


def test_a_subcommand_wraps_its_values() -> None:
    add = option(OptionKind.SUBCOMMAND, "add", options=[option()])
    album = option(OptionKind.SUBCOMMAND_GROUP, "album", options=[add])

    data = fill(command(album), {"prompt": "sea"}, "album", "add")

    (group,) = data["options"]
    (subcommand,) = group["options"]
    assert (group["type"], subcommand["type"]) == (2, 1)
    assert subcommand["options"][0]["value"] == "sea"


@pytest.mark.parametrize(
    ("rules", "value", "said"),
    [
        ({"required": True}, None, "Fill in prompt first."),
        ({}, 3, "prompt is a text."),
        ({"min_length": 3}, "ab", "prompt takes 3 to 6000 characters, this is 2."),
        ({"max_length": 3}, "abcd", "prompt takes 0 to 3 characters, this is 4."),
        ({"choices": [CHOICE]}, "y", "prompt is one of: x."),
        ({"type": 4}, 1.5, "prompt is a whole number."),
        ({"type": 4, "max_value": 4}, 5, f"prompt goes from {-(2**53)} to 4."),
        ({"type": 10}, "a", "prompt is a number."),
        ({"type": 5}, 1, "prompt is true or false."),
    ],
)
def test_a_value_that_does_not_fit_gets_a_sentence(rules: Json, value: object, said: str) -> None:
    with pytest.raises(MemberError) as refused:
        fill(command(option(**rules)), {"prompt": value})

    assert str(refused.value) == said


def test_a_command_with_subcommands_needs_one() -> None:
    definition = command(option(OptionKind.SUBCOMMAND, "add"), option(OptionKind.SUBCOMMAND, "list"))

    with pytest.raises(MemberError, match="needs a subcommand: add, list"):
        fill(definition, {})
    with pytest.raises(MemberError, match="no subcommand remove"):
        fill(definition, {}, "remove")


def test_an_option_that_the_command_does_not_have_is_refused() -> None:
    with pytest.raises(MemberError, match="no option size"):
        fill(command(option()), {"size": 1})


def test_people_are_resolved() -> None:
    data = fill(command(option(OptionKind.USER, "who")), {"who": 5})

    assert data["options"][0]["value"] == "5"
    assert data["resolved"] == {"users": {"5": {}}}


# ----------------------------------------------------------------------------------------------------- while typing

IMAGINE = command(
    option(required=True),
    option(OptionKind.STRING, "model", autocomplete=True),
    option(OptionKind.INTEGER, "steps", autocomplete=True, max_value=50),
    option(OptionKind.INTEGER, "count", max_value=4),
    option(OptionKind.USER, "who"),
)


def typing(definition: Json, focus: Focus, values: Mapping[str, object], *path: str) -> Json:
    def resolver(option: Json, value: object) -> tuple[str, Mapping[str, Json]]:
        if value == "nobody":
            raise MemberError("There is no member nobody.")
        return str(value), {"users": {str(value): {}}}

    known = Command(id=1, version=1, guild_id=None, definition=read(definition))
    return autocomplete_data(known, path, focus, values, resolver=resolver)


def test_the_option_being_typed_stands_among_those_filled_in() -> None:
    data = typing(IMAGINE, Focus("model", "sd"), {"count": 2, "prompt": "sea", "who": 5})

    assert data["options"] == [
        {"name": "prompt", "type": 3, "value": "sea"},
        {"name": "model", "type": 3, "value": "sd", "focused": True},
        {"name": "count", "type": 4, "value": 2},
        {"name": "who", "type": 6, "value": "5"},
    ]
    assert "resolved" not in data


@pytest.mark.parametrize("typed", ["", "2", "99", "many"])
def test_a_number_being_typed_is_text_and_not_checked(typed: str) -> None:
    data = typing(IMAGINE, Focus("steps", typed), {})

    assert data["options"] == [{"name": "steps", "type": 4, "value": typed, "focused": True}]
    assert focused_kind(data) is OptionKind.INTEGER


def test_what_is_not_right_yet_is_left_out_while_typing() -> None:
    data = typing(IMAGINE, Focus("model", "sd"), {"prompt": "sea", "count": 9, "steps": "2", "who": "nobody"})

    assert [entry["name"] for entry in data["options"]] == ["prompt", "model"]


def test_a_subcommand_wraps_what_is_typed() -> None:
    show = option(OptionKind.SUBCOMMAND, "show", options=[option(autocomplete=True)])
    album = option(OptionKind.SUBCOMMAND_GROUP, "album", options=[show])

    data = typing(command(album), Focus("prompt", "Su"), {}, "album", "show")

    (group,) = data["options"]
    assert group["options"][0]["options"] == [{"name": "prompt", "type": 3, "value": "Su", "focused": True}]
    assert focused_kind(data) is OptionKind.STRING


@pytest.mark.parametrize(
    ("focus", "values", "said"),
    [
        (Focus("prompt", "s"), {}, "/imagine suggests nothing for prompt."),
        (Focus("size", "s"), {}, "The command has no option size."),
        (Focus("model", "s"), {"size": 1}, "The command has no option size."),
    ],
)
def test_suggestions_that_cannot_be_asked_for_get_a_sentence(
    focus: Focus, values: Mapping[str, object], said: str
) -> None:
    with pytest.raises(MemberError) as refused:
        typing(IMAGINE, focus, values)

    assert str(refused.value) == said


def test_a_value_that_was_not_suggested_can_be_sent() -> None:
    data = fill(IMAGINE, {"prompt": "sea", "model": "my own"})

    assert data["options"][1] == {"name": "model", "type": 3, "value": "my own"}
