"""The life of an interaction, on a state without sockets and with a clock that stands still."""

from collections.abc import Mapping

import pytest

from playground import interactions, messages, uses
from playground.cdn import Cdn
from playground.commands import Command, read_command
from playground.errors import ApiError, Json, MemberError, Refusal
from playground.interactions import CommandCall
from playground.model import (
    EventKind,
    Interaction,
    InteractionState,
    Message,
    MessageFlag,
    MessageKind,
    Reference,
)
from playground.multipart import Upload
from playground.options import Focus
from playground.validation import Problems
from playground.wire import Wire
from tests.playground.conftest import World

BUTTON = {"type": 2, "style": 1, "label": "Again", "custom_id": "again"}
WITH_BUTTON = {"content": "Pick", "components": [{"type": 1, "components": [BUTTON]}]}
NO_FILES: Mapping[int, Upload] = {}


def register(world: World, **fields: object) -> None:
    """Give the bot the command /imagine with one attachment option."""
    face = {"type": 11, "name": "face", "description": "A photo"}
    definition = {"name": "imagine", "description": "Make", "options": [face], **fields}
    command = Command(id=5, version=1, guild_id=None, definition=read_command(definition, Problems()))
    world.state.commands[command.id] = command


def run(world: World, member: str = "Ben", *, face: bytes | None = None) -> Interaction:
    register(world)
    attachments = {"face": ("me.png", face)} if face else {}
    call = CommandCall(member=member, name="imagine", attachments=attachments)
    return interactions.run_command(world.state, call)


def answer(world: World, interaction: Interaction, kind: int, data: Json | None = None) -> Message:
    payload = {"type": kind, "data": data}
    accepted = interactions.acknowledge(world.state, interaction.id, interaction.token, payload, files=NO_FILES)
    assert accepted.message
    return accepted.message


def posted(world: World, data: Json, member: str = "Ben") -> tuple[Interaction, Message]:
    interaction = run(world, member)
    return interaction, answer(world, interaction, 4, data)


def edit(world: World, interaction: Interaction, payload: Json) -> Message:
    return interactions.webhook_edits(
        world.state, world.state.bot.id, interaction.token, None, payload=payload, files=NO_FILES
    )


def follow_up(world: World, interaction: Interaction, payload: Json) -> Message:
    return interactions.webhook_posts(world.state, world.state.bot.id, interaction.token, payload, files=NO_FILES)


def refused(world: World, interaction: Interaction, kind: int, data: Json | None = None) -> Refusal:
    with pytest.raises(ApiError) as error:
        answer(world, interaction, kind, data)
    return error.value.refusal


# ----------------------------------------------------------------------------------------------------- the first answer


def test_an_answer_within_three_seconds_is_accepted(world: World) -> None:
    interaction = run(world)
    world.now_s += 2.9

    message = answer(world, interaction, 4, {"content": "hi"})

    assert message.text == "hi"
    assert interaction.acknowledged_after_ms == pytest.approx(2900, abs=1)


def test_an_answer_after_three_seconds_is_too_late(world: World) -> None:
    interaction = run(world)
    world.now_s += 3.1

    assert refused(world, interaction, 4, {"content": "hi"}) is Refusal.UNKNOWN_INTERACTION


def test_a_second_answer_is_refused(world: World) -> None:
    interaction, _ = posted(world, {"content": "hi"})

    assert refused(world, interaction, 4, {"content": "again"}) is Refusal.ALREADY_ACKNOWLEDGED


def test_a_refused_answer_can_be_tried_again(world: World) -> None:
    interaction = run(world)

    assert refused(world, interaction, 4, {"content": ""}) is Refusal.EMPTY_MESSAGE
    assert answer(world, interaction, 4, {"content": "hi"})


def test_a_strangers_token_opens_nothing(world: World) -> None:
    interaction = run(world)
    interaction_copy = interactions.run_command(world.state, CommandCall(member="Ada", name="imagine"))

    with pytest.raises(ApiError) as error:
        interactions.acknowledge(world.state, interaction.id, interaction_copy.token, {"type": 5}, files=NO_FILES)

    assert error.value.refusal is Refusal.UNKNOWN_INTERACTION


def test_members_hear_that_nobody_answered(world: World) -> None:
    interaction = run(world)
    world.now_s += 3.0

    interactions.fail_unanswered(world.state)

    assert interaction.state is InteractionState.FAILED
    assert world.events[-1].kind is EventKind.INTERACTION
    assert world.events[-1].only_for == interaction.member_id


@pytest.mark.parametrize("kind", [1, 6, 7, 8, 10, 12])
def test_a_command_takes_only_the_answers_that_fit_it(world: World, kind: int) -> None:
    assert refused(world, run(world), kind) is Refusal.INVALID_FORM


def test_a_deferral_takes_no_flag_but_ephemeral(world: World) -> None:
    flags = int(MessageFlag.COMPONENTS_V2)

    assert refused(world, run(world), 5, {"flags": flags}) is Refusal.INVALID_FORM


# ------------------------------------------------------------------------------------------------- deferral and editing


def test_a_deferral_thinks_until_it_is_edited(world: World) -> None:
    interaction = run(world)
    message = answer(world, interaction, 5)
    assert message.is_thinking
    assert message.kind is MessageKind.COMMAND

    edit(world, interaction, {"content": "done"})

    assert not message.is_thinking
    assert message.edited_at is None


def test_an_edit_after_the_first_counts_as_one(world: World) -> None:
    interaction, message = posted(world, {"content": "one"})
    world.now_s += 60

    edit(world, interaction, {"content": "two"})

    assert message.edited_at == world.now_s
    assert [version.body.content for version in message.versions] == ["one", "two"]


@pytest.mark.parametrize("flags", [0, 64])
def test_the_deferral_settles_who_sees_the_first_followup(world: World, flags: int) -> None:
    interaction = run(world)
    deferral = answer(world, interaction, 5, {"flags": flags})

    message = follow_up(world, interaction, {"content": "hi", "flags": 64 - flags})

    assert message is deferral
    assert world.state.seen_by(message) == ({"Ben"} if flags else {"Ada", "Ben", "Cleo", "Dora"})


def test_later_followups_are_messages_of_their_own_and_choose_who_sees_them(world: World) -> None:
    interaction, original = posted(world, {"content": "hi"})

    message = follow_up(world, interaction, {"content": "psst", "flags": 64})

    assert message.reference == Reference(channel_id=original.channel_id, message_id=original.id)
    assert world.state.seen_by(message) == {"Ben"}
    assert world.state.followups(interaction) == [message]


def test_deleting_the_deferral_ends_the_thinking(world: World) -> None:
    interaction = run(world)
    message = answer(world, interaction, 5)

    interactions.webhook_deletes(world.state, world.state.bot.id, interaction.token, None)

    assert message.deleted_at
    with pytest.raises(ApiError) as error:
        edit(world, interaction, {"content": "late"})
    assert error.value.refusal is Refusal.UNKNOWN_MESSAGE


def test_before_the_first_answer_there_is_no_webhook(world: World) -> None:
    with pytest.raises(ApiError) as error:
        follow_up(world, run(world), {"content": "early"})

    assert error.value.refusal is Refusal.UNKNOWN_WEBHOOK


def test_the_token_is_over_after_fifteen_minutes(world: World) -> None:
    interaction, _ = posted(world, {"content": "hi"})
    world.now_s += 15 * 60
    edit(world, interaction, {"content": "just in time"})
    world.now_s += 1

    with pytest.raises(ApiError) as error:
        edit(world, interaction, {"content": "late"})

    assert error.value.refusal is Refusal.INVALID_WEBHOOK_TOKEN


def test_a_token_reaches_the_messages_of_its_own_interaction_only(world: World) -> None:
    interaction, _ = posted(world, {"content": "hi"})
    _, other = posted(world, {"content": "other"})

    with pytest.raises(ApiError) as error:
        interactions.webhook_message(world.state, world.state.bot.id, interaction.token, other.id)

    assert error.value.refusal is Refusal.UNKNOWN_MESSAGE


# -------------------------------------------------------------------------------------------------------------- presses


def press(world: World, message: Message, member: str = "Cleo", custom_id: str = "again") -> Interaction:
    return uses.press_button(world.state, world.state.member(member), message, custom_id)


def test_a_press_can_change_the_message_it_came_from(world: World) -> None:
    _, message = posted(world, WITH_BUTTON)

    pressed = press(world, message)
    answer(world, pressed, 7, {"content": "Chosen", "components": []})

    assert message.text == "Chosen"
    assert pressed.original_id == message.id


def test_a_deferred_press_makes_no_message_and_edits_the_source(world: World) -> None:
    _, message = posted(world, WITH_BUTTON)
    pressed = press(world, message)
    before = len(world.state.messages)

    answer(world, pressed, 6)
    edit(world, pressed, {"content": "Later"})

    assert len(world.state.messages) == before
    assert message.text == "Later"


def test_an_answer_to_a_press_replies_to_the_message(world: World) -> None:
    _, message = posted(world, WITH_BUTTON)

    reply = answer(world, press(world, message), 4, {"content": "You pressed"})

    assert reply.kind is MessageKind.REPLY
    assert reply.reference == Reference(channel_id=message.channel_id, message_id=message.id)


@pytest.mark.parametrize(
    ("data", "custom_id", "said"),
    [
        (WITH_BUTTON, "gone", "not there any more"),
        (
            {"content": "x", "components": [{"type": 1, "components": [BUTTON | {"disabled": True}]}]},
            "again",
            "disabled",
        ),
        (WITH_BUTTON | {"flags": 64}, "again", "cannot see"),
    ],
)
def test_buttons_that_cannot_be_pressed_say_why(world: World, data: Json, custom_id: str, said: str) -> None:
    _, message = posted(world, data)

    with pytest.raises(MemberError, match=said):
        press(world, message, custom_id=custom_id)


def test_a_message_comes_to_the_bot_whole_and_with_fresh_addresses(world: World) -> None:
    _, message = posted(world, WITH_BUTTON)
    pressed = press(world, message)
    wire = Wire(world.state, Cdn(key=b"key", now=lambda: world.now_s))

    told = wire.interaction_create(pressed)

    assert told["message"] == wire.message(message)
    assert told["data"] == {"custom_id": "again", "component_type": 2, "id": 2}


# ------------------------------------------------------------------------------------------------- commands and uploads


def test_only_commands_that_fit_the_place_are_offered(world: World) -> None:
    register(world, contexts=[0])
    ben = world.state.member("Ben")

    assert world.state.visible_commands(ben, world.state.channel("pictures"))
    assert not world.state.visible_commands(ben, world.state.channel("dm", member=ben))


def test_commands_for_moderators_are_offered_to_them_alone(world: World) -> None:
    register(world, default_member_permissions="32")
    channel = world.state.channel("pictures")

    assert world.state.visible_commands(world.state.member("Ada"), channel)
    assert not world.state.visible_commands(world.state.member("Ben"), channel)


def test_an_unknown_command_names_those_that_there_are(world: World) -> None:
    register(world)

    with pytest.raises(MemberError, match="Commands: /imagine"):
        interactions.run_command(world.state, CommandCall(member="Ben", name="paint"))


def test_a_members_upload_is_forgotten_after_an_hour(world: World) -> None:
    run(world, face=b"x")
    world.now_s += 3601

    run(world)

    assert not world.state.contents


def test_nothing_of_a_refused_command_stays(world: World) -> None:
    register(world)
    call = CommandCall(member="Ben", name="imagine", options={"size": 1}, attachments={"face": ("me.png", b"x")})

    with pytest.raises(MemberError):
        interactions.run_command(world.state, call)

    assert not world.state.contents
    assert not world.state.interactions


# ------------------------------------------------------------------------------------------------------- while typing

SUGGESTED = {"name": "SDXL base", "value": "sdxl"}


def ask(world: World, kind: int = 3) -> Interaction:
    option = {"type": kind, "name": "model", "description": "Which", "autocomplete": True}
    register(world, options=[option])
    return interactions.ask_choices(world.state, CommandCall(member="Ben", name="imagine"), Focus("model", "sd"))


def suggest(world: World, interaction: Interaction, data: object, kind: int = 8) -> None:
    payload = {"type": kind, "data": data}
    interactions.acknowledge(world.state, interaction.id, interaction.token, payload, files=NO_FILES)


def unsuggested(world: World, interaction: Interaction, data: object, kind: int = 8) -> ApiError:
    with pytest.raises(ApiError) as error:
        suggest(world, interaction, data, kind)
    return error.value


def test_suggestions_are_kept_and_make_no_message(world: World) -> None:
    before = set(world.state.messages)
    interaction = ask(world)

    suggest(world, interaction, {"choices": [SUGGESTED]})

    assert interaction.choices == (SUGGESTED,)
    assert interaction.state is InteractionState.ACKNOWLEDGED
    assert set(world.state.messages) == before


@pytest.mark.parametrize("data", [{"choices": []}, {"choices": None}, {}])
def test_there_may_be_nothing_to_suggest(world: World, data: Json) -> None:
    interaction = ask(world)

    suggest(world, interaction, data)

    assert interaction.choices == ()


@pytest.mark.parametrize(
    ("kind", "choices", "path"),
    [
        (3, [SUGGESTED] * 26, "choices"),
        (3, [{"name": "", "value": "x"}], "choices.0.name"),
        (3, [{"name": "x" * 101, "value": "x"}], "choices.0.name"),
        (3, [SUGGESTED, {"name": "x", "value": ""}], "choices.1.value"),
        (3, [{"name": "x", "value": "x" * 101}], "choices.0.value"),
        (3, [{"name": "x", "value": 5}], "choices.0.value"),
        (3, [{"name": "x"}], "choices.0.value"),
        (3, "sdxl", "choices"),
        (4, [{"name": "x", "value": "x"}], "choices.0.value"),
        (4, [{"name": "x", "value": 1.5}], "choices.0.value"),
        (10, [{"name": "x", "value": "1.5"}], "choices.0.value"),
    ],
)
def test_suggestions_that_do_not_fit_are_refused_at_their_place(
    world: World, kind: int, choices: object, path: str
) -> None:
    interaction = ask(world, kind)

    node = unsuggested(world, interaction, {"choices": choices}).errors

    for part in ("data", *path.split(".")):
        assert node
        node = node[part]
    assert node
    assert node["_errors"]
    assert interaction.state is InteractionState.PENDING


@pytest.mark.parametrize("kind", [1, 4, 5, 6, 7, 9])
def test_typing_takes_no_answer_but_suggestions(world: World, kind: int) -> None:
    error = unsuggested(world, ask(world), {"content": "hi", "choices": []}, kind)

    assert error.refusal is Refusal.INVALID_FORM


def test_an_answer_without_data_suggests_nothing_and_is_refused(world: World) -> None:
    assert unsuggested(world, ask(world), None).errors == {
        "data": {"_errors": [{"code": "BASE_TYPE_REQUIRED", "message": "This field is required"}]}
    }


def test_suggestions_after_three_seconds_are_too_late(world: World) -> None:
    interaction = ask(world)
    world.now_s += 3.1

    error = unsuggested(world, interaction, {"choices": [SUGGESTED]})

    assert error.refusal is Refusal.UNKNOWN_INTERACTION
    assert interaction.choices is None


def test_suggestions_are_made_once(world: World) -> None:
    interaction = ask(world)
    suggest(world, interaction, {"choices": [SUGGESTED]})

    error = unsuggested(world, interaction, {"choices": []})

    assert error.refusal is Refusal.ALREADY_ACKNOWLEDGED
    assert interaction.choices == (SUGGESTED,)


def test_nothing_can_follow_suggestions(world: World) -> None:
    interaction = ask(world)
    suggest(world, interaction, {"choices": []})

    with pytest.raises(ApiError) as error:
        follow_up(world, interaction, {"content": "more"})

    assert error.value.refusal is Refusal.UNKNOWN_WEBHOOK


# --------------------------------------------------------------------------------------------------- deleted and denied


def test_a_message_that_a_moderator_deleted_is_unknown(world: World) -> None:
    interaction, message = posted(world, {"content": "hi"})

    messages.member_deletes(world.state, world.state.member("Ada"), message)

    with pytest.raises(ApiError) as error:
        edit(world, interaction, {"content": "more"})
    assert error.value.refusal is Refusal.UNKNOWN_MESSAGE


def test_a_dismissed_message_still_exists_for_the_bot(world: World) -> None:
    interaction, message = posted(world, {"content": "hi", "flags": 64})

    messages.member_dismisses(world.state, world.state.member("Ben"), message)
    edit(world, interaction, {"content": "more"})

    assert world.state.seen_by(message) == set()
    assert message.text == "more"


def test_an_interaction_in_a_deleted_channel_has_nowhere_to_answer(world: World) -> None:
    interaction = run(world)
    messages.delete_channel(world.state, world.state.channel("pictures"))

    assert refused(world, interaction, 4, {"content": "hi"}) is Refusal.UNKNOWN_CHANNEL
