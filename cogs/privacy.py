"""``/privacy``: what the bot keeps about a member, for them to read, to take along and to erase."""

import io
from typing import Any, cast
from urllib.parse import urlsplit

import discord
from discord import app_commands, ui
from discord.ext import commands

from cogs.answers import answer, defer_alone, tell
from cogs.client import FacelockBot
from cogs.files import release
from cogs.views.privacy import policy_text
from cogs.views.texts import text_layout
from services.config import Settings
from services.privacy import EXPORT_NAME, Privacy
from services.words import _, ngettext


class Erase(ui.DynamicItem[ui.Button[ui.View]], template=r"fl-erase:(?P<member_id>[0-9]{1,20})"):
    """The button that means it. It names its member, so that it works after a restart and for nobody else."""

    def __init__(self, member_id: int) -> None:
        self.member_id = member_id
        label = _("Erase everything")
        super().__init__(ui.Button(label=label, style=discord.ButtonStyle.danger, custom_id=f"fl-erase:{member_id}"))

    @classmethod
    async def from_custom_id(
        cls, _interaction: discord.Interaction[Any], _item: ui.Item[Any], match: "Any", /
    ) -> "Erase":
        """See discord.py."""
        return cls(int(match["member_id"]))

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """See discord.py."""
        await answer(interaction, self._erase(interaction))

    async def _erase(self, interaction: discord.Interaction[Any]) -> None:
        if interaction.user.id != self.member_id:
            return  # it stands in a message that only its member sees
        await interaction.response.edit_message(content=_("Erasing…"), view=None)
        erased = await cast(FacelockBot, interaction.client).privacy.erase(self.member_id)
        lines = [
            _("Erased. Nothing of this can be brought back:"),
            "- "
            + ngettext("{number} request with its prompt", "{number} requests with their prompts", erased.requests),
            "- " + ngettext("{number} saved face", "{number} saved faces", erased.faces),
            "- "
            + ngettext(
                "{number} message of the bot's, which is being deleted now",
                "{number} messages of the bot's, which are being deleted now, one after another",
                erased.messages,
            ),
            _("How many images you used stays counted, as bare numbers."),
        ]
        await interaction.edit_original_response(content="\n".join(lines))


class PrivacyCog(commands.GroupCog, group_name="privacy", group_description="What the bot keeps about you."):
    """A member's own data."""

    def __init__(self, privacy: Privacy, settings: Settings) -> None:
        self._privacy = privacy
        self._settings = settings

    @app_commands.command()
    async def policy(self, interaction: discord.Interaction) -> None:
        """Read what is kept about you, for how long, and who gets it."""
        text = policy_text(
            service=_host(self._settings.imagepipeline_url),
            checker=_host(self._settings.image_check_url) if self._settings.image_check_url else None,
            retention=self._privacy.retention,
            face_days=self._settings.face_days,
            contact=self._settings.operator_contact,
        )
        await tell(interaction, text_layout(text))

    @app_commands.command()
    async def export(self, interaction: discord.Interaction) -> None:
        """Get everything that the bot keeps about you, as a file."""
        await defer_alone(interaction)
        export = await self._privacy.export(interaction.user.id, bytes_max=interaction.filesize_limit)
        text = _("This is everything that the bot keeps about you; `export.json` in it can be read as text.")
        if not export.has_photos:
            text += "\n" + _("Your saved photos would have made the file too large; `/face list` shows them.")
        file = discord.File(io.BytesIO(export.content), filename=EXPORT_NAME)
        try:
            await interaction.edit_original_response(content=text, attachments=[file])
        finally:
            release([file])

    @app_commands.command()
    async def erase(self, interaction: discord.Interaction) -> None:
        """Have everything that the bot keeps about you deleted."""
        view = ui.View(timeout=None)
        view.add_item(Erase(interaction.user.id))
        text = _(
            "This deletes your saved faces, your history, what you agreed to, and the bot's messages with your "
            "pictures, as far as it can reach them. Requests that are under way are cancelled. It cannot be undone. "
            "`/privacy export` gives you a copy first."
        )
        await interaction.response.send_message(text, view=view, ephemeral=True)


def _host(url: str) -> str:
    return urlsplit(url).hostname or ""


async def setup(bot: FacelockBot) -> None:
    """Called by discord.py when it loads this file."""
    bot.add_dynamic_items(Erase)
    await bot.add_cog(PrivacyCog(bot.privacy, bot.settings))
