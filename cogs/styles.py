"""``/styles``: the presets that members may choose from."""

from collections.abc import Sequence

import discord
from discord import app_commands
from discord.ext import commands

from cogs.answers import tell
from cogs.client import FacelockBot
from services.catalog import Catalog
from services.wishes import Preset
from services.words import _, ngettext

# https://discord.com/developers/docs/resources/message#create-message-jsonform-params: content is at most so long.
CHARACTERS_MAX = 2000


class Styles(commands.Cog):
    """Showing the presets."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    @app_commands.command()
    async def styles(self, interaction: discord.Interaction) -> None:
        """See the styles that you can choose as the preset of /imagine."""
        await tell(interaction, listed(self._catalog.presets))


def listed(presets: Sequence[Preset]) -> str:
    """The presets as a list that fits into one message; of too many, the last are counted."""
    if not presets:
        return _("This bot has no styles. Describe the one that you want in the prompt.")
    text = _("Choose one as the `preset` of `/imagine`:")
    for number, preset in enumerate(presets):
        line = f"\n- **{_plain(preset.name)}**: {_plain(preset.told)}"
        more = ngettext(
            "And {number} more: begin to type in `preset`.",
            "And {number} more: begin to type in `preset`.",
            len(presets) - number,
        )
        if len(text) + len(line) > CHARACTERS_MAX - len(more) - 1:
            return f"{text}\n{more}"
        text += line
    return text


def _plain(text: str) -> str:
    return discord.utils.escape_markdown(text)


async def setup(bot: FacelockBot) -> None:
    """Called by discord.py when it loads this file."""
    await bot.add_cog(Styles(bot.catalog))
