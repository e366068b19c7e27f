"""The tiny bot's commands that depend on who uses them, and where."""

from typing import Any

import discord
from discord import app_commands

Press = discord.Interaction[Any]


def add_places(tree: app_commands.CommandTree[Any]) -> None:
    """The commands that tell what the bot knows of a place."""

    @tree.command(description="Say who I am to the bot")
    async def who_am_i(interaction: Press) -> None:
        member = interaction.user
        roles = [role.name for role in member.roles] if isinstance(member, discord.Member) else []
        may = interaction.permissions
        interaction.client.seen.append(
            {"roles": roles, "manages": [may.manage_guild, may.manage_messages], "administrator": may.administrator}
        )
        await interaction.response.send_message("I know you.", ephemeral=True)

    @tree.command(description="Set up the server")
    @app_commands.default_permissions(manage_guild=True)
    async def guard(interaction: Press) -> None:
        await interaction.response.send_message("Set up.", ephemeral=True)

    _ = (who_am_i, guard)
