"""A photo with several people: its member chooses one, alone, and nothing is lost meanwhile."""

from typing import Any

import pytest
from PIL import Image

from playground.model import Interaction, Message
from playground.state import State
from services.photos import Photos
from tests.end_to_end.stage import PHOTO, Stage
from tests.end_to_end.test_buttons import face_of
from tests.end_to_end.test_cancel import cancelled
from tests.end_to_end.test_private import EVERYBODY, public
from tests.photographs import admiral, astronaut, encoded
from tests.services.test_photos import crop, difference

SEVERAL = "There are several faces in"


def group() -> Image.Image:
    """The astronaut, larger, beside the admiral."""
    both = Image.new("RGB", (1024 + 300, 1024), "white")
    both.paste(astronaut().resize((1024, 1024)), (0, 0))
    both.paste(admiral().resize((300, 352)), (1024, 200))
    return both


GROUP = ("group.png", encoded(group(), "PNG"))


def offered(state: State, interaction: Interaction) -> Message | None:
    """The message with the faces to choose among."""
    shown = [state.original(interaction), *state.followups(interaction)]
    found = (message for message in shown if message is not None and message.deleted_at is None)
    return next((message for message in found if SEVERAL in message.text and message.body.gallery), None)


async def asked(scene: Stage, **options: Any) -> tuple[Interaction, Message]:
    """A request with the photo of two, and the faces that are offered."""
    said: dict[str, Any] = {"photo": GROUP} | options
    interaction = scene.imagine(**said)
    faces = await scene.playground.until(lambda state: offered(state, interaction))
    assert scene.playground.seen_by(faces) == {"Ben"}
    return interaction, faces


async def made(scene: Stage, interaction: Interaction) -> Message:
    """The result, which has other pictures than the faces to choose among."""

    def find(state: State) -> Message | None:
        message = state.original(interaction)
        is_made = message is not None and any(each.filename.startswith("facelock-") for each in message.body.gallery)
        return message if is_made else None

    return await scene.playground.until(find)


async def refused(scene: Stage, faces: Message) -> None:
    """Press where there is nothing to choose any more."""
    pressed = scene.playground.press(faces, "1")
    told = await scene.message_with("There is nothing to choose any more", interaction=pressed)
    assert scene.playground.seen_by(told) == {"Ben"}


async def likeness(scene: Stage, face: Image.Image, other: Image.Image) -> float:
    """How much nearer what the engine was last given is to one face than to another, in grey levels."""
    given = scene.renderer.jobs[-1].references[-1].image
    async with Photos(detect=True) as photos:
        far, near = [difference(given, await crop(photos, encoded(image))) for image in (other, face)]
    return far - near


async def test_the_asker_alone_sees_the_faces_and_gets_the_chosen_one(scene: Stage) -> None:
    async with scene.bot():
        interaction, faces = await asked(scene, count=2)
        buttons = [button["label"] for button in faces.body.buttons]
        waiting = scene.playground.state.original(interaction)
        assert waiting is not None
        everybody_sees = (scene.playground.seen_by(waiting), waiting.text, waiting.body.attachments)
        scene.playground.press(faces, "2")
        message = await made(scene, interaction)
        left = await scene.left()

    assert buttons == ["1", "2"]
    assert everybody_sees[0] >= EVERYBODY
    assert SEVERAL in everybody_sees[1]
    assert everybody_sees[2] == ()
    assert faces.deleted_at is not None
    assert (message.id, len(message.body.gallery), left) == (interaction.original_id, 2, 18)
    assert len(message.body.thumbnails) == 1
    assert await likeness(scene, admiral(), astronaut()) > 10


async def test_the_largest_is_the_first(scene: Stage) -> None:
    async with scene.bot():
        interaction, faces = await asked(scene)
        scene.playground.press(faces, "1")
        await made(scene, interaction)

    assert await likeness(scene, astronaut(), admiral()) > 10


async def test_of_a_private_request_they_are_in_its_own_message(scene: Stage) -> None:
    async with scene.bot():
        interaction, faces = await asked(scene, private=True)
        scene.playground.press(faces, "1")
        message = await made(scene, interaction)

    assert faces.id == message.id == interaction.original_id
    assert [each.filename for each in message.body.attachments if each.filename.startswith("choice")] == []
    assert public(scene) == []


async def test_the_choice_is_made_after_a_kill(scene: Stage) -> None:
    async with scene.process() as process:
        interaction, faces = await asked(scene)
        process.kill()
        await process.wait()
    stored = [path.read_bytes() for path in scene.folder.glob("facelock.db*")]
    async with scene.bot():
        scene.playground.press(faces, "2")
        await made(scene, interaction)
        left = await scene.left()

    assert left == 19
    assert not any(b"\xff\xd8\xff" in content for content in stored), "no picture is in any file as it is"


async def test_the_choice_survives_a_kill(scene: Stage) -> None:
    async with scene.process() as process:
        interaction, faces = await asked(scene)
        hanging = scene.playground.faults.hang("PATCH", r"/messages/@original$")
        scene.playground.press(faces, "2")
        await scene.playground.until(lambda _: hanging.hits)
        process.kill()
        await process.wait()
    scene.playground.faults.clear()
    async with scene.bot():
        message = await made(scene, interaction)
        left = await scene.left()

    assert (message.id, left) == (interaction.original_id, 19)


@pytest.mark.parametrize("private", [True, False])
async def test_whoever_does_not_choose_is_refunded_and_told_alone(
    scene: Stage, private: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.end_to_end.stage.bot.utc_now", lambda: scene.now())
    async with scene.bot():
        interaction, faces = await asked(scene, private=private)
        scene.advance(minutes=14.5)
        said = await scene.message_with("none of them was chosen in time", interaction=interaction)
        left = await scene.left()
        if not private:
            await refused(scene, faces)

    assert scene.playground.seen_by(said) == {"Ben"}
    assert left == 20
    assert scene.renderer.jobs == []


@pytest.mark.parametrize("private", [True, False])
async def test_it_can_be_cancelled_meanwhile(scene: Stage, private: bool) -> None:
    async with scene.bot():
        interaction, faces = await asked(scene, private=private)
        message = await cancelled(scene, interaction)
        left = await scene.left()
        if not private:
            await refused(scene, faces)

    assert left == 20
    assert message.body.attachments == ()
    assert scene.renderer.jobs == []


async def test_two_presses_are_one_choice(scene: Stage) -> None:
    async with scene.bot():
        interaction, faces = await asked(scene)
        presses = [scene.playground.press(faces, label) for label in ("1", "2")]
        message = await made(scene, interaction)
        for press in presses:
            await scene.playground.acknowledged(press)

    assert len(scene.renderer.jobs) == 1
    assert len(message.body.gallery) == 1


async def test_several_photos_are_asked_about_one_after_the_other(scene: Stage) -> None:
    async with scene.bot():
        interaction = scene.advanced(photos={"face": GROUP, "face2": PHOTO, "face3": GROUP}, model="sdxl")
        for image in ("image 1 of 3", "image 3 of 3"):
            faces = await scene.playground.until(lambda state: offered(state, interaction))
            assert image in faces.text
            pressed = scene.playground.press(faces, "2")
            await scene.playground.acknowledged(pressed)
            await scene.playground.until(lambda _, faces=faces: faces.deleted_at is not None)
        message = await made(scene, interaction)

    assert len(message.body.thumbnails) == 3
    (job,) = scene.renderer.jobs
    assert len(job.references) == 3


async def test_again_takes_the_chosen_face(scene: Stage) -> None:
    async with scene.bot():
        interaction, faces = await asked(scene)
        scene.playground.press(faces, "2")
        message = await made(scene, interaction)
        await scene.delivered(scene.playground.press(message, "Again"))

    first, second = scene.renderer.jobs
    assert face_of(first) == face_of(second)


async def test_a_saved_face_is_one_persons(scene: Stage) -> None:
    async with scene.bot():
        saving = scene.playground.command("face save", options={"name": "us"}, attachments={"photo": GROUP})
        message = await scene.message_with("The bot found 2 faces", interaction=saving)

    assert message.text == "The bot found 2 faces in the photo. Crop it to one person and attach it again."
