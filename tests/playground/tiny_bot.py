"""A bot small enough to read in one go, for trying the playground with the real client library."""

import asyncio
import io
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import discord
import pytest
import yarl
from discord import app_commands, ui
from discord.components import Container, SectionComponent, ThumbnailComponent
from discord.gateway import DiscordWebSocket
from discord.http import Route
from PIL import Image

from playground.server import Playground
from tests.playground.tiny_forms import ITEMS, add_forms
from tests.playground.tiny_places import GermanNames, HereButton, add_menus, add_outings, add_people


def picture(color: str = "teal", size: tuple[int, int] = (64, 48), kind: str = "PNG") -> bytes:
    """A plain picture in one color."""
    target = io.BytesIO()
    Image.new("RGB", size, color).save(target, kind)
    return target.getvalue()


# By what a member reads: what the bot gets.
MODELS = {
    "Deliberate 11": "deliberate-11",
    "Realistic Vision 5": "realistic-vision-5",
    "SDXL base": "sdxl",
    **{f"Studio model {number}": f"studio-{number}" for number in range(30)},
    "With a long name, as long as it may be".ljust(100, "!"): "long",
}


class Progress(ui.LayoutView):
    """What stands in the channel while the picture is made."""

    def __init__(self, text: str) -> None:
        super().__init__(timeout=None)
        face = ui.Thumbnail[Any]("attachment://face.png", description="the face")
        self.add_item(ui.Container[Any](ui.Section[Any](text, accessory=face)))


class Result(ui.LayoutView):
    """The pictures, the face beside the words, and buttons."""

    def __init__(self, text: str, names: list[str]) -> None:
        super().__init__(timeout=None)
        container = ui.Container[Any](accent_color=discord.Color.green())
        container.add_item(ui.Section[Any](text, accessory=ui.Thumbnail("attachment://face.png")))
        items = [discord.MediaGalleryItem(f"attachment://{name}", description=f"picture {name}") for name in names]
        container.add_item(ui.MediaGallery[Any](*items))
        row = ui.ActionRow[Any]()
        row.add_item(ui.Button(label="Again", style=discord.ButtonStyle.primary, custom_id="again"))
        row.add_item(ui.Button(label="Details", custom_id="details"))
        row.add_item(ui.Button(label="Finish", style=discord.ButtonStyle.success, custom_id="finish"))
        row.add_item(ui.Button(label="Later", custom_id="later", disabled=True))
        row.add_item(ui.Button(label="Read more", url="https://example.com/more"))
        container.add_item(ui.Separator[Any]())
        container.add_item(row)
        self.add_item(container)


class TinyBot(discord.Client):
    """Makes "pictures" in two steps; `go_on` holds the second step back until a test lets it happen."""

    def __init__(self) -> None:
        super().__init__(
            intents=discord.Intents(guilds=True),
            chunk_guilds_at_startup=False,
            max_messages=None,
            guild_ready_timeout=0.1,
        )
        self.tree: app_commands.CommandTree[TinyBot] = app_commands.CommandTree(self)
        self.go_on = asyncio.Event()
        self.go_on.set()
        self.seen: list[dict[str, Any]] = []
        self.resumed = asyncio.Event()
        _add_commands(self)
        add_forms(self.tree)
        for add in (add_people, add_menus, add_outings):
            add(self.tree)

    async def setup_hook(self) -> None:
        self.add_dynamic_items(*ITEMS, HereButton)
        await self.tree.set_translator(GermanNames())
        await self.tree.sync()

    async def on_resumed(self) -> None:
        self.resumed.set()

    async def on_interaction(self, interaction: discord.Interaction["TinyBot"]) -> None:
        if interaction.type is not discord.InteractionType.component or interaction.data is None:
            return
        match interaction.data.get("custom_id"):
            case "again":
                await interaction.response.defer(thinking=True)
                await interaction.followup.send("Once more.")
            case "details":
                await interaction.response.send_message("Seed 7, 25 steps.", ephemeral=True)
            case "finish" if interaction.message:
                finished = ui.LayoutView(timeout=None)
                finished.add_item(ui.TextDisplay("Finished."))
                await interaction.response.edit_message(view=finished, attachments=[])
            case _:
                pass


def _add_commands(bot: TinyBot) -> None:
    @bot.tree.command(description="Make pictures of a person")
    @app_commands.describe(prompt="What to show", face="A photo of the face", count="How many", style="How it looks")
    @app_commands.choices(style=[app_commands.Choice(name=n, value=n.lower()) for n in ("Photo", "Oil painting")])
    async def picture_of(
        interaction: discord.Interaction[TinyBot],
        prompt: app_commands.Range[str, 3, 300],
        face: discord.Attachment,
        count: app_commands.Range[int, 1, 4] = 4,
        style: app_commands.Choice[str] | None = None,
    ) -> None:
        await interaction.response.defer()
        photo = await face.read()
        files = [discord.File(io.BytesIO(photo), "face.png")]
        message = await interaction.edit_original_response(view=Progress("Making it…"), attachments=files)
        await bot.go_on.wait()
        names = [f"{number}.png" for number in range(count)]
        colors = ("teal", "salmon", "goldenrod", "slateblue")
        made = [
            discord.File(io.BytesIO(picture(color, (512, 512))), name)
            for color, name in zip(colors, names, strict=False)
        ]
        looks = f" as {style.value}" if style else ""
        kept: list[Any] = [discord.Object(thumbnail_id(message))]
        view = Result(f"### {prompt}{looks}\nfor {interaction.user.mention}", names)
        await _edit_keeping(interaction, kept, made, view)

    @bot.tree.command(description="Say something that only you can see")
    async def secret(interaction: discord.Interaction[TinyBot]) -> None:
        await interaction.response.send_message("Just between us.", ephemeral=True)

    @bot.tree.command(description="Never answer")
    async def silence(interaction: discord.Interaction[TinyBot]) -> None:
        bot.seen.append({"silence": interaction.id})

    @bot.tree.command(description="Take every kind of option")
    async def everything(
        interaction: discord.Interaction[TinyBot],
        text: str,
        whole: int,
        part: float,
        sure: bool,
        who: discord.Member,
        where: discord.TextChannel,
        role: discord.Role | None = None,
        file: discord.Attachment | None = None,
    ) -> None:
        named = [who.display_name, where.name, role.name if role else None, file.filename if file else None]
        bot.seen.append({"everything": [text, whole, part, sure, *named]})
        await interaction.response.send_message(f"{text} {whole} {part} {sure}")

    album = app_commands.Group(name="album", description="Albums")
    bot.tree.add_command(album)

    @album.command(name="add", description="Add a picture to an album")
    async def album_add(interaction: discord.Interaction[TinyBot], name: str) -> None:
        await interaction.response.send_message(f"Added to {name}.")

    @album.command(name="show", description="Show an album")
    @app_commands.autocomplete(name=_albums)
    async def album_show(interaction: discord.Interaction[TinyBot], name: str) -> None:
        await interaction.response.send_message(f"This is {name}.")

    @album.command(name="list", description="List the albums")
    async def album_list(interaction: discord.Interaction[TinyBot]) -> None:
        await interaction.response.send_message("No albums.")

    @bot.tree.command(description="Make pictures with everything that can be set")
    @app_commands.autocomplete(model=_models)
    @app_commands.autocomplete(steps=_steps)
    async def studio(
        interaction: discord.Interaction[TinyBot],
        prompt: str,
        face: discord.Attachment | None = None,
        face2: discord.Attachment | None = None,
        face3: discord.Attachment | None = None,
        style: discord.Attachment | None = None,
        style2: discord.Attachment | None = None,
        style3: discord.Attachment | None = None,
        model: str | None = None,
        steps: app_commands.Range[int, 1, 100] | None = None,
        samples: app_commands.Range[int, 1, 4] | None = None,
        width: int | None = None,
        height: int | None = None,
        guidance: float | None = None,
        seed: int | None = None,
        negative_prompt: str | None = None,
        face_strength: float | None = None,
        face2_strength: float | None = None,
        face3_strength: float | None = None,
        style_strength: float | None = None,
        scheduler: str | None = None,
        lora: str | None = None,
        lora_weight: float | None = None,
        embedding: str | None = None,
    ) -> None:
        files = {"face": face, "face2": face2, "face3": face3, "style": style, "style2": style2, "style3": style3}
        read = {name: await file.read() for name, file in files.items() if file}
        bot.seen.append({"studio": [prompt, model, steps, seed], "files": read})
        await interaction.response.send_message(f"{prompt} with {model} from {', '.join(read) or 'no file'}")


async def _models(interaction: discord.Interaction[TinyBot], current: str) -> list[app_commands.Choice[str]]:
    """Suggest models; where the text says "slow", only when `go_on` is set."""
    interaction.client.seen.append({"model": current, "namespace": dict(iter(interaction.namespace))})
    if "slow" in current:
        await interaction.client.go_on.wait()
        return [app_commands.Choice(name=f"Answer to {current}", value="slow")]
    fitting = [name for name in MODELS if current.lower() in name.lower()]
    return [app_commands.Choice(name=name, value=MODELS[name]) for name in fitting[:25]]


async def _steps(_interaction: discord.Interaction[TinyBot], current: str) -> list[app_commands.Choice[int]]:
    """Suggest numbers that begin like what was typed."""
    fitting = [number for number in (10, 15, 20, 25, 50) if str(number).startswith(current)]
    return [app_commands.Choice(name=f"{number} steps", value=number) for number in fitting]


async def _albums(_interaction: discord.Interaction[TinyBot], current: str) -> list[app_commands.Choice[str]]:
    return [app_commands.Choice(name=name, value=name) for name in ("Summer", "Winter") if current in name]


def thumbnail_id(message: discord.Message) -> int:
    """The attachment id of a message's first thumbnail."""
    container = message.components[0]
    assert isinstance(container, Container)
    section = container.children[0]
    assert isinstance(section, SectionComponent)
    assert isinstance(section.accessory, ThumbnailComponent)
    assert section.accessory.media.attachment_id is not None
    return section.accessory.media.attachment_id


async def _edit_keeping(
    interaction: discord.Interaction[TinyBot], kept: list[Any], made: list[discord.File], view: ui.LayoutView
) -> None:
    """Edit the original, keeping files by id; the library can only name files that it lists as attachments."""
    for entry in kept:
        entry.to_dict = lambda identity=entry.id: {"id": identity}
    await interaction.edit_original_response(view=view, attachments=[*kept, *made])


@asynccontextmanager
async def connected(playground: Playground, monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[TinyBot]:
    """A tiny bot that is logged in, connected and has registered its commands."""
    monkeypatch.setattr(Route, "BASE", playground.api_url)
    monkeypatch.setattr(DiscordWebSocket, "DEFAULT_GATEWAY", yarl.URL(playground.gateway_url))
    bot = TinyBot()
    running = asyncio.create_task(bot.start(playground.token))
    try:
        await playground.ready("picture_of")
        yield bot
    finally:
        await bot.close()
        await running
