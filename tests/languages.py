"""Every language that the bot speaks, for what must hold in each; and one more, which shows what is not translated."""

import re
import string
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po

from services import words

words.load_catalogues()
LANGUAGES = tuple(words.languages())
PATHS = tuple(sorted(words.CATALOGUES.glob("*.po")))


def read(path: Path) -> list[Message]:
    """What a catalogue holds, without its header."""
    with path.open("rb") as file:
        return [message for message in read_po(file, locale=path.stem, abort_invalid=True) if message.id]


def forms(texts: object) -> tuple[str, ...]:
    """The text, or its singular and plurals."""
    return (texts,) if isinstance(texts, str) else tuple(texts)  # pyright: ignore[reportArgumentType, reportUnknownVariableType]


def fields(text: str) -> set[str]:
    """The names of its placeholders."""
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def marked(said: Catalog, language: str) -> Catalog:
    """Everything translated into itself, with every word of ours in ⟦brackets⟧ and every field outside of them."""
    catalog = Catalog(locale=language)
    for message in said:
        if not message.id:
            continue
        limit = next((int(number) for each in message.auto_comments for number in re.findall(r"\d+", each)), None)
        texts = tuple(_marked(text, limit) for text in forms(message.id))
        plurals = (*texts, *texts[-1:] * (catalog.num_plurals - len(texts)))
        catalog.add(message.id, plurals if message.pluralizable else texts[0])
    return catalog


def _marked(text: str, limit: int | None) -> str:
    pieces: list[str] = []
    for literal, name, _, _ in string.Formatter().parse(text if limit is None else text[: limit - 2]):
        has_words = any(character.isalpha() for character in literal)
        pieces.append(f"⟦{literal}⟧" if has_words else literal)
        pieces.append("" if name is None else f"{{{name}}}")
    return "".join(pieces)
