"""Whose face it is: what the asker is asked, in the message of their request.

What they answer is what these sentences say: ``services.consents.WORDING`` counts their versions.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Protocol, Self, cast

import discord
from discord import ui
from discord.ext import commands

from cogs.answers import answer
from services.consents import Whose
from services.errors import UserError
from services.generations import Wait
from services.words import _, mention

# The cog that answers, whatever process sent the message.
HANDLER = "ConsentCog"
_FORM = re.compile(r"fl-person:([0-9]{1,18})")


class Declare(
    ui.DynamicItem[ui.Button[ui.LayoutView]], template=r"fl-whose:(?P<whose>[a-z]{1,10}):(?P<generation_id>[0-9]{1,18})"
):
    """The asker says whose face it is."""

    def __init__(self, whose: str, generation_id: int, *, label: str = "…") -> None:
        self.whose, self.generation_id = whose, generation_id
        super().__init__(ui.Button(label=label, custom_id=f"fl-whose:{whose}:{generation_id}"))

    @classmethod
    async def from_custom_id(cls, _interaction: discord.Interaction[Any], _item: ui.Item[Any], match: "Any", /) -> Self:
        """See discord.py."""
        return cls(match["whose"], int(match["generation_id"]))

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """See discord.py."""
        handler = cast(commands.Bot, interaction.client).get_cog(HANDLER)
        await answer(interaction, cast(Handler, handler).declared(interaction, self))


class Handler(Protocol):
    """Answers it; raises whatever the member is to be told of."""

    async def declared(self, interaction: discord.Interaction, press: Declare) -> None:
        """The asker has pressed."""
        ...


def declaration_headline(wait: Wait, *, photos: int) -> str:
    """What the asker is asked. What they press says all of this."""
    if photos > 1:
        return _(
            "**Whose face is in image {n} of {photos}?** {member}, with your answer you also say that the person is "
            "an adult.",
            n=wait.n,
            photos=photos,
            member=mention(wait.on),
        )
    return _(
        "**Whose face is this?** {member}, with your answer you also say that the person is an adult.",
        member=mention(wait.on),
    )


def declaration_buttons(generation_id: int) -> Sequence[Declare]:
    """The answers that there are."""
    labels = {
        Whose.ME: _("Mine"),
        Whose.AGREED: _("Somebody else's, who agreed"),
        Whose.MEMBER: _("A member's…"),
    }
    return [Declare(whose, generation_id, label=label) for whose, label in labels.items()]


def person_form(generation_id: int) -> ui.Modal:
    """A form that asks which member it is."""
    form = ui.Modal(title=_("Who is in the photo?"), custom_id=f"fl-person:{generation_id}")
    select = ui.UserSelect[ui.Modal](custom_id="person", min_values=1, max_values=1)
    form.add_item(
        ui.Label(
            text=_("An adult member of this server"),
            description=_("They are asked before anything is made."),
            component=select,
        )
    )
    form.stop()  # what comes in is read from its payload, in whatever process that is
    return form


def person_in(data: Mapping[str, Any]) -> tuple[int, int] | None:
    """Read the data of that form: the generation and the member chosen; None where it is not this form.

    Raises:
        UserError: it is a bot, which Discord offers there too.
    """
    found = _FORM.fullmatch(str(data.get("custom_id", "")))
    if found is None:
        return None
    fields = (each.get("component", each) for each in data["components"])
    values = next(each["values"] for each in fields if each.get("custom_id") == "person")
    if data.get("resolved", {}).get("users", {}).get(values[0], {}).get("bot"):
        raise UserError(_("A bot cannot be asked. Choose a member."))
    return int(found[1]), int(values[0])


def row_of(buttons: "Sequence[ui.DynamicItem[ui.Button[ui.LayoutView]]]") -> "ui.ActionRow[ui.LayoutView]":
    """One row of them."""
    # discord.py declares dynamic items as those of either kind of view, which no row takes.
    return ui.ActionRow(*cast("Sequence[ui.Item[ui.LayoutView]]", buttons))
