"""The person in the photo is asked: whose face it is, and whether they agree. And every way around that, tried."""

import contextlib
import io
import sqlite3
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from PIL import Image

from playground.model import Interaction, Message
from playground.state import State
from tests.end_to_end.stage import PHOTO, Photo, Stage
from tests.end_to_end.test_choosing import GROUP, offered
from tests.end_to_end.test_kill import ORIGINAL, the_result_is_posted
from tests.end_to_end.test_webhooks import free_port
from tests.photographs import admiral, encoded

ADMIRAL = ("admiral.jpg", encoded(admiral()))
UNWANTED = "wants no pictures made of them"
NOT_WANTED = "does not want these pictures"
WHOSE = "Whose face is this?"
WAITING = "Waiting for <@"
QUESTION = "would like to make pictures with a photo of you"


@pytest.fixture
def asking(scene: Stage) -> Stage:
    scene.env["FACE_CONSENT"] = "ask"
    return scene


def of_cleo(scene: Stage, prompt: str = "a quiet harbour", *, member: str = "Ben", **options: Any) -> Interaction:
    """Somebody asks for pictures with a photo of Cleo, and says that it is hers."""
    return scene.imagine(prompt, member=member, whose="member", person="Cleo", **options)


async def question(scene: Stage) -> Message:
    """The open question to Cleo."""
    return await scene.message_with(QUESTION)


async def reply(scene: Stage, button: str, *, member: str = "Cleo") -> None:
    """Cleo answers the open question."""
    message = await question(scene)
    await scene.playground.acknowledged(scene.playground.press(message, button, member=member))


async def agreed(scene: Stage, button: str, prompt: str = "a quiet harbour", **options: Any) -> Message:
    """Ben's pictures of Cleo, to which she has agreed."""
    interaction = of_cleo(scene, prompt, **options)
    await reply(scene, button)
    return await scene.delivered(interaction)


async def waits(scene: Stage, interaction: Interaction) -> Message:
    return await scene.message_with(WAITING, interaction=interaction)


async def refused(scene: Stage, interaction: Interaction, text: str = UNWANTED) -> None:
    """Wait until the asker reads that there will be nothing."""
    await scene.message_with(text, interaction=interaction)


async def consent(scene: Stage, command: str, *, member: str = "Cleo", **options: object) -> Message:
    """Run a subcommand of /consent."""
    interaction = scene.playground.command(f"consent {command}", member=member, options=options)
    message = await scene.playground.answered(interaction)
    assert scene.playground.seen_by(message) == {member}
    return message


def prompts(scene: Stage) -> list[str]:
    return [job.parameters.prompt for job in scene.renderer.jobs]


def open_questions(scene: Stage) -> int:
    return sum(QUESTION in message.text for message in scene.playground.state.messages.values())


# ------------------------------------------------------------------------------------------------- declaring


@pytest.mark.parametrize(("button", "rule"), [("Mine", "declare"), ("Somebody else's, who agreed", "ask")])
async def test_one_press_says_whose_face_it_is_and_the_second_time_nothing_is_asked(
    scene: Stage, button: str, rule: str
) -> None:
    scene.env["FACE_CONSENT"] = rule
    async with scene.bot():
        interaction = scene.imagine()
        asked = await scene.message_with(WHOSE, interaction=interaction)
        assert "is an adult" in asked.text
        assert prompts(scene) == []
        assert asked.body.attachments == ()

        scene.playground.press(asked, button)
        first = await scene.delivered(interaction)
        second = await scene.delivered(scene.imagine("a red balloon"))

    assert first.id == interaction.original_id
    assert second.id != first.id
    assert prompts(scene) == ["a quiet harbour", "a red balloon"]
    assert len(scene.renderer.jobs[0].references) == 1


async def test_without_a_face_nothing_is_asked(asking: Stage) -> None:
    async with asking.bot():
        assert await asking.delivered(asking.imagine(photo=None))


async def test_what_is_said_with_the_command_needs_no_press(asking: Stage) -> None:
    async with asking.bot():
        assert await asking.delivered(asking.imagine(whose="me"))


async def test_only_the_asker_says_whose_face_it_is(asking: Stage) -> None:
    async with asking.bot():
        interaction = asking.imagine()
        asked = await asking.message_with(WHOSE, interaction=interaction)
        pressed = asking.playground.press(asked, "Mine", member="Cleo")
        told = await asking.message_with("Only the member who asked", interaction=pressed)
        assert asking.playground.seen_by(told) == {"Cleo"}

        form = asking.playground.press(asked, "A member's…", member="Cleo")
        await asking.message_with("Only the member who asked", interaction=form)

    assert prompts(asking) == []


async def test_the_member_can_be_chosen_in_a_form(asking: Stage) -> None:
    async with asking.bot():
        interaction = asking.imagine()
        asked = await asking.message_with(WHOSE, interaction=interaction)
        pressed = asking.playground.press(asked, "A member's…")
        await asking.playground.opened(pressed)
        cleo = asking.playground.state.member("Cleo").id
        asking.playground.submit(pressed, {"person": [str(cleo)]})
        await reply(asking, "This once")

        assert await asking.delivered(interaction)


async def test_a_bot_is_nobody_who_can_be_asked(asking: Stage) -> None:
    async with asking.bot():
        interaction = asking.imagine()
        asked = await asking.message_with(WHOSE, interaction=interaction)
        pressed = asking.playground.press(asked, "A member's…")
        await asking.playground.opened(pressed)
        submitted = asking.playground.submit(pressed, {"person": [str(asking.playground.state.bot.id)]})
        told = await asking.message_with("A bot cannot be asked", interaction=submitted)
        assert asking.playground.seen_by(told) == {"Ben"}
        asking.playground.press(asked, "Mine")
        await asking.delivered(interaction)


async def test_whose_a_face_is_is_asked_once_it_is_chosen_among_several(asking: Stage) -> None:
    async with asking.bot():
        interaction = asking.imagine(photo=GROUP)
        asking.playground.press(await asking.playground.until(lambda state: offered(state, interaction)), "2")
        whose = await asking.message_with(WHOSE, interaction=interaction)
        assert whose.body.attachments == ()
        form = asking.playground.press(whose, "A member's…")
        await asking.playground.opened(form)
        asking.playground.submit(form, {"person": [str(asking.playground.state.member("Cleo").id)]})
        await reply(asking, "Never, for anybody")
        await refused(asking, interaction, NOT_WANTED)

        again = asking.imagine("again", photo=GROUP, member="Ada", whose="me")
        asking.playground.press(await asking.playground.until(lambda state: offered(state, again)), "2", member="Ada")
        await refused(asking, again)

    assert prompts(asking) == []


async def test_whoever_names_themself_is_not_asked(asking: Stage) -> None:
    async with asking.bot():
        assert await asking.delivered(asking.imagine(whose="member", person="Ben"))

    assert open_questions(asking) == 0


async def test_several_faces_are_asked_about_one_after_another(asking: Stage) -> None:
    async with asking.bot():
        interaction = asking.advanced(photos={"face": PHOTO, "face2": ADMIRAL})
        first = await asking.message_with("in image 1 of 2", interaction=interaction)
        asking.playground.press(first, "Mine")
        second = await asking.message_with("in image 2 of 2", interaction=interaction)
        asking.playground.press(second, "Somebody else's, who agreed")

        assert await asking.delivered(interaction)
    assert len(asking.renderer.jobs[0].references) == 2


async def test_a_style_image_is_not_asked_about(asking: Stage) -> None:
    async with asking.bot():
        assert await asking.delivered(asking.advanced(photos={"style": PHOTO}))


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"whose": "member"}, "Say in `person`"),
        ({"whose": "me", "person": "Cleo"}, "leave out `person`"),
        ({"whose": "me", "photo": None}, "are about a face"),
    ],
)
async def test_what_does_not_fit_together_is_refused_and_costs_nothing(
    asking: Stage, options: dict[str, Any], text: str
) -> None:
    async with asking.bot():
        interaction = asking.imagine(**options)
        await asking.message_with(text, interaction=interaction)
        assert await asking.left() == 20


# ------------------------------------------------------------------------------------------- asking the person


async def test_nothing_is_made_before_the_member_shown_has_agreed_and_nobody_else_sees_the_photo(asking: Stage) -> None:
    async with asking.bot():
        interaction = of_cleo(asking)
        shown = await waits(asking, interaction)
        asked = await question(asking)
        assert asked.pinged_users == {asking.playground.state.member("Cleo").id}
        assert "a quiet harbour" in asked.text
        assert (shown.body.attachments, asked.body.attachments, prompts(asking)) == ((), (), [])

        seen = asking.playground.press(asked, "See the photo", member="Cleo")
        photo = await asking.playground.answered(seen)
        assert asking.playground.seen_by(photo) == {"Cleo"}
        [attachment] = photo.body.attachments
        crop = asking.playground.content(attachment)

        for button in ("See the photo", "This once", "Always, for them here", "No", "Never, for anybody"):
            for member in ("Ben", "Ada"):
                pressed = asking.playground.press(asked, button, member=member)
                told = await asking.message_with("Only the person in the photo", interaction=pressed)
                assert asking.playground.seen_by(told) == {member}
        assert prompts(asking) == []

        await reply(asking, "This once")
        result = await asking.delivered(interaction)

    assert result.id == shown.id
    [face] = asking.renderer.jobs[0].references
    assert face.image.tobytes() == Image.open(io.BytesIO(crop)).convert("RGB").tobytes()


async def test_once_allows_these_words_alone_and_always_all_of_them(asking: Stage) -> None:
    async with asking.bot():
        result = await agreed(asking, "This once")
        assert await asking.delivered(asking.playground.press(result, "Again"))
        assert open_questions(asking) == 0

        other = asking.imagine("a red balloon")
        await waits(asking, other)
        await reply(asking, "Always, for them here")
        await asking.delivered(other)
        await asking.delivered(asking.imagine("a green hill"))
        await asking.delivered(of_cleo(asking, "a grey cat", photo=ADMIRAL))
        assert open_questions(asking) == 0

        elsewhere = asking.imagine("somewhere else", channel="dm")
        await waits(asking, elsewhere)
        somebody = of_cleo(asking, "somebody else", member="Ada")
        await waits(asking, somebody)

    assert {"somewhere else", "somebody else"}.isdisjoint(prompts(asking))


async def test_a_private_request_is_asked_about_privately(asking: Stage) -> None:
    async with asking.bot():
        interaction = of_cleo(asking, channel="dm")
        asked = await question(asking)
        assert asking.playground.seen_by(asked) == {"Cleo"}

        asking.playground.press(asked, "This once", member="Cleo")
        assert await asking.delivered(interaction)


async def test_who_cannot_be_asked_is_not_shown_and_the_images_come_back(asking: Stage) -> None:
    asking.playground.allow_direct_messages("Cleo", allowed=False)
    async with asking.bot():
        interaction = of_cleo(asking, channel="dm", count=2)
        await asking.message_with("cannot be asked", interaction=interaction)
        assert await asking.left() == 20


async def test_no_ends_it_with_a_refund_and_is_not_asked_again_for_a_day(asking: Stage) -> None:
    async with asking.bot():
        interaction = of_cleo(asking, count=2)
        await reply(asking, "No")
        await refused(asking, interaction, NOT_WANTED)
        await asking.until_left(20)

        await refused(asking, of_cleo(asking, "a red balloon", photo=ADMIRAL), NOT_WANTED)

    assert (open_questions(asking), prompts(asking)) == (0, [])


async def test_a_cancelled_request_needs_no_answer(asking: Stage) -> None:
    async with asking.bot():
        interaction = of_cleo(asking)
        asking.playground.press(await waits(asking, interaction), "Cancel")
        await asking.message_with("Cancelled", interaction=interaction)

        pressed = asking.playground.press(await question(asking), "This once", member="Cleo")
        await asking.message_with("needs no answer any more", interaction=pressed)
        await asking.until_left(20)

    assert prompts(asking) == []


async def test_an_answer_that_nobody_gives_is_awaited_for_three_days(
    asking: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.end_to_end.stage.bot.utc_now", lambda: asking.now())
    async with asking.bot():
        interaction = of_cleo(asking)
        await waits(asking, interaction)
        asking.advance(hours=71)
        await asking.left()
        assert WAITING in asking.playground.state.messages[interaction.original_id or 0].text

        asking.advance(hours=1, minutes=1)
        await asking.message_with("Nobody has answered in time", interaction=interaction)
        await asking.until_left(20)

    assert prompts(asking) == []


# ------------------------------------------------------------------------------------------------- restarts


@pytest.mark.parametrize("hours", [0, 30])
async def test_killed_while_somebody_thinks_about_it(
    asking: Stage, monkeypatch: pytest.MonkeyPatch, hours: float
) -> None:
    async with asking.process() as process:
        interaction = of_cleo(asking)
        await waits(asking, interaction)
        asked = await question(asking)
        process.kill()
        await process.wait()
    asking.advance(hours=hours)
    monkeypatch.setattr("tests.end_to_end.stage.bot.utc_now", lambda: asking.now())

    async with asking.bot():
        asking.playground.press(asked, "This once", member="Cleo")
        result = await asking.delivered(interaction)

    assert result.id == interaction.original_id
    assert prompts(asking) == ["a quiet harbour"]


async def test_killed_before_the_question_was_put(asking: Stage) -> None:
    async with asking.process() as process:
        fault = asking.playground.faults.hang("POST", r"/channels/\d+/messages$")
        interaction = of_cleo(asking)
        await asking.playground.until(lambda _: fault.hits)
        process.kill()
        await process.wait()
    asking.playground.faults.clear()

    async with asking.bot():
        await reply(asking, "This once")
        assert await asking.delivered(interaction)

    assert open_questions(asking) == 0


async def test_killed_before_it_is_said_whose_face_it_is(asking: Stage) -> None:
    async with asking.process() as process:
        interaction = asking.imagine()
        asked = await asking.message_with(WHOSE, interaction=interaction)
        process.kill()
        await process.wait()

    async with asking.bot():
        asking.playground.press(asked, "Mine")
        assert await asking.delivered(interaction)


async def test_a_photo_that_waits_is_nowhere_in_the_clear_and_gone_afterwards(asking: Stage) -> None:
    def stored() -> dict[str, bytes]:
        files = [path for path in asking.folder.rglob("*") if path.is_file() and "engine" not in path.parts]
        return {path.name: path.read_bytes() for path in files}

    async with asking.bot():
        interaction = of_cleo(asking)
        await waits(asking, interaction)
        seen = asking.playground.press(await question(asking), "See the photo", member="Cleo")
        [attachment] = (await asking.playground.answered(seen)).body.attachments
        crop = asking.playground.content(attachment)
        waiting = stored()
        await reply(asking, "No")
        await refused(asking, interaction, NOT_WANTED)

    pieces = [PHOTO[1][1000:1040], crop[1000:1040]]
    assert [name for name, content in waiting.items() for piece in pieces if piece in content] == []
    assert len(waiting["facelock.db-wal"]) > len(crop)


# --------------------------------------------------------------------------------------------------- attacks


Route = Callable[[Stage, Message], Awaitable[Interaction]]


async def the_same_file(scene: Stage, _: Message) -> Interaction:
    return scene.imagine("another", whose="member", person="Cleo")


async def the_same_file_without_a_word(scene: Stage, _: Message) -> Interaction:
    return scene.imagine("another")


async def the_same_file_as_ones_own(scene: Stage, _: Message) -> Interaction:
    return scene.imagine("another", whose="me")


async def the_same_file_by_somebody_else(scene: Stage, _: Message) -> Interaction:
    return scene.imagine("another", member="Ada", whose="me")


async def the_same_file_directly(scene: Stage, _: Message) -> Interaction:
    return scene.imagine("another", channel="dm", whose="agreed")


async def the_same_pixels_in_another_file(scene: Stage, _: Message) -> Interaction:
    again = PHOTO[1][:2] + b"\xff\xfe\x00\x07hello" + PHOTO[1][2:]  # a JPEG comment
    return scene.imagine("another", photo=("other.jpg", again), member="Ada", whose="me")


async def another_photo_of_hers(scene: Stage, _: Message) -> Interaction:
    return scene.imagine("another", photo=ADMIRAL, whose="member", person="Cleo")


async def the_crop_from_the_message(scene: Stage, result: Message) -> Interaction:
    crop = next(each for each in result.body.attachments if each.filename == "face-1.jpg")
    return scene.imagine("another", photo=("me.jpg", scene.playground.content(crop)), member="Ada", whose="me")


async def again(scene: Stage, result: Message) -> Interaction:
    return scene.playground.press(result, "Again")


async def larger(scene: Stage, result: Message) -> Interaction:
    return scene.playground.press(result, "Larger")


async def vary(scene: Stage, result: Message) -> Interaction:
    return scene.playground.press(result, "Vary")


async def edit(scene: Stage, result: Message) -> Interaction:
    form = scene.playground.press(result, "Edit")
    await scene.playground.opened(form)
    return scene.playground.submit(form, {"Prompt": "another"})


async def edit_with_the_file(scene: Stage, result: Message) -> Interaction:
    form = scene.playground.press(result, "Edit")
    await scene.playground.opened(form)
    return scene.playground.submit(form, {"Prompt": "another"}, files={"Another face": [PHOTO]})


async def history(scene: Stage, _: Message) -> Interaction:
    page = await scene.playground.answered(scene.playground.command("history", member="Ben"))
    return scene.playground.press(page, "Again")


async def the_same_file_as_a_style(scene: Stage, _: Message) -> Interaction:
    return scene.advanced("another", photos={"style": PHOTO})


async def the_same_file_as_a_style_by_somebody_else(scene: Stage, _: Message) -> Interaction:
    return scene.imagine("another", member="Ada", whose="me", photo=ADMIRAL, attached={"style": PHOTO})


async def the_same_file_as_an_accomplices(scene: Stage, _: Message) -> Interaction:
    return scene.imagine("another", member="Ada", whose="member", person="Dora")


ROUTES: list[Route] = [
    the_same_file,
    the_same_file_as_a_style,
    the_same_file_as_a_style_by_somebody_else,
    the_same_file_as_an_accomplices,
    the_same_file_without_a_word,
    the_same_file_as_ones_own,
    the_same_file_by_somebody_else,
    the_same_file_directly,
    the_same_pixels_in_another_file,
    another_photo_of_hers,
    the_crop_from_the_message,
    again,
    larger,
    vary,
    edit,
    edit_with_the_file,
    history,
]


@pytest.mark.parametrize("rule", ["ask", "off"])
@pytest.mark.parametrize("route", ROUTES)
async def test_never_covers(scene: Stage, route: Route, rule: str) -> None:
    """Also where the operator asks nobody any more."""
    scene.env["FACE_CONSENT"] = "ask"
    async with scene.bot():
        result = await agreed(scene, "Always, for them here")
        await consent(scene, "never")
    scene.env["FACE_CONSENT"] = rule

    async with scene.bot():
        interaction = await route(scene, result)
        told = await scene.playground.until(lambda state: _end(state, interaction))

    assert any(text in told.text for text in (UNWANTED, "before that this photo")), told.text
    assert prompts(scene) == ["a quiet harbour"]
    assert open_questions(scene) == 0


def _end(state: State, interaction: Interaction) -> Message | None:
    found = (message for message in state.messages.values() if message.interaction_id == interaction.id)
    return next((each for each in found if not each.is_thinking and each.deleted_at is None and each.text), None)


@pytest.mark.parametrize("route", ROUTES)
async def test_taken_back_covers(asking: Stage, route: Route) -> None:
    async with asking.bot():
        result = await agreed(asking, "Always, for them here")
        await consent(asking, "revoke", person="Ben")

        interaction = await route(asking, result)
        told = await asking.playground.until(lambda state: _end(state, interaction))

    asked_anew = WAITING in told.text or WHOSE in told.text
    assert asked_anew or "that this photo shows" in told.text, told.text
    assert f"<@{asking.playground.state.member('Dora').id}>" not in told.text
    assert prompts(asking) == ["a quiet harbour"]


@pytest.mark.parametrize("route", [again, vary, edit, history, the_same_file_without_a_word])
async def test_what_nobody_was_asked_about_is_asked_once_the_rule_is_stricter(scene: Stage, route: Route) -> None:
    async with scene.bot():
        result = await scene.delivered(scene.imagine())
    scene.env["FACE_CONSENT"] = "ask"

    async with scene.bot():
        interaction = await route(scene, result)
        await scene.message_with("**Whose face is ", interaction=interaction)

    assert prompts(scene) == ["a quiet harbour"]


async def test_once_means_these_words_and_images_and_no_others_beside_them(asking: Stage) -> None:
    async with asking.bot():
        result = await agreed(asking, "This once")
        with_a_style = asking.imagine(whose="member", person="Cleo", attached={"style": ADMIRAL})
        await waits(asking, with_a_style)
        await waits(asking, asking.advanced(photos={"face": PHOTO}, negative_prompt="red boats"))
        await waits(asking, asking.playground.press(result, "Vary"))
        assert prompts(asking) == ["a quiet harbour"]

        asked = await question(asking)
        seen = asking.playground.press(asked, "See the photo", member="Cleo")
        photos = await asking.playground.answered(seen)
        assert len(photos.body.attachments) == 2
        asking.playground.press(asked, "This once", member="Cleo")
        styled = await asking.delivered(with_a_style)
        assert await asking.delivered(asking.playground.press(styled, "Again"))


async def test_cancelling_calls_nobody_again_and_again(asking: Stage) -> None:
    async with asking.bot():
        for number in range(3):
            interaction = of_cleo(asking, f"try {number}")
            await asking.playground.until(lambda _, most=number: open_questions(asking) > most or None)
            asking.playground.press(await waits(asking, interaction), "Cancel")
            await asking.message_with("Cancelled", interaction=interaction)

        await refused(asking, of_cleo(asking, "one more"), "has not answered your earlier questions")
        await refused(
            asking, of_cleo(asking, "one more", channel="dm", photo=ADMIRAL), "has not answered your earlier questions"
        )
    assert open_questions(asking) == 3


async def test_never_ends_what_is_made_and_not_posted_yet(asking: Stage) -> None:
    async with asking.bot():
        await agreed(asking, "Always, for them here")
        asking.trouble.forget()
        interaction = await the_result_is_posted(asking)
        taken_back = await consent(asking, "never")
        assert "1 request was ended" in taken_back.text
        asking.playground.faults.clear()
        await refused(asking, interaction, NOT_WANTED)
        await asking.until_left(19)

    galleries = [message for message in asking.playground.state.messages.values() if message.body.gallery]
    assert [message.interaction_id == interaction.id for message in galleries] == [False]


@pytest.mark.parametrize(("command", "options"), [("never", {}), ("revoke", {"person": "Ben"})])
async def test_what_was_private_is_not_posted_without_consent(
    asking: Stage, command: str, options: dict[str, str]
) -> None:
    async with asking.bot():
        interaction = of_cleo(asking, private=True)
        await reply(asking, "This once")
        result = await asking.delivered(interaction)
        await consent(asking, command, **options)

        pressed = asking.playground.press(result, "Post to channel")
        told = await asking.playground.answered(pressed, lambda message: message is not result)

    assert asking.playground.seen_by(told) == {"Ben"}
    assert UNWANTED in told.text or "has not agreed to this here, or not any more" in told.text
    assert result.deleted_at is None


async def test_what_was_private_is_posted_while_the_consent_lasts(asking: Stage) -> None:
    async with asking.bot():
        interaction = of_cleo(asking, private=True)
        await reply(asking, "This once")
        result = await asking.delivered(interaction)
        asking.playground.press(result, "Post to channel")
        await asking.playground.until(lambda _: result.deleted_at is not None)


# ------------------------------------------------------------------------------------------- blocked meanwhile


async def blocked(scene: Stage) -> None:
    """Ada blocks Ben."""
    command = scene.playground.command("server block", member="Ada", options={"member": "Ben"})
    await scene.playground.answered(command)


async def test_who_is_blocked_while_somebody_thinks_about_it_gets_nothing(asking: Stage) -> None:
    async with asking.bot():
        interaction = of_cleo(asking)
        await waits(asking, interaction)
        asked = await question(asking)
        await blocked(asking)
        await asking.until_left(20)
        pressed = asking.playground.press(asked, "This once", member="Cleo")
        await asking.message_with("needs no answer any more", interaction=pressed)

    assert prompts(asking) == []


async def test_who_is_blocked_says_saves_and_posts_nothing(asking: Stage) -> None:
    async with asking.bot():
        result = await asking.delivered(asking.imagine(whose="me", private=True))
        undeclared = asking.imagine(photo=ADMIRAL)
        asked = await asking.message_with(WHOSE, interaction=undeclared)
        form = asking.playground.press(result, "Save face")
        await asking.playground.opened(form)
        await blocked(asking)

        tried = [
            asking.playground.press(asked, "Mine"),
            asking.playground.press(result, "Post to channel"),
            asking.playground.submit(form, {"What to call it": "Me"}),
            asking.playground.command("face save", options={"name": "Me", "whose": "me"}, attachments={"photo": PHOTO}),
        ]
        for interaction in tried:
            await asking.message_with("blocked from making pictures", interaction=interaction)

    assert prompts(asking) == ["a quiet harbour"]


# ------------------------------------------------------------------------------------------------- erasing


async def erased(scene: Stage, member: str) -> None:
    """The member erases themself."""
    asked = await scene.playground.answered(scene.playground.command("privacy erase", member=member))
    pressed = scene.playground.press(asked, "Erase everything", member=member)
    await scene.playground.until(lambda state: "Erased." in asked.text or None)
    await scene.playground.acknowledged(pressed)


async def test_who_erases_themself_takes_the_question_along(asking: Stage) -> None:
    async with asking.bot():
        await waits(asking, of_cleo(asking, "words that nobody is to know"))
        asked = await question(asking)
        await erased(asking, "Ben")
        await asking.playground.until(lambda _: asked.deleted_at is not None)


async def test_who_is_shown_and_erases_themself_is_waited_for_no_more(asking: Stage) -> None:
    async with asking.bot():
        result = await agreed(asking, "Always, for them here")
        waiting = of_cleo(asking, member="Ada")
        await waits(asking, waiting)
        asked = await question(asking)
        await erased(asking, "Cleo")
        await refused(asking, waiting, NOT_WANTED)
        await asking.playground.until(lambda _: asked.deleted_at is not None)

        await waits(asking, asking.playground.press(result, "Again"))

    assert prompts(asking) == ["a quiet harbour"]


@pytest.mark.parametrize("at", [("GET", r"^/ephemeral-attachments/"), ("PATCH", ORIGINAL)])
async def test_nothing_is_kept_of_a_photo_whose_member_is_erased_while_it_is_taken_in(
    scene: Stage, at: tuple[str, str]
) -> None:
    port = free_port()
    scene.env |= {"FACE_CONSENT": "declare", "FACE_HOSTING": "public"}
    scene.env |= {"HTTP_PORT": str(port), "PUBLIC_URL": f"http://127.0.0.1:{port}"}
    async with scene.bot():
        hanging = scene.playground.faults.hang(*at)
        interaction = scene.imagine(whose="me")
        await scene.playground.until(lambda _: hanging.hits)
        await erased(scene, "Ben")
        scene.playground.faults.clear()
        original = scene.playground.state.original(interaction)
        assert original is not None
        await scene.playground.until(lambda _: original.deleted_at)

    sql = "SELECT prints FROM generations UNION ALL SELECT file FROM declarations UNION ALL SELECT n FROM kept_photos"
    with contextlib.closing(sqlite3.connect(scene.folder / "facelock.db")) as connection:
        assert connection.execute(sql).fetchall() == [(None,)]
    assert [path for path in scene.folder.rglob("*.jpg") if "engine" not in path.parts] == []


async def test_a_drafts_numbers_are_covered_by_the_drafts_words_until_it_is_taken_back(asking: Stage) -> None:
    async with asking.bot():
        draft = await agreed(asking, "This once", draft=True)
        assert await asking.delivered(asking.playground.press(draft, "1"))

        await consent(asking, "revoke", person="Ben")
        pressed = asking.playground.press(draft, "2")
        await waits(asking, pressed)


async def test_what_somebody_has_said_is_their_own_face_is_nobody_elses(asking: Stage) -> None:
    async with asking.bot():
        own = await asking.delivered(asking.imagine(member="Cleo", whose="me"))
        crop = next(each for each in own.body.attachments if each.filename == "face-1.jpg")
        stolen: dict[str, Photo] = {"Ben": PHOTO, "Ada": ("crop.jpg", asking.playground.content(crop))}

        for member, photo in stolen.items():
            await waits(asking, asking.imagine("stolen", member=member, photo=photo, whose="me"))
        assert await asking.delivered(asking.imagine("mine", member="Cleo", whose="me"))

    assert prompts(asking) == ["a quiet harbour", "mine"]


async def test_what_was_said_before_cannot_be_unsaid(asking: Stage) -> None:
    async with asking.bot():
        waiting = of_cleo(asking)
        asking.playground.press(await waits(asking, waiting), "Cancel")
        await asking.message_with("Cancelled", interaction=waiting)

        contradictions: list[dict[str, Any]] = [
            {"whose": "me"},
            {"whose": "agreed"},
            {"whose": "member", "person": "Ada"},
        ]
        for options in contradictions:
            interaction = asking.imagine("another", **options)
            await asking.message_with("before that this photo", interaction=interaction)

    assert prompts(asking) == []


async def test_never_ends_what_waits_and_what_is_being_made(asking: Stage) -> None:
    async with asking.bot():
        await agreed(asking, "Always, for them here")
        asking.renderer.open.clear()
        made = asking.imagine("being made")
        await asking.renderer.begun(2)
        waiting = of_cleo(asking, member="Ada")
        await waits(asking, waiting)

        await reply(asking, "Never, for anybody")
        for interaction in (made, waiting):
            await refused(asking, interaction, NOT_WANTED)
        asking.renderer.open.set()
        await asking.until_left(19)
        await asking.until_left(20, member="Ada")

    galleries = [message for message in asking.playground.state.messages.values() if message.body.gallery]
    assert len(galleries) == 1


async def test_ones_own_face_stays_ones_own_after_a_never(asking: Stage) -> None:
    async with asking.bot():
        await asking.delivered(of_cleo(asking, member="Cleo"))
        await consent(asking, "never")
        assert await asking.delivered(asking.imagine("still me", member="Cleo"))

        listed = await consent(asking, "list")
        pressed = asking.playground.press(listed, "Allow being asked", member="Cleo")
        await asking.message_with("You can be asked again", interaction=pressed)
        await waits(asking, of_cleo(asking, photo=ADMIRAL))


# ------------------------------------------------------------------------------------------- saved faces


async def save(scene: Stage, name: str, *, member: str = "Ben", photo: Photo = PHOTO, **options: object) -> Message:
    interaction = scene.playground.command(
        "face save", member=member, options={"name": name, **options}, attachments={"photo": photo}
    )
    return await scene.playground.until(lambda state: _end(state, interaction))


async def by_name(scene: Stage, prompt: str, name: str) -> Interaction:
    return scene.imagine(prompt, photo=None, face_name=name)


async def test_a_face_is_saved_with_whose_it_is_and_then_nothing_is_asked(asking: Stage) -> None:
    async with asking.bot():
        assert "Say in `whose`" in (await save(asking, "Me")).text
        assert "Saved **Me**" in (await save(asking, "Me", whose="me")).text
        assert await asking.delivered(await by_name(asking, "by name", "Me"))


async def test_the_face_of_a_member_is_saved_only_with_their_lasting_consent_and_goes_with_it(asking: Stage) -> None:
    async with asking.bot():
        assert "has to allow that first" in (await save(asking, "Cleo", whose="member", person="Cleo")).text
        await agreed(asking, "Always, for them here")
        assert "Saved **Cleo**" in (await save(asking, "Cleo", whose="member", person="Cleo")).text
        assert await asking.delivered(await by_name(asking, "by name", "Cleo"))

        taken_back = await consent(asking, "revoke", person="Ben")
        told = await asking.message_with("The face that you saved as **Cleo** was deleted")
        assert asking.playground.seen_by(told) == {"Ben"}
        assert "1 saved face that shows you was deleted" in taken_back.text
        gone = await by_name(asking, "by name again", "Cleo")
        await asking.message_with("You have no saved face", interaction=gone)


async def test_a_face_that_was_saved_when_nobody_was_asked_is_asked_about_when_it_is_used(scene: Stage) -> None:
    async with scene.bot():
        await save(scene, "Me")
    scene.env["FACE_CONSENT"] = "declare"

    async with scene.bot():
        interaction = await by_name(scene, "by name", "Me")
        scene.playground.press(await scene.message_with(WHOSE, interaction=interaction), "Mine")
        await scene.delivered(interaction)
        await scene.delivered(await by_name(scene, "by name again", "Me"))
        await scene.delivered(scene.imagine("the same file"))


async def test_a_never_refuses_a_face_under_another_name(asking: Stage) -> None:
    async with asking.bot():
        await agreed(asking, "Always, for them here")
        await consent(asking, "never")
        for member, whose in (("Ben", "agreed"), ("Ada", "me")):
            assert "Saved" not in (await save(asking, "Somebody", member=member, whose=whose)).text


# --------------------------------------------------------------------------------------- taking back, listing


async def test_what_the_same_person_is_allowed_several_times_is_taken_back_at_once(asking: Stage) -> None:
    async with asking.bot():
        await agreed(asking, "This once")
        await agreed(asking, "This once", "a red balloon")
        await agreed(asking, "Always, for them here", "a green hill")
        listed = await consent(asking, "list")
        assert [button["label"] for button in listed.body.buttons] == ["Take back"]
        ben = asking.playground.state.member("Ben").id
        assert (listed.text.count(f"**Once** for <@{ben}>"), listed.text.count(f"**Always** for <@{ben}>")) == (2, 1)

        await asking.playground.acknowledged(asking.playground.press(listed, "Take back", member="Cleo"))
        assert "Nothing yet" in (await consent(asking, "list")).text


async def test_the_list_shows_what_is_allowed_and_takes_it_back(asking: Stage) -> None:
    async with asking.bot():
        result = await agreed(asking, "Always, for them here")
        listed = await consent(asking, "list")
        assert f"**Always** for <@{asking.playground.state.member('Ben').id}>" in listed.text
        declared = await consent(asking, "list", member="Ben")
        assert f"the face of <@{asking.playground.state.member('Cleo').id}>" in declared.text

        taken_back = asking.playground.press(listed, "Take back", member="Cleo")
        told = await asking.playground.answered(taken_back)
        asking.playground.press(told, "Delete messages with you (1)", member="Cleo")
        await asking.playground.until(lambda _: result.deleted_at is not None)
        assert "Nothing yet" in (await consent(asking, "list")).text


async def test_several_answers_to_the_same_member_are_listed_together_and_taken_back_at_once(asking: Stage) -> None:
    async with asking.bot():
        for prompt in ("a quiet harbour", "a red balloon"):
            interaction = of_cleo(asking, prompt)
            await reply(asking, "This once")
            await asking.delivered(interaction)
        listed = await consent(asking, "list")
        asking.playground.press(listed, "Take back", member="Cleo")
        await asking.message_with("may no longer make pictures of you")
        after = await consent(asking, "list")

    assert listed.text.count("**Once** for <@") == 2
    assert [button["label"] for button in listed.body.buttons] == ["Take back"]
    assert "Nothing yet" in after.text


# ------------------------------------------------------------------------------------------------ the rule


async def test_under_self_only_ones_own_face_is_used(scene: Stage) -> None:
    scene.env["FACE_CONSENT"] = "self"
    async with scene.bot():
        await scene.message_with("only your own face", interaction=of_cleo(scene, photo=ADMIRAL))
        assert await scene.delivered(scene.imagine(whose="me"))

    assert open_questions(scene) == 0


async def test_a_server_is_stricter_than_the_operator_and_never_laxer(scene: Stage) -> None:
    scene.env["FACE_CONSENT"] = "declare"
    async with scene.bot() as doorway:
        assert doorway.bot is not None
        servers, guild_id = doorway.bot.servers, scene.playground.state.guild.id
        await servers.change(guild_id, by=1, consent="ask")
        await waits(scene, of_cleo(scene))
        await servers.change(guild_id, by=1, consent="off")
        await scene.message_with(WHOSE, interaction=scene.imagine(photo=ADMIRAL))

    assert prompts(scene) == []


async def test_declaring_a_member_asks_nobody_where_declaring_is_enough(scene: Stage) -> None:
    scene.env["FACE_CONSENT"] = "declare"
    async with scene.bot():
        assert await scene.delivered(of_cleo(scene))

    assert open_questions(scene) == 0
