"""Modals: a bot's form, and what a member fills in. https://discord.com/developers/docs/interactions/modals."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from playground.components import read_modal_components
from playground.errors import Json, MemberError
from playground.fields import MAX_CUSTOM_ID, MAX_INPUT, check_count, chosen_values
from playground.model import SELECTS, ComponentKind, walk
from playground.multipart import Upload
from playground.validation import Form

# https://discord.com/developers/docs/interactions/receiving-and-responding#interaction-response-object-modal
MAX_TITLE = 45

FIELDS = SELECTS | {
    ComponentKind.TEXT_INPUT,
    ComponentKind.FILE_UPLOAD,
    ComponentKind.RADIO_GROUP,
    ComponentKind.CHECKBOX_GROUP,
    ComponentKind.CHECKBOX,
}


def read_modal(form: Form) -> Json:
    """Check a modal and return it as Discord keeps it; what is wrong goes to the form's problems."""
    return {
        "custom_id": form.text("custom_id", least=1, most=MAX_CUSTOM_ID, required=True) or "",
        "title": form.text("title", least=1, most=MAX_TITLE, required=True) or "",
        "components": list(read_modal_components(form)),
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Filling:
    """What a member puts into a form, by `custom_id` or label of the fields.

    `values` holds text, the chosen values (one, or a list; of people, roles and channels, names or ids), or whether
    something is ticked. What is not named keeps what the bot put there. `files` holds the files of each upload.
    """

    values: Mapping[str, object]
    files: Mapping[str, Sequence[Upload]]


class Finder(Protocol):
    """Turns what was filled in into ids."""

    def entity(self, select: Json, which: object) -> str:
        """Of somebody or something of the server, by name or id, as the menu wants it. Raises MemberError."""
        ...

    def file(self, upload: Upload) -> str:
        """Of an upload."""
        ...


def submitted_components(modal: Json, filling: Filling, *, find: Finder) -> list[Json]:
    """The `components` of a submission.

    Raises:
        MemberError: something is missing, too long, too many, not among the options, or unknown to the form.
    """
    fields = {field["custom_id"]: label for label, field in _labelled(modal)}
    _refuse_unknown(fields, filling)
    return [_submitted(component, component.get("label", ""), filling, find) for component in modal["components"]]


def _labelled(modal: Json) -> list[tuple[str, Json]]:
    """The fields of a form, each with what members call it."""
    found: list[tuple[str, Json]] = []
    for top in modal["components"]:
        fields = [component for component in walk(top) if component["type"] in FIELDS]
        found += [(top.get("label") or field["label"], field) for field in fields]
    return found


def _refuse_unknown(fields: Mapping[str, str], filling: Filling) -> None:
    unknown = {*filling.values, *filling.files} - {*fields, *fields.values()}
    if unknown:
        raise MemberError(f"The form has no field {', '.join(sorted(unknown))}. Fields: {', '.join(fields.values())}.")


def _submitted(component: Json, label: str, filling: Filling, find: Finder) -> Json:
    identity: Json = {"type": int(component["type"]), "id": component["id"]}
    if "components" in component:
        inside = [_submitted(child, child["label"], filling, find) for child in component["components"]]
        return identity | {"components": inside}
    if "component" in component:
        return identity | {"component": _submitted(component["component"], label, filling, find)}
    if component["type"] not in FIELDS:
        return identity
    return identity | {"custom_id": component["custom_id"], **_filled(component, label, filling, find)}


def _filled(field: Json, label: str, filling: Filling, find: Finder) -> Json:
    if field["type"] == ComponentKind.FILE_UPLOAD:
        uploads = filling.files.get(field["custom_id"], filling.files.get(label, ()))
        check_count(field, label, len(uploads), "file")
        return {"values": [find.file(upload) for upload in uploads]}
    value = filling.values.get(field["custom_id"], filling.values.get(label))
    if field["type"] == ComponentKind.TEXT_INPUT:
        return {"value": _text(field, label, field.get("value", "") if value is None else value)}
    if field["type"] == ComponentKind.CHECKBOX:
        return {"value": _ticked(label, field["default"] if value is None else value)}
    values = chosen_values(field, value, label=label, find=find.entity)
    if field["type"] == ComponentKind.RADIO_GROUP:
        return {"value": next(iter(values), None)}
    return {"values": values}


def _ticked(label: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise MemberError(f"{label} is true or false.")
    return value


def _text(field: Json, label: str, value: object) -> str:
    if not isinstance(value, str):
        raise MemberError(f"{label} is a text.")
    if not value.strip() and field["required"]:
        raise MemberError(f"Fill in {label} first.")
    least, most = field.get("min_length", 0), field.get("max_length", MAX_INPUT)
    if value and not least <= len(value) <= most:
        raise MemberError(f"{label} takes {least} to {most} characters, this is {len(value)}.")
    return value
