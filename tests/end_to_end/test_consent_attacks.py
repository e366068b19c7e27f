"""Every way around what the person in the photo wants, tried."""

import contextlib
import sqlite3
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from playground.model import Interaction, Message
from tests.end_to_end.consenting import (
    ADMIRAL,
    NOT_WANTED,
    UNWANTED,
    WAITING,
    WHOSE,
    agreed,
    consent,
    ended,
    of_cleo,
    open_questions,
    prompts,
    question,
    refused,
    reply,
    waits,
)
from tests.end_to_end.stage import PHOTO, Photo, Stage
from tests.end_to_end.test_kill import ORIGINAL, the_result_is_posted
from tests.end_to_end.test_webhooks import free_port

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
        told = await scene.playground.until(lambda state: ended(state, interaction))

    assert any(text in told.text for text in (UNWANTED, "before that this photo")), told.text
    assert prompts(scene) == ["a quiet harbour"]
    assert open_questions(scene) == 0


@pytest.mark.parametrize("route", ROUTES)
async def test_taken_back_covers(asking: Stage, route: Route) -> None:
    async with asking.bot():
        result = await agreed(asking, "Always, for them here")
        await consent(asking, "revoke", person="Ben")

        interaction = await route(asking, result)
        told = await asking.playground.until(lambda state: ended(state, interaction))

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
