"""Faces saved by name, from the photo to the pictures, across restarts, kills and lost keys."""

import asyncio
import base64
import contextlib
import io
import sys
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
from PIL import Image

from db import faces
from db.connection import Database
from playground.model import Interaction, Message
from tests.end_to_end.stage import PHOTO, Photo, Stage
from tests.photographs import admiral, encoded

ADMIRAL = ("admiral.jpg", encoded(admiral()))
ORIGINAL = r"/messages/@original$"
ATTACHED = r"^/ephemeral-attachments/"


async def face(scene: Stage, command: str, *photos: Photo, member: str = "Ben", **options: object) -> Message:
    """Run a subcommand of /face; the answer, once it says something."""
    attachments: dict[str, Photo] = dict(zip(("photo", "photo2", "photo3"), photos, strict=False))
    interaction = scene.playground.command(f"face {command}", member=member, options=options, attachments=attachments)
    message = await scene.playground.answered(interaction)
    assert scene.playground.seen_by(message) == {member}
    return message


async def save(scene: Stage, name: str, *photos: Photo) -> None:
    assert (await face(scene, "save", *photos, name=name)).text.startswith(f"Saved **{name}**")


def pixels(content: bytes) -> bytes:
    return Image.open(io.BytesIO(content)).convert("RGB").tobytes()


def given(scene: Stage) -> list[bytes]:
    """The pixels of the faces of the last job that was rendered."""
    return [reference.image.tobytes() for reference in scene.renderer.jobs[-1].references]


def stored(folder: Path) -> dict[str, bytes]:
    """What the bot has on its disk."""
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


@contextlib.asynccontextmanager
async def killed(scene: Stage) -> AsyncGenerator[None]:
    """A bot in a process of its own, which is killed at the end of the block."""
    async with scene.process() as process:
        yield
        process.kill()
        await process.wait()
    scene.playground.faults.clear()


async def test_a_saved_face_is_used_as_it_was_kept_and_its_photos_are_not_fetched_again(scene: Stage) -> None:
    async with scene.bot():
        await save(scene, "Me", PHOTO, ADMIRAL)
        fetched = scene.playground.faults.respond("GET", ATTACHED, status=404, times=None)
        message = await scene.delivered(scene.imagine(photo=None, face_name="me", count=2))
        listed = await face(scene, "list")

    contents = [scene.playground.content(shown) for shown in message.body.thumbnails]
    assert fetched.hits == 0
    assert contents[0] == scene.playground.content(listed.body.thumbnails[0])
    assert given(scene) == [pixels(content) for content in contents]
    assert len(contents) == len(message.body.gallery) == 2


async def test_with_the_api_of_today_the_first_photo_is_used(scene: Stage) -> None:
    scene.env["IMAGEPIPELINE_API"] = "identity"
    async with scene.bot():
        await save(scene, "Me", PHOTO, ADMIRAL)
        message = await scene.delivered(scene.imagine(photo=None, face_name="Me"))

    assert given(scene) == [pixels(scene.playground.content(shown)) for shown in message.body.thumbnails]
    assert len(given(scene)) == 1


async def test_a_face_survives_restarts_and_is_gone_when_it_is_deleted(scene: Stage) -> None:
    async with scene.bot():
        await save(scene, "Me", PHOTO)
    async with scene.bot():
        assert len((await face(scene, "list")).body.thumbnails) == 1
        await face(scene, "delete", name="Me")
    async with scene.bot():
        assert (await face(scene, "list")).text == "You have no saved faces. `/face save` keeps one."
        refused = await scene.playground.answered(scene.imagine(photo=None, face_name="Me"))

    assert refused.text.startswith("You have no saved face called `Me`.")


@pytest.mark.parametrize("fault", ["hang", "drop_after"])
async def test_killed_while_the_saved_face_is_shown(scene: Stage, fault: str) -> None:
    async with killed(scene):
        await save(scene, "Me", PHOTO)
        broken = getattr(scene.playground.faults, fault)("PATCH", ORIGINAL)
        interaction = scene.imagine(photo=None, face_name="Me")
        await scene.playground.until(lambda _: broken.hits)

    async with scene.bot():
        message = await scene.delivered(interaction)
        left = await scene.left()

    assert given(scene) == [pixels(scene.playground.content(shown)) for shown in message.body.thumbnails]
    assert (len(scene.renderer.jobs), left) == (1, 19)


async def test_killed_before_the_face_was_opened_and_deleted_meanwhile_it_is_refunded(scene: Stage) -> None:
    def imagine() -> Interaction:
        return scene.playground.command(
            "imagine", options={"prompt": "a harbour", "face_name": "Me"}, attachments={"style": ADMIRAL}
        )

    async with killed(scene):
        await save(scene, "Me", PHOTO)
        held = scene.playground.faults.hang("GET", ATTACHED)
        interaction = imagine()
        await scene.playground.until(lambda _: held.hits)
    async with Database.open(scene.folder / "facelock.db") as database, database.transaction() as connection:
        await faces.delete(connection, 1)

    async with scene.bot():
        told = await scene.message_with("was deleted before it could be used", interaction=interaction)
        left = await scene.left()

    assert "Your image was refunded." in told.text
    assert scene.playground.seen_by(told) == {"Ben"}
    assert (scene.renderer.jobs, left) == ([], 20)


async def test_nothing_of_a_face_is_on_the_disk_or_in_the_log_of_a_bot_at_its_most_talkative(scene: Stage) -> None:
    scene.env["LOG_LEVEL"] = "DEBUG"
    async with killed(scene):
        await save(scene, "Grandma", PHOTO)
        await scene.playground.choices("imagine", "face_name", "Gra")
        message = await scene.delivered(scene.imagine(photo=None, face_name="Grandma"))
        await face(scene, "rename", name="Grandma", new_name="Grandpa")
        await face(scene, "list")

    (crop,) = [scene.playground.content(shown) for shown in message.body.thumbnails]
    files = stored(scene.folder)
    key = base64.b64decode(files.pop("faces.key"))
    log = files.pop("bot.log")
    pieces = [crop[start : start + 16] for start in range(0, len(crop) - 16, 48)]
    for name, content in files.items():
        assert [piece for piece in (*pieces, key, base64.b64encode(key)) if piece in content] == [], name
    assert b"saved face 1" in log
    words = (b"Grandma", b"Grandpa", b"JFIF", b"attachments/", base64.b64encode(key), repr(key).encode()[2:-1])
    assert [word for word in words if word in log] == []


@pytest.mark.skipif(sys.platform == "win32", reason="Windows keeps its permissions elsewhere")
async def test_the_key_file_is_for_the_bot_alone(scene: Stage) -> None:
    async with scene.bot():
        pass

    assert (scene.folder / "faces.key").stat().st_mode & 0o777 == 0o600


async def test_a_lost_key_costs_the_faces_and_nothing_else(scene: Stage) -> None:
    async with scene.bot():
        await save(scene, "Me", PHOTO)
    (scene.folder / "faces.key").unlink()

    async with scene.bot():
        listed = await face(scene, "list")
        refused = await scene.playground.answered(scene.imagine(photo=None, face_name="Me"))
        assert await scene.delivered(scene.imagine())
        await save(scene, "Me", ADMIRAL)
        message = await scene.delivered(scene.imagine(photo=None, face_name="Me"))

    assert "It cannot be opened any more. Save it again with `/face save`." in listed.text
    assert refused.text == "`Me` cannot be opened any more. Save it again with `/face save`."
    assert len(message.body.thumbnails) == 1


async def test_a_new_key_takes_over_at_a_start_and_the_old_one_can_go(
    scene: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    async with scene.bot():
        await save(scene, "Me", PHOTO)

    scene.env["FACE_KEY"] = base64.b64encode(b"n" * 32).decode()
    async with scene.bot():
        async with asyncio.timeout(40):
            while "is not needed any more: its photos (1) are sealed anew" not in caplog.text:
                await face(scene, "list")
    (scene.folder / "faces.key").unlink()

    async with scene.bot():
        assert await scene.delivered(scene.imagine(photo=None, face_name="Me"))
    assert not (scene.folder / "faces.key").exists()


async def test_a_face_that_nobody_uses_is_announced_and_then_deleted(
    scene: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.end_to_end.stage.bot.utc_now", lambda: scene.now())
    async with scene.bot():
        await save(scene, "Me", PHOTO)
        await save(scene, "Used", PHOTO)

    scene.advance(days=84)
    async with scene.bot():
        told = await scene.message_with("will be deleted")
        assert await scene.delivered(scene.imagine(photo=None, face_name="Used"))
    assert "- **Me**: <t:" in told.text
    assert scene.playground.seen_by(told) == {"Ben"}

    scene.advance(days=7, minutes=1)
    async with scene.bot():
        async with asyncio.timeout(40):
            while not (await face(scene, "list")).text.startswith("**Used**\n"):
                pass
