"""The person in the photo is asked: whose face it is, and whether they agree."""

import io
from typing import Any

import pytest
from PIL import Image

from tests.end_to_end.consenting import (
    ADMIRAL,
    NOT_WANTED,
    WAITING,
    WHOSE,
    agreed,
    by_name,
    consent,
    of_cleo,
    open_questions,
    prompts,
    question,
    refused,
    reply,
    save,
    waits,
)
from tests.end_to_end.stage import PHOTO, Stage
from tests.end_to_end.test_choosing import GROUP, offered

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


# ------------------------------------------------------------------------------------------- saved faces


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
