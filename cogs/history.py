"""``/history`` and *Use this prompt*: what was asked for before, to be asked for again."""

import asyncio
from typing import TYPE_CHECKING

import discord
from discord import app_commands
from discord.ext import commands

from cogs.answers import in_time, tell
from cogs.presenter import message_of, pictures_in
from cogs.reception import scope_in
from cogs.views.history import SEARCH_CHARACTERS_MAX, Preview, Turn, history_layout
from services import history, network
from services.generations import Generation, State
from services.history import Page
from services.request import Wish, one_line
from services.runner import Runner
from services.words import _

if TYPE_CHECKING:
    from bot import FacelockBot

USE_THIS_PROMPT = "Use this prompt"
# The page is worth more than its thumbnails: those that Discord has not answered for by then are left out.
PREVIEW_TIMEOUT_S = 3.0
# All members together: Discord limits how many messages a bot may read.
PREVIEWS_AT_ONCE_MAX = 5


class History(commands.Cog):
    """Looking back."""

    def __init__(self, reader: history.History) -> None:
        self._reader = reader
        self._previewing = asyncio.Semaphore(PREVIEWS_AT_ONCE_MAX)

    @app_commands.command()
    @app_commands.describe(search="Words that are in the prompt")
    async def history(
        self, interaction: discord.Interaction, search: app_commands.Range[str, 1, SEARCH_CHARACTERS_MAX] | None = None
    ) -> None:
        """Look through your own pictures, and make one again or edit it."""
        await interaction.response.defer(thinking=True, ephemeral=True)
        said = one_line(search or "")
        page = await self._reader.older(member_id=interaction.user.id, scope=_scope(interaction), search=said)
        await self._show(interaction, page, said)

    async def turned(self, interaction: discord.Interaction, turn: Turn) -> None:
        """Show the page on that side."""
        await interaction.response.defer()
        member_id, scope = interaction.user.id, _scope(interaction)
        if turn.way == "newer":
            page = await self._reader.newer(
                member_id=member_id, scope=scope, search=turn.search, after=turn.generation_id
            )
        else:
            page = await self._reader.older(
                member_id=member_id, scope=scope, search=turn.search, before=turn.generation_id
            )
        await self._show(interaction, page, turn.search)

    async def _show(self, interaction: discord.Interaction, page: Page, search: str) -> None:
        found = await asyncio.gather(*(self._preview(interaction.client, each) for each in page.generations))
        previews = {each.id: preview for each, preview in zip(page.generations, found, strict=True)}
        await interaction.edit_original_response(view=history_layout(page, previews, search=search))

    async def _preview(self, client: discord.Client, generation: Generation) -> Preview:
        """What is at its message now: addresses of pictures that were stored would have ended."""
        if generation.message_id is None or generation.state not in (State.FINISHED, State.SETTLED):
            return Preview()
        try:
            async with asyncio.timeout(PREVIEW_TIMEOUT_S), self._previewing:
                message = await message_of(client, generation)
        except (discord.HTTPException, *network.FAULTS):
            return Preview()
        if message is None:
            return Preview(is_gone=True)
        return Preview(picture=next(iter(pictures_in(message)), None))


def use_this_prompt(runner: Runner) -> app_commands.ContextMenu:
    """The message command."""

    async def callback(interaction: discord.Interaction, message: discord.Message) -> None:
        generation = await in_time(interaction, runner.of_message(message.id), ephemeral=True)
        await tell(interaction, prompt_of(generation))

    return app_commands.ContextMenu(name=USE_THIS_PROMPT, callback=callback)


def prompt_of(generation: Generation | None) -> str:
    """The prompt, to be copied."""
    if generation is None:
        return _("I know of no prompt for this message. I can tell only about the results that I posted.")
    prompt = Wish.from_json(generation.wish).prompt
    if "```" in prompt:  # would end the block: a space that takes no room keeps them apart
        prompt = prompt.replace("``", "`\N{ZERO WIDTH SPACE}`")
    return f"```\n{prompt}\n```"


def _scope(interaction: discord.Interaction) -> str | None:
    """In a server what was asked for there; in a direct message everything."""
    if interaction.guild_id is None:
        return None
    return scope_in(interaction)


async def setup(bot: "FacelockBot") -> None:
    """Called by discord.py when it loads this file."""
    bot.add_dynamic_items(Turn)
    bot.tree.add_command(use_this_prompt(bot.runner))
    await bot.add_cog(History(history.History(bot.database)))
