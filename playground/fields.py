"""What members fill in: menus, text inputs, uploads, things to tick; as bots define them in messages and modals."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import cast

from playground.errors import Json, MemberError
from playground.model import CHANNEL_TYPES, ENTITY_SELECTS, ComponentKind
from playground.validation import Form, Problems

# All limits: https://discord.com/developers/docs/components/reference, each under its component.
MAX_CUSTOM_ID = 100
MAX_SELECT_OPTIONS = 25
MAX_SELECT_PLACEHOLDER = 150
MAX_OPTION_TEXT = 100
MAX_INPUT = 4000
MAX_INPUT_LABEL = 45
MAX_INPUT_PLACEHOLDER = 100
MAX_UPLOADS = 10
MAX_GROUP_OPTIONS = 10

SHORT_INPUT = 1
PARAGRAPH_INPUT = 2


@dataclass(slots=True)
class Reading:
    """What has been seen so far in one message or modal."""

    problems: Problems
    in_modal: bool = False
    count: int = 0
    text_length: int = 0
    custom_ids: set[str] = field(default_factory=set[str])
    ids: set[int] = field(default_factory=set[int])


def given(**fields: object) -> Json:
    """The fields that have a value."""
    return {key: value for key, value in fields.items() if value is not None}


def read_custom_id(form: Form, reading: Reading) -> str:
    """The field `custom_id`, which no other component of the message or modal may have."""
    custom_id = form.text("custom_id", least=1, most=MAX_CUSTOM_ID, required=True)
    if custom_id in reading.custom_ids:
        form.fail("custom_id", "COMPONENT_CUSTOM_ID_DUPLICATED", "Component custom id cannot be duplicated")
    reading.custom_ids.add(custom_id or "")
    return custom_id or ""


def read_emoji(form: Form) -> Json | None:
    """The field `emoji` of a button or of an option."""
    emoji = form.form("emoji")
    if emoji is None:
        return None
    identity, name = emoji.snowflake("id"), emoji.text("name", most=100)
    if identity is None and not name:
        emoji.fail(None, "BUTTON_COMPONENT_INVALID_EMOJI", "Invalid emoji")
    return {"name": name} if identity is None else {"id": str(identity), "name": name}


def string_select(form: Form, reading: Reading) -> Json:
    """A menu of the bot's own options."""
    select = _select(form, reading)
    return select | {"options": _options(form, select, least=1, most=MAX_SELECT_OPTIONS)}


def _options(form: Form, counts: Json, *, least: int, most: int) -> list[Json]:
    """The field `options`, checked against how many of them may be chosen."""
    options = [_option(option) for option in form.forms("options", least=least, most=most)]
    values = [option["value"] for option in options]
    for position, value in enumerate(values):
        if value in values[:position]:
            said = "The specified option value is already used"
            form.problems.add(
                (*form.at, "options", position, "value"), "SELECT_COMPONENT_OPTION_VALUE_DUPLICATED", said
            )
    if options and counts["max_values"] > len(options):
        form.fail("max_values", "NUMBER_TYPE_MAX", f"int value should be less than or equal to {len(options)}.")
    _check_preset(form, "options", sum(option.get("default", False) for option in options), counts)
    return options


def entity_select(form: Form, reading: Reading, *, kind: ComponentKind) -> Json:
    """A menu of the people, roles or channels of the server."""
    select = _select(form, reading)
    if kind is ComponentKind.CHANNEL_SELECT and (types := form.integers("channel_types", among=CHANNEL_TYPES)):
        select["channel_types"] = types
    preset: list[Json] = []
    for entry in form.forms("default_values", most=MAX_SELECT_OPTIONS):
        identity = entry.snowflake("id", required=True)
        named = entry.text("type", most=20, required=True)
        if named not in ENTITY_SELECTS[kind]:
            entry.fail("type", "BASE_TYPE_CHOICES", f"Value must be one of {ENTITY_SELECTS[kind]}.")
        preset.append({"id": str(identity), "type": named})
    _check_preset(form, "default_values", len(preset), select)
    return select | ({"default_values": preset} if preset else {})


def _select(form: Form, reading: Reading) -> Json:
    select: Json = {"custom_id": read_custom_id(form, reading)}
    select |= given(placeholder=form.text("placeholder", most=MAX_SELECT_PLACEHOLDER) or None)
    select |= _counts(form, most=MAX_SELECT_OPTIONS)
    if reading.in_modal:
        select["required"] = _required(form, select, "Select menus marked as required cannot have a min_values of 0")
        if form.boolean("disabled"):
            form.fail("disabled", "SELECT_COMPONENT_DISABLED_IN_MODAL", "A select menu in a modal cannot be disabled.")
    elif form.boolean("disabled"):
        select["disabled"] = True
    return select


def _counts(form: Form, *, most: int, usual_most: int = 1) -> Json:
    """How many may be chosen: `min_values`, 1 unless said, and `max_values`."""
    least = form.integer("min_values", least=0, most=most)
    top = form.integer("max_values", least=1, most=most)
    found = {"min_values": 1 if least is None else least, "max_values": usual_most if top is None else top}
    if found["min_values"] > found["max_values"]:
        said = f"int value should be less than or equal to {found['max_values']}."
        form.fail("min_values", "NUMBER_TYPE_MAX", said)
    return found


def _required(form: Form, counts: Json, said: str) -> bool:
    """Whether a field of a modal has to be filled in, which is usual; then at least one is wanted.

    https://github.com/discord/discord-api-docs/issues/7800
    """
    required = _is_required(form)
    if required and counts["min_values"] == 0:
        form.fail("min_values", "SELECT_COMPONENT_REQUIRED_ZERO_MIN_VALUES", said)
    return required


def _is_required(form: Form) -> bool:
    return form.boolean("required") if form.data.get("required") is not None else True


def _check_preset(form: Form, key: str, count: int, select: Json) -> None:
    if count > select["max_values"]:
        said = f"At most {select['max_values']} can be chosen, {count} are."
        form.fail(key, "SELECT_COMPONENT_TOO_MANY_DEFAULTS", said)


def _option(form: Form) -> Json:
    option: Json = {
        "label": form.text("label", least=1, most=MAX_OPTION_TEXT, required=True) or "",
        "value": form.text("value", least=1, most=MAX_OPTION_TEXT, required=True) or "",
    }
    option |= given(description=form.text("description", most=MAX_OPTION_TEXT) or None, emoji=read_emoji(form))
    return option | ({"default": True} if form.boolean("default") else {})


def text_input(form: Form, reading: Reading) -> Json:
    """A field for words, in one line or several. Under an action row it has a label of its own."""
    style = form.integer("style", among=(SHORT_INPUT, PARAGRAPH_INPUT), required=True) or SHORT_INPUT
    least = form.integer("min_length", least=0, most=MAX_INPUT)
    most = form.integer("max_length", least=1, most=MAX_INPUT)
    if least is not None and most is not None and least > most:
        form.fail("min_length", "NUMBER_TYPE_MAX", f"int value should be less than or equal to {most}.")
    found: Json = {"custom_id": read_custom_id(form, reading), "style": style}
    found |= given(
        label=form.text("label", least=1, most=MAX_INPUT_LABEL),
        placeholder=form.text("placeholder", most=MAX_INPUT_PLACEHOLDER) or None,
        min_length=least,
        max_length=most,
        value=_preset_text(form, least=least or 0, most=most or MAX_INPUT),
    )
    found["required"] = _is_required(form)
    return found


def _preset_text(form: Form, *, least: int, most: int) -> str | None:
    value = form.text("value", most=most) or None
    if value is not None and len(value) < least:
        form.fail("value", "BASE_TYPE_MIN_LENGTH", f"Must be {least} or more in length.")
    return value


def file_upload(form: Form, reading: Reading) -> Json:
    """A field for files."""
    found = {"custom_id": read_custom_id(form, reading), **_counts(form, most=MAX_UPLOADS)}
    required = _required(form, found, "File uploads marked as required cannot have a min_values of 0")
    return found | {"required": required}


def radio_group(form: Form, reading: Reading) -> Json:
    """Options in full view, of which one is chosen."""
    found: Json = {"custom_id": read_custom_id(form, reading), "min_values": 1, "max_values": 1}
    found["required"] = _is_required(form)
    return found | {"options": _options(form, found, least=2, most=MAX_GROUP_OPTIONS)}


def checkbox_group(form: Form, reading: Reading) -> Json:
    """Options in full view, to be ticked: all of them, unless `max_values` says less."""
    all_of_them = len(form.items("options", most=MAX_GROUP_OPTIONS)) or 1
    counts = _counts(form, most=MAX_GROUP_OPTIONS, usual_most=all_of_them)
    found: Json = {"custom_id": read_custom_id(form, reading), **counts}
    found["required"] = _required(form, found, "Checkbox groups marked as required cannot have a min_values of 0")
    return found | {"options": _options(form, found, least=1, most=MAX_GROUP_OPTIONS)}


def checkbox(form: Form, reading: Reading) -> Json:
    """One thing to tick or not."""
    return {"custom_id": read_custom_id(form, reading), "default": form.boolean("default")}


# ------------------------------------------------------------------------------------------------------- the members


def chosen_values(select: Json, value: object, *, label: str, find: Callable[[Json, object], str]) -> list[str]:
    """What a member chose in a menu, one or several, each named by value or label; None leaves what the bot put there.

    `find` gives the id of what somebody names in a menu of people, roles or channels. `label` is what members call
    the menu.

    Raises:
        MemberError: too few or too many, chosen twice, not among the options, or the name of nothing.
    """
    values = _preset(select) if value is None else _several(value)
    if select["type"] in ENTITY_SELECTS:
        found = [find(select, one) for one in values]
    else:
        options: list[Json] = select["options"]
        known = {option[key]: option["value"] for key in ("label", "value") for option in options}
        if any(str(one) not in known for one in values):
            raise MemberError(f"{label} is one of: {', '.join(option['label'] for option in options)}.")
        found = [known[str(one)] for one in values]
    if len(set(found)) < len(found):
        raise MemberError(f"{label}: each can be chosen once.")
    check_count(select, label, len(found), "choice")
    return found


def _preset(select: Json) -> list[object]:
    chosen = [option["value"] for option in select.get("options", ()) if option.get("default")]
    return chosen + [entry["id"] for entry in select.get("default_values", ())]


def _several(value: object) -> list[object]:
    return list(cast("Sequence[object]", value)) if isinstance(value, list | tuple) else [value]


def check_count(field: Json, label: str, count: int, noun: str) -> None:
    """Refuse too few or too many; in a field of a modal that need not be filled in, none is right as well.

    Raises:
        MemberError: as said.
    """
    if not count and field.get("required"):
        raise MemberError(f"Fill in {label} first.")
    least, most = field["min_values"], field["max_values"]
    is_left_out = count == 0 and "required" in field
    if not is_left_out and not least <= count <= most:
        wanted = f"{most}" if least == most else f"{least} to {most}"
        raise MemberError(f"{label} takes {wanted} {noun}{'' if wanted == '1' else 's'}, this is {count}.")
