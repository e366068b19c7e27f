"""``/face``: faces saved by name. Every answer is for the member alone."""

from collections.abc import Sequence

import discord
from discord import app_commands
from discord.ext import commands

from cogs.answers import defer_alone, in_time, tell
from cogs.client import FacelockBot
from cogs.files import release
from cogs.imagine import PERSON_TEXT, WHOSE, WHOSE_TEXT, said_of, suggested_faces
from cogs.reception import home_of, scope_in
from cogs.views.faces import bold, listed_files, listed_layout, saved_text
from services.consents import Consents
from services.faces import NAME_CHARACTERS_MAX, Faces
from services.generations import Source
from services.moderation import Moderation
from services.photos import check_length
from services.prints import Print
from services.words import _

NewName = app_commands.Range[str, 1, NAME_CHARACTERS_MAX]


class Face(commands.GroupCog, group_name="face", group_description="Your saved faces, which nobody else sees."):
    """Keeping faces by name."""

    def __init__(self, faces: Faces, consents: Consents, moderation: Moderation) -> None:
        self._faces = faces
        self._consents = consents
        self._moderation = moderation

    @app_commands.command()
    @app_commands.describe(
        name="What to call the face",
        photo="A photo of the person: one face, from the front",
        photo2="Another photo of the same person, for a better likeness",
        photo3="A third one",
        whose=WHOSE_TEXT,
        person=PERSON_TEXT,
    )
    @app_commands.choices(whose=WHOSE)
    async def save(
        self,
        interaction: discord.Interaction,
        name: NewName,
        photo: discord.Attachment,
        photo2: discord.Attachment | None = None,
        photo3: discord.Attachment | None = None,
        whose: str | None = None,
        person: discord.User | None = None,
    ) -> None:
        """Save a face under a name, for your eyes only."""
        self._moderation.check(home_of(interaction), interaction.user.id)
        photos = [each for each in (photo, photo2, photo3) if each is not None]
        for each in photos:
            check_length(each.size)
        said = said_of(interaction, whose, person, has_face=True)
        member_id = interaction.user.id

        async def admit(prints: Sequence[Print]) -> None:
            await self._consents.admit_saved(member_id, home_of(interaction), scope_in(interaction), said, prints)

        await defer_alone(interaction)  # fetching and checking takes its time
        saved = await self._faces.save(member_id, name, [Source(url=each.url) for each in photos], admit=admit)
        await interaction.edit_original_response(content=saved_text(saved, self._faces.unused_max))

    @app_commands.command(name="list")
    async def list_(self, interaction: discord.Interaction) -> None:
        """See your saved faces."""
        await defer_alone(interaction)  # pictures may take longer than an answer may
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


async def setup(bot: FacelockBot) -> None:
    """Called by discord.py when it loads this file."""
    await bot.add_cog(Face(bot.faces, bot.consents, bot.moderation))
