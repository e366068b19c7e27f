"""``/imagine`` and ``/advanced`` with the identity API: one face, and only what that API has a counterpart for."""

from dataclasses import replace
from typing import TYPE_CHECKING

import discord
from discord import app_commands
from discord.ext import commands

from cogs.imagine import (
    SHAPES,
    chosen,
    one_or_draft,
    random_seed,
    sources_of,
    suggested_faces,
    suggested_presets,
    suggested_sizes,
)
from cogs.reception import Reception
from services.catalog import Catalog
from services.defaults import capped, default_preset
from services.faces import Faces
from services.request import (
    GENERATE_TABLE,
    IMAGES_MAX,
    LOCK_TABLE,
    PROMPT_CHARACTERS_MAX,
    SCALE_DEFAULT,
    SEED,
    Api,
    Asked,
    Reference,
    Role,
    drafted,
    identity_wish,
    styled,
)

if TYPE_CHECKING:
    from bot import FacelockBot

# With a face the service takes other ranges than without one: Discord lets through what either takes.
STEPS = (GENERATE_TABLE.steps[0], LOCK_TABLE.steps[1])
GUIDANCE = (GENERATE_TABLE.guidance[0], LOCK_TABLE.guidance[1])
FACE_NAME = "One of your saved faces instead of a photo; the first of its photos is used"


class Identity(commands.Cog):
    """Making pictures with the identity API."""

    def __init__(self, reception: Reception, faces: Faces, catalog: Catalog, *, server_id: str | None) -> None:
        self._reception = reception
        self._faces = faces
        self._catalog = catalog
        self._server_id = server_id

    @app_commands.command()
    @app_commands.describe(
        prompt="What the pictures should show",
        face="A photo of the person to show: one face, from the front",
        face_name=FACE_NAME,
        preset="One of the styles that /styles shows",
        shape="The shape of the pictures (square)",
        count="How many pictures (1)",
        draft="Make four quick sketches first, and choose which to make in full (no)",
    )
    @app_commands.choices(shape=SHAPES)
    async def imagine(
        self,
        interaction: discord.Interaction,
        prompt: app_commands.Range[str, 1, PROMPT_CHARACTERS_MAX],
        face: discord.Attachment | None = None,
        face_name: str | None = None,
        preset: str | None = None,
        shape: str | None = None,
        count: app_commands.Range[int, 1, IMAGES_MAX] | None = None,
        draft: bool = False,
    ) -> None:
        """Make pictures from a description, with the face from a photo if you attach one."""
        asked = Asked(prompt=prompt, count=one_or_draft(count, draft=draft), size=shape)
        await self._begin(interaction, asked, face, face_name, preset=preset, draft=draft)

    @app_commands.command()
    @app_commands.describe(
        prompt="What the pictures should show",
        face="A photo of the person to show: one face, from the front",
        face_name=FACE_NAME,
        count="How many pictures (1)",
        size="A shape, or pixels such as 768x512; up to 2048 a side with a face, 1024 without",
        negative_prompt="What the pictures should not show; only with a face",
        steps="How many steps each picture takes; up to 100 with a face, 50 without (8)",
        guidance="How strictly to follow the prompt; 1 to 20 with a face (1.5), 0 to 20 without (0)",
        seed="The same seed and options make the same pictures again (random)",
        enhance_prompt="Have the image service enrich the prompt; only without a face (no)",
    )
    async def advanced(
        self,
        interaction: discord.Interaction,
        prompt: app_commands.Range[str, 1, PROMPT_CHARACTERS_MAX],
        face: discord.Attachment | None = None,
        face_name: str | None = None,
        count: app_commands.Range[int, 1, IMAGES_MAX] = 1,
        size: str | None = None,
        negative_prompt: app_commands.Range[str, 1, PROMPT_CHARACTERS_MAX] | None = None,
        steps: app_commands.Range[int, STEPS[0], STEPS[1]] | None = None,
        guidance: app_commands.Range[float, GUIDANCE[0], GUIDANCE[1]] | None = None,
        seed: app_commands.Range[int, SEED[0], SEED[1]] | None = None,
        enhance_prompt: bool = False,
    ) -> None:
        """Make pictures with every option there is."""
        asked = Asked(
            prompt=prompt,
            count=count,
            size=size,
            negative_prompt=negative_prompt,
            steps=steps,
            guidance=guidance,
            seed=seed,
            enhance_prompt=enhance_prompt,
        )
        await self._begin(interaction, asked, face, face_name)

    async def _begin(
        self,
        interaction: discord.Interaction,
        asked: Asked,
        face: discord.Attachment | None,
        face_name: str | None,
        *,
        preset: str | None = None,
        draft: bool = False,
    ) -> None:
        settings = self._reception.settings(interaction)
        styled_by = self._catalog.preset(preset) if preset is not None else default_preset(self._catalog, settings)
        saved = await chosen(interaction, self._faces, face_name, face=face)
        photos = saved[:1] or ([face] if face else [])
        # The API has no strength of likeness, so the scale of the reference is sent nowhere.
        references = tuple(Reference(role=Role.FACE, scale=SCALE_DEFAULT) for _ in photos)
        asked = styled(replace(asked, references=references), styled_by, api=Api.IDENTITY)
        asked = capped(asked, settings, LOCK_TABLE if references else GENERATE_TABLE, preset=None)
        wish = identity_wish(asked, seed=random_seed(), server_id=self._server_id)
        await self._reception.begin(interaction, drafted(wish) if draft else wish, sources_of(photos, references))

    @imagine.autocomplete("preset")
    async def suggest_presets(self, _interaction: discord.Interaction, typed: str) -> list[app_commands.Choice[str]]:
        """What the catalogue has that fits."""
        return suggested_presets(typed, self._catalog)

    @imagine.autocomplete("face_name")
    @advanced.autocomplete("face_name")
    async def suggest_faces(self, interaction: discord.Interaction, typed: str) -> list[app_commands.Choice[str]]:
        """The member's own saved faces that fit."""
        return await suggested_faces(interaction, self._faces, typed)

    @advanced.autocomplete("size")
    async def suggest_sizes(self, interaction: discord.Interaction, typed: str) -> list[app_commands.Choice[str]]:
        """The shapes in pixels, and any size that the service takes with or without the face."""
        has_face = "face" in interaction.namespace or "face_name" in interaction.namespace
        return suggested_sizes(typed, LOCK_TABLE if has_face else GENERATE_TABLE)


async def setup(bot: "FacelockBot") -> None:
    """Called by discord.py when it loads this file."""
    await bot.add_cog(Identity(bot.reception, bot.faces, bot.catalog, server_id=bot.settings.server_id))
