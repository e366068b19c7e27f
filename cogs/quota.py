"""``/quota``: what a member has used, has left, and when more comes free."""

from typing import TYPE_CHECKING

import discord
from discord import app_commands
from discord.ext import commands

from cogs.answers import in_time, tell
from services.quotas import Balance, scope_of
from services.runner import Runner
from services.words import _, at, ngettext

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
        reading = self._runner.balance(scope=scope, member_id=interaction.user.id)
        balance = await in_time(interaction, reading, ephemeral=True)
        lines = [_member_line(balance)]
        # In a direct message nobody has any permission.
        if interaction.permissions.manage_guild and self._runner.account_usd is not None:
            usd = f"{self._runner.account_usd:.2f}"
            lines.append(_("The image service's account: {usd} USD left.", usd=usd))
        await tell(interaction, "\n".join(lines))


def _member_line(balance: Balance) -> str:
    hours = round(balance.quota.window.total_seconds() / 3600)
    account = _(
        "You have used {used} of {quota} in the last {hours}; {left} left.",
        used=balance.used,
        quota=ngettext("{number} image", "{number} images", balance.quota.images),
        hours=ngettext("{number} hour", "{number} hours", hours),
        left=balance.left,
    )
    following = balance.next_free
    if following is None:
        return account
    more = ngettext(
        "{number} more comes free {moment}.",
        "{number} more come free {moment}.",
        following.images,
        moment=at(following.at),
    )
    return f"{account} {more}"


async def setup(bot: "FacelockBot") -> None:
    """Called by discord.py when it loads this file."""
    await bot.add_cog(Quota(bot.runner))
