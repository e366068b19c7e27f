"""The real client library: buttons that work for ever, menus, forms, and commands in menus."""

import aiohttp
import discord
import pytest

from playground.errors import MemberError
from playground.model import CallbackKind, InteractionState, Message, MessageKind
from playground.server import Playground
from tests.playground.tiny_bot import TinyBot, connected, picture

FILLED = {"What is wrong": "That is my face.", "Reason": "It shows me"}


async def panel(playground: Playground, *, private: bool = False, channel: str = "pictures") -> Message:
    return await playground.answered(playground.command("panel", options={"private": private}, channel=channel))


# ------------------------------------------------------------------------------------------------------------- buttons


async def test_a_button_changes_its_own_message(playground: Playground, bot: TinyBot) -> None:
    message = await panel(playground)

    pressed = await playground.acknowledged(playground.press(message, "Count 0", member="Cleo"))
    playground.press(message, "count:1")
    await playground.until(lambda _: "Pressed 2 times" in message.text)

    assert pressed.callback is CallbackKind.UPDATE_MESSAGE
    assert message.edited_at is not None
    assert [v.body.text for v in message.versions] == [f"### Pressed {n} times" for n in range(3)]


async def test_a_button_works_after_the_bot_lost_its_connection(playground: Playground, bot: TinyBot) -> None:
    message = await panel(playground)

    playground.drop_gateway()
    playground.press(message, "Count 0")

    await playground.until(lambda _: "Pressed 1 times" in message.text)
    assert bot.resumed.is_set()


async def test_a_button_works_for_a_bot_that_was_started_anew(
    playground: Playground, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with connected(playground, monkeypatch):
        message = await panel(playground)
        await playground.acknowledged(playground.press(message, "Count 0"))

    async with connected(playground, monkeypatch):
        playground.press(message, "Count 1")
        await playground.until(lambda _: "Pressed 2 times" in message.text)


async def test_a_deferred_press_changes_nothing_until_something_follows(playground: Playground, bot: TinyBot) -> None:
    bot.go_on.clear()
    message = await panel(playground)
    messages = set(playground.state.messages)

    pressed = await playground.acknowledged(playground.press(message, "Quietly"))

    assert (set(playground.state.messages), len(message.versions)) == (messages, 1)
    bot.go_on.set()
    (followup,) = await playground.until(lambda state: state.followups(pressed))
    assert followup.text == "Noted."
    assert playground.seen_by(followup) == {"Ben"}


async def test_a_private_panel_is_pressed_by_its_member_alone(playground: Playground, bot: TinyBot) -> None:
    message = await panel(playground, private=True)

    with pytest.raises(MemberError, match="Cleo cannot see that message"):
        playground.press(message, "Count 0", member="Cleo")
    playground.press(message, "Count 0")

    await playground.until(lambda _: "Pressed 1 times" in message.text)
    assert playground.seen_by(message) == {"Ben"}


async def test_what_cannot_be_pressed_says_why(playground: Playground, bot: TinyBot) -> None:
    message = await panel(playground)

    with pytest.raises(MemberError, match="Yes is disabled"):
        playground.press(message, "Yes")
    with pytest.raises(MemberError, match="opens a page"):
        playground.press(message, "Read more")


# --------------------------------------------------------------------------------------------------------------- menus


async def test_values_are_chosen_by_label_or_value(playground: Playground, bot: TinyBot) -> None:
    message = await panel(playground)

    chosen = playground.choose(message, "styles", ["Photo", "oil painting"], member="Cleo")
    answer = await playground.answered(chosen)

    assert answer.text == "Styles: photo, oil painting"
    assert playground.seen_by(answer) == {"Cleo"}


@pytest.mark.parametrize(
    ("channel", "said"), [("pictures", "For Cleo, a Member."), ("dm", "For Cleo, a User.")], ids=["server", "direct"]
)
async def test_a_person_is_chosen_by_name(playground: Playground, bot: TinyBot, channel: str, said: str) -> None:
    message = await panel(playground, channel=channel)

    answer = await playground.answered(playground.choose(message, "Show it to", "cleo"))

    assert answer.text == said


@pytest.mark.parametrize(
    ("select", "values", "said"),
    [
        ("styles", ["Photo", "Pencil", "Comic"], "Pick styles takes 1 to 2 choices, this is 3."),
        ("styles", [], "Pick styles takes 1 to 2 choices, this is 0."),
        ("styles", ["Photo", "photo"], "Pick styles: each can be chosen once."),
        ("styles", "Marble", "Pick styles is one of: Photo, Oil painting, Pencil, Comic."),
        ("who", "Zoe", "There is no member Zoe."),
        ("colours", "Red", "That menu is not there any more."),
    ],
)
async def test_what_cannot_be_chosen_is_not_sent(
    playground: Playground, bot: TinyBot, select: str, values: object, said: str
) -> None:
    message = await panel(playground)
    before = len(playground.state.interactions)

    with pytest.raises(MemberError) as refused:
        playground.choose(message, select, values)

    assert str(refused.value).startswith(said)
    assert len(playground.state.interactions) == before


# --------------------------------------------------------------------------------------------------------------- forms


async def test_a_form_from_a_command_is_filled_in_with_files(playground: Playground, bot: TinyBot) -> None:
    opened = playground.command("report", member="Cleo")
    modal = await playground.opened(opened)
    photos = {"Photos": [("a.png", picture("red")), ("b.png", picture("blue"))]}

    submitted = playground.submit(opened, {**FILLED, "Who is in it": ["Ada", "Facelock"]}, files=photos, member="Cleo")
    answer = await playground.answered(submitted)

    assert modal["title"] == "Report a picture"
    assert opened.callback is CallbackKind.MODAL
    assert answer.kind is MessageKind.COMMAND
    assert playground.seen_by(answer) == {"Cleo"}
    assert bot.seen == [
        {
            "wrong": "That is my face.",
            "reason": ["me"],
            "who": ["Ada", "facelock"],
            "photos": {"a.png": picture("red"), "b.png": picture("blue")},
            "message": None,
        }
    ]


async def test_a_form_from_a_button_knows_its_message(playground: Playground, bot: TinyBot) -> None:
    message = await panel(playground)
    opened = playground.press(message, "Report", member="Cleo")
    await playground.opened(opened)

    answer = await playground.answered(playground.submit(opened, FILLED, member="Cleo"))

    assert bot.seen[0]["message"] == message.id
    assert (bot.seen[0]["who"], bot.seen[0]["photos"]) == ([], {})
    assert answer.kind is MessageKind.REPLY
    assert answer.reference
    assert answer.reference.message_id == message.id


async def test_a_form_of_the_older_shape_keeps_what_the_bot_put_there(playground: Playground, bot: TinyBot) -> None:
    opened = playground.command("rename")
    await playground.opened(opened)

    submitted = playground.submit(opened, {})
    (answer,) = await playground.until(lambda state: state.followups(submitted))

    assert answer.text == "Renamed to Winter."
    assert submitted.callback is CallbackKind.DEFERRED_UPDATE
    assert submitted.original_id is None
    channel = await bot.fetch_channel(answer.channel_id)
    assert isinstance(channel, discord.TextChannel)
    about = (await channel.fetch_message(answer.id)).interaction_metadata
    assert about
    assert about.modal_interaction
    assert (about.id, about.modal_interaction.id) == (submitted.id, opened.id)


async def test_a_form_that_the_bot_did_not_take_in_time_can_be_submitted_again(
    playground: Playground, bot: TinyBot
) -> None:
    bot.go_on.clear()
    opened = playground.command("report")
    await playground.opened(opened)
    first = playground.submit(opened, FILLED)
    with pytest.raises(MemberError, match="submitted already"):
        playground.submit(opened, FILLED)
    await playground.until(lambda _: bot.seen)

    playground.advance(3)
    assert first.state is InteractionState.FAILED
    bot.go_on.set()
    second = playground.submit(opened, FILLED)

    await playground.acknowledged(second)
    with pytest.raises(MemberError, match="submitted already"):
        playground.submit(opened, FILLED)


async def test_an_uploads_address_is_fresh_and_ends_after_an_hour(
    playground: Playground, bot: TinyBot, http: aiohttp.ClientSession
) -> None:
    opened = playground.command("report")
    await playground.opened(opened)
    submitted = playground.submit(opened, FILLED, files={"Photos": [("a.png", picture())]})
    await playground.answered(submitted)
    (identity,) = submitted.data["resolved"]["attachments"]
    address = playground.file_url(playground.state.attachments[int(identity)])

    assert "/ephemeral-attachments/" in address
    async with http.get(address) as response:
        assert await response.read() == picture()
    playground.advance(3600)
    async with http.get(address) as response:
        assert response.status == 404


# ---------------------------------------------------------------------------------------------------- commands in menus


async def test_a_message_command_gets_the_whole_message(playground: Playground, bot: TinyBot) -> None:
    said = playground.say("look at this", member="Ada", channel="pictures")

    answer = await playground.answered(playground.message_command("Who made this?", said, member="Cleo"))

    assert answer.text == "Ada made “look at this” with 0 files."
    assert answer.kind is MessageKind.CONTEXT_COMMAND
    assert answer.reference
    assert answer.reference.message_id == said.id
    assert playground.seen_by(answer) == {"Cleo"}


async def test_a_user_command_gets_the_person(playground: Playground, bot: TinyBot) -> None:
    member = await playground.answered(playground.user_command("Wave", "Ada", member="Cleo"))
    direct = await playground.answered(playground.user_command("Wave", "Facelock", member="Cleo", channel="dm"))

    assert (member.text, direct.text) == ("Cleo waves at Ada.", "Cleo waves at facelock.")
    assert (member.kind, member.reference) == (MessageKind.CONTEXT_COMMAND, None)


async def test_a_form_opens_from_a_message_command(playground: Playground, bot: TinyBot) -> None:
    said = playground.say("look at this", channel="pictures")
    opened = playground.message_command("Report this", said)
    await playground.opened(opened)

    answer = await playground.answered(playground.submit(opened, FILLED))

    assert (answer.kind, answer.text) == (MessageKind.CONTEXT_COMMAND, "Thank you, the moderators will look.")


async def test_a_command_that_is_not_in_the_menu_is_refused(playground: Playground, bot: TinyBot) -> None:
    said = playground.say("look at this")

    with pytest.raises(MemberError, match=r"no Wave in that menu\. Commands: Report this, Who made this\?"):
        playground.message_command("Wave", said)
    with pytest.raises(MemberError, match="There is no command /Wave here"):
        playground.command("Wave")


async def test_the_library_reads_what_an_answer_belongs_to(playground: Playground, bot: TinyBot) -> None:
    opened = playground.user_command("Wave", "Ada")
    message = await playground.answered(opened)
    channel = await bot.fetch_channel(message.channel_id)
    assert isinstance(channel, discord.TextChannel)

    fetched = await channel.fetch_message(message.id)

    assert fetched.type is discord.MessageType.context_menu_command
    assert fetched.interaction_metadata
    assert fetched.interaction_metadata.target_user
    assert fetched.interaction_metadata.target_user.display_name == "Ada"
