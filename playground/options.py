"""What a member filled in, checked against the command and turned into an interaction's data."""

import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from playground.commands import MAX_NUMBER, MAX_STRING, NESTING, Command, OptionKind
from playground.errors import Json, MemberError


class Resolver(Protocol):
    """Looks up what an option's value names, as Discord's `resolved` wants it."""

    def __call__(self, option: Json, value: object) -> tuple[str, Mapping[str, Json]]:
        """The id, and `{"users": {...}, ...}` entries for it. Raises MemberError when there is no such thing."""
        ...


@dataclass(frozen=True, slots=True)
class Focus:
    """The option that a member is typing into, and the text in it."""

    option: str
    typed: str


@dataclass(slots=True)
class _Filling:
    resolver: Resolver
    resolved: dict[str, dict[str, Json]] = field(default_factory=dict[str, dict[str, Json]])


def command_data(command: Command, path: Sequence[str], values: Mapping[str, object], *, resolver: Resolver) -> Json:
    """The `data` of an interaction. `path` names the subcommand: (), ("save",) or ("group", "save").

    Raises:
        MemberError: something is missing, too long, too large, of the wrong kind, or unknown to the command.
    """
    filling = _Filling(resolver)
    steps, leaf = _descend(command, path)
    data = _data(command, steps, _fill(leaf, values, filling))
    return data | {"resolved": filling.resolved} if filling.resolved else data


def autocomplete_data(
    command: Command, path: Sequence[str], focus: Focus, values: Mapping[str, object], *, resolver: Resolver
) -> Json:
    """The `data` of an interaction that asks for suggestions, with what is filled in so far.

    The option being typed comes unchecked and as text, even where it is a number. Others come as far as they are
    right, required or not, and nothing is resolved.
    https://discord.com/developers/docs/interactions/application-commands#autocomplete

    Raises:
        MemberError: there is no such option, or the bot suggests nothing for it.
    """
    steps, leaf = _descend(command, path)
    _refuse_unknown(leaf, {**values, focus.option: focus.typed})
    asked = next(option for option in leaf if option["name"] == focus.option)
    if not asked.get("autocomplete"):
        raise MemberError(f"/{command.name} suggests nothing for {focus.option}.")
    filling = _Filling(resolver)
    options: list[Json] = []
    for option in leaf:
        if option is asked:
            options.append({"name": option["name"], "type": int(option["type"]), "value": focus.typed, "focused": True})
        elif values.get(option["name"]) is not None:
            with contextlib.suppress(MemberError):
                options.append(_filled(option, values[option["name"]], filling))
    return _data(command, steps, options)


def focused_kind(data: Json) -> OptionKind:
    """The kind of the option that an autocomplete interaction's data is about."""
    options: list[Json] = data["options"]
    while options[0]["type"] in NESTING:
        options = options[0]["options"]
    return next(OptionKind(option["type"]) for option in options if option.get("focused"))


def _data(command: Command, steps: Sequence[Json], options: list[Json]) -> Json:
    for step in reversed(steps):
        options = [{"name": step["name"], "type": int(step["type"]), "options": options}]
    data: Json = {"id": str(command.id), "name": command.name, "type": command.definition["type"], "options": options}
    if command.guild_id is not None:
        data["guild_id"] = str(command.guild_id)
    return data


def _descend(command: Command, path: Sequence[str]) -> tuple[list[Json], list[Json]]:
    """The subcommand definitions on the way, and the value options at its end."""
    steps: list[Json] = []
    options = command.options
    for name in path:
        step = next((o for o in options if o["name"] == name and o["type"] in NESTING), None)
        if step is None:
            raise MemberError(f"/{command.name} has no subcommand {name}.")
        steps.append(step)
        options = step.get("options", [])
    if any(option["type"] in NESTING for option in options):
        names = ", ".join(option["name"] for option in options)
        raise MemberError(f"/{command.name} needs a subcommand: {names}.")
    return steps, options


def _fill(options: Sequence[Json], values: Mapping[str, object], filling: _Filling) -> list[Json]:
    _refuse_unknown(options, values)
    missing = [o["name"] for o in options if o.get("required") and values.get(o["name"]) is None]
    if missing:
        raise MemberError(f"Fill in {', '.join(missing)} first.")
    given = [option for option in options if values.get(option["name"]) is not None]
    return [_filled(option, values[option["name"]], filling) for option in given]


def _refuse_unknown(options: Sequence[Json], values: Mapping[str, object]) -> None:
    unknown = values.keys() - {option["name"] for option in options}
    if unknown:
        raise MemberError(f"The command has no option {', '.join(sorted(unknown))}.")


def _filled(option: Json, value: object, filling: _Filling) -> Json:
    kind = OptionKind(option["type"])
    read = _READERS.get(kind)
    if read is None:
        value, entries = filling.resolver(option, value)
        for group, found in entries.items():
            filling.resolved.setdefault(group, {}).update(found)
    else:
        value = read(option, value)
    return {"name": option["name"], "type": int(kind), "value": value}


def _string(option: Json, value: object) -> str:
    if not isinstance(value, str):
        raise MemberError(f"{option['name']} is a text.")
    _check_choice(option, value)
    least, most = option.get("min_length", 0), option.get("max_length", MAX_STRING)
    if not least <= len(value) <= most:
        raise MemberError(f"{option['name']} takes {least} to {most} characters, this is {len(value)}.")
    return value


def _integer(option: Json, value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise MemberError(f"{option['name']} is a whole number.")
    _check_choice(option, value)
    _check_range(option, value)
    return value


def _number(option: Json, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise MemberError(f"{option['name']} is a number.")
    _check_choice(option, value)
    _check_range(option, value)
    return value


def _boolean(option: Json, value: object) -> bool:
    if not isinstance(value, bool):
        raise MemberError(f"{option['name']} is true or false.")
    return value


def _check_choice(option: Json, value: object) -> None:
    choices = option.get("choices")
    if choices and value not in [choice["value"] for choice in choices]:
        names = ", ".join(choice["name"] for choice in choices)
        raise MemberError(f"{option['name']} is one of: {names}.")


def _check_range(option: Json, value: float) -> None:
    least, most = option.get("min_value", -MAX_NUMBER), option.get("max_value", MAX_NUMBER)
    if not least <= value <= most:
        raise MemberError(f"{option['name']} goes from {least} to {most}.")


_READERS: dict[OptionKind, Callable[[Json, object], Any]] = {
    OptionKind.STRING: _string,
    OptionKind.INTEGER: _integer,
    OptionKind.NUMBER: _number,
    OptionKind.BOOLEAN: _boolean,
}
