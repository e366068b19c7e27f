"""Where every answer to an interaction ends."""

import asyncio
import logging

import discord
import pytest
from discord import app_commands
from discord.ext import commands

from cogs.answers import in_time, tell
from services.errors import UserError
from tests.cogs.stage import cog_stage


class Slow(commands.Cog):
    def __init__(self) -> None:
        self.began, self.goes_on, self.over = asyncio.Event(), asyncio.Event(), asyncio.Event()

    @app_commands.command()
    async def slow(self, interaction: discord.Interaction) -> None:
        """Answer when the test says so."""
        self.began.set()
        await self.goes_on.wait()
        try:
            await interaction.response.send_message("Here it is.")
        finally:
            self.over.set()


class Late(commands.Cog):
    @app_commands.command()
    async def late(self, interaction: discord.Interaction) -> None:
        """Answer after the deferral."""
        await in_time(interaction, asyncio.sleep(0), ephemeral=True)
        await tell(interaction, "Here it is.")

    @app_commands.command()
    async def late_refusal(self, interaction: discord.Interaction) -> None:
        """Refuse after the deferral."""
        await in_time(interaction, asyncio.sleep(0), ephemeral=True)
        raise UserError("There is none.")


async def test_what_cannot_be_answered_before_the_stop_is_no_bug(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    cog = Slow()
    async with cog_stage(monkeypatch, lambda _runner: cog) as scene:
        scene.playground.command("slow")
        await cog.began.wait()
        await scene.bot.close()
        cog.goes_on.set()
        await cog.over.wait()
        await asyncio.gather(*(task for task in asyncio.all_tasks() if task.get_name() == "CommandTree-invoker"))

    assert "met a bug" not in caplog.text
    assert "the stop came before the answer" in caplog.text


async def test_an_answer_that_comes_late_takes_the_place_of_its_deferral(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cogs.answers.WORK_S", 0.0)
    async with cog_stage(monkeypatch, lambda _runner: Late()) as scene:
        for command, text in (("late", "Here it is."), ("late_refusal", "There is none.")):
            interaction = scene.playground.command(command)
            message = await scene.playground.answered(interaction)
            assert (message.text, scene.playground.seen_by(message)) == (text, {"Ben"})
