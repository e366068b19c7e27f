"""The form behind *Save face*, and reading what was filled in."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import discord
from discord import ui

from cogs.views.forms import Upload, fields_of, uploads_in, values_of
from services.faces import NAME_CHARACTERS_MAX, PHOTOS_MAX
from services.words import _

_ID = re.compile(r"fl:save:([0-9]{1,18})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Filled:
    """What a member sent in: the generation that the face is in, which of its faces by their places among the photos,
    or new photos where they were gone.
    """

    generation_id: int
    name: str
    as_default: bool
    places: tuple[int, ...]
    photos: tuple[Upload, ...]


def save_form(generation_id: int, faces: Mapping[int, str], *, are_there: bool) -> ui.Modal:
    """The form. ``faces`` are what the faces are called, by their places; where they are gone from the message, a photo
    is asked for. What comes in is read from its payload (``to_be_saved``).
    """
    form = ui.Modal(title=_("Save this face"), custom_id=f"fl:save:{generation_id}")
    name = ui.TextInput[ui.Modal](custom_id="name", min_length=1, max_length=NAME_CHARACTERS_MAX)
    told = _("Nobody else sees it. Later it is the face_name of /imagine.")
    form.add_item(ui.Label(text=_("What to call it"), description=told, component=name))
    if not are_there:
        field = ui.FileUpload[ui.Modal](custom_id="photos", required=True, min_values=1, max_values=PHOTOS_MAX)
        gone = _("The photo is no longer in the message.")
        form.add_item(ui.Label(text=_("Attach again"), description=gone, component=field))
    elif len(faces) > 1:
        form.add_item(_which(faces))
    form.add_item(_suggested())
    form.stop()  # discord.py would keep it in memory until it is sent in, and forget it with the process
    return form


def to_be_saved(data: Mapping[str, Any]) -> Filled | None:
    """Read the data of a form that was sent in; None where it is not this form."""
    found = _ID.fullmatch(str(data.get("custom_id", "")))
    if found is None:
        return None
    fields = fields_of(data)
    return Filled(
        generation_id=int(found[1]),
        name=fields["name"]["value"],
        as_default=bool(fields["first"].get("value")),
        places=tuple(int(place) for place in values_of(fields.get("faces", {}))),
        photos=uploads_in(data, fields.get("photos", {})),
    )


def _which(faces: Mapping[int, str]) -> "ui.Label[ui.Modal]":
    options = [
        discord.SelectOption(label=title, value=str(place), default=number == 0)
        for number, (place, title) in enumerate(faces.items())
    ]
    field = ui.Select[ui.Modal](custom_id="faces", options=options, max_values=len(options))
    told = _("Choose several only where they are of one person.")
    return ui.Label(text=_("Which of them"), description=told, component=field)


def _suggested() -> "ui.Label[ui.Modal]":
    told = _("Your default face is the first that is offered as face_name.")
    return ui.Label(text=_("Suggest it first"), description=told, component=ui.Checkbox[ui.Modal](custom_id="first"))


def places_of(filled: Filled, faces: Sequence[int]) -> list[int]:
    """The places of the faces that were chosen, or of the only one."""
    return [place for place in faces if place in filled.places] or list(faces[:1])
