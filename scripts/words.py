"""``python -m scripts.words``: bring the catalogues in ``locales/`` up to date with what the bot says.

What is new comes without a translation, what is no longer said goes. ``python -m scripts.words fr`` begins a language.
"""

import argparse
import ast
import asyncio
import contextlib
import io
import tempfile
from collections.abc import AsyncGenerator, Iterable, Iterator
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po, write_po
from discord import Locale, app_commands
from discord.app_commands import TranslationContextLocation as Location

import bot
from cogs.translator import is_translated
from services.catalog import base_models, read_catalog
from services.config import Settings
from services.request import BASE_MODELS, SCHEDULERS, Api, Family
from services.tasks import Tasks
from services.words import CATALOGUES

ROOT = Path(__file__).parent.parent
# https://discord.com/developers/docs/interactions/application-commands#application-command-object
CHARACTERS_MAX = {
    Location.command_name: 32,
    Location.command_description: 100,
    Location.group_description: 100,
    Location.parameter_description: 100,
    Location.choice_name: 100,
}
LINE_CHARACTERS = 118


class NotLiteralError(ValueError):
    """A sentence that is put together before it is looked up is in no catalogue."""


def template() -> Catalog:
    """Everything that the bot says, with nothing translated: from its code, its commands and its presets.

    Raises:
        NotLiteralError
    """
    catalog = Catalog()
    for path in [ROOT / "bot.py", *sorted((ROOT / "cogs").rglob("*.py")), *sorted((ROOT / "services").rglob("*.py"))]:
        for sentence in sentences(path):
            catalog.add(sentence)
    for api in Api:
        for text, most in asyncio.run(_of_commands(api)).items():
            catalog.add(text, auto_comments=[f"At most {most} characters."])
    for preset in read_catalog(None, base_models(BASE_MODELS, default=Family.SDXL)).presets:
        catalog.add(preset.description)
    return catalog


def sentences(path: Path) -> Iterator[str | tuple[str, str]]:
    """What a file says through ``_`` and ``ngettext``, in its order.

    Babel's own reader does not look into f-strings.

    Raises:
        NotLiteralError
    """
    tree = ast.parse(path.read_text(encoding="utf-8"))
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)]
    for call in sorted(calls, key=lambda call: (call.lineno, call.col_offset)):
        match call:
            case ast.Call(func=ast.Name("_"), args=[ast.Constant(str(text))]):
                yield text
            case ast.Call(func=ast.Name("ngettext"), args=[ast.Constant(str(one)), ast.Constant(str(many)), _]):
                yield one, many
            case ast.Call(func=ast.Name("_" | "ngettext")):
                raise NotLiteralError(f"{path}:{call.lineno}: write the sentence out, with its fields in braces")
            case _:
                pass


@contextlib.asynccontextmanager
async def unconnected(api: Api, folder: Path) -> AsyncGenerator[bot.FacelockBot]:
    """A bot with all its commands in that dialect, which knows nobody."""
    settings = Settings.from_env(
        {
            "DISCORD_TOKEN": "none",
            "IMAGEPIPELINE_API_KEY": "none",
            "IMAGEPIPELINE_API": api,
            "DATABASE_URL": f"sqlite:///{(folder / 'words.db').as_posix()}",
            "FACE_DETECTION": "off",
            "CATALOG_FILE": str(ROOT / "catalog.example.toml"),  # with every option that a catalogue can add
        }
    )
    async with contextlib.AsyncExitStack() as stack:
        house = await stack.enter_async_context(bot.opened(settings))
        client = await bot.furnished(stack, house, Tasks(grace_s=0.0))
        await client.load_commands()
        yield client


class _Listener(app_commands.Translator):
    """Hears every text of the commands that changes with the language, and how long it may be."""

    def __init__(self) -> None:
        self.heard: dict[str, int] = {}

    async def translate(
        self, string: app_commands.locale_str, locale: Locale, context: app_commands.TranslationContextTypes
    ) -> None:
        is_said = any(character.isalpha() for character in string.message) and string.message not in SCHEDULERS
        if is_said and is_translated(context):
            self.heard[string.message] = CHARACTERS_MAX[context.location]


async def _of_commands(api: Api) -> dict[str, int]:
    listener = _Listener()
    with tempfile.TemporaryDirectory() as folder:
        async with unconnected(api, Path(folder)) as client:
            for command in client.tree.get_commands():
                await command.get_translated_payload(client.tree, listener)
            return listener.heard


def updated(path: Path, said: Catalog) -> str:
    """The catalogue in this file, or an empty one, with what is said now and the translations that fit."""
    if path.exists():
        with path.open("rb") as file:
            catalog = read_po(file, locale=path.stem, abort_invalid=True)
    else:
        catalog = Catalog(locale=path.stem)
    catalog.update(said, no_fuzzy_matching=True)
    catalog.obsolete.clear()
    for message in catalog:
        if message.id and message.fuzzy:  # it has become plural, or is so no more
            message.string = ("", "") if message.pluralizable else ""
            message.flags.discard("fuzzy")
    written = io.BytesIO()
    write_po(written, catalog, width=LINE_CHARACTERS, no_location=True, omit_header=True)
    return _header(catalog) + written.getvalue().decode()


def _header(catalog: Catalog) -> str:
    """Only what is needed to read the file: no dates, so that nothing changes by itself."""
    fields = {
        "Language": str(catalog.locale),
        "Content-Type": "text/plain; charset=UTF-8",
        "Plural-Forms": catalog.plural_forms,
    }
    return "\n".join(['msgid ""', 'msgstr ""', *(f'"{name}: {value}\\n"' for name, value in fields.items()), "", ""])


def main(languages: Iterable[str]) -> None:
    """Write the catalogues of these languages and of all that there are."""
    said = template()
    paths = {*CATALOGUES.glob("*.po"), *(CATALOGUES / f"{language}.po" for language in languages)}
    for path in sorted(paths):
        path.parent.mkdir(exist_ok=True)
        text = updated(path, said)
        path.write_text(text, encoding="utf-8", newline="\n")
        with path.open("rb") as file:
            missing = [message for message in read_po(file, locale=path.stem) if not is_complete(message)]
        print(f"{path.relative_to(ROOT)}: {len(said)} texts, {len(missing)} to translate")


def is_complete(message: Message) -> bool:
    """Whether it is translated, in all its plural forms."""
    return bool(message.string) and all(message.string)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m scripts.words", description=__doc__)
    parser.add_argument("language", nargs="*", help="a language to begin, such as fr")
    main(parser.parse_args().language)
