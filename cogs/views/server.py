"""The buttons of ``/server``. Everything about one is in its id, so it works after a restart."""

from typing import Any, Protocol, Self, cast

import discord
from discord import ui
from discord.ext import commands

from cogs.answers import answer

# The cog that answers them, whatever process sent the message.
HANDLER = "Server"


class ServerButton(
    ui.DynamicItem[ui.Button[ui.LayoutView]], template=r"fl:server:(?P<action>[a-z]{1,20}):(?P<value>[0-9]{1,19})"
):
    """A button for who manages a server, with an id or a number where it is about one."""

    def __init__(
        self,
        action: str,
        value: int = 0,
        *,
        label: str = "…",
        style: discord.ButtonStyle = discord.ButtonStyle.secondary,
        is_possible: bool = True,
    ) -> None:
        self.action, self.value = action, value
        custom_id = f"fl:server:{action}:{value}"
        super().__init__(ui.Button(label=label, style=style, custom_id=custom_id, disabled=not is_possible))

    @classmethod
    async def from_custom_id(cls, interaction: discord.Interaction[Any], item: ui.Item[Any], match: "Any", /) -> Self:
        """See discord.py."""
        return cls(match["action"], int(match["value"]))

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """See discord.py."""
        handler = cast(commands.Bot, interaction.client).get_cog(HANDLER)
        await answer(interaction, cast(Handler, handler).pressed(interaction, self))


class Handler(Protocol):
    """Answers presses."""

    async def pressed(self, interaction: discord.Interaction, press: ServerButton) -> None:
        """Raises whatever the member is to be told of."""
        ...


def row(*items: "ui.DynamicItem[Any]") -> "ui.ActionRow[ui.LayoutView]":
    """A row of these."""
    # discord.py declares dynamic items as those of either kind of view, which no row takes.
    return ui.ActionRow(*cast("tuple[ui.Item[ui.LayoutView], ...]", items))
