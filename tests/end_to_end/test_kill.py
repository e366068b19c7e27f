"""The bot's process is killed in every state, and started again: what was accepted is delivered once, or refunded."""

import signal
import sys
from collections.abc import Awaitable, Callable

import pytest

from playground.model import Interaction, Message
from playground.state import State
from tests.end_to_end.stage import Stage

CALLBACK = r"/interactions/\d+/[^/]+/callback$"
ORIGINAL = r"/messages/@original$"
PHOTO = r"^/ephemeral-attachments/"
SUBMIT = ("POST", "/sdxl/text2image/v1")
LOCK = ("POST", "/identity/lock/image/v1")
STATUS = ("GET", "/status/")
FILES = ("GET", "/files/")

Reach = Callable[[Stage], Awaitable[Interaction]]


def galleries(state: State) -> list[Message]:
    return [message for message in state.messages.values() if message.body.gallery and message.deleted_at is None]


async def the_photo_is_fetched(scene: Stage) -> Interaction:
    fault = scene.playground.faults.hang("GET", PHOTO)
    interaction = scene.imagine(count=2)
    await scene.playground.until(lambda _: fault.hits)
    return interaction


async def the_face_is_shown(scene: Stage) -> Interaction:
    fault = scene.playground.faults.hang("PATCH", ORIGINAL)
    interaction = scene.imagine(count=2)
    await scene.playground.until(lambda _: fault.hits)
    return interaction


async def the_face_was_shown_without_confirmation(scene: Stage) -> Interaction:
    fault = scene.playground.faults.drop_after("PATCH", ORIGINAL)
    interaction = scene.imagine(count=2)
    await scene.playground.until(lambda _: fault.hits)
    return interaction


async def it_is_queued(scene: Stage) -> Interaction:
    scene.renderer.open.clear()
    scene.imagine("another", member="Ada", photo=None)
    await scene.renderer.begun(1)
    interaction = scene.imagine(count=2)
    await scene.message_with("next in the queue", interaction=interaction)
    return interaction


async def it_is_submitted(scene: Stage) -> Interaction:
    scene.trouble.hold(*SUBMIT)
    interaction = scene.imagine(count=2)
    await scene.trouble.until_asked(*SUBMIT)
    return interaction


async def it_was_submitted_without_confirmation(scene: Stage) -> Interaction:
    scene.trouble.hold(*SUBMIT, afterwards=True)
    interaction = scene.imagine(count=2)
    await scene.renderer.begun(1)
    return interaction


async def it_is_being_made(scene: Stage) -> Interaction:
    scene.renderer.open.clear()
    interaction = scene.imagine(count=2)
    await scene.trouble.until_asked(*STATUS)
    return interaction


async def the_pictures_are_fetched(scene: Stage) -> Interaction:
    scene.trouble.hold(*FILES)
    interaction = scene.imagine(count=2)
    await scene.trouble.until_asked(*FILES)
    return interaction


async def the_result_is_posted(scene: Stage) -> Interaction:
    interaction = await it_is_being_made(scene)
    fault = scene.playground.faults.hang("PATCH", ORIGINAL)
    scene.renderer.open.set()
    await scene.playground.until(lambda _: fault.hits)
    return interaction


async def the_result_was_posted_without_confirmation(scene: Stage) -> Interaction:
    interaction = await it_is_being_made(scene)
    fault = scene.playground.faults.drop_after("PATCH", ORIGINAL)
    scene.renderer.open.set()
    await scene.playground.until(lambda _: fault.hits)
    await scene.delivered(interaction)
    return interaction


STATES: list[Reach] = [
    the_photo_is_fetched,
    the_face_is_shown,
    the_face_was_shown_without_confirmation,
    it_is_queued,
    it_is_submitted,
    it_was_submitted_without_confirmation,
    it_is_being_made,
    the_pictures_are_fetched,
    the_result_is_posted,
    the_result_was_posted_without_confirmation,
]


async def run_and_kill(scene: Stage, reach: Reach) -> Interaction:
    async with scene.process() as process:
        interaction = await reach(scene)
        process.kill()
        await process.wait()
    scene.playground.faults.clear()
    scene.trouble.end()
    scene.renderer.open.set()
    return interaction


@pytest.mark.parametrize("reach", STATES)
async def test_killed_while(scene: Stage, reach: Reach) -> None:
    scene.env["IMAGEPIPELINE_MAX_IN_FLIGHT"] = "1"
    interaction = await run_and_kill(scene, reach)

    async with scene.bot():
        message = await scene.delivered(interaction)
        left = await scene.left()

    assert message.id == interaction.original_id
    assert [picture.count(b"<Iptc4xmpExt:DigitalSourceType>") for picture in scene.pictures(message)] == [1, 1]
    assert [found for found in galleries(scene.playground.state) if found.interaction_id == interaction.id] == [message]
    assert left == 18
    prompts = [job.parameters.prompt for job in scene.renderer.jobs]
    assert prompts.count("a quiet harbour") == 1


async def two_jobs_are_submitted_without_confirmation(scene: Stage) -> Interaction:
    scene.trouble.hold(*LOCK, times=2, afterwards=True)
    interaction = scene.imagine(count=2)
    await scene.renderer.begun(2)
    return interaction


async def one_of_two_jobs_is_done(scene: Stage) -> Interaction:
    scene.trouble.hold(*FILES)
    interaction = scene.imagine(count=2)
    await scene.trouble.until_asked(*FILES, times=2)
    return interaction


@pytest.mark.parametrize(
    "reach",
    [
        the_face_is_shown,
        two_jobs_are_submitted_without_confirmation,
        it_is_being_made,
        one_of_two_jobs_is_done,
        the_result_is_posted,
        the_result_was_posted_without_confirmation,
    ],
)
async def test_killed_with_a_job_a_picture_while(scene: Stage, reach: Reach) -> None:
    scene.env["IMAGEPIPELINE_API"] = "identity"
    interaction = await run_and_kill(scene, reach)

    async with scene.bot():
        message = await scene.delivered(interaction)
        left = await scene.left()

    assert len(message.body.gallery) == 2
    assert len(galleries(scene.playground.state)) == 1
    assert len(set(scene.pictures(message))) == 2
    assert left == 18


@pytest.mark.parametrize("reach", [it_is_being_made, the_result_is_posted])
async def test_killed_and_started_again_only_after_the_tokens_life(scene: Stage, reach: Reach) -> None:
    scene.env["JOB_TIMEOUT_MINUTES"] = "60"
    interaction = await run_and_kill(scene, reach)
    scene.playground.advance(3600)

    async with scene.bot():
        message = await scene.delivered(interaction)
        call = await scene.message_with("your pictures are ready")

    assert message.id == interaction.original_id
    assert galleries(scene.playground.state) == [message]
    assert call.pinged_users == {interaction.member_id}


async def test_killed_before_the_command_was_acknowledged_costs_nothing(scene: Stage) -> None:
    async def before_the_answer(scene: Stage) -> Interaction:
        fault = scene.playground.faults.hang("POST", CALLBACK)
        interaction = scene.imagine(count=2)
        await scene.playground.until(lambda _: fault.hits)
        return interaction

    await run_and_kill(scene, before_the_answer)

    async with scene.bot():
        await scene.until_left(20)

    assert scene.renderer.jobs == []


async def test_killed_before_a_failure_could_be_told(scene: Stage) -> None:
    async def while_it_is_told(scene: Stage) -> Interaction:
        interaction = await it_is_being_made(scene)
        fault = scene.playground.faults.hang("PATCH", ORIGINAL)
        scene.renderer.error = RuntimeError("out of memory")
        scene.renderer.open.set()
        await scene.playground.until(lambda _: fault.hits)
        return interaction

    interaction = await run_and_kill(scene, while_it_is_told)

    async with scene.bot():
        await scene.message_with("Your 2 images were refunded.", interaction=interaction)
        assert await scene.left() == 20


async def test_killed_before_a_refused_photo_could_be_explained(scene: Stage) -> None:
    async def while_it_is_explained(scene: Stage) -> Interaction:
        fault = scene.playground.faults.hang("DELETE", ORIGINAL)
        interaction = scene.imagine(photo=("note.txt", b"hello"))
        await scene.playground.until(lambda _: fault.hits)
        return interaction

    interaction = await run_and_kill(scene, while_it_is_explained)

    async with scene.bot():
        message = await scene.message_with("not a photo that the bot can read", interaction=interaction)

    assert scene.playground.seen_by(message) == {"Ben"}


@pytest.mark.parametrize(
    ("reach", "shown"),
    [
        (it_is_queued, "next in the queue"),
        (it_is_submitted, "**Making"),
        (it_was_submitted_without_confirmation, "**Making"),
        (it_is_being_made, "**Making"),
        (the_pictures_are_fetched, "**Making"),
    ],
)
async def test_killed_before_it_could_be_told_that_it_was_cancelled_while(
    scene: Stage, reach: Reach, shown: str
) -> None:
    scene.env["IMAGEPIPELINE_MAX_IN_FLIGHT"] = "1"

    async def and_cancelled(scene: Stage) -> Interaction:
        interaction = await reach(scene)
        message = await scene.message_with(shown, interaction=interaction)
        fault = scene.playground.faults.hang("PATCH", ORIGINAL)
        scene.playground.press(message, "Cancel")
        await scene.playground.until(lambda _: fault.hits)
        return interaction

    interaction = await run_and_kill(scene, and_cancelled)

    async with scene.bot():
        message = await scene.message_with("Cancelled. Your 2 images were refunded.", interaction=interaction)
        await scene.delivered(scene.imagine("after all", member="Cleo", photo=None))  # its slot is free again
        left = await scene.left()

    assert message.id == interaction.original_id
    assert message.body.attachments == ()
    assert left == 20
    assert [found for found in galleries(scene.playground.state) if found.interaction_id == interaction.id] == []


@pytest.mark.parametrize("button", ["Again", "Vary 1", "Larger"])
async def test_killed_while_what_a_button_asked_for_is_taken_in(scene: Stage, button: str) -> None:
    async with scene.process() as process:
        message = await scene.delivered(scene.imagine(count=2))
        fault = scene.playground.faults.hang("GET", r"^/attachments/.*face-1")
        pressed = scene.playground.press(message, button)
        await scene.playground.until(lambda _: fault.hits)
        process.kill()
        await process.wait()
    scene.playground.faults.clear()

    async with scene.bot():
        result = await scene.delivered(pressed)
        left = await scene.left()

    assert len(result.body.gallery) == 2
    assert left == 16
    assert len(scene.renderer.jobs) == 2


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGTERM to catch")
async def test_sigterm_lets_an_upload_finish_and_leaves_the_rest_for_the_next_start(scene: Stage) -> None:
    async with scene.process() as process:
        posted = await the_result_is_posted(scene)
        scene.renderer.open.clear()
        waiting = scene.imagine("later")
        await scene.renderer.begun(2)
        process.send_signal(signal.SIGTERM)
        scene.playground.faults.clear()
        await scene.delivered(posted)
        assert await process.wait() == 0

    scene.renderer.open.set()
    async with scene.bot():
        await scene.delivered(waiting)

    assert len(galleries(scene.playground.state)) == 2


async def test_nothing_of_a_face_is_left_on_the_bots_disk_once_it_is_over(scene: Stage) -> None:
    interaction = await run_and_kill(scene, the_result_is_posted)

    async with scene.bot():
        await scene.delivered(interaction)

    files = [path for path in scene.folder.rglob("*") if path.is_file() and "engine" not in path.parts]
    assert {path.name.removeprefix("facelock.db") for path in files} <= {
        "",
        ".lock",
        "-wal",
        "-shm",
        "bot.log",
        "faces.key",
    }
    stored = (scene.folder / "facelock.db").read_bytes()
    assert interaction.token.encode() not in stored
    assert b"attachments/" not in stored
