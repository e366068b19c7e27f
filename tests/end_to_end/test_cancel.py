"""Cancel, at every moment before the pictures are shown: refunded once, said, and nothing comes of it."""

from collections.abc import Awaitable, Callable

import pytest

from playground.model import Interaction, Message
from tests.end_to_end.stage import Stage
from tests.end_to_end.test_kill import (
    FILES,
    ORIGINAL,
    STATUS,
    SUBMIT,
    it_is_being_made,
    it_is_queued,
    it_is_submitted,
    it_was_submitted_without_confirmation,
    the_face_was_shown_without_confirmation,
    the_pictures_are_fetched,
    the_result_is_posted,
)

Reach = Callable[[Stage], Awaitable[Interaction]]


async def the_account_is_refused(scene: Stage) -> Interaction:
    scene.trouble.answer(*SUBMIT, {"detail": "no credits"}, status=402, times=100)
    interaction = scene.imagine(count=2)
    await scene.message_with("needs its operator's attention", interaction=interaction)
    return interaction


async def the_service_is_busy(scene: Stage) -> Interaction:
    scene.trouble.answer(*SUBMIT, {}, status=503, times=100)
    interaction = scene.imagine(count=2)
    await scene.trouble.until_asked(*SUBMIT, times=2)
    return interaction


STATES: list[Reach] = [
    the_face_was_shown_without_confirmation,
    it_is_queued,
    it_is_submitted,
    it_was_submitted_without_confirmation,
    it_is_being_made,
    the_pictures_are_fetched,
    the_account_is_refused,
    the_service_is_busy,
]


async def message_of(scene: Stage, interaction: Interaction) -> Message:
    """The message of a request, once it can be cancelled."""
    return await scene.playground.answered(interaction, lambda message: message.body.buttons)


async def cancelled(scene: Stage, interaction: Interaction, *, member: str = "Ben") -> Message:
    """Press Cancel and wait until the message says so."""
    message = await message_of(scene, interaction)
    scene.playground.press(message, "Cancel", member=member)
    return await scene.playground.answered(interaction, lambda message: "Cancelled." in message.text)


async def every_job_is_over(scene: Stage) -> None:
    """With one slot, somebody else's request is delivered only when the slot is free."""
    scene.renderer.open.set()
    scene.trouble.end()
    await scene.delivered(scene.imagine("after all", member="Cleo", photo=None))


@pytest.mark.parametrize("reach", STATES)
async def test_cancelled_while(scene: Stage, reach: Reach) -> None:
    scene.env["IMAGEPIPELINE_MAX_IN_FLIGHT"] = "1"
    async with scene.bot():
        interaction = await reach(scene)
        message = await cancelled(scene, interaction)
        left = await scene.left()
        scene.trouble.forget()
        await every_job_is_over(scene)

    assert left == 20
    assert message.id == interaction.original_id
    assert "**Cancelled. Your 2 images were refunded.**" in message.text
    assert message.body.buttons == []
    assert message.body.attachments == (), "the face goes with it"
    assert "Cancelled." in message.versions[-1].body.text, "nothing comes after it"
    assert message.pinged_users == frozenset()
    prompts = [job.parameters.prompt for job in scene.renderer.jobs]
    assert prompts.count("after all") == 1
    assert prompts.count("a quiet harbour") <= 1
    assert list((scene.folder / "pictures").glob("*")) == []


async def test_what_is_cancelled_at_the_service_holds_its_slot_until_it_is_over_and_is_never_fetched(
    scene: Stage,
) -> None:
    scene.env["IMAGEPIPELINE_MAX_IN_FLIGHT"] = "1"
    async with scene.bot():
        await cancelled(scene, await it_is_being_made(scene))
        waiting = scene.imagine("later", member="Cleo", photo=None)
        await scene.message_with("next in the queue", interaction=waiting)
        started = len(scene.renderer.jobs)
        scene.renderer.open.set()
        await scene.delivered(waiting)

    assert started == 1
    assert sum(path.startswith("/files/") for method, path in scene.trouble.asked if method == FILES[0]) == 1


async def test_all_jobs_of_a_request_are_cancelled(scene: Stage) -> None:
    scene.env |= {"IMAGEPIPELINE_API": "identity", "IMAGEPIPELINE_MAX_IN_FLIGHT": "2"}
    async with scene.bot():
        scene.renderer.open.clear()
        interaction = scene.imagine(count=4)
        await scene.renderer.begun(2)
        message = await cancelled(scene, interaction)
        left = await scene.left()
        scene.renderer.open.set()
        await scene.delivered(scene.imagine("after all", member="Cleo", photo=None))

    assert "Your 4 images were refunded." in message.text
    assert left == 20
    assert len(scene.renderer.jobs) == 3


async def test_it_is_too_late_once_the_pictures_are_there(scene: Stage) -> None:
    async with scene.bot():
        interaction = await the_result_is_posted(scene)
        message = await message_of(scene, interaction)
        pressed = scene.playground.press(message, "Cancel")
        told = await scene.message_with("too late to cancel", interaction=pressed)
        scene.playground.faults.clear()
        await scene.delivered(interaction)
        left = await scene.left()

    assert scene.playground.seen_by(told) == {"Ben"}
    assert left == 18


async def test_two_presses_refund_once(scene: Stage) -> None:
    async with scene.bot():
        interaction = await it_is_being_made(scene)
        message = await message_of(scene, interaction)
        presses = [scene.playground.press(message, "Cancel") for _ in range(2)]
        await scene.message_with("Cancelled.", interaction=interaction)
        for press in presses:
            await scene.playground.acknowledged(press)
        left = await scene.left()

    assert left == 20
    assert [message.text for message in scene.playground.state.messages.values() if message.is_ephemeral][:-1] == []


async def test_moderators_can_cancel_and_others_cannot(scene: Stage) -> None:
    async with scene.bot():
        interaction = await it_is_being_made(scene)
        message = await message_of(scene, interaction)
        refused = await scene.playground.answered(scene.playground.press(message, "Cancel", member="Cleo"))
        await cancelled(scene, interaction, member="Ada")
        left = [await scene.left(member) for member in ("Ada", "Ben")]

    assert refused.text == "Only the member who asked for these pictures and moderators can cancel them."
    assert scene.playground.seen_by(refused) == {"Cleo"}
    assert left == [20, 20]


async def test_a_cancelled_request_can_be_told_after_the_tokens_life(scene: Stage) -> None:
    scene.env["JOB_TIMEOUT_MINUTES"] = "60"
    async with scene.bot():
        interaction = await it_is_being_made(scene)
        scene.advance(minutes=16)
        message = await cancelled(scene, interaction)

    assert message.body.buttons == []
    said = [each for each in scene.playground.state.messages.values() if each.pinged_users]
    assert said == [], "nobody is called back for what they did themselves"


async def test_a_message_that_is_gone_keeps_nothing_from_being_cancelled(scene: Stage) -> None:
    async with scene.bot():
        interaction = await it_is_being_made(scene)
        message = await message_of(scene, interaction)
        hanging = scene.playground.faults.hang("PATCH", ORIGINAL)
        scene.playground.press(message, "Cancel")
        await scene.playground.until(lambda _: hanging.hits)
        scene.playground.delete_message(message)
        scene.playground.faults.clear()
        await scene.until_left(20)

    assert [each for each in scene.playground.state.messages.values() if each.body.gallery] == []


async def test_it_is_asked_about_until_it_is_over(scene: Stage) -> None:
    async with scene.bot():
        await cancelled(scene, await it_is_being_made(scene))
        scene.trouble.forget()
        await scene.trouble.until_asked(*STATUS, times=2)
