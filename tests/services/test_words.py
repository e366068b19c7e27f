"""Sentences in the language of whoever reads them."""

import asyncio
from pathlib import Path

import pytest

from services import words
from services.words import _, ngettext, speak, speaking

CATALOGUE = r"""
msgid ""
msgstr ""
"Language: de\n"
"Content-Type: text/plain; charset=UTF-8\n"
"Plural-Forms: nplurals=2; plural=(n != 1);\n"

msgid "{name} is here."
msgstr "{name} ist da."

msgid "{number} picture"
msgid_plural "{number} pictures"
msgstr[0] "{number} Bild"
msgstr[1] "{number} Bilder"
"""


@pytest.fixture(autouse=True)
def german(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "de.po").write_text(CATALOGUE, encoding="utf-8")
    monkeypatch.setattr(words, "CATALOGUES", tmp_path)
    monkeypatch.setattr(words, "_catalogues", {})
    words.load_catalogues()


def test_a_sentence_is_said_in_the_language_that_is_spoken() -> None:
    assert _("{name} is here.", name="Ada {x}") == "Ada {x} is here."
    with speaking("de"):
        assert _("{name} is here.", name="Ada {x}") == "Ada {x} ist da."
        assert [ngettext("{number} picture", "{number} pictures", n) for n in (0, 1, 2)] == [
            "0 Bilder",
            "1 Bild",
            "2 Bilder",
        ]
    assert [ngettext("{number} picture", "{number} pictures", n) for n in (0, 1, 2)] == [
        "0 pictures",
        "1 picture",
        "2 pictures",
    ]


def test_what_a_catalogue_lacks_is_said_in_english() -> None:
    with speaking("de"):
        assert _("Never translated {here}.", here="x") == "Never translated x."


@pytest.mark.parametrize(
    ("locale", "language"), [("de", "de"), ("en-GB", "en"), ("fr", "en"), ("", "en"), (None, "en"), ("DE-at", "de")]
)
def test_every_locale_of_discord_has_a_language(locale: str | None, language: str) -> None:
    assert words.language_of(locale) == language


async def test_each_task_speaks_its_own_language() -> None:
    async def say(locale: str) -> str:
        speak(locale)
        await asyncio.sleep(0)
        return _("{name} is here.", name="Ada")

    said = await asyncio.gather(say("de"), say("en-US"), say("de"))

    assert said == ["Ada ist da.", "Ada is here.", "Ada ist da."]
    assert words.spoken() == "en"
