"""Answering an interaction in time, and the one function that every error ends in."""

import asyncio
import logging
import secrets
from collections.abc import Coroutine
from typing import Any, TypeVar

import discord
from discord import app_commands, ui

from services import network, words
from services.errors import UserError
from services.words import _

log = logging.getLogger(__name__)

# An answer must arrive within 3 s (https://discord.com/developers/docs/interactions/receiving-and-responding), so work
# that should take a millisecond gets one second before the interaction is deferred all the same.
WORK_S = 1.0
# In ``Interaction.extras``: the first answer was a deferral for this person alone, and nothing stands in its place yet.
_ALONE = "deferred alone"

_T = TypeVar("_T")


async def in_time(
    interaction: discord.Interaction, work: Coroutine[Any, Any, _T], *, ephemeral: bool, within_s: float | None = None
) -> _T:
    """Do a piece of quick work before the first answer; where it takes longer than ``within_s`` (``WORK_S``), defer and
    go on with it.
    """
    task = asyncio.ensure_future(work)
    try:
        await asyncio.wait({task}, timeout=WORK_S if within_s is None else within_s)
        if not task.done() and not interaction.response.is_done():
            if ephemeral:
                await defer_alone(interaction)
            else:
                await interaction.response.defer(thinking=True)
        return await task
    except BaseException:
        task.cancel()
        raise


async def defer_alone(interaction: discord.Interaction) -> None:
    """Take more time for an answer that the person who asked reads alone."""
    await interaction.response.defer(thinking=True, ephemeral=True)
    interaction.extras[_ALONE] = True


async def tell(interaction: discord.Interaction, said: str | ui.LayoutView) -> None:
    """Tell the person who asked, and nobody else."""
    if not interaction.response.is_done():
        if isinstance(said, str):
            await interaction.response.send_message(said, ephemeral=True)
        else:
            await interaction.response.send_message(view=said, ephemeral=True)
        return
    if interaction.response.type is discord.InteractionResponseType.deferred_channel_message:
        if interaction.extras.pop(_ALONE, False):
            if isinstance(said, str):
                await interaction.edit_original_response(content=said)
            else:
                await interaction.edit_original_response(view=said)
            return
        # Otherwise Discord would show the follow-up in the deferral's place, for everybody.
        await interaction.delete_original_response()
    if isinstance(said, str):
        await interaction.followup.send(said, ephemeral=True)
    else:
        await interaction.followup.send(view=said, ephemeral=True)


async def answer(interaction: discord.Interaction, work: Coroutine[Any, Any, None]) -> None:
    """Answer a component or a form, in the member's language: discord.py only logs what is raised there, and the member
    would be left without an answer.
    """
    words.speak(str(interaction.locale))
    try:
        await work
    except Exception as error:  # noqa: BLE001 - the edge where every error of a component ends
        await answer_error(interaction, error)


async def answer_error(interaction: discord.Interaction, error: BaseException) -> None:
    """A sentence for the person who asked; for the log what they need not know, under a reference for both."""
    while isinstance(error, (app_commands.CommandInvokeError, app_commands.TransformerError)) and error.__cause__:
        error = error.__cause__
    if interaction.client.is_closed():
        log.info("the stop came before the answer to an interaction: %s", type(error).__name__)
        return
    if isinstance(error, UserError):
        interaction.client.dispatch("refusal", error)
    try:
        await tell(interaction, _sentence_for(error))
    except (discord.HTTPException, *network.FAULTS) as failure:
        log.warning("an error could not be answered: %s", type(failure).__name__)


def _sentence_for(error: BaseException) -> str:
    if isinstance(error, UserError):
        return str(error)
    if isinstance(error, (app_commands.CommandNotFound, app_commands.CommandSignatureMismatch)):
        return _("This command has just changed. Restart Discord, then try again.")
    reference = secrets.token_hex(4)
    log.error("an interaction met a bug, reference %s", reference, exc_info=error)
    return _(
        "Something went wrong in the bot. Try again; if it happens again, tell its operator the reference "
        "`{reference}`.",
        reference=reference,
    )
