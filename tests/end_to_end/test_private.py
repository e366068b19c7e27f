"""Results for their member's eyes first: nobody else sees anything of them, until they are posted."""

from typing import Any

import pytest
from PIL import Image

import bot
from playground.model import EVERYONE_MAY, Message, Permission
from playground.state import State
from tests.end_to_end.stage import PHOTO, Stage
from tests.end_to_end.test_buttons import face_of, told
from tests.end_to_end.test_cancel import cancelled
from tests.end_to_end.test_discord_faults import being_made
from tests.end_to_end.test_history import loaded, looked, thumbnails
from tests.end_to_end.test_kill import STATES, Reach, it_is_being_made, run_and_kill, the_result_is_posted
from tests.photographs import encoded

CDN = r"^/ephemeral-attachments/"
EVERYBODY = {"Ada", "Ben", "Cleo"}
BLANK = encoded(Image.new("RGB", (400, 400), "grey"))


async def chosen(scene: Stage, default: str) -> str:
    """What /private answers when Ben chooses this."""
    asked = scene.playground.command("private", member="Ben", options={"default": default})
    answer = await scene.playground.answered(asked)
    assert scene.playground.seen_by(answer) == {"Ben"}
    return answer.text


async def private(scene: Stage, **options: Any) -> Message:
    """A private result for Ben, with his face if nothing else is said."""
    said: dict[str, Any] = {"private": True} | options
    message = await scene.delivered(scene.imagine(**said))
    assert scene.playground.seen_by(message) == {"Ben"}
    return message


async def posted(scene: Stage, message: Message) -> Message:
    """The message for everybody that comes of this one."""
    pressed = scene.playground.press(message, "Post to channel")

    def find(state: State) -> Message | None:
        return next(iter(state.followups(pressed)), None)

    found = await scene.playground.until(find)
    await scene.playground.until(lambda _: message.deleted_at is not None)
    return found


def public(scene: Stage) -> list[Message]:
    """What the bot has shown to more people than Ben, deleted or not."""
    return [
        message
        for message in scene.playground.state.messages.values()
        if message.author_id == scene.playground.state.bot.id
        and message.only_for is None
        and not scene.playground.state.channels[message.channel_id].is_direct
    ]


def direct(state: State) -> Message | None:
    """The result that was sent to its member."""
    found = (message for message in state.messages.values() if state.channels[message.channel_id].is_direct)
    return next((message for message in found if message.body.gallery), None)


async def set_private_first(scene: Stage, doorway: bot.Doorway) -> None:
    assert doorway.bot is not None
    await doorway.bot.servers.change(scene.playground.state.guild.id, by=1, is_private_first=True)


# ------------------------------------------------------------------------------------------------------ who chooses


async def test_a_private_result_is_seen_by_its_member_alone_from_the_beginning(scene: Stage) -> None:
    async with scene.bot():
        message = await private(scene, count=2)
        left = await scene.left()

    assert public(scene) == []
    assert len(message.versions) > 2, "it was shown in the queue, too"
    assert "Post to channel" in {button["label"] for button in message.body.buttons}
    assert (len(message.body.gallery), len(message.body.thumbnails), left) == (2, 1, 18)
    assert len(scene.renderer.jobs[0].references) == 1
    assert all(b"a quiet harbour" not in picture.partition(b"IDAT")[0] for picture in unstaged(scene, message))


def unstaged(scene: Stage, message: Message) -> list[bytes]:
    """The pictures without what the stage's own renderer has written into them."""
    return [picture.replace(b"made\0a quiet harbour", b"") for picture in scene.pictures(message)]


async def test_members_choose_once_and_make_exceptions(scene: Stage) -> None:
    async with scene.bot():
        before = await chosen(scene, "off")
        after = await chosen(scene, "on")
    async with scene.bot():
        await private(scene, private=None)
        exception = await scene.delivered(scene.imagine(private=False))
        without_a_face = await scene.delivered(scene.imagine(photo=None))
        of_somebody_else = await scene.delivered(scene.imagine(member="Cleo"))
        await private(scene, photo=None)

    assert before.startswith("Your pictures are shown to everybody")
    assert after.startswith("Your pictures with a face are first shown only to you")
    assert public(scene) == [exception, without_a_face, of_somebody_else]


async def test_what_a_server_has_chosen_is_no_members_to_undo(scene: Stage) -> None:
    async with scene.bot() as doorway:
        await set_private_first(scene, doorway)
        await private(scene, private=False)
        without_a_face = await scene.delivered(scene.imagine(photo=None))
        answer = await chosen(scene, "off")

    assert public(scene) == [without_a_face]
    assert answer.startswith("In this server, pictures with a face are first shown only to the member")


async def test_in_a_direct_message_nothing_is_hidden_from_its_only_reader(scene: Stage) -> None:
    async with scene.bot():
        message = await scene.delivered(scene.imagine(private=True, channel="dm"))

    assert not message.is_ephemeral


@pytest.mark.parametrize("button", ["Again", "Larger", "Vary"])
async def test_what_is_made_of_a_private_result_is_private(scene: Stage, button: str) -> None:
    async with scene.bot():
        message = await private(scene)
    async with scene.bot():
        await scene.delivered(scene.playground.press(message, button))

    first, second = scene.renderer.jobs
    assert face_of(first) == face_of(second)
    assert public(scene) == []


async def test_so_is_what_is_edited_and_what_a_draft_becomes(scene: Stage) -> None:
    async with scene.bot():
        draft = await private(scene, draft=True)
        full = await scene.delivered(scene.playground.press(draft, "2"))
        pressed = scene.playground.press(full, "Edit")
        await scene.playground.opened(pressed)
        await scene.delivered(scene.playground.submit(pressed, {"Prompt": "a stormy harbour"}))

    assert public(scene) == []
    assert scene.renderer.jobs[-1].parameters.prompt == "a stormy harbour"


# ------------------------------------------------------------------------------------------------- under way, and over


@pytest.mark.parametrize("reach", STATES)
async def test_killed_while(scene: Stage, reach: Reach) -> None:
    scene.env["IMAGEPIPELINE_MAX_IN_FLIGHT"] = "1"
    async with scene.bot():
        await chosen(scene, "on")
    interaction = await run_and_kill(scene, reach)

    async with scene.bot():
        message = await scene.delivered(interaction)
        left = await scene.left()

    assert message.id == interaction.original_id
    assert scene.playground.seen_by(message) == {"Ben"}
    assert [each for each in public(scene) if each.interaction_id == interaction.id] == []
    assert left == 18


@pytest.mark.parametrize("reach", [it_is_being_made, the_result_is_posted])
async def test_what_comes_after_the_tokens_life_comes_by_direct_message(scene: Stage, reach: Reach) -> None:
    scene.env["JOB_TIMEOUT_MINUTES"] = "60"
    async with scene.bot():
        await chosen(scene, "on")
    await run_and_kill(scene, reach)
    scene.playground.advance(3600)

    async with scene.bot():
        message = await scene.playground.until(direct)
        await scene.until_left(18)
        details = await told(scene, message, "Details")
        again = await told(scene, message, "Again")

    assert "Discord keeps a private answer open for only 15 minutes" in message.text
    assert "Post to channel" not in {button["label"] for button in message.body.buttons}
    assert scene.playground.seen_by(message) == {"Ben"}
    assert again == "The photo is no longer in this message. Press *Edit* and attach it again."
    assert "**Prompt** a quiet harbour" in details
    assert public(scene) == []


async def test_the_history_finds_what_came_by_direct_message(scene: Stage) -> None:
    scene.env["JOB_TIMEOUT_MINUTES"] = "60"
    async with scene.bot():
        await chosen(scene, "on")
        await being_made(scene)
        scene.advance(minutes=16)
        scene.renderer.open.set()
        message = await scene.playground.until(direct)
        page = await looked(scene)
        again = await scene.delivered(scene.playground.press(page, "Again"))
        who = await scene.playground.answered(scene.playground.message_command("Who made this?", message, member="Ben"))

    (address,) = thumbnails(page)
    assert await loaded(address) == scene.pictures(message)[0]
    assert f"/@me/{message.channel_id}/{message.id})" in page.text
    assert scene.playground.seen_by(again) == {"Ben"}
    assert face_of(scene.renderer.jobs[0]) == face_of(scene.renderer.jobs[1])
    assert who.text.startswith("**Made with AI by this bot.**")


async def test_who_takes_no_direct_messages_is_refunded(scene: Stage) -> None:
    scene.playground.allow_direct_messages("Ben", allowed=False)
    async with scene.bot():
        await chosen(scene, "on")
        await being_made(scene)
        scene.advance(minutes=16)
        scene.renderer.open.set()
        await scene.until_left(20)

    assert public(scene) == []


async def test_nobody_is_pinged_for_what_nobody_else_may_know_of(scene: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.end_to_end.stage.bot.utc_now", lambda: scene.now())
    async with scene.bot():
        await chosen(scene, "on")
        interaction = await being_made(scene)
        scene.advance(minutes=2)
        scene.renderer.open.set()
        await scene.delivered(interaction)

    assert [each for each in scene.playground.state.messages.values() if each.pinged_users] == []


@pytest.mark.parametrize("minutes", [0, 16])
async def test_it_can_be_cancelled_as_long_as_its_button_can_be_pressed(scene: Stage, minutes: int) -> None:
    scene.env["JOB_TIMEOUT_MINUTES"] = "60"
    async with scene.bot():
        await chosen(scene, "on")
        interaction = await being_made(scene)
        scene.advance(minutes=minutes)
        message = await cancelled(scene, interaction)
        left = await scene.left()

    assert (message.id, left) == (interaction.original_id, 20)
    assert message.body.attachments == (), "the face goes with it"
    assert public(scene) == []


async def test_a_refused_photo_is_explained_in_place(scene: Stage) -> None:
    async with scene.bot():
        interaction = scene.imagine(private=True, photo=("blank.png", BLANK))
        message = await scene.message_with("The bot found no face in the photo.", interaction=interaction)
        left = await scene.left()

    assert (message.id, left) == (interaction.original_id, 20)
    assert scene.playground.seen_by(message) == {"Ben"}
    assert public(scene) == []


async def test_a_failure_after_the_tokens_life_is_told_in_no_channel(scene: Stage) -> None:
    scene.env["JOB_TIMEOUT_MINUTES"] = "60"
    async with scene.bot():
        await chosen(scene, "on")
        await being_made(scene)
        scene.advance(minutes=16)
        scene.renderer.error = RuntimeError("out of memory")
        scene.renderer.open.set()
        message = await scene.message_with("No pictures this time")

    assert scene.playground.state.channels[message.channel_id].is_direct
    assert public(scene) == []


async def test_it_can_be_deleted(scene: Stage) -> None:
    async with scene.bot():
        message = await private(scene)
        scene.playground.advance(3600)
        scene.playground.press(message, "Delete")
        await scene.playground.until(lambda _: message.deleted_at is not None)

    assert public(scene) == []


async def test_the_history_has_words_for_it_and_asks_for_the_photo(scene: Stage) -> None:
    async with scene.bot():
        await private(scene)
        page = await looked(scene)
        refused = await told(scene, page, "Again")
        pressed = scene.playground.press(page, "Edit")
        await scene.playground.opened(pressed)
        await scene.delivered(scene.playground.submit(pressed, {}, files={"Attach again": [PHOTO]}))

    assert thumbnails(page) == []
    assert "Only you could see its message." in page.text
    assert "discord.com/channels" not in page.text
    assert refused == "The photo is no longer in this message. Press *Edit* and attach it again."
    assert public(scene) == []


# ------------------------------------------------------------------------------------------------------ posted


async def test_posting_shows_the_same_files_and_words_to_everybody(scene: Stage) -> None:
    async with scene.bot():
        message = await private(scene, count=2)
        pictures, words = scene.pictures(message), message.text
        faces = [scene.playground.content(each) for each in message.body.thumbnails]
        shown = await posted(scene, message)

    assert scene.playground.seen_by(shown) >= EVERYBODY
    assert scene.pictures(shown) == pictures
    assert [scene.playground.content(each) for each in shown.body.thumbnails] == faces
    assert shown.text == words
    assert shown.pinged_users == frozenset()
    labels = {button["label"] for button in message.body.buttons}
    assert {button["label"] for button in shown.body.buttons} == labels - {"Post to channel"}


async def test_what_was_posted_is_like_any_other_result(scene: Stage) -> None:
    async with scene.bot():
        shown = await posted(scene, await private(scene))
    async with scene.bot():
        asked = scene.playground.message_command("Who made this?", shown, member="Cleo")
        who = await scene.playground.answered(asked)
        refused = await told(scene, shown, "Again", member="Cleo")
        page = await looked(scene)
        again = await scene.delivered(scene.playground.press(shown, "Again"))
        scene.playground.press(shown, "Delete")
        await scene.playground.until(lambda _: shown.deleted_at is not None)

    assert who.text.startswith("**Made with AI by this bot.**")
    assert refused == "This face belongs to somebody else's request. Use /imagine with your own photo."
    assert f"/{shown.channel_id}/{shown.id})" in page.text
    assert len(thumbnails(page)) == 1
    assert scene.playground.seen_by(again) >= EVERYBODY


async def test_two_presses_post_once(scene: Stage) -> None:
    async with scene.bot():
        message = await private(scene)
        fetching = scene.playground.faults.hang("GET", CDN)
        first = scene.playground.press(message, "Post to channel")
        await scene.playground.until(lambda _: fetching.hits)
        second = await told(scene, message, "Post to channel")
        fetching.release()
        await scene.playground.until(lambda state: state.followups(first))

    assert second == "These pictures were posted already."
    assert len(public(scene)) == 1


async def test_nothing_is_posted_where_the_server_wants_no_pictures(scene: Stage) -> None:
    async with scene.bot() as doorway:
        message = await private(scene)
        assert doorway.bot is not None
        lounge = scene.playground.state.channel("lounge").id
        await doorway.bot.servers.change(scene.playground.state.guild.id, by=1, channels=(lounge,))
        text = await told(scene, message, "Post to channel")

    assert text == f"Pictures are made in these channels of this server: <#{lounge}>."
    assert public(scene) == []


async def test_files_that_discord_no_longer_has_are_not_posted(scene: Stage) -> None:
    async with scene.bot():
        message = await private(scene)
        scene.playground.faults.respond("GET", CDN, status=404, body={})
        pressed = scene.playground.press(message, "Post to channel")
        text = (await scene.message_with("no longer has the pictures", interaction=pressed)).text
        again = await posted(scene, message)

    assert text == "Discord no longer has the pictures of this message, so they cannot be posted."
    assert public(scene) == [again]


async def test_who_may_not_write_in_the_channel_posts_nothing(scene: Stage) -> None:
    async with scene.bot():
        message = await private(scene)
        silent = EVERYONE_MAY & ~Permission.SEND_MESSAGES
        scene.playground.set_permissions("@everyone", silent)
        text = await told(scene, message, "Post to channel")

    assert text == "You may not write in this channel, so nothing can be posted here for you."
    assert public(scene) == []
