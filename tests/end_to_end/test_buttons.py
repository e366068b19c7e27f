"""The buttons under a result, each pressed as a member presses it."""

import contextlib
import sqlite3
from dataclasses import replace
from typing import Any

import pytest

from engine.renderers import RenderJob
from playground.errors import MemberError
from playground.model import ComponentKind, Event, EventKind, Interaction, Message
from tests.end_to_end.stage import PHOTO, Stage
from tests.photographs import admiral, encoded

CALLBACK = r"/interactions/\d+/[^/]+/callback$"
OTHER = ("other.jpg", encoded(admiral()))
REMAKES = ("Again", "Larger", "Vary 1")


async def made(scene: Stage, **options: Any) -> Message:
    """A result of two pictures for Ben, with his face if nothing else is said."""
    said: dict[str, Any] = {"count": 2} | options
    return await scene.delivered(scene.imagine(**said))


async def told(scene: Stage, message: Message, button: str, *, member: str = "Ben") -> str:
    """What this member alone reads after a press."""
    answer = await scene.playground.answered(scene.playground.press(message, button, member=member))
    assert scene.playground.seen_by(answer) == {member}
    return answer.text


def face_of(job: RenderJob) -> bytes:
    """The pixels of the face that the engine was given; styles stand before it."""
    return job.references[-1].image.tobytes()


def rewrite(message: Message, change: Any) -> None:
    """Put other components into a message than those that the bot has sent."""

    def rewritten(component: dict[str, Any]) -> dict[str, Any]:
        inner = (
            {"components": [rewritten(each) for each in component["components"]]} if "components" in component else {}
        )
        return change(component | inner)

    message.body = replace(message.body, components=tuple(rewritten(each) for each in message.body.components))


def lose_the_photos(message: Message) -> None:
    def without(component: dict[str, Any]) -> dict[str, Any]:
        return component["components"][0] if component["type"] == ComponentKind.SECTION else component

    rewrite(message, without)
    kept = tuple(each for each in message.body.attachments if not each.filename.startswith("face-"))
    message.body = replace(message.body, attachments=kept)
    assert len(kept) == len(message.body.gallery)


# ------------------------------------------------------------------------------------------------------ each button


async def test_again_is_a_new_message_with_another_seed_and_the_very_same_face(scene: Stage) -> None:
    async with scene.bot():
        message = await made(scene, likeness=80, shape="wide")
        again = await scene.delivered(scene.playground.press(message, "Again"))
        left = await scene.left()

    first, second = scene.renderer.jobs
    assert first.parameters.seed != second.parameters.seed
    assert replace(second.parameters, seed=first.parameters.seed) == first.parameters
    assert [(each.adapter, each.scale) for each in second.references] == [("ip-adapter-plus-face_sdxl_vit-h", 0.8)]
    assert face_of(first) == face_of(second)
    (thumbnail,), (same,) = message.body.thumbnails, again.body.thumbnails
    assert scene.playground.content(thumbnail) == scene.playground.content(same)
    assert again.id != message.id
    assert len(again.body.gallery) == 2
    assert left == 16


async def test_again_of_again_of_again_is_still_the_very_same_face(scene: Stage) -> None:
    async with scene.bot():
        message = await made(scene, count=1)
        for _ in range(3):
            message = await scene.delivered(scene.playground.press(message, "Again"))

    assert len({face_of(job) for job in scene.renderer.jobs}) == 1


async def test_a_varied_picture_is_a_style_beside_the_same_face(scene: Stage) -> None:
    async with scene.bot():
        message = await made(scene)
        varied = await scene.delivered(scene.playground.press(message, "Vary 2"))

    first, second = scene.renderer.jobs
    assert [each.adapter for each in second.references] == [
        "ip-adapter-plus_sdxl_vit-h",
        "ip-adapter-plus-face_sdxl_vit-h",
    ]
    assert face_of(second) == face_of(first)
    pixel = second.references[0].image.convert("RGB").getpixel((64, 64))
    assert isinstance(pixel, tuple)
    assert abs(pixel[1] - 60) < 5, "the second picture has this much green, the first none"
    assert "A variation of picture 2: similar, not identical." in varied.text
    assert [each.filename for each in varied.body.thumbnails] == ["face-1.jpg", "style-2.jpg"]


async def test_a_variation_can_be_varied(scene: Stage) -> None:
    async with scene.bot():
        message = await made(scene, count=1)
        for _ in range(2):
            message = await scene.delivered(scene.playground.press(message, "Vary"))

    assert [len(job.references) for job in scene.renderer.jobs] == [1, 2, 2]


async def test_larger_is_a_new_picture_and_says_so(scene: Stage) -> None:
    async with scene.bot():
        message = await made(scene, model="sd")
        larger = await scene.delivered(scene.playground.press(message, "Larger"))
        largest = await scene.delivered(scene.playground.press(larger, "Larger"))

    sizes = [(job.parameters.model_id, job.parameters.width) for job in scene.renderer.jobs]
    assert sizes == [("sd1.5", 512), ("sdxl", 1024), ("sdxl", 1536)]
    assert "New pictures at 1024x1024, not the same enlarged." in larger.text
    assert len({face_of(job) for job in scene.renderer.jobs}) == 1
    assert "Larger" not in {button["label"] for button in largest.body.buttons}


async def test_details_are_for_whoever_asks_alone(scene: Stage) -> None:
    async with scene.bot():
        message = await made(scene, likeness=75)
        texts = [await told(scene, message, "Details", member=member) for member in ("Ben", "Cleo")]

    (job,) = scene.renderer.jobs
    assert texts[0] == texts[1]
    for said in (
        "**Prompt** a quiet harbour\n",
        "**Model** Stable Diffusion XL (`sdxl`)",
        f"**Seed** `{job.parameters.seed}`",
        "**Steps** 30",
        "**Images to follow** face 75 %",
        "**Adapters** `ip-adapter-plus-face_sdxl_vit-h` at 0.75",
        "**Cost** 2 images",
        "**Request** `1`",
        "**Jobs at the image service** `",
        "**Took** ",
    ):
        assert said in texts[0]


@pytest.mark.parametrize("member", ["Ben", "Ada"])
async def test_the_asker_and_moderators_can_delete_it_with_the_face(scene: Stage, member: str) -> None:
    async with scene.bot():
        message = await made(scene)
        files = message.body.attachments
        scene.playground.press(message, "Delete", member=member)
        await scene.playground.until(lambda _: message.deleted_at is not None)

    assert len(files) == 3
    assert not {each.id for each in files} & scene.playground.state.contents.keys()


async def test_nobody_else_can_delete_it(scene: Stage) -> None:
    async with scene.bot():
        message = await made(scene)
        text = await told(scene, message, "Delete", member="Cleo")

    assert text == "Only who asked for these pictures and moderators can delete them."
    assert message.deleted_at is None


async def test_with_the_identity_api_there_is_nothing_to_vary_but_all_the_rest(scene: Stage) -> None:
    scene.env["IMAGEPIPELINE_API"] = "identity"
    async with scene.bot():
        message = await made(scene, count=1)
        again = await scene.delivered(scene.playground.press(message, "Again"))
        larger = await scene.delivered(scene.playground.press(again, "Larger"))

    labels = [button["label"] for button in message.body.buttons]
    assert labels == ["Again", "Edit", "Larger", "Save face", "Details", "Delete"]
    assert [job.parameters.width for job in scene.renderer.jobs] == [1024, 1024, 2048]
    assert len({face_of(job) for job in scene.renderer.jobs}) == 1
    assert larger.body.thumbnails


# -------------------------------------------------------------------------------------------------------------- edit


async def opened(scene: Stage, message: Message) -> Interaction:
    """Press Edit; returns the press, whose form is open."""
    press = scene.playground.press(message, "Edit")
    await scene.playground.opened(press)
    return press


async def test_an_edit_changes_what_was_changed_and_keeps_the_very_same_face(scene: Stage) -> None:
    async with scene.bot():
        message = await made(scene)
        changes = {"Prompt": "a red bicycle", "Likeness": "90", "Shape": "wide"}
        await scene.delivered(scene.playground.submit(await opened(scene, message), changes))
        left = await scene.left()

    first, second = scene.renderer.jobs
    assert (second.parameters.prompt, second.parameters.width) == ("a red bicycle", 1024)
    assert [each.scale for each in second.references] == [0.9]
    assert face_of(second) == face_of(first)
    assert left == 16


async def test_a_form_that_is_sent_in_as_it_is_is_again(scene: Stage) -> None:
    async with scene.bot():
        message = await made(scene, likeness=70, shape="portrait")
        await scene.delivered(scene.playground.submit(await opened(scene, message), {}))

    first, second = scene.renderer.jobs
    assert replace(second.parameters, seed=first.parameters.seed) == first.parameters
    assert [each.scale for each in second.references] == [each.scale for each in first.references]


async def test_another_face_takes_the_place_of_the_first_and_is_cropped(scene: Stage) -> None:
    async with scene.bot():
        interaction = scene.advanced(photos={"face": PHOTO, "style": OTHER})
        message = await scene.delivered(interaction)
        form = await opened(scene, message)
        result = await scene.delivered(scene.playground.submit(form, {}, files={"Another face": [OTHER]}))

    first, second = scene.renderer.jobs
    assert face_of(second) != face_of(first)
    assert second.references[0].image.tobytes() == first.references[0].image.tobytes(), "the style stays"
    assert second.references[1].image.size == (512, 512)
    assert len(result.body.thumbnails) == 2


async def test_a_face_can_be_added_where_there_was_none_by_anybody(scene: Stage) -> None:
    async with scene.bot():
        message = await made(scene, photo=None)
        form = scene.playground.press(message, "Edit", member="Cleo")
        await scene.playground.opened(form)
        sent = scene.playground.submit(form, {}, files={"Face": [PHOTO]}, member="Cleo")
        result = await scene.delivered(sent)

    assert [len(job.references) for job in scene.renderer.jobs] == [0, 1]
    assert len(result.body.thumbnails) == 1


async def test_a_face_beside_a_style_keeps_the_style(scene: Stage) -> None:
    async with scene.bot():
        message = await scene.delivered(scene.advanced(photos={"style": OTHER}))
        form = await opened(scene, message)
        result = await scene.delivered(scene.playground.submit(form, {}, files={"Face": [PHOTO]}))

    first, second = scene.renderer.jobs
    assert [len(job.references) for job in scene.renderer.jobs] == [1, 2]
    assert second.references[0].image.tobytes() == first.references[0].image.tobytes()
    assert [each.filename for each in result.body.thumbnails] == ["face-1.jpg", "style-2.jpg"]


async def test_a_form_from_somebody_else_gets_nobodys_face(scene: Stage) -> None:
    async with scene.bot():
        message = await made(scene)
        form = await opened(scene, message)
        form.member_id = scene.playground.state.member("Cleo").id  # Discord would not let them
        refused = await scene.playground.answered(scene.playground.submit(form, {}, member="Cleo"))

    assert "belongs to somebody else's request" in refused.text
    assert len(scene.renderer.jobs) == 1


async def test_where_the_photo_is_gone_the_form_asks_for_it(scene: Stage) -> None:
    async with scene.bot():
        message = await made(scene, count=1)
        lose_the_photos(message)
        form = await opened(scene, message)
        with pytest.raises(MemberError, match="Attach again"):
            scene.playground.submit(form, {})
        await scene.delivered(scene.playground.submit(form, {}, files={"Attach again": [PHOTO]}))

    first, second = scene.renderer.jobs
    assert face_of(first) == face_of(second)


async def test_a_photo_that_goes_while_the_form_is_open_is_asked_for(scene: Stage) -> None:
    async with scene.bot():
        message = await made(scene, count=1)
        form = await opened(scene, message)
        lose_the_photos(message)
        refused = await scene.playground.answered(scene.playground.submit(form, {}))

    assert refused.text == "Attach the images of this request again, in this order: face."
    assert scene.playground.seen_by(refused) == {"Ben"}


async def test_a_form_that_was_open_over_a_restart_is_taken(scene: Stage) -> None:
    async with scene.bot():
        message = await made(scene, count=1)
        form = await opened(scene, message)

    async with scene.bot():
        await scene.delivered(scene.playground.submit(form, {"Prompt": "a red bicycle"}))

    assert [job.parameters.prompt for job in scene.renderer.jobs] == ["a quiet harbour", "a red bicycle"]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"Likeness": "abc"}, "`likeness` cannot be `abc`: it takes 0 to 100."),
        ({"Prompt": "\x00"}, "`prompt` cannot be `empty`"),
    ],
)
async def test_a_wrong_edit_is_refused_to_the_asker_alone(scene: Stage, changes: dict[str, str], words: str) -> None:
    async with scene.bot():
        message = await made(scene)
        refused = await scene.playground.answered(scene.playground.submit(await opened(scene, message), changes))
        left = await scene.left()

    assert words in refused.text
    assert scene.playground.seen_by(refused) == {"Ben"}
    assert left == 18


async def test_an_edit_without_images_left_is_refused(scene: Stage) -> None:
    scene.env["QUOTA_IMAGES"] = "3"
    async with scene.bot():
        message = await made(scene)
        refused = await scene.playground.answered(scene.playground.submit(await opened(scene, message), {}))

    assert "You have 1 of your 3 images left." in refused.text


async def test_another_face_that_cannot_be_used_is_explained_and_refunded(scene: Stage) -> None:
    async with scene.bot():
        message = await made(scene)
        form = await opened(scene, message)
        sent = scene.playground.submit(form, {}, files={"Another face": [("note.txt", b"hello")]})
        answer = await scene.message_with("not a photo I can read", interaction=sent)
        left = await scene.left()

    assert scene.playground.seen_by(answer) == {"Ben"}
    assert left == 18


async def test_edit_with_the_identity_api(scene: Stage) -> None:
    scene.env["IMAGEPIPELINE_API"] = "identity"
    async with scene.bot():
        message = await made(scene, count=1)
        form = await opened(scene, message)
        await scene.delivered(scene.playground.submit(form, {"Shape": "wide"}, files={"Another face": [OTHER]}))

    first, second = scene.renderer.jobs
    assert (second.parameters.width, second.parameters.height) == (1024, 576)
    assert face_of(first) != face_of(second)


# ------------------------------------------------------------------------------------------------------- any button


@pytest.mark.parametrize("button", [*REMAKES, "Details"])
async def test_it_works_after_a_restart_and_after_days(scene: Stage, button: str) -> None:
    async with scene.bot():
        message = await made(scene)
    scene.advance(days=3)

    async with scene.bot():
        pressed = scene.playground.press(message, button)
        answer = await (scene.playground.answered(pressed) if button == "Details" else scene.delivered(pressed))

    assert answer.id != message.id
    assert answer.body.gallery or "**Seed**" in answer.text


@pytest.mark.parametrize("button", [*REMAKES, "Edit"])
async def test_a_face_is_for_its_owner_alone(scene: Stage, button: str) -> None:
    async with scene.bot():
        message = await made(scene)
        texts = [await told(scene, message, button, member=member) for member in ("Cleo", "Ada")]

    assert set(texts) == {"This face belongs to somebody else's request. Use /imagine with your own photo."}
    assert len(scene.renderer.jobs) == 1


@pytest.mark.parametrize("button", REMAKES)
async def test_a_result_without_a_face_is_for_everybody_at_their_own_expense(scene: Stage, button: str) -> None:
    async with scene.bot():
        message = await made(scene, photo=None)
        answer = await scene.delivered(scene.playground.press(message, button, member="Cleo"))
        left = [await scene.left(member) for member in ("Ben", "Cleo")]

    assert "for <@" in answer.text
    assert left == [18, 18]


@pytest.mark.parametrize("button", REMAKES)
async def test_where_the_photo_is_gone_it_is_asked_for(scene: Stage, button: str) -> None:
    async with scene.bot():
        message = await made(scene)
        lose_the_photos(message)
        text = await told(scene, message, button)
        left = await scene.left()

    assert text == "The photo is no longer in this message. Press *Edit* and attach it again."
    assert left == 18


async def test_a_press_without_images_left_is_refused_to_the_asker_alone(scene: Stage) -> None:
    scene.env["QUOTA_IMAGES"] = "3"
    async with scene.bot():
        message = await made(scene)
        text = await told(scene, message, "Again")

    assert "You have 1 of your 3 images left." in text
    assert len(scene.renderer.jobs) == 1


async def test_two_presses_are_two_requests_and_a_replayed_one_is_one(scene: Stage) -> None:
    async with scene.bot():
        message = await made(scene, count=1)
        hanging = scene.playground.faults.hang("POST", CALLBACK)
        first = scene.playground.press(message, "Again")
        await scene.playground.until(lambda _: hanging.hits)
        scene.playground.gateway.hear(Event(kind=EventKind.INTERACTION_CREATED, id=first.id))
        hanging.release()
        second = scene.playground.press(message, "Again")
        await scene.delivered(first)
        await scene.delivered(second)
        left = await scene.left()

    assert left == 17
    assert len(scene.renderer.jobs) == 3


async def test_a_photo_that_vanishes_after_the_press_is_explained_and_refunded(scene: Stage) -> None:
    async with scene.bot():
        message = await made(scene, count=1)
        scene.playground.faults.respond("GET", r"^/attachments/.*face-1", status=404)
        again = scene.playground.press(message, "Again")
        answer = await scene.message_with("could not be fetched", interaction=again)
        left = await scene.left()

    assert scene.playground.seen_by(answer) == {"Ben"}
    assert left == 19


# ---------------------------------------------------------------------------------------------------------- odd ones


@pytest.mark.parametrize("is_taken", [False, True], ids=["unknown number", "number of another request"])
async def test_a_button_of_another_database_does_nothing(scene: Stage, is_taken: bool) -> None:
    async with scene.bot():
        message = await made(scene)
    scene.env["DATABASE_URL"] = f"sqlite:///{(scene.folder / 'another.db').as_posix()}"

    async with scene.bot():
        if is_taken:
            await made(scene, photo=None)
        texts = {await told(scene, message, button) for button in (*REMAKES, "Edit", "Details", "Delete")}

    assert texts == {"The bot knows nothing of this request any more. Use /imagine to ask anew."}
    assert message.deleted_at is None


async def test_a_button_of_another_version_is_answered(scene: Stage) -> None:
    def renamed(component: dict[str, Any]) -> dict[str, Any]:
        return component | ({"custom_id": "fl:upscale:1:2"} if component.get("label") == "Again" else {})

    async with scene.bot():
        message = await made(scene)
        rewrite(message, renamed)
        text = await told(scene, message, "Again")

    assert text == "This button is from another version of the bot and does nothing here."


async def test_a_bug_in_a_button_is_answered_and_logged(scene: Stage, caplog: pytest.LogCaptureFixture) -> None:
    async with scene.bot():
        message = await made(scene)
    with contextlib.closing(sqlite3.connect(scene.folder / "facelock.db")) as database, database:
        database.execute("UPDATE generations SET wish = '{}'")

    async with scene.bot():
        text = await told(scene, message, "Again")

    assert "Something went wrong in the bot." in text
    assert text.rpartition("reference `")[2].partition("`")[0] in caplog.text


async def test_a_picture_that_is_no_longer_there_is_told(scene: Stage) -> None:
    def without(component: dict[str, Any]) -> dict[str, Any]:
        kept = component["items"][:1] if component["type"] == ComponentKind.MEDIA_GALLERY else None
        return component | ({"items": kept} if kept else {})

    async with scene.bot():
        message = await made(scene)
        rewrite(message, without)
        text = await told(scene, message, "Vary 2")

    assert text == "This picture is no longer in the message."
