"""What the bot says in other languages: complete, with the same fields, and within Discord's limits."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from cogs.translator import CatalogueTranslator
from playground.commands import read_commands
from scripts.words import NotLiteralError, sentences, unconnected
from services.request import Api
from tests.languages import PATHS, fields, forms, read

PAIRS = [(path.stem, message) for path in PATHS for message in read(path)]
# https://discord.com/developers/docs/interactions/application-commands#application-command-object
COMMAND_CHARACTERS_MAX = 8000


def wrong(what: str) -> list[str]:
    """The translations that differ from their English in this respect."""
    return [
        f"{language}: {said}"
        for language, message in PAIRS
        for n, said in enumerate(forms(message.string))
        if said and COMPARED[what](said) != COMPARED[what](forms(message.id)[min(n, 1) if message.pluralizable else 0])
    ]


# What Discord acts on has one name in every language: options and commands, mentions, the beginning of a small line.
COMPARED: dict[str, Callable[[str], object]] = {
    "fields": fields,
    "code": lambda text: sorted(re.findall(r"`[^`]*`", text)),
    "commands": lambda text: sorted(re.findall(r"(?<![\w/.])/[a-z]+(?: [a-z]+(?=`))?", text)),
    "bold": lambda text: text.count("**"),
    "beginning": lambda text: text.startswith(("-# ", "- ")),
    "end": lambda text: text[-1] if text[-1] in ".:…?" else "",
}


@pytest.mark.parametrize("what", COMPARED)
def test_a_translation_has_what_its_english_has(what: str) -> None:
    assert PAIRS
    assert wrong(what) == []


def test_nobody_is_shouted_at_and_no_blank_is_doubled() -> None:
    said = [text for _, message in PAIRS for text in (*forms(message.id), *forms(message.string))]

    assert [text for text in said if "!" in text or "  " in text or text != text.strip()] == []


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_a_catalogue_has_the_plurals_of_its_language_and_no_guesses(path: Path) -> None:
    text = path.read_text(encoding="utf-8")

    assert f"Language: {path.stem}\\n" in text
    assert "fuzzy" not in text
    assert "#~" not in text


@pytest.mark.parametrize("call", ['_(f"{name} is here")', "_(text)", '_("a" if it else "b")', 'ngettext("a", many, 2)'])
def test_a_sentence_that_no_catalogue_could_have_is_found(tmp_path: Path, call: str) -> None:
    (tmp_path / "code.py").write_text(f'said = _("Well.")\nf"{{_(\'In it.\')}}"\n{call}\n')
    found = sentences(tmp_path / "code.py")

    assert [next(found), next(found)] == ["Well.", "In it."]
    with pytest.raises(NotLiteralError, match=":3: write the sentence out"):
        next(found)


def described(payload: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """A command, its options and their choices."""
    yield payload
    for inner in (*payload.get("options", ()), *payload.get("choices", ())):
        yield from described(inner)


@pytest.mark.parametrize("api", Api)
async def test_discord_takes_the_commands_in_every_language(tmp_path: Path, api: Api) -> None:
    translator = CatalogueTranslator()
    async with unconnected(api, tmp_path) as client:
        payloads = [await each.get_translated_payload(client.tree, translator) for each in client.tree.get_commands()]

    read_commands(payloads)  # the playground's rules for commands are Discord's
    told = [each for payload in payloads for each in described(payload)]
    assert not any(each.get("name_localizations") for each in told if each.get("description"))
    for payload in payloads:
        assert sum(map(longest, described(payload))) <= COMMAND_CHARACTERS_MAX


def longest(payload: dict[str, Any]) -> int:
    """The characters of name, description and value; of what is translated those of the longest text."""
    return sum(max(map(len, spellings(payload, name))) for name in ("name", "description", "value"))


def spellings(payload: dict[str, Any], name: str) -> list[str]:
    translations: dict[str, str] = payload.get(f"{name}_localizations") or {}
    return [str(payload.get(name) or ""), *translations.values()]
