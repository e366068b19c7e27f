"""``/imagine`` and ``/advanced`` with the identity API: one face, and only what that API has a counterpart for."""

from dataclasses import replace

import discord
from discord import app_commands

from cogs.client import FacelockBot
from cogs.imagine import (
    ADVANCED_OPTIONS,
    IMAGINE_OPTIONS,
    SHAPES,
    WHOSE,
    Imagining,
    chosen,
    one_or_draft,
    random_seed,
    said_of,
    suggested_sizes,
)
from cogs.reception import Reception
from services.catalog import Catalog
from services.consents import Said
from services.defaults import capped, default_preset
from services.faces import Faces
from services.parameters import (
    GENERATE_TABLE,
    IMAGES_MAX,
    LOCK_TABLE,
    PROMPT_CHARACTERS_MAX,
    SCALE_DEFAULT,
    SEED,
    Api,
    Role,
    table_of,
)
from services.wishes import Asked, Reference, identity_wish, styled

# With a face the service takes other ranges than without one: Discord lets through what either takes.
STEPS = (GENERATE_TABLE.steps[0], LOCK_TABLE.steps[1])
GUIDANCE = (GENERATE_TABLE.guidance[0], LOCK_TABLE.guidance[1])
FACE_NAME = "One of your saved faces instead of a photo; the first of its photos is used"


class Identity(Imagining):
    """Making pictures with the identity API."""

    def __init__(self, reception: Reception, faces: Faces, catalog: Catalog, *, server_id: str | None) -> None:
        super().__init__(reception, faces, catalog)
        self._server_id = server_id

    @app_commands.command()
    @app_commands.describe(
        **IMAGINE_OPTIONS,
        face_name=FACE_NAME,
    )
    @app_commands.choices(shape=SHAPES, whose=WHOSE)
    @app_commands.autocomplete(face_name=Imagining.suggest_faces, preset=Imagining.suggest_presets)
    async def imagine(
        self,
        interaction: discord.Interaction,
        prompt: app_commands.Range[str, 1, PROMPT_CHARACTERS_MAX],
        face: discord.Attachment | None = None,
        face_name: str | None = None,
        whose: str | None = None,
        person: discord.User | None = None,
        preset: str | None = None,
        shape: str | None = None,
        count: app_commands.Range[int, 1, IMAGES_MAX] | None = None,
        draft: bool = False,
        private: bool | None = None,
    ) -> None:
        """Make pictures from a description, with the face from a photo if you attach one."""
        asked = Asked(prompt=prompt, count=one_or_draft(count, draft=draft), size=shape)
        said = said_of(interaction, whose, person, has_face=face is not None or face_name is not None)
        await self._begin(interaction, asked, face, face_name, preset=preset, draft=draft, private=private, said=said)

    @app_commands.command()
    @app_commands.describe(
        **ADVANCED_OPTIONS,
        face_name=FACE_NAME,
        size="A shape, or pixels such as 768x512; up to 2048 a side with a face, 1024 without",
        negative_prompt="What the pictures should not show; only with a face",
        steps="How many steps each picture takes; up to 100 with a face, 50 without (8)",
        guidance="How strictly to follow the prompt; 1 to 20 with a face (1.5), 0 to 20 without (0)",
        enhance_prompt="Have the image service enrich the prompt; only without a face (no)",
    )
    @app_commands.autocomplete(face_name=Imagining.suggest_faces)
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
        private: bool | None = None,
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
        await self._begin(interaction, asked, face, face_name, private=private)

    async def _begin(
        self,
        interaction: discord.Interaction,
        asked: Asked,
        face: discord.Attachment | None,
        face_name: str | None,
        *,
        preset: str | None = None,
        draft: bool = False,
        private: bool | None,
        said: Said | None = None,
    ) -> None:
        settings = self._reception.settings(interaction)
        styled_by = self.catalog.preset(preset) if preset is not None else default_preset(self.catalog, settings)
        has_face = face is not None or face_name is not None
        is_private = self._reception.is_private(interaction, private, has_face=has_face)
        saved = await chosen(interaction, self._faces, face_name, face=face, is_private=is_private)
        photos = saved[:1] or ([face] if face else [])
        # The API has no strength of likeness, so the scale of the reference is sent nowhere.
        references = tuple(Reference(role=Role.FACE, scale=SCALE_DEFAULT) for _ in photos)
        asked = styled(replace(asked, references=references), styled_by, api=Api.IDENTITY)
        asked = capped(asked, settings, table_of(None, has_face=bool(references)), preset=None)
        wish = identity_wish(asked, seed=random_seed(), server_id=self._server_id)
        await self._request(interaction, wish, photos, draft=draft, is_private=is_private, said=said)

    @advanced.autocomplete("size")
    async def suggest_sizes(self, interaction: discord.Interaction, typed: str) -> list[app_commands.Choice[str]]:
        """The shapes in pixels, and any size that the service takes with or without the face."""
        has_face = "face" in interaction.namespace or "face_name" in interaction.namespace
        return suggested_sizes(typed, table_of(None, has_face=has_face))


async def setup(bot: FacelockBot) -> None:
    """Called by discord.py when it loads this file."""
    await bot.add_cog(Identity(bot.reception, bot.faces, bot.catalog, server_id=bot.settings.server_id))
