"""Where every answer to an interaction ends."""

import asyncio
import logging

import discord
import pytest
from discord import app_commands
from discord.ext import commands

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
