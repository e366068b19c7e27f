"""``/quota``: what a member has used, has left, and when more comes free."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import discord
from discord import app_commands
from discord.ext import commands

from cogs.answers import in_time, tell
from cogs.reception import asker_of, scope_in
from cogs.views.generation import as_typed
from services.quotas import Account, Balance
from services.runner import Runner
from services.words import _, at, ngettext, on, span

if TYPE_CHECKING:
    from bot import FacelockBot

GRANTS_SHOWN = 5


class Quota(commands.Cog):
    """Counting pictures."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner

    @app_commands.command()
    async def quota(self, interaction: discord.Interaction) -> None:
        """See how many pictures you have left, and when more come free."""
        asker = asker_of(interaction)
        reading = self._runner.balance(scope=scope_in(interaction), member_id=asker.member_id, role_ids=asker.role_ids)
        lines = list(_lines(await in_time(interaction, reading, ephemeral=True)))
        # In a direct message nobody has any permission.
        if interaction.permissions.manage_guild and self._runner.account_usd is not None:
            usd = f"{self._runner.account_usd:.2f}"
            lines.append(_("The image service's account: {usd} USD left.", usd=usd))
        await tell(interaction, "\n".join(lines))


def _lines(balance: Balance) -> Iterator[str]:
    account = ngettext(
        "You have used {used} of {number} image in the last {window}; {left} left.",
        "You have used {used} of {number} images in the last {window}; {left} left.",
        balance.quota.images,
        used=balance.used,
        window=span(balance.quota.window),
        left=balance.left,
    )
    yield " ".join([account, *_next_free(balance)])
    for grant in balance.grants[:GRANTS_SHOWN]:
        bonus = ngettext(
            "A bonus of {number} more image until {end}.",
            "A bonus of {number} more images until {end}.",
            grant.images,
            end=on(grant.expires_at),
        )
        yield f"{bonus} {as_typed(grant.reason)}" if grant.reason else bonus
    if len(balance.grants) > GRANTS_SHOWN:
        yield ngettext("{number} image of bonuses in all.", "{number} images of bonuses in all.", balance.bonus)
    if balance.tightest is not None:
        budget = ngettext(
            "All members of this server together may have {number} image in {window}; {left} of them left.",
            "All members of this server together may have {number} images in {window}; {left} of them left.",
            balance.tightest.quota.images,
            window=span(balance.tightest.quota.window),
            left=balance.tightest.left,
        )
        yield " ".join([budget, *_next_free(balance.tightest)])
    if balance.pauses_until is not None:
        yield _("You can ask again {moment}.", moment=at(balance.pauses_until))
    elif balance.cooldown:
        yield _("Each member waits {time} between two requests.", time=span(balance.cooldown))


def _next_free(account: Account) -> Iterator[str]:
    following = account.next_free
    if following is not None:
        yield ngettext(
            "{number} more comes free {moment}.",
            "{number} more come free {moment}.",
            following.images,
            moment=at(following.at),
        )


async def setup(bot: "FacelockBot") -> None:
    """Called by discord.py when it loads this file."""
    await bot.add_cog(Quota(bot.runner))
