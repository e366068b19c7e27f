"""Everything that members and admins do, played in another language: every word is translated, and Discord takes it."""

import asyncio
import re
import shutil
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from babel.messages.catalog import Catalog
from babel.messages.pofile import write_po

from playground.model import Interaction, Message, walk
from playground.state import State
from scripts.words import template
from services import words
from services.catalog import SHIPPED_PRESETS
from services.request import ADAPTERS, NEGATIVE_PROMPT, SCHEDULERS, Shape
from tests.end_to_end.stage import PHOTO, Photo, Stage
from tests.languages import marked
from tests.photographs import coffee, encoded

# Discord has Swedish, and the bot does not: in it everything is marked that went through a catalogue.
MARKED = "sv-SE"
COFFEE = ("coffee.jpg", encoded(coffee()))
# What was marked, also where it was cut, and what is no word: mentions, addresses, sizes, ids, the end of what was cut.
NO_WORDS = re.compile(r"⟦[^⟦⟧]*(?:⟧|…)|<[^>]*>|https?://\S+|\w+…|\d+x\d+|[0-9a-f]{8}-[0-9a-f-]{27}")
WORD = re.compile(r"[^\W\d_][\w.-]*\w|[^\W\d_]")
# What members wrote themselves, what has one name in every language, and what others said.
OWN = "a quiet harbour a lighthouse Storm Calm x own huge Fix hands"
ONE_NAME = "ip_adapter ip_adapter_image width likeness face extra model preset prompt size sdxl Stable Diffusion XL"
ADAPTER_NAMES = " ".join(name for names in ADAPTERS.values() for name in names)
PRESET_NAMES = " ".join(preset["name"] for preset in tomllib.loads(SHIPPED_PRESETS.read_text())["presets"])
NAMES = frozenset(
    WORD.findall(" ".join((OWN, ONE_NAME, ADAPTER_NAMES, PRESET_NAMES, NEGATIVE_PROMPT, *Shape, *SCHEDULERS)))
)
TEXTS = ("content", "label", "description", "placeholder", "title", "name")
CATALOG = """
[[adapters]]
name = "your-adapter_sd"
label = "Fix hands"
family = "sd"

[[weights]]
weight = 2
pixels_over = 1_048_576
"""
# Discord cuts longer labels off on phones.
LABEL_CHARACTERS_MAX = 34


@pytest.fixture(scope="module")
def said() -> Catalog:
    return template()


@pytest.fixture(params=[MARKED, "de"])
def locale(request: pytest.FixtureRequest, said: Catalog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """What Ben and Ada speak; one of them is the language in which everything is marked."""
    folder = tmp_path / "locales"
    shutil.copytree(words.CATALOGUES, folder)
    language = MARKED.partition("-")[0]
    with (folder / f"{language}.po").open("wb") as file:
        write_po(file, marked(said, language))
    monkeypatch.setattr(words, "CATALOGUES", folder)
    monkeypatch.setattr(words, "_catalogues", {})
    return request.param


class Play:
    """A member who uses everything, and collects what they read."""

    def __init__(self, scene: Stage) -> None:
        self.scene = scene
        self.suggested: list[str] = []

    async def told(self, interaction: Interaction) -> Message:
        """What was said in answer, in its place or in the follow-up of a refusal."""

        def said(state: State) -> Message | None:
            message = state.original(interaction)
            if interaction.followup_ids:
                message = state.messages[interaction.followup_ids[-1]]
            return None if message is None or message.is_thinking else message

        return await self.scene.playground.until(said)

    async def run(
        self, command: str, *, member: str = "Ben", photos: Mapping[str, Photo] | None = None, **options: object
    ) -> Message:
        return await self.told(
            self.scene.playground.command(command, member=member, options=options, attachments=photos or {})
        )

    async def press(self, message: Message, action: str, *, member: str = "Ben") -> Interaction:
        custom_id = next(each["custom_id"] for each in message.body.buttons if re.match(action, each["custom_id"]))
        return await self.scene.playground.acknowledged(self.scene.playground.press(message, custom_id, member=member))

    async def suggest(self, command: str, option: str, typed: str = "") -> None:
        found = await self.scene.playground.choices(command, option, typed)
        self.suggested += [choice["name"] for choice in found]

    def read(self) -> Iterator[str]:
        """Everything that members have read, in whatever place."""
        state = self.scene.playground.state
        for message in state.messages.values():
            if message.author_id == state.bot.id:
                for body in (*(version.body for version in message.versions), message.body):
                    yield body.content
                    yield from (text for each in body.components for text in shown(each))
                    yield from (attachment.description or "" for attachment in body.attachments)
        for interaction in state.interactions.values():
            if interaction.modal:
                yield interaction.modal["title"]
                yield from (text for each in interaction.modal["components"] for text in shown(each))
        yield from self.suggested


def shown(component: dict[str, Any]) -> Iterator[str]:
    for each in walk(component):
        yield from (each[name] for name in TEXTS if isinstance(each.get(name), str))
        yield from (text for option in each.get("options", ()) for text in shown(option))


def untranslated(text: str) -> list[str]:
    """The words of ours that were not marked."""
    return [word for word in WORD.findall(NO_WORDS.sub(" ", text)) if word not in NAMES]


async def make(play: Play) -> None:
    """Pictures with a face, and every button under them."""
    scene = play.scene
    scene.renderer.open.clear()
    first = scene.imagine(likeness=80, shape="wide", count=2)
    await scene.renderer.begun(1)
    waiting = [scene.imagine(photo=None, shape="portrait"), scene.imagine("a quiet harbour " * 60, photo=None)]
    for interaction in waiting:
        await play.press(await play.told(interaction), "fl:cancel")
        await scene.playground.until(
            lambda state, interaction=interaction: not (found := state.original(interaction)) or not found.body.buttons
        )
    scene.renderer.open.set()
    result = await scene.delivered(first)
    await play.told(await play.press(result, "fl:details"))
    for action in ("fl:again", "fl:larger", "fl:vary:.*:2"):
        await scene.delivered(await play.press(result, action))
    for message in (result, await scene.delivered(scene.imagine(photo=None))):
        press = await play.press(message, "fl:edit")
        await scene.delivered(scene.playground.submit(press, {"prompt": "a lighthouse", "shape": "square"}))
    wrong = scene.playground.submit(await play.press(result, "fl:edit"), {"likeness": "x"})
    await play.told(wrong)
    for name in ("Who made this?", "Use this prompt"):
        await play.told(scene.playground.message_command(name, result))
        await play.told(scene.playground.message_command(name, scene.playground.say("Storm")))
    await play.told(scene.playground.press(result, f"fl:again:{1}", member="Ada"))
    await play.press(result, "fl:delete")
    await play.told(scene.playground.message_command("Who made this?", scene.playground.say("Storm")))


async def draft(play: Play) -> None:
    scene = play.scene
    drafted = await scene.delivered(scene.imagine(photo=None, draft=True, preset="Studio portrait"))
    await scene.delivered(await play.press(drafted, "fl:full"))
    await play.told(scene.imagine(photo=None, draft=True, count=2))


async def advance(play: Play) -> None:
    """Every option, with values that are good and others that are not."""
    scene = play.scene
    good = scene.advanced(
        photos={"face": PHOTO, "style": PHOTO}, style_strength=20, size="1152x1152", scheduler="EulerDiscreteScheduler",
        strength=0.5, seed=7, steps=20, negative_prompt="a lighthouse " * 70, model="sdxl",
    )  # fmt: skip
    await play.told(await play.press(await scene.delivered(good), "fl:details"))
    for options in (
        {"size": "huge"}, {"size": "1001x1024"}, {"size": "8x1024"}, {"adapter": "own"}, {"adapter": "ip-adapter_sdxl"},
        {"model": "own"}, {"extra": "Fix hands"}, {"likeness": 50}, {"negative_prompt": " "},
    ):  # fmt: skip
        refused = scene.playground.command("advanced", options={"prompt": "a quiet harbour", **options})
        await play.told(refused)
    await play.told(scene.imagine(" ", photo=None))
    await play.told(scene.imagine(photo=None, preset="own"))
    await play.told(scene.advanced(photos={"face": PHOTO, "face2": PHOTO}, model="sd"))
    await play.told(scene.advanced(photos={"face": PHOTO, "face2": PHOTO, "style": PHOTO}))


async def keep(play: Play) -> None:
    """Faces, and what happens to photos that show none."""
    scene = play.scene
    await play.run("face list")
    await play.run("face save", name="Storm", photos={"photo": PHOTO, "photo2": PHOTO})
    await play.run("face save", name="Storm", photos={"photo": PHOTO})
    await play.run("face save", name="Calm", photos={"photo": COFFEE})
    await play.run("face save", name="Calm", photos={"photo": PHOTO, "photo2": COFFEE})
    await play.run("face rename", name="Storm", new_name="Calm")
    await play.run("face default", name="Calm")
    await play.run("face list")
    await scene.delivered(scene.imagine(photo=None, face_name="Calm"))
    await play.told(scene.imagine(face_name="Calm"))
    await play.run("face delete", name="Calm")
    await play.run("face delete", name="Calm")
    for photo in (COFFEE, ("me.jpg", b"no photo"), ("small.png", encoded(coffee().resize((64, 64)), "PNG"))):
        await until_refused(play, scene.imagine(photo=photo))
    await until_refused(play, scene.advanced(photos={"face": COFFEE, "style": PHOTO}))


async def until_refused(play: Play, interaction: Interaction) -> None:
    await play.scene.playground.until(lambda _: interaction.followup_ids)


async def fail(play: Play) -> None:
    scene = play.scene
    for trouble in ({"status": "FAILURE"}, {"status": "COMPLETED"}, {"status": "FAILURE", "error": "Storm"}):
        scene.trouble.answer("GET", "/status", trouble)
        asked = scene.imagine(photo=None)
        await play.scene.playground.answered(asked, lambda message: not message.body.buttons)
    scene.trouble.answer("POST", "/sdxl/", {"detail": "Storm"}, status=422)
    await play.scene.playground.answered(scene.imagine(photo=None), lambda message: not message.body.buttons)


async def look(play: Play) -> None:
    """What can be read, and the choices while typing."""
    page = await play.run("history")
    await play.press(page, "fl:history:older")
    for search in ("a quiet harbour", "Storm"):
        await play.run("history", search=search)
    for command in ("quota", "styles", "privacy policy", "privacy export"):
        await play.run(command)
    for command in ("server audit", "server stats", "server quota show"):
        await play.run(command, member="Ada")
    for command, option in (("imagine", "preset"), ("imagine", "model"), ("advanced", "size"), ("advanced", "adapter")):
        await play.suggest(command, option)
    await play.press(await play.run("privacy erase"), "fl-erase")
    await play.run("history")
    await play.told(play.scene.imagine(photo=None, count=4, member="Ada", channel="dm"))


async def test_everything_is_said_in_the_language_of_who_reads_it(scene: Stage, locale: str) -> None:
    for member in ("Ben", "Ada"):
        scene.playground.set_locale(member, locale)
    catalog = scene.folder / "catalog.toml"
    catalog.write_text(CATALOG)
    scene.env |= {
        "QUOTA_IMAGES": "60",
        "IMAGEPIPELINE_MAX_IN_FLIGHT": "1",
        "OPERATOR_CONTACT": "Storm",
        "CATALOG_FILE": str(catalog),
    }
    play = Play(scene)
    async with asyncio.timeout(120), scene.bot():
        for part in (make, draft, advance, keep, fail, look):
            await part(play)
        commands = [command.definition for command in scene.playground.state.commands.values()]

    read = sorted({text for text in play.read() if text})
    assert len(read) > 100
    if locale == MARKED:
        assert {text: missed for text in read if (missed := untranslated(text))} == {}
    labels = {each["label"] for message in scene.playground.state.messages.values() for each in message.body.buttons}
    assert [label for label in labels if len(label) > LABEL_CHARACTERS_MAX] == []
    assert [text for command in commands for text in untold(command, locale)] == []


def untold(command: dict[str, Any], locale: str) -> Iterator[str]:
    """The descriptions in a command that are not there in this language."""
    if command.get("description") and locale not in (command.get("description_localizations") or {}):
        yield command["description"]
    for option in command.get("options", ()):
        yield from untold(option, locale)
