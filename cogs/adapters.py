"""``/imagine`` and ``/advanced`` with the adapters API: faces and styles, models, and everything else it takes."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import discord
from discord import app_commands
from discord.ext import commands

from cogs.imagine import (
    SHAPES,
    Photo,
    Slot,
    attached,
    chosen,
    one_or_draft,
    random_seed,
    sources_of,
    suggested_faces,
    suggested_presets,
    suggested_sizes,
)
from cogs.reception import Reception
from services.catalog import SUGGESTIONS_MAX, Catalog
from services.defaults import Choice, capped, choose
from services.errors import InvalidWish
from services.faces import Faces
from services.request import (
    ADAPTERS,
    FAMILY_TABLES,
    GUIDANCE,
    IMAGES_MAX,
    PROMPT_CHARACTERS_MAX,
    SCHEDULERS,
    SEED,
    STEPS,
    STRENGTH,
    Api,
    Asked,
    Family,
    ModelChoice,
    Role,
    adapters_wish,
    drafted,
    faces_max,
    styled,
)

if TYPE_CHECKING:
    from bot import FacelockBot

Percent = app_commands.Range[int, 0, 100]
FACE_NAME = "A saved face instead of a photo; all its photos with XL and without a style, else the first"


class _Advanced(app_commands.Command["Adapters", ..., None]):
    """Leaves out the option ``extra`` where the catalogue has nothing to choose there."""

    def to_dict(self, tree: app_commands.CommandTree[Any]) -> dict[str, Any]:
        """See discord.py."""
        return self._fitting(super().to_dict(tree))

    async def get_translated_payload(
        self, tree: app_commands.CommandTree[Any], translator: app_commands.Translator
    ) -> dict[str, Any]:
        """See discord.py."""
        return self._fitting(await super().get_translated_payload(tree, translator))

    def _fitting(self, command: dict[str, Any]) -> dict[str, Any]:
        if self.binding is not None and not self.binding.catalog.extras:
            command["options"] = [option for option in command["options"] if option["name"] != "extra"]
        return command


class Adapters(commands.Cog):
    """Making pictures with the adapters API."""

    def __init__(
        self, reception: Reception, faces: Faces, catalog: Catalog, *, safety_checker: bool, server_id: str | None
    ) -> None:
        self.catalog = catalog
        self._reception = reception
        self._faces = faces
        self._safety_checker = safety_checker
        self._server_id = server_id

    @app_commands.command()
    @app_commands.describe(
        prompt="What the pictures should show",
        face="A photo of the person to show: one face, from the front",
        face_name=FACE_NAME,
        likeness="How closely to follow the face, in percent (60)",
        style="A picture whose style to follow",
        preset="One of the styles that /styles shows",
        shape="The shape of the pictures (square)",
        count="How many pictures (1)",
        model="Which model makes them",
        draft="Make four quick sketches first, and choose which to make in full (no)",
    )
    @app_commands.choices(shape=SHAPES)
    async def imagine(
        self,
        interaction: discord.Interaction,
        prompt: app_commands.Range[str, 1, PROMPT_CHARACTERS_MAX],
        face: discord.Attachment | None = None,
        face_name: str | None = None,
        likeness: Percent | None = None,
        style: discord.Attachment | None = None,
        preset: str | None = None,
        shape: str | None = None,
        count: app_commands.Range[int, 1, IMAGES_MAX] | None = None,
        model: str | None = None,
        draft: bool = False,
    ) -> None:
        """Make pictures from a description, with the face from a photo and the style of another."""
        choice = choose(self.catalog, self._reception.settings(interaction), model=model, preset=preset)
        saved = await chosen(interaction, self._faces, face_name, face=face)
        taken = faces_max(choice.model.family, with_style=style is not None)
        faces = [_face("", photo, likeness) for photo in saved[:taken] or [face]]
        references, photos = attached([*faces, _style("", style, None)])
        asked = Asked(prompt=prompt, references=references, count=one_or_draft(count, draft=draft), size=shape)
        await self._begin(interaction, asked, photos, choice, draft=draft)

    @app_commands.describe(
        prompt="What the pictures should show",
        face="A photo of the person to show: one face, from the front",
        face_name=FACE_NAME,
        likeness="How closely to follow the face, in percent (60)",
        face2="A second person; only without a style image, and not with Stable Diffusion 1.5",
        likeness2="How closely to follow the second face, in percent (60)",
        face3="A third person",
        likeness3="How closely to follow the third face, in percent (60)",
        style="A picture whose style to follow",
        style_strength="How strongly to follow the style, in percent (60)",
        style2="A second style to mix in",
        style2_strength="How strongly to follow the second style, in percent (60)",
        style3="A third style to mix in",
        style3_strength="How strongly to follow the third style, in percent (60)",
        model="Which model makes them",
        count="How many pictures (1)",
        size="A shape, or pixels such as 768x512; best up to 512 with Stable Diffusion 1.5, 1024 with XL",
        negative_prompt="What the pictures should not show (a list of common flaws)",
        steps="How many steps each picture takes; 20 to 30 is ideal (30)",
        guidance="How strictly to follow the prompt; 7.5 to 12.5 is ideal (7.5; with Stable Diffusion XL 5)",
        strength="Denoising strength, 0 to 1 (the image service's own)",
        seed="The same seed and options make the same pictures again (random)",
        scheduler="How the noise is removed step by step (the image service's own)",
        adapter="Which adapter reads the face or the style image (the one made for it)",
        extra="An adapter of this bot to add",
    )
    @app_commands.choices(scheduler=[app_commands.Choice(name=name, value=name) for name in SCHEDULERS])
    async def _advanced(
        self,
        interaction: discord.Interaction,
        prompt: app_commands.Range[str, 1, PROMPT_CHARACTERS_MAX],
        face: discord.Attachment | None = None,
        face_name: str | None = None,
        likeness: Percent | None = None,
        face2: discord.Attachment | None = None,
        likeness2: Percent | None = None,
        face3: discord.Attachment | None = None,
        likeness3: Percent | None = None,
        style: discord.Attachment | None = None,
        style_strength: Percent | None = None,
        style2: discord.Attachment | None = None,
        style2_strength: Percent | None = None,
        style3: discord.Attachment | None = None,
        style3_strength: Percent | None = None,
        model: str | None = None,
        count: app_commands.Range[int, 1, IMAGES_MAX] = 1,
        size: str | None = None,
        negative_prompt: app_commands.Range[str, 1, PROMPT_CHARACTERS_MAX] | None = None,
        steps: app_commands.Range[int, STEPS[0], STEPS[1]] | None = None,
        guidance: app_commands.Range[float, GUIDANCE[0], GUIDANCE[1]] | None = None,
        strength: app_commands.Range[float, STRENGTH[0], STRENGTH[1]] | None = None,
        seed: app_commands.Range[int, SEED[0], SEED[1]] | None = None,
        scheduler: str | None = None,
        adapter: str | None = None,
        extra: str | None = None,
    ) -> None:
        choice = choose(self.catalog, self._reception.settings(interaction), model=model, extra=extra)
        saved = await chosen(interaction, self._faces, face_name, face=face)
        is_alone = not any((face2, face3, style, style2, style3))
        taken = faces_max(choice.model.family, with_style=False) if is_alone else 1
        references, photos = attached(
            [
                *(_face("", photo, likeness) for photo in saved[:taken] or [face]),
                _face("2", face2, likeness2),
                _face("3", face3, likeness3),
                _style("", style, style_strength),
                _style("2", style2, style2_strength),
                _style("3", style3, style3_strength),
            ]
        )
        asked = Asked(
            prompt=prompt,
            references=references,
            count=count,
            size=size,
            negative_prompt=negative_prompt,
            steps=steps,
            guidance=guidance,
            strength=strength,
            seed=seed,
            scheduler=scheduler,
            adapter=adapter,
        )
        await self._begin(interaction, asked, photos, choice)

    advanced = _Advanced(name="advanced", description="Make pictures with every option there is.", callback=_advanced)

    async def _begin(
        self,
        interaction: discord.Interaction,
        asked: Asked,
        photos: Sequence[Photo],
        choice: Choice,
        *,
        draft: bool = False,
    ) -> None:
        settings, table = self._reception.settings(interaction), FAMILY_TABLES[choice.model.family]
        asked = styled(asked, choice.preset, api=Api.ADAPTERS)
        wish = adapters_wish(
            capped(asked, settings, table, preset=choice.preset),
            model=choice.model,
            seed=random_seed(),
            extra=choice.extra,
            safety_checker=self._safety_checker,
            server_id=self._server_id,
        )
        await self._reception.begin(interaction, drafted(wish) if draft else wish, sources_of(photos, wish.references))

    @imagine.autocomplete("face_name")
    @advanced.autocomplete("face_name")
    async def suggest_faces(self, interaction: discord.Interaction, typed: str) -> list[app_commands.Choice[str]]:
        """The member's own saved faces that fit."""
        return await suggested_faces(interaction, self._faces, typed)

    @imagine.autocomplete("model")
    @advanced.autocomplete("model")
    async def suggest_models(self, _interaction: discord.Interaction, typed: str) -> list[app_commands.Choice[str]]:
        """What the catalogue has that fits."""
        return [app_commands.Choice(name=each.label, value=each.key) for each in self.catalog.suggested_models(typed)]

    @imagine.autocomplete("preset")
    async def suggest_presets(self, _interaction: discord.Interaction, typed: str) -> list[app_commands.Choice[str]]:
        """What the catalogue has that fits."""
        return suggested_presets(typed, self.catalog)

    @advanced.autocomplete("size")
    async def suggest_sizes(self, interaction: discord.Interaction, typed: str) -> list[app_commands.Choice[str]]:
        """The shapes in the chosen model's pixels."""
        model = self._chosen(interaction) or self.catalog.model(None)
        return suggested_sizes(typed, FAMILY_TABLES[model.family])

    @advanced.autocomplete("adapter")
    async def suggest_adapters(self, interaction: discord.Interaction, typed: str) -> list[app_commands.Choice[str]]:
        """Those that go with the chosen model; all where none is chosen."""
        model = self._chosen(interaction)
        wanted = typed.strip().casefold()
        names = [name for family in Family if model is None or model.family is family for name in ADAPTERS[family]]
        return [app_commands.Choice(name=name, value=name) for name in names if wanted in name][:SUGGESTIONS_MAX]

    @advanced.autocomplete("extra")
    async def suggest_extras(self, interaction: discord.Interaction, typed: str) -> list[app_commands.Choice[str]]:
        """What the catalogue has that fits, for the chosen model where one is chosen."""
        model = self._chosen(interaction)
        extras = self.catalog.suggested_extras(typed, family=model.family if model else None)
        return [app_commands.Choice(name=each.label, value=each.name) for each in extras]

    def _chosen(self, interaction: discord.Interaction) -> ModelChoice | None:
        """The model in the command as it is typed so far, where it is one already."""
        said = interaction.namespace.model
        try:
            return self.catalog.model(said) if said else None
        except InvalidWish:
            return None


def _face(number: str, photo: Photo | None, percent: int | None) -> Slot:
    return Slot(role=Role.FACE, name=f"face{number}", photo=photo, percent_name=f"likeness{number}", percent=percent)


def _style(number: str, photo: discord.Attachment | None, percent: int | None) -> Slot:
    name = f"style{number}"
    return Slot(role=Role.STYLE, name=name, photo=photo, percent_name=f"{name}_strength", percent=percent)


async def setup(bot: "FacelockBot") -> None:
    """Called by discord.py when it loads this file."""
    await bot.add_cog(
        Adapters(
            bot.reception,
            bot.faces,
            bot.catalog,
            safety_checker=bot.settings.safety_checker,
            server_id=bot.settings.server_id,
        )
    )
