"""How saved faces look in Discord. Only their owner ever sees these texts."""

import io
from collections.abc import Sequence
from datetime import timedelta

import discord
from discord import ui

from cogs.views.generation import ACCENT
from services.faces import Listed, Saved
from services.upkeep import Expiring
from services.words import _, at, ngettext


def bold(name: str) -> str:
    """A face's name as it was typed, in bold."""
    return f"**{discord.utils.escape_markdown(name, ignore_links=False)}**"


def saved_text(saved: Saved, unused_max: timedelta) -> str:
    """What the owner of a face reads that was just saved."""
    lines = [
        ngettext(
            "Saved {name} from {number} photo. Use it in `/imagine`, as `face_name`.",
            "Saved {name} from {number} photos. Use it in `/imagine`, as `face_name`.",
            saved.photos,
            name=bold(saved.name),
        ),
        _("Only you can see and use it; where you use it, the crop stands in the message, as with any photo."),
        ngettext(
            "It is deleted when you have not used it for {number} day, and you are told before.",
            "It is deleted when you have not used it for {number} days, and you are told before.",
            unused_max.days,
        ),
    ]
    if not saved.checked:
        unchecked = ngettext(
            "The photo was cropped to its middle and not checked for a face.",
            "The photos were cropped to their middle and not checked for a face.",
            saved.photos,
        )
        lines.append(f"-# {unchecked}")
    return "\n".join(lines)


def expiring_text(expiring: Sequence[Expiring]) -> str:
    """What the owner of faces that nobody uses reads before they are deleted."""
    lines = [f"- {bold(each.name)}: {at(each.at)}" for each in expiring]
    told = ngettext(
        "A face that you saved has not been used for long and will be deleted. "
        "To keep it, use it in `/imagine`, as `face_name`.",
        "Faces that you saved have not been used for long and will be deleted. "
        "To keep one, use it in `/imagine`, as `face_name`.",
        len(expiring),
    )
    return "\n".join([told, *lines])


def listed_files(listed: Sequence[Listed]) -> list[discord.File]:
    """The first photo of each face that can be opened, under the name that ``listed_layout`` knows."""
    return [discord.File(io.BytesIO(each.photos[0]), filename=_file_name(each)) for each in listed if each.photos]


def listed_layout(listed: Sequence[Listed]) -> ui.LayoutView:
    """All faces of a member, each with its thumbnail."""
    view = ui.LayoutView(timeout=None)
    view.add_item(ui.Container(*(_item(each) for each in listed), accent_colour=ACCENT))
    return view


def _item(listed: Listed) -> "ui.Item[ui.LayoutView]":
    face = listed.face
    headline = _("{name}, suggested first", name=bold(face.name)) if face.is_default else bold(face.name)
    if not listed.photos:
        closed = _("It cannot be opened any more. Save it again with `/face save`.")
        return ui.TextDisplay(f"{headline}\n{closed}")
    moment, photos = at(face.last_used_at), ngettext("{number} photo", "{number} photos", len(listed.photos))
    is_unused = face.last_used_at == face.created_at
    used = _("saved {moment}", moment=moment) if is_unused else _("last used {moment}", moment=moment)
    deleted = _("Deleted {moment}, unless you use it.", moment=at(listed.expires_at))
    text = f"{headline}\n{photos} · {used}\n-# {deleted}"
    thumbnail = ui.Thumbnail[ui.LayoutView](f"attachment://{_file_name(listed)}", description=face.name)
    return ui.Section(ui.TextDisplay(text), accessory=thumbnail)


def _file_name(listed: Listed) -> str:
    return f"saved-{listed.face.id}.jpg"
