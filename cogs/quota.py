"""``/quota``: what a member has used, has left, and when more comes free."""

from typing import TYPE_CHECKING

import discord
from discord import app_commands
from discord.ext import commands

from cogs.answers import in_time, tell
from services.quotas import Balance, scope_of
from services.runner import Runner
from services.words import at, counted

if TYPE_CHECKING:
    from bot import FacelockBot


class Quota(commands.Cog):
    """Counting pictures."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner

    @app_commands.command()
    async def quota(self, interaction: discord.Interaction) -> None:
        """See how many pictures you have left, and when more come free."""
        scope = scope_of(guild_id=interaction.guild_id, member_id=interaction.user.id)
        reading = self._runner.balance(scope=scope, member_id=interaction.user.id, role_ids=())
        balance = await in_time(interaction, reading, ephemeral=True)
        lines = [_member_line(balance)]
        # In a direct message nobody has any permission.
        if interaction.permissions.manage_guild and self._runner.account_usd is not None:
            lines.append(f"The image service's account: {self._runner.account_usd:.2f} USD left.")
        await tell(interaction, "\n".join(lines))


def _member_line(balance: Balance) -> str:
    hours = round(balance.quota.window.total_seconds() / 3600)
    quota = counted(balance.quota.images, "image")
    account = f"You have used {balance.used} of {quota} in the last {counted(hours, 'hour')}; {balance.left} left."
    following = balance.next_free
    if following is None:
        return account
    return f"{account} {following.images} more {'comes' if following.images == 1 else 'come'} free {at(following.at)}."


async def setup(bot: "FacelockBot") -> None:
    """Called by discord.py when it loads this file."""
    await bot.add_cog(Quota(bot.runner))
