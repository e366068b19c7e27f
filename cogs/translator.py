"""The words of commands in every language that the bot speaks, for the lists that Discord shows."""

from discord import Locale, app_commands
from discord.app_commands import TranslationContextLocation as Location

from services import words

# Members read names of commands and options in our sentences too, so those have one name in every language.
_NAMES = frozenset({Location.command_name, Location.group_name, Location.parameter_name})


def is_translated(context: app_commands.TranslationContextTypes) -> bool:
    """Whether a text of a command is one that changes with the language."""
    return context.location not in _NAMES or isinstance(context.data, app_commands.ContextMenu)


class CatalogueTranslator(app_commands.Translator):
    """Looks descriptions, choices and the names in menus up in the catalogues."""

    async def translate(
        self, string: app_commands.locale_str, locale: Locale, context: app_commands.TranslationContextTypes
    ) -> str | None:
        """See discord.py; None where Discord is to show the English."""
        if not is_translated(context):
            return None
        with words.speaking(locale.value):
            said = words.translated(string.message)
        return said if said != string.message else None
