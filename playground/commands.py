"""Registering commands, by Discord's rules.

https://discord.com/developers/docs/interactions/application-commands
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import cast

from playground.errors import ApiError, Json, Refusal
from playground.model import CHANNEL_TYPES, LOCALES, Context, Install
from playground.validation import Form, Problems

# All limits: the page above.
MAX_COMMANDS = 100
MAX_CONTEXT_COMMANDS = 15
MAX_OPTIONS = 25
MAX_CHOICES = 25
MAX_NAME = 32
MAX_DESCRIPTION = 100
MAX_CHOICE_NAME = 100
# The page above; the OpenAPI description would take 6000.
MAX_CHOICE_VALUE = 100
MAX_STRING = 6000
MAX_TOTAL = 8000
# Integers and numbers stay where a JavaScript number is exact.
MAX_NUMBER = 2**53

_NAME = re.compile(r"[-_'\w\u0900-\u097F\u0E00-\u0E7F]{1,32}")


class CommandKind(IntEnum):
    """Command types; same page. The last two are found in the menu of a person or of a message."""

    CHAT_INPUT = 1
    USER = 2
    MESSAGE = 3


class OptionKind(IntEnum):
    """Option types; same page."""

    SUBCOMMAND = 1
    SUBCOMMAND_GROUP = 2
    STRING = 3
    INTEGER = 4
    BOOLEAN = 5
    USER = 6
    CHANNEL = 7
    ROLE = 8
    MENTIONABLE = 9
    NUMBER = 10
    ATTACHMENT = 11


NESTING = frozenset({OptionKind.SUBCOMMAND, OptionKind.SUBCOMMAND_GROUP})
_WITH_CHOICES = frozenset({OptionKind.STRING, OptionKind.INTEGER, OptionKind.NUMBER})


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A registered command: its identity, and its definition as Discord gives it back."""

    id: int
    version: int
    guild_id: int | None
    definition: Json

    @property
    def name(self) -> str:
        """The name that members type, or find in a menu."""
        return self.definition["name"]

    @property
    def kind(self) -> CommandKind:
        """Where members find it."""
        return CommandKind(self.definition["type"])

    @property
    def key(self) -> tuple[int, str]:
        """What no other command of its scope has: kind and name."""
        return self.definition["type"], self.name

    @property
    def options(self) -> list[Json]:
        """Its options, or its subcommands."""
        return self.definition.get("options", [])

    def works_in(self, context: Context) -> bool:
        """Whether members find it in that kind of place, once the app is installed for it or for them."""
        if self.guild_id is not None:
            return context is Context.GUILD
        contexts = self.definition["contexts"]
        if contexts is not None:
            return context in contexts
        return context is not Context.BOT_DIRECT or self.definition["dm_permission"]

    def is_for(self, install: Install) -> bool:
        """Whether it comes with an app that is installed like that. One of a single server comes with that server."""
        return install is Install.GUILD if self.guild_id else install in self.definition["integration_types"]


def read_command(data: object, problems: Problems, at: tuple[str | int, ...] = ()) -> Json:
    """Check one definition and return it as Discord keeps it; what is wrong goes to `problems`."""
    form = Form(data, problems, at)
    kind = form.integer("type", among=tuple(CommandKind)) or CommandKind.CHAT_INPUT
    definition: Json = {
        "type": int(kind),
        "name": _name(form) if kind == CommandKind.CHAT_INPUT else _menu_name(form),
        "name_localizations": _localized_names(form, kind),
        "description": _description(form, kind),
        "description_localizations": _localized(form, "description_localizations", most=MAX_DESCRIPTION),
        "default_member_permissions": _permissions(form),
        "dm_permission": form.boolean("dm_permission") if form.data.get("dm_permission") is not None else True,
        "contexts": _numbers(form, "contexts", among=tuple(Context)),
        "integration_types": _numbers(form, "integration_types", among=tuple(Install)) or [Install.GUILD],
        "nsfw": form.boolean("nsfw"),
    }
    if kind != CommandKind.CHAT_INPUT and form.data.get("options"):
        said = "Context menu commands cannot have options"
        form.fail("options", "APPLICATION_COMMAND_CONTEXT_MENU_OPTIONS_INVALID", said)
    elif options := _options(form, inside=None):
        definition["options"] = options
    if _length(definition) > MAX_TOTAL:
        said = f"Command exceeds maximum size ({MAX_TOTAL})"
        form.fail(None, "APPLICATION_COMMAND_TOO_LARGE", said)
    return definition


def read_commands(data: object) -> list[Json]:
    """Check a whole list of definitions (bulk overwrite). Raises ApiError 50035 or 30032."""
    problems = Problems()
    if not isinstance(data, list):
        problems.add((), "LIST_TYPE_CONVERT", "Only iterables may be used in a ListType")
        problems.raise_if_any()
    entries = cast("list[object]", data)
    found = [read_command(entry, problems, (position,)) for position, entry in enumerate(entries)]
    refuse_too_many(definition["type"] for definition in found)
    _refuse_repeats(found, problems)
    problems.raise_if_any()
    return found


def refuse_too_many(kinds: Iterable[int]) -> None:
    """Refuse more commands of one kind than a scope can have. Raises ApiError 30032."""
    counts = Counter(kinds)
    if counts[CommandKind.CHAT_INPUT] > MAX_COMMANDS:
        raise ApiError(Refusal.TOO_MANY_COMMANDS)
    if max(counts[CommandKind.USER], counts[CommandKind.MESSAGE]) > MAX_CONTEXT_COMMANDS:
        raise ApiError(Refusal.TOO_MANY_CONTEXT_COMMANDS)


def localized(definition: Json, locale: str) -> Json:
    """A command, option or choice as somebody with that locale reads it: `name_localized`, `description_localized`.

    https://discord.com/developers/docs/interactions/application-commands#retrieving-localized-commands
    """
    found = dict(definition)
    for key in ("name", "description"):
        if key in definition:
            texts: dict[str, str] = definition.get(f"{key}_localizations") or {}
            found[f"{key}_localized"] = texts.get(locale, definition[key])
    for key in ("options", "choices"):
        if key in definition:
            found[key] = [localized(inside, locale) for inside in definition[key]]
    return found


def without_localizations(definition: Json) -> Json:
    """A command as lists tell it that nobody asked for `with_localizations`."""
    found = {key: value for key, value in definition.items() if not key.endswith("_localizations")}
    for key in ("options", "choices"):
        if key in found:
            found[key] = [without_localizations(inside) for inside in found[key]]
    return found


def read_choices(form: Form, kind: int) -> list[Json]:
    """Check the field `choices` of an option, or of an answer that suggests values for one of that kind."""
    return [_choice(choice, kind) for choice in form.forms("choices", most=MAX_CHOICES)]


def _refuse_repeats(definitions: Iterable[Json], problems: Problems) -> None:
    seen: set[tuple[int, str]] = set()
    for position, definition in enumerate(definitions):
        key = definition["type"], definition["name"]
        if key in seen:
            said = "Application command names must be unique"
            problems.add((position,), "APPLICATION_COMMANDS_DUPLICATE_NAME", said)
        seen.add(key)


def _name(form: Form) -> str:
    name = form.text("name", least=1, most=MAX_NAME, required=True)
    if name is not None and not _can_be_typed(name):
        form.fail("name", "APPLICATION_COMMAND_INVALID_NAME", "Command name is invalid")
    return name or ""


def _can_be_typed(name: str) -> bool:
    return _NAME.fullmatch(name) is not None and name == name.lower()


def _localized_names(form: Form, kind: int) -> dict[str, str] | None:
    """Names in other languages, by the same rules as the name itself."""
    texts = _localized(form, "name_localizations", most=MAX_NAME)
    for locale, name in (texts or {}).items():
        if name and kind == CommandKind.CHAT_INPUT and not _can_be_typed(name):
            at = (*form.at, "name_localizations", locale)
            form.problems.add(at, "APPLICATION_COMMAND_INVALID_NAME", "Command name is invalid")
    return texts


def _menu_name(form: Form) -> str:
    """In a menu a name may have spaces and capitals."""
    return form.text("name", least=1, most=MAX_NAME, required=True) or ""


def _description(form: Form, kind: int) -> str:
    """Discord refuses the same in a menu; its code for it is not published."""
    if kind == CommandKind.CHAT_INPUT:
        return form.text("description", least=1, most=MAX_DESCRIPTION, required=True) or ""
    if form.text("description", most=MAX_DESCRIPTION):
        said = "Context menu commands cannot have description"
        form.fail("description", "APPLICATION_COMMAND_CONTEXT_MENU_DESCRIPTION_INVALID", said)
    return ""


def _localized(form: Form, key: str, *, most: int) -> dict[str, str] | None:
    texts = form.form(key)
    if texts is None:
        return None
    for locale in texts.data.keys() - set(LOCALES):
        texts.fail(locale, "ENUM_TYPE_COERCE", f'Value "{locale}" is not a valid enum value.')
    return {locale: texts.text(locale, least=1, most=most, required=True) or "" for locale in texts.data}


def _permissions(form: Form) -> str | None:
    bits = form.integer("default_member_permissions", least=0)
    return None if bits is None else str(bits)


def _numbers(form: Form, key: str, *, among: Sequence[int]) -> list[int] | None:
    return None if form.data.get(key) is None else form.integers(key, among=among, least=1)


def _options(form: Form, *, inside: int | None) -> list[Json]:
    forms = form.forms("options", most=MAX_OPTIONS)
    options = [_option(option, inside=inside) for option in forms]
    _check_order(form, options)
    return options


def _check_order(form: Form, options: Sequence[Json]) -> None:
    names = [option["name"] for option in options]
    if len(set(names)) < len(names):
        form.fail("options", "APPLICATION_COMMAND_OPTIONS_NAME_DUPLICATED", "Option names must be unique")
    nested = [option["type"] in NESTING for option in options]
    if any(nested) and not all(nested):
        said = "Sub-command and sub-command group option types are mutually exclusive to all other types"
        form.fail("options", "APPLICATION_COMMAND_OPTIONS_TYPE_INVALID", said)
    required = ["required" in option for option in options if option["type"] not in NESTING]
    if required != sorted(required, reverse=True):
        said = "Required options must be placed before non-required options"
        form.fail("options", "APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID", said)


def _option(form: Form, *, inside: int | None) -> Json:
    kind = form.integer("type", among=tuple(OptionKind), required=True) or OptionKind.STRING
    option: Json = {
        "type": kind,
        "name": _name(form),
        "description": form.text("description", least=1, most=MAX_DESCRIPTION, required=True) or "",
    }
    option |= _if_any(
        name_localizations=_localized_names(form, CommandKind.CHAT_INPUT),
        description_localizations=_localized(form, "description_localizations", most=MAX_DESCRIPTION),
    )
    if not _may_stand(kind, inside=inside):
        form.fail("type", "APPLICATION_COMMAND_OPTIONS_TYPE_INVALID", "This option type cannot stand here")
        return option
    option |= _if_any(autocomplete=_autocomplete(form, kind))
    if kind in NESTING:
        return option | _if_any(options=_options(form, inside=kind))
    return option | _if_any(required=form.boolean("required")) | _value_rules(form, kind)


def _may_stand(kind: int, *, inside: int | None) -> bool:
    """Groups stand in a command, subcommands in a command or a group, values in a command or a subcommand."""
    allowed = {
        OptionKind.SUBCOMMAND_GROUP: (None,),
        OptionKind.SUBCOMMAND: (None, OptionKind.SUBCOMMAND_GROUP),
    }
    return inside in allowed.get(OptionKind(kind), (None, OptionKind.SUBCOMMAND))


def _autocomplete(form: Form, kind: int) -> bool:
    """Whether the bot suggests values. Discord refuses the same; its codes for it are not published."""
    wanted = form.boolean("autocomplete")
    if wanted and kind not in _WITH_CHOICES:
        said = "Autocomplete cannot be configured for this type of option"
        form.fail("autocomplete", "APPLICATION_COMMAND_OPTIONS_AUTOCOMPLETE_INVALID", said)
    elif wanted and form.data.get("choices"):
        said = "Autocomplete cannot be configured for an option with choices"
        form.fail("autocomplete", "APPLICATION_COMMAND_OPTIONS_AUTOCOMPLETE_INVALID", said)
    return wanted


def _value_rules(form: Form, kind: int) -> Json:
    rules: Json = {}
    if kind in _WITH_CHOICES:
        rules |= _if_any(choices=read_choices(form, kind))
    if kind == OptionKind.STRING:
        rules |= _limits(form, "min_length", "max_length", least=0, most=MAX_STRING)
    if kind == OptionKind.INTEGER:
        rules |= _limits(form, "min_value", "max_value", least=-MAX_NUMBER, most=MAX_NUMBER)
    if kind == OptionKind.NUMBER:
        found = {key: form.number(key) for key in ("min_value", "max_value")}
        rules |= {key: value for key, value in found.items() if value is not None}
    if kind == OptionKind.CHANNEL:
        rules |= _if_any(channel_types=form.integers("channel_types", among=CHANNEL_TYPES))
    return rules


def _limits(form: Form, low: str, high: str, *, least: int, most: int) -> Json:
    found = {key: form.integer(key, least=least, most=most) for key in (low, high)}
    return {key: value for key, value in found.items() if value is not None}


def _choice(form: Form, kind: int) -> Json:
    name = form.text("name", least=1, most=MAX_CHOICE_NAME, required=True) or ""
    choice: Json = {"name": name}
    if texts := _localized(form, "name_localizations", most=MAX_CHOICE_NAME):
        choice["name_localizations"] = texts
    if kind == OptionKind.STRING:
        return choice | {"value": form.text("value", least=1, most=MAX_CHOICE_VALUE, required=True)}
    if kind == OptionKind.INTEGER:
        return choice | {"value": form.integer("value", least=-MAX_NUMBER, most=MAX_NUMBER, required=True)}
    return choice | {"value": form.number("value", required=True)}


def _if_any(**fields: object) -> Json:
    """Discord leaves out what is false or empty."""
    return {key: value for key, value in fields.items() if value}


def _length(definition: Json) -> int:
    choices = sum(len(c["name"]) + len(str(c["value"])) for c in definition.get("choices", ()))
    inside = sum(_length(option) for option in definition.get("options", ()))
    return len(definition["name"]) + len(definition["description"]) + choices + inside
