"""The buttons under a generation's message. Everything about one is in its id, so it works as long as the message."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Any, Protocol, Self, cast

import discord
from discord import ui
from discord.ext import commands

from cogs.answers import answer
from services.generations import Generation
from services.request import Role, Wish, can_vary, larger_size
from services.words import _

# The cog that answers them, whatever process sent the message.
HANDLER = "Results"


class Action(StrEnum):
    """What a button does; part of its id, so never renamed."""

    AGAIN = "again"
    VARY = "vary"
    FULL = "full"
    EDIT = "edit"
    LARGER = "larger"
    SAVE = "save"
    DETAILS = "details"
    REPORT = "report"
    DELETE = "delete"
    CANCEL = "cancel"

    @property
    def label(self) -> str:
        """What stands on the button, where that is about the whole request."""
        return {
            Action.AGAIN: _("Again"),
            Action.VARY: _("Vary"),
            Action.FULL: _("In full"),
            Action.EDIT: _("Edit"),
            Action.LARGER: _("Larger"),
            Action.SAVE: _("Save face"),
            Action.DETAILS: _("Details"),
            Action.REPORT: _("Report"),
            Action.DELETE: _("Delete"),
            Action.CANCEL: _("Cancel"),
        }[self]


class Press(
    ui.DynamicItem[ui.Button[ui.LayoutView]],
    template=r"fl:(?P<action>[a-z]{1,20}):(?P<generation_id>[0-9]{1,18})(?::(?P<number>[0-9]{1,2}))?",
):
    """A button of a generation, with the number of one of its pictures where it is about one."""

    def __init__(
        self,
        action: str,
        generation_id: int,
        number: int | None = None,
        *,
        label: str = "…",
        style: discord.ButtonStyle = discord.ButtonStyle.secondary,
    ) -> None:
        self.action, self.generation_id, self.number = action, generation_id, number
        custom_id = f"fl:{action}:{generation_id}" if number is None else f"fl:{action}:{generation_id}:{number}"
        super().__init__(ui.Button(label=label, style=style, custom_id=custom_id))

    @classmethod
    async def from_custom_id(cls, interaction: discord.Interaction[Any], item: ui.Item[Any], match: "Any", /) -> Self:
        """See discord.py."""
        number = match["number"]
        return cls(match["action"], int(match["generation_id"]), int(number) if number else None)

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """See discord.py."""
        handler = cast(commands.Bot, interaction.client).get_cog(HANDLER)
        await answer(interaction, cast(Handler, handler).pressed(interaction, self))


class Handler(Protocol):
    """Answers presses."""

    async def pressed(self, interaction: discord.Interaction, press: Press) -> None:
        """Raises whatever the member is to be told of."""
        ...


def under_progress(generation: Generation) -> "ui.ActionRow[ui.LayoutView]":
    """The row of buttons while there are no pictures yet."""
    return _row(Press(Action.CANCEL, generation.id, label=Action.CANCEL.label))


def under_result(
    generation: Generation, wish: Wish, numbers: Sequence[int], *, can_report: bool
) -> Sequence["ui.ActionRow[ui.LayoutView]"]:
    """The rows of buttons under the pictures of these numbers; reports are possible where somebody reads them."""

    def press(action: Action, number: int | None = None, *, label: str | None = None) -> Press:
        style = discord.ButtonStyle.danger if action is Action.DELETE else discord.ButtonStyle.secondary
        return Press(action, generation.id, number, label=label or action.label, style=style)

    larger = [Action.LARGER] if larger_size(wish) else []
    save = [Action.SAVE] if wish.count_of(Role.FACE) else []
    report = [Action.REPORT] if can_report else []
    rows = [
        _row(*map(press, (Action.AGAIN, Action.EDIT, *larger, *save))),
        _row(*map(press, (Action.DETAILS, *report, Action.DELETE))),
    ]
    if can_vary(wish):
        places = range(1, len(numbers) + 1)
        names = [_("Vary {number}", number=place) if len(numbers) > 1 else Action.VARY.label for place in places]
        rows.append(_row(*(press(Action.VARY, place, label=name) for place, name in zip(places, names, strict=True))))
    if wish.is_draft:  # labelled by what is to be seen; the id has the number that leads to the seed
        rows.insert(0, _row(*(press(Action.FULL, n, label=f"{place}") for place, n in enumerate(numbers, start=1))))
    return rows


def _row(*presses: Press) -> "ui.ActionRow[ui.LayoutView]":
    # discord.py declares dynamic items as those of either kind of view, which no row takes.
    return ui.ActionRow(*cast("Sequence[ui.Item[ui.LayoutView]]", presses))
