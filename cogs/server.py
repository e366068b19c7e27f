"""``/server``: what those who manage a server may do. Other files add commands of their own to the group."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast

import discord
from discord import app_commands
from discord.ext import commands

from cogs.answers import answer, in_time, tell
from cogs.reception import gone_ids
from cogs.reports import check_can_be_blocked
from cogs.views.audit import audit_layout
from cogs.views.blocked import blocked_text
from cogs.views.report import REASON_CHARACTERS_MAX
from cogs.views.server import HANDLER, ServerButton
from cogs.views.settings import Choice, Offered, changes, numbers_form, numbers_in, settings_layout
from services.catalog import Catalog
from services.errors import NotAllowed, UserError
from services.moderation import Moderation
from services.request import Api, one_line
from services.servers import Servers
from services.words import _, on

if TYPE_CHECKING:
    from bot import FacelockBot

DAYS_MAX = 365


@app_commands.default_permissions(manage_guild=True)
# Not guild_only: the whole tree's contexts have direct messages, and only what is named here overrides them.
@app_commands.allowed_contexts(guilds=True, dms=False, private_channels=False)
class Server(commands.GroupCog, name=HANDLER, group_name="server", group_description="How this bot works here."):
    """Managing a server. Who may use the commands is Discord's to say; every press is checked here."""

    def __init__(self, servers: Servers, moderation: Moderation, catalog: Catalog, *, api: Api) -> None:
        self._servers = servers
        self._moderation = moderation
        is_choice = api is Api.ADAPTERS
        self._offered = Offered(
            models={model.key: model.label for model in catalog.models} if is_choice else {},
            presets={preset.name: preset.name for preset in catalog.presets},
        )

    @app_commands.command()
    async def settings(self, interaction: discord.Interaction) -> None:
        """Set where, for whom and how the bot makes pictures in this server."""
        await interaction.response.send_message(view=self._panel(interaction), ephemeral=True)

    @app_commands.command()
    @app_commands.describe(
        member="Who may not ask for pictures in this server any more",
        reason="For the audit log; the member does not see it",
        days="For how many days (until somebody ends it)",
    )
    async def block(
        self,
        interaction: discord.Interaction,
        member: discord.User,
        reason: app_commands.Range[str, 1, REASON_CHARACTERS_MAX] | None = None,
        days: app_commands.Range[int, 1, DAYS_MAX] | None = None,
    ) -> None:
        """Keep a member from making pictures in this server."""
        guild_id = _guild_id(interaction)
        if member.bot:
            raise NotAllowed(_("A bot asks for no pictures, and cannot be blocked."))
        check_can_be_blocked(interaction, member.id)
        lasting = timedelta(days=days) if days else None
        blocking = self._moderation.block(
            guild_id, member.id, by=interaction.user.id, reason=one_line(reason or "") or None, lasting=lasting
        )
        block = await in_time(interaction, blocking, ephemeral=True)
        if block.until is None:
            told = _("{member} cannot ask for pictures in this server any more.", member=member.mention)
        else:
            moment = on(block.until)
            told = _(
                "{member} cannot ask for pictures in this server until {moment}.", member=member.mention, moment=moment
            )
        await tell(interaction, told)

    @app_commands.command()
    @app_commands.describe(member="Who may ask for pictures in this server again")
    async def unblock(self, interaction: discord.Interaction, member: discord.User) -> None:
        """Let a blocked member make pictures in this server again."""
        ending = self._moderation.unblock(_guild_id(interaction), member.id, by=interaction.user.id)
        if await in_time(interaction, ending, ephemeral=True):
            told = _("{member} can ask for pictures in this server again.", member=member.mention)
        else:
            told = _("{member} is not blocked in this server.", member=member.mention)
        await tell(interaction, told)

    @app_commands.command()
    async def blocked(self, interaction: discord.Interaction) -> None:
        """See who cannot make pictures in this server."""
        await tell(interaction, blocked_text(self._moderation.blocked(_guild_id(interaction))))

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
            case "numbers":
                await interaction.response.send_modal(numbers_form(self._servers.of(guild_id)))
            case "tidy":
                await self._change(interaction, self._tidied(interaction))
            case _:
                raise UserError(_("This button is from another version of the bot and does nothing here."))

    async def chosen(self, interaction: discord.Interaction, name: str, values: Sequence[str]) -> None:
        """Change what was chosen in a menu of the panel.

        Raises:
            UserError: nothing was changed, for this reason.
        """
        await self._change(interaction, changes(name, values))

    @commands.Cog.listener()
    async def on_interaction(self, interaction: discord.Interaction) -> None:
        """See discord.py; here for the form alone, which it would not find again after a restart."""
        if interaction.type is discord.InteractionType.modal_submit:
            await answer(interaction, self._submitted(interaction))

    async def _submitted(self, interaction: discord.Interaction) -> None:
        numbers = numbers_in(cast(Mapping[str, Any], interaction.data))
        if numbers is not None:
            await self._change(interaction, numbers)

    async def _change(self, interaction: discord.Interaction, wanted: Mapping[str, Any]) -> None:
        """Change settings and show the panel as it is then."""
        guild_id = _guild_id(interaction)
        _check_manages(interaction)
        await self._servers.change(guild_id, by=interaction.user.id, **wanted)
        await interaction.response.edit_message(view=self._panel(interaction))

    def _tidied(self, interaction: discord.Interaction) -> dict[str, Any]:
        """The settings without the channels and roles that the server does not have any more."""
        settings = self._servers.of(interaction.guild_id)
        gone = gone_ids(interaction.guild, settings)
        return {
            "channels": tuple(each for each in settings.channels if each not in gone),
            "roles": tuple(each for each in settings.roles if each not in gone),
            "report_channel": None if settings.report_channel in gone else settings.report_channel,
        }

    def _panel(self, interaction: discord.Interaction) -> discord.ui.LayoutView:
        settings = self._servers.of(interaction.guild_id)
        return settings_layout(settings, self._offered, gone_ids(interaction.guild, settings))


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
    bot.add_dynamic_items(ServerButton, Choice)
    await bot.add_cog(Server(bot.servers, bot.moderation, bot.catalog, api=bot.settings.imagepipeline_api))
