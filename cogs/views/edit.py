"""The form behind *Edit*, and reading what was filled in."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import discord
from discord import ui

from cogs.views.forms import Upload, fields_of, uploads_in, values_of
from services.errors import InvalidWish
from services.remakes import Edit
from services.request import PROMPT_CHARACTERS_MAX, SCALE_DEFAULT, Api, Role, Shape, Wish
from services.words import _

_ID = re.compile(r"fl:edit:([0-9]{1,18})")
_LIKENESS = range(101)


def edit_form(generation_id: int, wish: Wish, *, is_face_there: bool) -> ui.Modal:
    """A form with the wish filled in. Where its photos are gone from the message, all of them are asked for."""
    form = ui.Modal(title=_("Edit and make again"), custom_id=f"fl:edit:{generation_id}")
    form.add_item(_prompt(wish))
    if wish.api is Api.ADAPTERS:
        form.add_item(_likeness(wish))
    form.add_item(_shape(wish))
    form.add_item(_photos(wish, is_face_there=is_face_there))
    # discord.py would keep the form in memory until it is sent in, and forget it with the process. What comes in is
    # read from its payload instead (``filled_in``), in whatever process that is.
    form.stop()
    return form


def _prompt(wish: Wish) -> "ui.Label[ui.Modal]":
    field = ui.TextInput[ui.Modal](
        custom_id="prompt",
        style=discord.TextStyle.paragraph,
        default=wish.prompt,
        min_length=1,
        max_length=PROMPT_CHARACTERS_MAX,
    )
    return ui.Label(text=_("Prompt"), component=field)


def _likeness(wish: Wish) -> "ui.Label[ui.Modal]":
    scale = next((reference.scale for reference in wish.references if reference.role is Role.FACE), SCALE_DEFAULT)
    field = ui.TextInput[ui.Modal](custom_id="likeness", default=f"{round(scale * 100)}", required=False, max_length=3)
    told = _("How closely to follow the face, in percent")
    return ui.Label(text=_("Likeness"), description=told, component=field)


def _shape(wish: Wish) -> "ui.Label[ui.Modal]":
    options = [discord.SelectOption(label=shape.label, value=shape, default=shape is wish.shape) for shape in Shape]
    if wish.shape is None:
        size = f"{wish.width}x{wish.height}"
        options.insert(0, discord.SelectOption(label=size, value=size, default=True))
    return ui.Label(text=_("Shape"), component=ui.Select[ui.Modal](custom_id="shape", options=options))


def _photos(wish: Wish, *, is_face_there: bool) -> "ui.Label[ui.Modal]":
    if is_face_there or not wish.references:
        field = ui.FileUpload[ui.Modal](custom_id="photos", required=False, min_values=0, max_values=1)
        is_other = wish.count_of(Role.FACE) > 0
        told = _("Leave it empty for the same face.") if is_other else _("A photo of the person to show.")
        return ui.Label(text=_("Another face") if is_other else _("Face"), description=told, component=field)
    count = len(wish.references)
    field = ui.FileUpload[ui.Modal](custom_id="photos", required=True, min_values=count, max_values=count)
    if count == 1:
        gone = _("The photo is no longer in the message.")
    else:
        gone = _("They are gone. In this order: {images}.", images=roles(wish))
    return ui.Label(text=_("Attach again"), description=gone, component=field)


def roles(wish: Wish) -> str:
    """What its images are for, in order."""
    return ", ".join(reference.role.label for reference in wish.references)


@dataclass(frozen=True, slots=True, kw_only=True)
class Filled:
    """What a member sent in: the generation that it is about, their changes, the files."""

    generation_id: int
    edit: Edit
    photos: tuple[Upload, ...]


def filled_in(data: Mapping[str, Any]) -> Filled | None:
    """Read the data of a form that was sent in; None where it is not this form.

    Raises:
        InvalidWish: the likeness is not a percentage.
    """
    found = _ID.fullmatch(str(data.get("custom_id", "")))
    if found is None:
        return None
    fields = fields_of(data)
    likeness = str(fields.get("likeness", {}).get("value") or "").strip().removesuffix("%").rstrip()
    if likeness and (not likeness.isdecimal() or int(likeness) not in _LIKENESS):
        raise InvalidWish(field="likeness", value=likeness, allowed=_("{lowest} to {highest}", lowest=0, highest=100))
    return Filled(
        generation_id=int(found[1]),
        edit=Edit(
            prompt=fields["prompt"]["value"],
            likeness=int(likeness) if likeness else None,
            size=next(iter(values_of(fields["shape"])), None),
        ),
        photos=uploads_in(data, fields["photos"]),
    )
