"""Reports from a member to the moderators, and saving the face of a result, played end to end."""

import asyncio

import pytest

from playground.model import Channel, Interaction, Message, Permission
from playground.state import State
from tests.end_to_end.stage import PHOTO, Photo, Stage
from tests.end_to_end.test_buttons import lose_the_photos
from tests.end_to_end.test_server import changed, server
from tests.photographs import admiral, encoded

OTHER = ("other.jpg", encoded(admiral()))
THANKS = "Thank you. The moderators of this server have been told, and nobody else."


def lounge(scene: Stage) -> Channel:
    return scene.playground.state.channel("lounge")


async def made(scene: Stage, *, photo: Photo | None = None, count: int = 2) -> Message:
    """A result of Ben's, in a server whose moderators read reports in the lounge."""
    return await scene.delivered(scene.imagine("a quiet harbour", photo=photo, count=count))


async def report(scene: Stage, message: Message, reason: str = "", *, member: str = "Cleo") -> str:
    """Report a result; what the member alone reads then."""
    form = scene.playground.press(message, "Report", member=member)
    await scene.playground.opened(form)
    return await sent(scene, form, reason, member=member)


async def sent(scene: Stage, form: Interaction, reason: str = "", *, member: str = "Cleo") -> str:
    return await read(scene, scene.playground.submit(form, {"reason": reason}, member=member), member)


async def read(scene: Stage, interaction: Interaction, member: str) -> str:
    """What the member alone reads, in the deferral's place or after it."""

    def find(state: State) -> Message | None:
        answers = (each for each in state.messages.values() if each.interaction_id == interaction.id)
        return next((each for each in answers if each.deleted_at is None and not each.is_thinking), None)

    answer = await scene.playground.until(find)
    assert scene.playground.seen_by(answer) == {member}
    return answer.text


def reports(scene: Stage) -> list[Message]:
    """What stands in the moderators' channel."""
    return [
        message
        for message in scene.playground.state.messages.values()
        if message.channel_id == lounge(scene).id and message.deleted_at is None and "Reported" in message.text
    ]


async def told(scene: Stage, message: Message, button: str, *, member: str) -> str:
    """What this member alone reads after a press."""
    answer = await scene.playground.answered(
        scene.playground.press(message, button, member=member), lambda each: each is not message
    )
    assert scene.playground.seen_by(answer) == {member}
    return answer.text


async def pressed(scene: Stage, message: Message, button: str, shown: str, *, member: str = "Dora") -> None:
    scene.playground.press(message, button, member=member)
    await scene.playground.until(lambda _: shown in message.text)


@pytest.fixture
async def reporting(scene: Stage) -> Stage:
    await changed(scene, report_channel=lounge(scene).id)
    return scene


# ---------------------------------------------------------------------------------------------------------- reports


async def test_moderators_read_of_a_report_with_copies_of_the_pictures_and_who_said_what(reporting: Stage) -> None:
    scene = reporting
    ben, cleo = (scene.playground.state.member(name).id for name in ("Ben", "Cleo"))
    async with scene.bot():
        message = await made(scene)
        answer = await report(scene, message, "That is *me*,\nand I did not want it.")
        (shown,) = reports(scene)
        copies = scene.seen(shown)

    assert answer == THANKS
    assert copies == scene.seen(message)
    assert {each.id for each in shown.body.gallery}.isdisjoint(each.id for each in message.body.gallery)
    for line in (
        f"**Reported:** pictures that <@{ben}> asked for ",
        f"/{message.channel_id}/{message.id})",
        "> a quiet harbour",
        "1024x1024 · seed ",
        rf"Reported by <@{cleo}>: That is \*me\*, and I did not want it.",
    ):
        assert line in shown.text
    assert [button["label"] for button in shown.body.buttons] == ["Delete pictures", "Block member", "Dismiss"]


async def test_twice_is_once_and_another_members_report_joins_the_first_one(reporting: Stage) -> None:
    scene = reporting
    async with scene.bot():
        message = await made(scene)
        answers = [await report(scene, message, "first"), await report(scene, message, "second")]
    async with scene.bot():
        answers.append(await report(scene, message, "third", member="Ada"))

    assert answers == [THANKS] * 3
    (shown,) = reports(scene)
    assert ("first" in shown.text, "second" in shown.text, "third" in shown.text) == (True, False, True)
    assert len(shown.body.gallery) == 2


async def test_a_report_whose_message_was_deleted_is_shown_anew(reporting: Stage) -> None:
    scene = reporting
    async with scene.bot():
        message = await made(scene)
        await report(scene, message, "first")
        scene.playground.delete_message(reports(scene)[0])
        await report(scene, message, "second", member="Ada")

    (shown,) = reports(scene)
    assert "first" in shown.text
    assert "second" in shown.text
    assert len(shown.body.gallery) == 2


async def test_a_form_that_was_open_over_a_restart_is_taken(reporting: Stage) -> None:
    scene = reporting
    async with scene.bot():
        form = scene.playground.press(await made(scene), "Report", member="Cleo")
        await scene.playground.opened(form)
    async with scene.bot():
        assert await sent(scene, form) == THANKS


async def test_nobody_reports_more_than_a_few_within_an_hour(reporting: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    scene = reporting
    monkeypatch.setattr("tests.end_to_end.stage.bot.utc_now", scene.now)
    async with scene.bot():
        messages = [await made(scene, count=1) for _ in range(6)]
        answers = [await report(scene, message) for message in messages]
        assert await report(scene, messages[0]) == THANKS, "the same again is no new one"
        scene.advance(hours=1)
        later = await report(scene, messages[5])

    assert answers[:5] == [THANKS] * 5
    assert answers[5] == "You have reported several results within an hour. Ask a moderator about this one."
    assert later == THANKS
    assert len(reports(scene)) == 6


async def test_a_server_without_a_place_for_reports_says_so(scene: Stage) -> None:
    await changed(scene, report_channel=lounge(scene).id)
    async with scene.bot():
        message = await made(scene)
    await changed(scene, report_channel=None)
    async with scene.bot():
        answer = await told(scene, message, "Report", member="Cleo")
        without = await made(scene)

    assert answer == "This server has no place for reports. Show the message to one of its moderators."
    assert "Report" not in {button["label"] for button in without.body.buttons}


async def test_a_channel_that_the_bot_cannot_write_into_is_named_and_nothing_is_lost(reporting: Stage) -> None:
    scene = reporting
    async with scene.bot():
        message = await made(scene)
        scene.playground.deny("lounge", Permission.SEND_MESSAGES)
        refused = await report(scene, message, "first")
        scene.playground.deny("lounge")
        again = await report(scene, message, "again")

    assert refused == "The bot cannot write into this server's channel for reports. Tell one of its moderators."
    assert again == THANKS
    (shown,) = reports(scene)
    assert "first" in shown.text


async def test_pictures_that_do_not_come_are_linked_to(reporting: Stage) -> None:
    scene = reporting
    async with scene.bot():
        message = await made(scene)
        scene.playground.faults.respond("GET", r"^/attachments/", status=404, times=None)
        assert await report(scene, message) == THANKS

    (shown,) = reports(scene)
    assert not shown.body.gallery
    assert "The pictures are to be seen there alone." in shown.text


# ------------------------------------------------------------------------------------------- what moderators do then


async def test_a_moderator_deletes_the_pictures_and_their_copies_also_after_a_restart(reporting: Stage) -> None:
    scene = reporting
    dora = scene.playground.state.member("Dora").id
    async with scene.bot():
        message = await made(scene)
        await report(scene, message)
    (shown,) = reports(scene)
    copies = {each.id for each in shown.body.gallery}
    async with scene.bot():
        await pressed(scene, shown, "Delete pictures", f"**<@{dora}> has deleted the pictures.**")
        audit = await server(scene, "audit")

    assert message.deleted_at is not None
    assert copies
    assert not copies & scene.playground.state.contents.keys()
    assert f"<@{dora}> deleted the reported pictures of request `1`" in audit.text
    assert _possible(shown) == ["Block member", "Dismiss"]


async def test_a_moderator_blocks_the_member_from_the_report(reporting: Stage) -> None:
    scene = reporting
    dora, ben = (scene.playground.state.member(name).id for name in ("Dora", "Ben"))
    async with scene.bot():
        await report(scene, await made(scene))
        (shown,) = reports(scene)
        await pressed(scene, shown, "Block member", f"<@{dora}> has blocked the member.")
        refused = await scene.playground.answered(scene.imagine())
        audit = await server(scene, "audit")

    assert refused.text.startswith("You are blocked from making pictures in this server.")
    assert f"<@{dora}> blocked <@{ben}>" in audit.text
    assert _possible(shown) == ["Delete pictures", "Dismiss"]
    assert len(shown.body.gallery) == 2


async def test_a_dismissed_report_is_closed(reporting: Stage) -> None:
    scene = reporting
    dora = scene.playground.state.member("Dora").id
    async with scene.bot():
        message = await made(scene)
        await report(scene, message)
        (shown,) = reports(scene)
        await pressed(scene, shown, "Dismiss", f"<@{dora}> has dismissed this.")
        audit = await server(scene, "audit")

    assert f"<@{dora}> dismissed the report of request `1`" in audit.text
    assert _possible(shown) == []
    assert message.deleted_at is None


@pytest.mark.parametrize(
    ("button", "answer"),
    [
        ("Delete pictures", "For this you need the permission to manage messages."),
        ("Block member", "For this you need the permission to manage this server or to time out members."),
        ("Dismiss", "Only moderators can dismiss a report."),
    ],
)
async def test_who_is_no_moderator_any_more_does_nothing_about_a_report(
    reporting: Stage, button: str, answer: str
) -> None:
    scene = reporting
    async with scene.bot():
        message = await made(scene)
        await report(scene, message)
        (shown,) = reports(scene)
        scene.playground.take_role("Dora", "Moderators")
        assert await told(scene, shown, button, member="Dora") == answer

    assert message.deleted_at is None
    assert len(_possible(shown)) == 3


async def test_a_moderator_who_deletes_somebody_elses_result_is_written_down(scene: Stage) -> None:
    dora, ben = (scene.playground.state.member(name).id for name in ("Dora", "Ben"))
    async with scene.bot():
        first, second = await made(scene), await made(scene)
        scene.playground.press(first, "Delete", member="Ben")
        await scene.playground.until(lambda _: first.deleted_at is not None)
        scene.playground.press(second, "Delete", member="Dora")
        await scene.playground.until(lambda _: second.deleted_at is not None)
        async with asyncio.timeout(15):
            while f"<@{dora}> deleted the pictures of <@{ben}>, request `2`" not in (
                audit := (await server(scene, "audit")).text
            ):
                pass

    assert "request `1`" not in audit


def _possible(message: Message) -> list[str]:
    return [button["label"] for button in message.body.buttons if not button.get("disabled")]


# -------------------------------------------------------------------------------------------------------- save face


async def save(scene: Stage, message: Message, values: dict[str, object], *, files: list[Photo] | None = None) -> str:
    form = scene.playground.press(message, "Save face")
    await scene.playground.opened(form)
    uploads = {"Attach again": files} if files else {}
    return await read(scene, scene.playground.submit(form, values, files=uploads), "Ben")


async def test_the_face_of_a_result_is_saved_as_it_is_and_suggested_first(scene: Stage) -> None:
    async with scene.bot():
        message = await made(scene, photo=PHOTO)
        answer = await save(scene, message, {"name": "Me", "Suggest it first": True})
        listed = await scene.playground.answered(scene.playground.command("face list"))
        again = await scene.delivered(scene.imagine(photo=None, face_name="me"))

    assert answer.startswith("Saved **Me** from 1 photo.")
    assert listed.text.startswith("**Me**, suggested first")
    crops = [scene.playground.content(each.body.thumbnails[0]) for each in (message, listed, again)]
    assert crops[0] == crops[1] == crops[2]


async def test_of_several_faces_the_chosen_one_is_saved(scene: Stage) -> None:
    async with scene.bot():
        message = await scene.delivered(scene.advanced(photos={"face": PHOTO, "face2": OTHER}))
        assert (await save(scene, message, {"name": "Other", "faces": ["1"]})).startswith(
            "Saved **Other** from 1 photo."
        )
        listed = await scene.playground.answered(scene.playground.command("face list"))

    assert scene.playground.content(listed.body.thumbnails[0]) == scene.playground.content(message.body.thumbnails[1])


async def test_where_the_photo_is_gone_it_is_asked_for_and_checked(scene: Stage) -> None:
    async with scene.bot():
        message = await made(scene, photo=PHOTO)
        lose_the_photos(message)
        refused = await save(scene, message, {"name": "Me"}, files=[("not.jpg", b"not a photo")])
        answer = await save(scene, message, {"name": "Me"}, files=[PHOTO])

    assert "photo" in refused
    assert not refused.startswith("Saved")
    assert answer.startswith("Saved **Me** from 1 photo.")


async def test_nobody_else_can_save_the_face(scene: Stage) -> None:
    async with scene.bot():
        message = await made(scene, photo=PHOTO)
        press = await told(scene, message, "Save face", member="Cleo")
        form = scene.playground.press(message, "Save face")
        await scene.playground.opened(form)
        form.member_id = scene.playground.state.member("Cleo").id  # Discord would not let them
        sent_in = scene.playground.submit(form, {"name": "Ben"}, member="Cleo")
        refused = await scene.playground.answered(sent_in)
        listed = await scene.playground.answered(scene.playground.command("face list", member="Cleo"))

    assert press == refused.text == "This face belongs to somebody else's request. Use /imagine with your own photo."
    assert listed.text.startswith("You have no saved faces.")
