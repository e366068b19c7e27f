"""The words that members read: sentences in their own language, and the small pieces that many sentences need.

A sentence is written in English where it is said, and looked up in the catalogue of the language that the current task
speaks. Who answers an interaction or shows a generation says once which language that is.
"""

import contextlib
import gettext as standard_gettext
import io
from collections.abc import Generator
from contextvars import ContextVar
from datetime import datetime, timedelta
from pathlib import Path

from babel import Locale
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

SOURCE_LANGUAGE = "en"
CATALOGUES = Path(__file__).parent.parent / "locales"

_ENGLISH = standard_gettext.NullTranslations()
_catalogues: dict[str, standard_gettext.NullTranslations] = {}
_language: ContextVar[str] = ContextVar("language", default=SOURCE_LANGUAGE)


def load_catalogues() -> None:
    """Read ``locales/<language>.po``, all of them; until then everything is English. Blocks meanwhile."""
    for path in sorted(CATALOGUES.glob("*.po")):
        with path.open("rb") as file:
            catalogue = read_po(file, locale=path.stem, abort_invalid=True)
        compiled = io.BytesIO()
        write_mo(compiled, catalogue)
        compiled.seek(0)
        _catalogues[path.stem] = standard_gettext.GNUTranslations(compiled)


def languages() -> list[str]:
    """The languages that the bot speaks, English first."""
    return [SOURCE_LANGUAGE, *_catalogues]


def name_of(language: str) -> str:
    """What a language is called in itself: ``Deutsch``."""
    return (Locale.parse(language).get_display_name(language) or language).capitalize()


def language_of(locale: str | None) -> str:
    """The language that the bot speaks to somebody with this locale of Discord's, such as ``de`` or ``en-GB``.

    https://discord.com/developers/docs/reference#locales
    """
    language = (locale or "").partition("-")[0].casefold()
    return language if language in _catalogues else SOURCE_LANGUAGE


def speak(locale: str | None) -> None:
    """Use this locale's language from here on in the current task."""
    _language.set(language_of(locale))


@contextlib.contextmanager
def speaking(locale: str | None) -> Generator[None]:
    """Use this locale's language inside the block."""
    token = _language.set(language_of(locale))
    try:
        yield
    finally:
        _language.reset(token)


def spoken() -> str:
    """The language of the current task."""
    return _language.get()


def _(message: str, /, **fields: object) -> str:
    """The sentence in the language of the current task, with its fields filled in."""
    said = _catalogues.get(_language.get(), _ENGLISH).gettext(message)
    return said.format(**fields) if fields else said


def ngettext(singular: str, plural: str, number: int, /, **fields: object) -> str:
    """The sentence for that many, with ``{number}`` and its other fields filled in."""
    catalogue = _catalogues.get(_language.get(), _ENGLISH)
    return catalogue.ngettext(singular, plural, number).format(number=number, **fields)


def translated(text: str) -> str:
    """A text from a file of ours that an operator may replace; theirs is in no catalogue and stays as it is."""
    return _catalogues.get(_language.get(), _ENGLISH).gettext(text)


def at(moment: datetime) -> str:
    """A moment as each reader's own Discord shows it: "in 3 hours".

    https://discord.com/developers/docs/reference#message-formatting
    """
    return f"<t:{int(moment.timestamp())}:R>"


def on(moment: datetime) -> str:
    """The same as a day and a time: "21 November 2026 12:00"."""
    return f"<t:{int(moment.timestamp())}:f>"


def span(length: timedelta) -> str:
    """A length in the largest unit of which it has several, and no rest: ``30 days``, ``24 hours``, ``90 seconds``."""
    seconds = round(length.total_seconds())
    for unit_s, say in ((86400, _days), (3600, _hours), (60, _minutes)):
        if seconds % unit_s == 0 and seconds > unit_s:
            return say(seconds // unit_s)
    return ngettext("{number} second", "{number} seconds", seconds)


def _days(number: int) -> str:
    return ngettext("{number} day", "{number} days", number)


def _hours(number: int) -> str:
    return ngettext("{number} hour", "{number} hours", number)


def _minutes(number: int) -> str:
    return ngettext("{number} minute", "{number} minutes", number)


def refunded(images: int) -> str:
    """What a member reads after something they paid for was not made."""
    return ngettext("Your image was refunded.", "Your {number} images were refunded.", images)


def sentence(text: str) -> str:
    """The text with an end, where it has none."""
    return text if text.endswith((".", "!", "?", "…")) else f"{text}."
