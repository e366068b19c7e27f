"""``/server``: what those who manage a server may do. Other files add commands of their own to the group."""

from typing import TYPE_CHECKING

import discord
from discord import app_commands
from discord.ext import commands

from cogs.answers import in_time
from cogs.views.audit import audit_layout
from cogs.views.server import HANDLER, ServerButton
from services.errors import NotAllowed, UserError
from services.servers import Servers
from services.words import _

if TYPE_CHECKING:
    from bot import FacelockBot


@app_commands.default_permissions(manage_guild=True)
# Not guild_only: the whole tree's contexts have direct messages, and only what is named here overrides them.
@app_commands.allowed_contexts(guilds=True, dms=False, private_channels=False)
class Server(commands.GroupCog, name=HANDLER, group_name="server", group_description="How this bot works here."):
    """Managing a server. Who may use the commands is Discord's to say; every press is checked here."""

    def __init__(self, servers: Servers) -> None:
        self._servers = servers

    @app_commands.command()
    async def audit(self, interaction: discord.Interaction) -> None:
        """See who changed a setting or moderated in this server."""
        page = await in_time(interaction, self._servers.audited(_guild_id(interaction)), ephemeral=True)
        await _show(interaction, audit_layout(page))

    async def pressed(self, interaction: discord.Interaction, press: ServerButton) -> None:
        """Answer a press.

        Raises:
            UserError: nothing was done, for this reason.
        """
        guild_id = _guild_id(interaction)
        _check_manages(interaction)
        match press.action:
            case "audit":
                page = await self._servers.audited(guild_id, before=press.value or None)
                await interaction.response.edit_message(view=audit_layout(page))
            case _:
                raise UserError(_("This button is from another version of the bot and does nothing here."))


def server_group(bot: commands.Bot) -> app_commands.Group:
    """The group, for files that add commands to it; they are loaded after this one."""
    cog = bot.get_cog(HANDLER)
    assert isinstance(cog, Server) and cog.app_command is not None, "cogs.server is loaded first"  # noqa: S101, PT018 - narrows the type
    return cog.app_command


def _guild_id(interaction: discord.Interaction) -> int:
    if interaction.guild_id is None:
        raise NotAllowed(_("This works in a server only."))
    return interaction.guild_id


def _check_manages(interaction: discord.Interaction) -> None:
    """Whoever opened a panel may have lost the permission since."""
    if not interaction.permissions.manage_guild:
        raise NotAllowed(_("For this you need the permission to manage this server."))


async def _show(interaction: discord.Interaction, view: "discord.ui.LayoutView") -> None:
    if interaction.response.is_done():
        await interaction.edit_original_response(view=view)
    else:
        await interaction.response.send_message(view=view, ephemeral=True)


async def setup(bot: "FacelockBot") -> None:
    """Called by discord.py when it loads this file."""
    bot.add_dynamic_items(ServerButton)
    await bot.add_cog(Server(bot.servers))
