"""``/server quota``: what a server's admins decide about quotas. Every answer is for them alone."""

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING

import discord
from discord import app_commands

from cogs.answers import in_time, tell
from cogs.imagine import CHOICE_CHARACTERS_MAX
from cogs.server import server_group
from cogs.views.server_quota import name_of, overview_text
from services.server_quotas import RoleQuota, ServerQuotas
from services.words import _, ngettext, on, span

if TYPE_CHECKING:
    from bot import FacelockBot

REASON_CHARACTERS_MAX = 100


class ServerQuota(app_commands.Group):
    """Takes its permissions from the group around it."""

    def __init__(self, quotas: ServerQuotas) -> None:
        super().__init__(name="quota", description="How many pictures members of this server may have.")
        self._quotas = quotas

    @app_commands.command()
    async def show(self, interaction: discord.Interaction) -> None:
        """See all quotas of this server, and what was used."""
        overview = await in_time(interaction, self._quotas.overview(_guild(interaction)), ephemeral=True)
        await tell(interaction, overview_text(overview, _names(interaction)))

    @app_commands.command(name="set")
    @app_commands.describe(
        role="Whose members get it; of several quotas the best one counts",
        images="How many images each of them may have",
        hours="In any window of so many hours (24)",
    )
    async def set_role(
        self,
        interaction: discord.Interaction,
        role: discord.Role,
        images: app_commands.Range[int, 1, 1_000_000],
        hours: app_commands.Range[int, 1, 8784] = 24,
    ) -> None:
        """Give the members with a role a quota of their own."""
        quota = RoleQuota(role_id=role.id, images=images, hours=hours)
        setting = self._quotas.set_role(_guild(interaction), quota, by=interaction.user.id)
        await in_time(interaction, setting, ephemeral=True)
        text = ngettext(
            "Each member with {role} may have {number} image in any {window}.",
            "Each member with {role} may have {number} images in any {window}.",
            images,
            role=role.mention,
            window=span(quota.window),
        )
        await tell(interaction, text)

    @app_commands.command()
    @app_commands.describe(role="One of the roles that have a quota")
    async def remove(self, interaction: discord.Interaction, role: str) -> None:
        """Take a role's quota away; its members have everybody's again."""
        role_id = int(role) if role.isascii() and role.isdecimal() else 0
        removing = self._quotas.remove_role(_guild(interaction), role_id, by=interaction.user.id)
        await in_time(interaction, removing, ephemeral=True)
        await tell(interaction, _("{role} has no quota of its own any more.", role=f"<@&{role_id}>"))

    @remove.autocomplete("role")
    async def suggest_roles(self, interaction: discord.Interaction, typed: str) -> list[app_commands.Choice[str]]:
        """Those that have a quota, the deleted ones too."""
        names = _names(interaction)
        found = [(name_of(each, names), each) for each in await self._quotas.role_quotas(_guild(interaction))]
        return [
            app_commands.Choice(name=name[:CHOICE_CHARACTERS_MAX], value=str(each.role_id))
            for name, each in found
            if typed.casefold() in name.casefold()
        ]

    @app_commands.command()
    @app_commands.describe(
        member="Who gets them",
        images="How many images, spent when the quota is used up",
        days="For how many days they last (30)",
        reason="What for; the member reads it in /quota",
    )
    async def grant(
        self,
        interaction: discord.Interaction,
        member: discord.Member,
        images: app_commands.Range[int, 1, 10_000],
        days: app_commands.Range[int, 1, 366] = 30,
        reason: app_commands.Range[str, 1, REASON_CHARACTERS_MAX] | None = None,
    ) -> None:
        """Give a member bonus images for a while."""
        granting = self._quotas.grant(
            _guild(interaction),
            member.id,
            images=images,
            lasts=timedelta(days=days),
            reason=reason,
            by=interaction.user.id,
            interaction_id=interaction.id,
        )
        expires_at = await in_time(interaction, granting, ephemeral=True)
        if expires_at is None:
            return  # a repeat of a command that was taken already, by a replay of the gateway
        text = ngettext(
            "{member} has a bonus of {number} image until {end}.",
            "{member} has a bonus of {number} images until {end}.",
            images,
            member=member.mention,
            end=on(expires_at),
        )
        await tell(interaction, text)

    @app_commands.command()
    @app_commands.describe(
        day="In any 24 hours; left out: as many as this bot's owner allows",
        month="In any 30 days; left out: as many as this bot's owner allows",
    )
    async def budget(
        self,
        interaction: discord.Interaction,
        day: app_commands.Range[int, 0, 1_000_000] | None = None,
        month: app_commands.Range[int, 0, 100_000_000] | None = None,
    ) -> None:
        """Say how many images all members of this server together may have."""
        setting = self._quotas.set_budget(
            _guild(interaction), images_per_day=day, images_per_month=month, by=interaction.user.id
        )
        await in_time(interaction, setting, ephemeral=True)
        overview = await self._quotas.overview(_guild(interaction))
        await tell(interaction, overview_text(overview, _names(interaction)))

    @app_commands.command()
    @app_commands.describe(seconds="How long each member waits between two requests; 0: not at all")
    async def cooldown(self, interaction: discord.Interaction, seconds: app_commands.Range[int, 0, 86_400]) -> None:
        """Say how long each member waits between two requests."""
        setting = self._quotas.set_cooldown(_guild(interaction), timedelta(seconds=seconds), by=interaction.user.id)
        await in_time(interaction, setting, ephemeral=True)
        if seconds:
            wait = span(timedelta(seconds=seconds))
            await tell(interaction, _("Each member waits {time} between two requests.", time=wait))
        else:
            await tell(interaction, _("Nobody waits between two requests."))


def _guild(interaction: discord.Interaction) -> int:
    assert interaction.guild_id is not None, "the command is offered in servers only"  # noqa: S101 - narrows the type
    return interaction.guild_id


def _names(interaction: discord.Interaction) -> Callable[[int], str | None]:
    def name_of_role(role_id: int) -> str | None:
        role = interaction.guild.get_role(role_id) if interaction.guild else None
        return role.name if role else None

    return name_of_role


async def setup(bot: "FacelockBot") -> None:
    """Called by discord.py when it loads this file."""
    server_group(bot).add_command(ServerQuota(bot.server_quotas))
