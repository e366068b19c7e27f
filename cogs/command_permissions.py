"""Who may use a command in a server, as its admins have set it under *Integrations*: Discord looks at that for the
command itself, but not for the buttons and menus of its answer.
"""

import asyncio

import discord
from discord import AppCommandPermissionType, app_commands
from discord.ext import commands

from cogs.reception import asker_of
from services import network
from services.errors import UserError
from services.words import _

# The press has to be answered within 3 s, and there is something to do before that.
ASK_TIMEOUT_S = 1.5


async def is_allowed(interaction: discord.Interaction, name: str) -> bool:
    """Whether the server's admins let who has sent this use the command of that name, whatever it wants by default.

    Raises:
        UserError: Discord does not tell.
    """
    guild, client = interaction.guild, interaction.client
    if guild is None or not isinstance(client, commands.Bot):
        return False
    try:
        async with asyncio.timeout(ASK_TIMEOUT_S):
            permissions = await _permissions(client.tree, guild, name)
    except (discord.HTTPException, *network.FAULTS) as error:
        raise UserError(_("Discord is slow to answer just now. Try again in a moment.")) from error
    own = permissions.get((AppCommandPermissionType.user, interaction.user.id))
    if own is not None:
        return own
    keys = [(AppCommandPermissionType.role, role_id) for role_id in asker_of(interaction).role_ids]
    of_roles = [permissions[key] for key in keys if key in permissions]
    return any(of_roles) if of_roles else permissions.get((AppCommandPermissionType.role, guild.id), False)


async def _permissions(
    tree: app_commands.CommandTree[commands.Bot], guild: discord.Guild, name: str
) -> dict[tuple[AppCommandPermissionType, int], bool]:
    """What is set for the command in the server; nothing where it is left at the default."""
    of_guild = await tree.fetch_commands(guild=guild) if tree.get_commands(guild=guild) else []
    found = next((each for each in of_guild or await tree.fetch_commands() if each.name == name), None)
    if found is None:
        return {}
    try:
        set_here = await found.fetch_permissions(guild)
    except discord.NotFound:  # nothing was changed
        return {}
    return {(each.type, each.id): each.permission for each in set_here.permissions}
