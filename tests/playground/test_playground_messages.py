"""Messages through channels, on a state without sockets."""

from collections.abc import Mapping

import pytest

from playground import messages
from playground.errors import ApiError, Json, MemberError, Refusal
from playground.model import Message, MessageKind, Permission
from playground.multipart import Upload
from playground.world import application_id_of, default_token
from tests.playground.conftest import World

NO_FILES: Mapping[int, Upload] = {}


def post(world: World, payload: Json, channel: str = "lounge") -> Message:
    return messages.bot_posts(world.state, world.state.channel(channel).id, payload, NO_FILES)


def say(world: World, content: str, member: str = "Ben") -> Message:
    channel = world.state.channel("lounge")
    return messages.member_says(world.state, world.state.member(member), channel, content)


def refusal(world: World, payload: Json, channel: str = "lounge") -> Refusal:
    with pytest.raises(ApiError) as refused:
        post(world, payload, channel)
    return refused.value.refusal


def test_a_repeated_nonce_returns_the_first_message(world: World) -> None:
    first = post(world, {"content": "a", "nonce": "n1", "enforce_nonce": True})

    assert post(world, {"content": "b", "nonce": "n1", "enforce_nonce": True}) is first
    assert post(world, {"content": "c", "nonce": "n1"}) is not first


def test_a_nonce_is_forgotten_after_a_few_minutes(world: World) -> None:
    first = post(world, {"content": "a", "nonce": "n1", "enforce_nonce": True})
    world.now_s += 301

    assert post(world, {"content": "b", "nonce": "n1", "enforce_nonce": True}) is not first


def test_a_nonce_has_25_characters_at_most(world: World) -> None:
    assert post(world, {"content": "a", "nonce": "x" * 25})
    assert refusal(world, {"content": "a", "nonce": "x" * 26}) is Refusal.INVALID_FORM


def test_a_reply_names_its_message_and_pings_its_author(world: World) -> None:
    said = say(world, "hello")

    reply = post(world, {"content": "hi", "message_reference": {"message_id": str(said.id)}})

    assert reply.kind is MessageKind.REPLY
    assert reply.pinged_users == {said.author_id}


def test_a_reply_to_nothing_is_refused_unless_it_may_fail(world: World) -> None:
    gone = {"message_id": "1"}

    assert refusal(world, {"content": "hi", "message_reference": gone}) is Refusal.INVALID_FORM
    reply = post(world, {"content": "hi", "message_reference": gone | {"fail_if_not_exists": False}})
    assert reply.kind is MessageKind.DEFAULT


def test_the_bot_edits_only_its_own_messages(world: World) -> None:
    said = say(world, "hello")

    with pytest.raises(ApiError) as refused:
        messages.bot_edits(world.state, said.channel_id, said.id, {"content": "x"}, files=NO_FILES)

    assert refused.value.refusal is Refusal.NOT_THE_AUTHOR


def test_the_bot_cannot_delete_what_others_say(world: World) -> None:
    said = say(world, "hello")

    with pytest.raises(ApiError) as refused:
        messages.bot_deletes(world.state, said.channel_id, said.id)

    assert refused.value.refusal is Refusal.MISSING_PERMISSIONS


@pytest.mark.parametrize(
    ("denied", "expected"),
    [
        (Permission.VIEW_CHANNEL, Refusal.MISSING_ACCESS),
        (Permission.SEND_MESSAGES, Refusal.MISSING_PERMISSIONS),
    ],
)
def test_a_denied_permission_is_refused_in_that_channel_only(
    world: World, denied: Permission, expected: Refusal
) -> None:
    messages.deny_bot(world.state, world.state.channel("lounge"), denied)

    assert refusal(world, {"content": "hi"}) is expected
    assert post(world, {"content": "hi"}, "pictures")


def test_a_deleted_channel_is_unknown(world: World) -> None:
    channel = world.state.channel("lounge")
    messages.delete_channel(world.state, channel)

    with pytest.raises(ApiError) as refused:
        messages.bot_posts(world.state, channel.id, {"content": "hi"}, NO_FILES)

    assert refused.value.refusal is Refusal.UNKNOWN_CHANNEL


def test_direct_messages_need_a_member(world: World) -> None:
    with pytest.raises(ApiError) as refused:
        messages.bot_opens_direct(world.state, {"recipient_id": "1"})

    assert refused.value.refusal is Refusal.INVALID_RECIPIENT


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"limit": "2"}, ["5", "4"]),
        ({"before": "3"}, ["2", "1"]),
        ({"after": "3"}, ["5", "4"]),
        ({"after": "1", "limit": "2"}, ["3", "2"]),
        ({"around": "3", "limit": "3"}, ["4", "3", "2"]),
    ],
)
def test_messages_are_listed_newest_first(world: World, query: dict[str, str], expected: list[str]) -> None:
    posted = {str(n): post(world, {"content": str(n)}) for n in range(1, 6)}
    real = {key: str(posted[value].id) if value in posted and key != "limit" else value for key, value in query.items()}

    found = messages.bot_lists(world.state, world.state.channel("lounge").id, real)

    assert [message.text for message in found] == expected


def test_a_limit_out_of_range_is_refused(world: World) -> None:
    with pytest.raises(ApiError):
        messages.bot_lists(world.state, world.state.channel("lounge").id, {"limit": "101"})


def test_members_cannot_ping_everyone_unless_they_may(world: World) -> None:
    assert not say(world, "@everyone look", "Ben").pinged_everyone
    assert say(world, "@everyone look", "Ada").pinged_everyone


@pytest.mark.parametrize("content", ["", "   ", "x" * 2001])
def test_members_are_told_what_is_wrong_with_their_message(world: World, content: str) -> None:
    with pytest.raises(MemberError):
        say(world, content)


def test_the_bot_reads_only_what_is_addressed_to_it(world: World) -> None:
    plain, addressed = say(world, "hello"), say(world, f"hey <@{world.state.bot.id}>")

    assert not messages.readable_by_bot(world.state, plain)
    assert messages.readable_by_bot(world.state, addressed)


def test_only_moderators_delete_what_others_say(world: World) -> None:
    said = say(world, "hello", "Ben")

    with pytest.raises(MemberError):
        messages.member_deletes(world.state, world.state.member("Cleo"), said)
    messages.member_deletes(world.state, world.state.member("Ada"), said)

    assert said.deleted_at == world.now_s


def test_files_go_with_their_message(world: World) -> None:
    upload = Upload(field="files[0]", filename="a.png", content=b"x")
    message = messages.bot_posts(world.state, world.state.channel("lounge").id, {"content": "hi"}, {0: upload})
    assert list(world.state.contents.values()) == [b"x"]

    messages.bot_deletes(world.state, message.channel_id, message.id)

    assert not world.state.contents


def test_the_default_token_names_the_application(world: World) -> None:
    assert application_id_of(default_token()) == world.state.bot.id
