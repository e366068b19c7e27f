"""``/imagine``: from the command to an accepted generation. Everything after that is the job runner's."""

import asyncio
import logging
import secrets
from typing import TYPE_CHECKING

import discord
from discord import app_commands
from discord.ext import commands

from cogs.answers import in_time
from services import network
from services.config import Settings
from services.errors import PhotoRefused
from services.generations import NewGeneration
from services.photos import PHOTO_BYTES_MAX
from services.quotas import scope_of
from services.request import IMAGES_MAX, PROMPT_CHARACTERS_MAX, SEED, Model, Wish
from services.runner import Runner

if TYPE_CHECKING:
    from bot import FacelockBot

log = logging.getLogger(__name__)

# The first answer has 3 s; together with the second that accepting may take, this leaves half a second for the way.
DEFER_TIMEOUT_S = 1.5
# https://discord.com/developers/docs/topics/opcodes-and-status-codes#json
UNKNOWN_INTERACTION = 10062


class Imagine(commands.Cog):
    """Making pictures."""

    def __init__(self, runner: Runner, settings: Settings) -> None:
        self._runner = runner
        self._settings = settings

    @app_commands.command()
    @app_commands.describe(
        prompt="What the pictures should show",
        face="A photo of the person to show: one face, from the front",
        model="Which model makes them",
        count="How many pictures (1)",
    )
    @app_commands.choices(model=[app_commands.Choice(name=model.label, value=model.value) for model in Model])
    async def imagine(
        self,
        interaction: discord.Interaction,
        prompt: app_commands.Range[str, 1, PROMPT_CHARACTERS_MAX],
        face: discord.Attachment | None = None,
        model: str | None = None,
        count: app_commands.Range[int, 1, IMAGES_MAX] = 1,
    ) -> None:
        """Make pictures from a description, with the face from a photo if you attach one."""
        if face is not None and face.size > PHOTO_BYTES_MAX:
            raise PhotoRefused(f"The photo is larger than {PHOTO_BYTES_MAX // 2**20} MiB. Attach a smaller copy.")
        wish = self._wish(prompt, Model(model) if model else self._settings.default_model, count)
        new = _new_generation(interaction, wish, face)
        generation_id = await in_time(interaction, self._runner.accept(new), ephemeral=False)
        if generation_id is None:
            return  # a repeat of a command that was taken already, by a replay of the gateway
        await self._acknowledge(interaction, generation_id)

    def _wish(self, prompt: str, model: Model, count: int) -> Wish:
        model_id = {Model.SD: self._settings.sd_model_id, Model.SDXL: self._settings.sdxl_model_id}[model]
        seed = secrets.randbelow(SEED[1] + 1)
        return Wish.of(prompt=prompt, model=model, model_id=model_id, images=count, seed=seed)

    async def _acknowledge(self, interaction: discord.Interaction, generation_id: int) -> None:
        """Defer, unless that happened already, and hand over. Where it stays unknown whether Discord took the deferral,
        the runner goes on: the first edit of the message will tell.
        """
        message_id = None
        try:
            if not interaction.response.is_done():
                async with asyncio.timeout(DEFER_TIMEOUT_S):
                    response = await interaction.response.defer(thinking=True)
                message_id = response.message_id if response else None
        except discord.HTTPException as error:
            log.warning("generation %d: Discord answered the deferral with %s", generation_id, error.status)
            if error.code == UNKNOWN_INTERACTION:
                await self._runner.unacknowledged(generation_id)
                return
        except network.FAULTS as error:
            log.warning("generation %d: Discord did not confirm the deferral: %s", generation_id, type(error).__name__)
        await self._runner.acknowledged(generation_id, message_id)


def _new_generation(interaction: discord.Interaction, wish: Wish, face: discord.Attachment | None) -> NewGeneration:
    channel_id = interaction.channel_id
    assert channel_id is not None, "Discord names the channel of every command"  # noqa: S101 - narrows the type
    return NewGeneration(
        interaction_id=interaction.id,
        application_id=interaction.application_id,
        token=interaction.token,
        scope=scope_of(guild_id=interaction.guild_id, member_id=interaction.user.id),
        channel_id=channel_id,
        member_id=interaction.user.id,
        file_limit_bytes=interaction.filesize_limit,
        wish=wish.to_json(),
        images=wish.images,
        photo_url=face.url if face else None,
    )


async def setup(bot: "FacelockBot") -> None:
    """Called by discord.py when it loads this file."""
    await bot.add_cog(Imagine(bot.runner, bot.settings))
