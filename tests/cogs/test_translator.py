"""What Discord is told of commands in other languages."""

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import discord
import pytest
from discord import app_commands
from discord.http import Route

from cogs.sync import sync_commands
from cogs.translator import CatalogueTranslator
from playground.commands import Command
from playground.server import Playground
from services import words
from services.parameters import Shape

CATALOGUE = r"""
msgid ""
msgstr ""
"Language: es\n"
"Content-Type: text/plain; charset=UTF-8\n"

msgid "imagine"
msgstr "never"

msgid "prompt"
msgstr "never"

msgid "Make pictures"
msgstr "Hace imágenes"

msgid "What to show"
msgstr "Qué mostrar"

msgid "Square"
msgstr "Cuadrado"

msgid "Who made this?"
msgstr "¿Quién hizo esto?"
"""
SPANISH = {"es-ES", "es-419"}


@pytest.fixture(autouse=True)
def spanish(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "es.po").write_text(CATALOGUE, encoding="utf-8")
    monkeypatch.setattr(words, "CATALOGUES", tmp_path)
    monkeypatch.setattr(words, "_catalogues", {})
    words.load_catalogues()


@app_commands.command(description="Make pictures")
@app_commands.describe(prompt="What to show", shape="Never translated")
@app_commands.choices(shape=[app_commands.Choice(name=shape.capitalize(), value=shape.value) for shape in Shape])
async def imagine(interaction: discord.Interaction, prompt: str, shape: str) -> None:
    raise NotImplementedError


@app_commands.context_menu(name="Who made this?")
async def who(interaction: discord.Interaction, message: discord.Message) -> None:
    raise NotImplementedError


async def synced(monkeypatch: pytest.MonkeyPatch, playground: Playground) -> dict[str, Command]:
    """Discord's commands after a start of the bot."""
    async with discord.Client(intents=discord.Intents.none()) as client:
        monkeypatch.setattr(Route, "BASE", playground.api_url)
        await client.login(playground.token)
        tree = app_commands.CommandTree(client, allowed_installs=app_commands.AppInstallationType(guild=True))
        await tree.set_translator(CatalogueTranslator())
        tree.add_command(cast("app_commands.Command[Any, ..., None]", imagine))
        tree.add_command(who)
        await sync_commands(client, tree, None)
    return {command.name: command for command in playground.state.commands.values()}


def translations(fields: dict[str, Any]) -> Iterator[tuple[str, dict[str, str]]]:
    """Everything that is translated in a command, by the English."""
    for name in ("name", "description"):
        if fields.get(f"{name}_localizations"):
            yield fields[name], fields[f"{name}_localizations"]
    for inner in (*fields.get("options", ()), *fields.get("choices", ())):
        yield from translations(inner)


async def test_descriptions_choices_and_menus_are_translated_and_the_names_that_sentences_use_are_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with Playground.run() as playground:
        commands = await synced(monkeypatch, playground)

    assert dict(translations(commands["imagine"].definition)) == {
        "Make pictures": dict.fromkeys(SPANISH, "Hace imágenes"),
        "What to show": dict.fromkeys(SPANISH, "Qué mostrar"),
        "Square": dict.fromkeys(SPANISH, "Cuadrado"),
    }
    assert dict(translations(commands["Who made this?"].definition)) == {
        "Who made this?": dict.fromkeys(SPANISH, "¿Quién hizo esto?")
    }


async def test_translated_commands_are_given_to_discord_once_and_again_when_a_translation_changes(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "cogs.sync")
    async with Playground.run() as playground:
        for _ in range(2):
            await synced(monkeypatch, playground)
        (tmp_path / "es.po").write_text(CATALOGUE.replace("Cuadrado", "Cuadro"), encoding="utf-8")
        words.load_catalogues()
        commands = await synced(monkeypatch, playground)

    assert [
        record.message.partition(" the commands")[0] for record in caplog.records if record.name == "cogs.sync"
    ] == [
        "gave Discord",
        "the commands of all servers are up to date",
        "gave Discord",
    ]
    assert dict(translations(commands["imagine"].definition))["Square"]["es-ES"] == "Cuadro"
