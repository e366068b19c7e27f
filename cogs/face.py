"""``/face``: faces saved by name. Every answer is for the member alone."""

from typing import TYPE_CHECKING

import discord
from discord import app_commands
from discord.ext import commands

from cogs.answers import in_time, tell
from cogs.files import release
from cogs.imagine import suggested_faces
from cogs.views.faces import bold, listed_files, listed_layout, saved_text
from services.faces import NAME_CHARACTERS_MAX, Faces
from services.photos import check_length
from services.words import _

if TYPE_CHECKING:
    from bot import FacelockBot

NewName = app_commands.Range[str, 1, NAME_CHARACTERS_MAX]


class Face(commands.GroupCog, group_name="face", group_description="Your saved faces, which nobody else sees."):
    """Keeping faces by name."""

    def __init__(self, faces: Faces) -> None:
        self._faces = faces

    @app_commands.command()
    @app_commands.describe(
        name="What to call the face",
        photo="A photo of the person: one face, from the front",
        photo2="Another photo of the same person, for a better likeness",
        photo3="A third one",
    )
    async def save(
        self,
        interaction: discord.Interaction,
        name: NewName,
        photo: discord.Attachment,
        photo2: discord.Attachment | None = None,
        photo3: discord.Attachment | None = None,
    ) -> None:
        """Save a face under a name, for your eyes only."""
        photos = [each for each in (photo, photo2, photo3) if each is not None]
        for each in photos:
            check_length(each.size)
        await interaction.response.defer(thinking=True, ephemeral=True)  # fetching and checking takes its time
        saved = await self._faces.save(interaction.user.id, name, [each.url for each in photos])
        await interaction.edit_original_response(content=saved_text(saved, self._faces.unused_max))

    @app_commands.command(name="list")
    async def list_(self, interaction: discord.Interaction) -> None:
        """See your saved faces."""
        await interaction.response.defer(thinking=True, ephemeral=True)  # pictures may take longer than an answer may
        listed = await self._faces.of(interaction.user.id)
        if not listed:
            nothing = _("You have no saved faces. `/face save` keeps one.")
            await interaction.edit_original_response(content=nothing)
            return
        files = listed_files(listed)
        try:
            await interaction.edit_original_response(view=listed_layout(listed), attachments=files)
        finally:
            release(files)

    @app_commands.command()
    @app_commands.describe(name="Which of your faces", new_name="What to call it from now on")
    async def rename(self, interaction: discord.Interaction, name: str, new_name: NewName) -> None:
        """Give a saved face another name."""
        renaming = self._faces.rename(interaction.user.id, name, new_name)
        renamed = await in_time(interaction, renaming, ephemeral=True)
        await tell(interaction, _("It is called {name} now.", name=bold(renamed)))

    @app_commands.command()
    @app_commands.describe(name="Which of your faces")
    async def default(self, interaction: discord.Interaction, name: str) -> None:
        """Have one of your saved faces suggested first."""
        setting = self._faces.set_default(interaction.user.id, name)
        first = await in_time(interaction, setting, ephemeral=True)
        await tell(interaction, _("{name} is suggested first now.", name=bold(first)))

    @app_commands.command()
    @app_commands.describe(name="Which of your faces")
    async def delete(self, interaction: discord.Interaction, name: str) -> None:
        """Delete a saved face with its photos."""
        deleting = self._faces.delete(interaction.user.id, name)
        deleted = await in_time(interaction, deleting, ephemeral=True)
        await tell(interaction, _("Deleted {name} and its photos.", name=bold(deleted)))

    @rename.autocomplete("name")
    @default.autocomplete("name")
    @delete.autocomplete("name")
    async def suggest_names(self, interaction: discord.Interaction, typed: str) -> list[app_commands.Choice[str]]:
        """The member's own names that fit."""
        return await suggested_faces(interaction, self._faces, typed)


async def setup(bot: "FacelockBot") -> None:
    """Called by discord.py when it loads this file."""
    await bot.add_cog(Face(bot.faces))
