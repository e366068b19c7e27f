"""``/private``: whether one's own results with a face are for oneself alone at first."""

import discord
from discord import app_commands
from discord.ext import commands

from cogs.answers import in_time, tell
from cogs.client import FacelockBot
from cogs.reception import home_of
from services.visibility import Visibility
from services.words import _


class Private(commands.Cog):
    """Choosing who sees one's pictures."""

    def __init__(self, visibility: Visibility) -> None:
        self._visibility = visibility

    @app_commands.command()
    @app_commands.describe(default="on: your pictures with a face are shown only to you until you post them")
    @app_commands.choices(default=[app_commands.Choice(name=name, value=name) for name in ("on", "off")])
    async def private(self, interaction: discord.Interaction, default: str | None = None) -> None:
        """See or choose whether your pictures with a face are first shown only to you."""
        member_id = interaction.user.id
        if default is not None:
            choosing = self._visibility.choose(member_id, is_private_first=default == "on")
            await in_time(interaction, choosing, ephemeral=True)
        await tell(interaction, self._chosen(member_id, home_of(interaction)))

    def _chosen(self, member_id: int, guild_id: int | None) -> str:
        if self._visibility.is_server_private_first(guild_id):
            return _(
                "In this server, pictures with a face are first shown only to the member who asked for them. "
                "*Post to channel* under them shows them to everybody."
            )
        if self._visibility.is_private_first(member_id):
            return _(
                "Your pictures with a face are first shown only to you. *Post to channel* under them shows them to "
                "everybody, and `private:False` in a command makes an exception."
            )
        return _(
            "Your pictures are shown to everybody in the channel. `private:True` in a command makes an exception, and "
            "`/private default:on` first shows those with a face only to you."
        )


async def setup(bot: FacelockBot) -> None:
    """Called by discord.py when it loads this file."""
    await bot.add_cog(Private(bot.visibility))
