"""The life of a form: opened by an answer, submitted by its member, answered again."""

import pytest

from playground import interactions, uses
from playground.errors import ApiError, MemberError, Refusal
from playground.messages import MAX_MEMBER_FILE_BYTES
from playground.modals import Filling
from playground.model import CallbackKind, Interaction, InteractionState, MessageKind
from playground.multipart import Upload
from tests.playground.conftest import World
from tests.playground.test_playground_interactions import (
    NO_FILES,
    WITH_BUTTON,
    answer,
    edit,
    follow_up,
    posted,
    press,
    refused,
    run,
)

FIELD = {"type": 18, "label": "Why", "component": {"type": 4, "custom_id": "why", "style": 1}}
FORM = {"custom_id": "form", "title": "Form", "components": [FIELD]}


def open_form(world: World, interaction: Interaction) -> Interaction:
    payload = {"type": 9, "data": FORM}
    accepted = interactions.acknowledge(world.state, interaction.id, interaction.token, payload, files=NO_FILES)
    assert (accepted.message, accepted.callback) == (None, CallbackKind.MODAL)
    return interaction


def submit(world: World, trigger: Interaction, member: str = "Ben", why: str = "because") -> Interaction:
    return uses.submit_form(world.state, world.state.member(member), trigger, Filling(values={"why": why}, files={}))


def test_a_form_is_an_answer_and_makes_no_message(world: World) -> None:
    before = set(world.state.messages)

    opened = open_form(world, run(world))

    assert opened.state is InteractionState.ACKNOWLEDGED
    assert opened.modal
    assert opened.modal["title"] == "Form"
    assert set(world.state.messages) == before
    with pytest.raises(ApiError) as error:
        edit(world, opened, {"content": "there is no original"})
    assert error.value.refusal is Refusal.UNKNOWN_MESSAGE


def test_a_form_that_breaks_the_rules_can_be_sent_again(world: World) -> None:
    interaction = run(world)

    assert refused(world, interaction, 9, FORM | {"title": ""}) is Refusal.INVALID_FORM
    assert interaction.modal is None
    assert open_form(world, interaction)


def test_a_form_opened_by_a_command_can_be_closed_but_has_no_message_to_change(world: World) -> None:
    submitted = submit(world, open_form(world, run(world)))

    assert refused(world, submitted, 7, {"content": "x"}) is Refusal.INVALID_FORM
    payload = {"type": 6}
    accepted = interactions.acknowledge(world.state, submitted.id, submitted.token, payload, files=NO_FILES)
    assert accepted.message is None
    assert follow_up(world, submitted, {"content": "more"}).kind is MessageKind.COMMAND


def test_a_form_opened_by_a_button_can_change_its_message(world: World) -> None:
    _, message = posted(world, WITH_BUTTON)
    opened = open_form(world, press(world, message))

    submitted = submit(world, opened, "Cleo")
    answer(world, submitted, 7, {"content": "Changed", "components": []})

    assert message.text == "Changed"
    assert submitted.original_id == message.id


def test_no_form_follows_a_form(world: World) -> None:
    submitted = submit(world, open_form(world, run(world)))

    assert refused(world, submitted, 9, FORM) is Refusal.INVALID_FORM


def test_a_form_has_three_seconds_too(world: World) -> None:
    submitted = submit(world, open_form(world, run(world)))
    world.now_s += 3.1

    assert refused(world, submitted, 4, {"content": "late"}) is Refusal.UNKNOWN_INTERACTION


def test_a_form_may_take_its_member_long(world: World) -> None:
    opened = open_form(world, run(world))
    world.now_s += 3600

    submitted = submit(world, opened)

    assert answer(world, submitted, 5).is_thinking


def test_a_form_belongs_to_the_member_who_opened_it(world: World) -> None:
    opened = open_form(world, run(world))

    with pytest.raises(MemberError, match="opened for Ben"):
        submit(world, opened, "Cleo")


def test_nothing_is_submitted_where_no_form_was_opened(world: World) -> None:
    interaction, _ = posted(world, {"content": "hi"})

    with pytest.raises(MemberError, match="No form"):
        submit(world, interaction)


def test_a_form_takes_no_file_that_discords_window_would_not(world: World) -> None:
    opened = open_form(world, run(world))
    upload = Upload(field="photo", filename="me.png", content=b"x" * (MAX_MEMBER_FILE_BYTES + 1))

    with pytest.raises(MemberError, match="at most 50 MiB"):
        uses.submit_form(world.state, world.state.member("Ben"), opened, Filling(values={}, files={"photo": [upload]}))


def test_nothing_of_a_refused_submission_stays(world: World) -> None:
    field = {"type": 18, "label": "Photo", "component": {"type": 19, "custom_id": "photo"}}
    interaction = run(world)
    payload = {"type": 9, "data": FORM | {"components": [field, FIELD]}}
    interactions.acknowledge(world.state, interaction.id, interaction.token, payload, files=NO_FILES)
    upload = Upload(field="photo", filename="me.png", content=b"x")
    filling = Filling(values={}, files={"photo": [upload]})

    with pytest.raises(MemberError, match="Fill in Why"):
        uses.submit_form(world.state, world.state.member("Ben"), interaction, filling)

    assert not world.state.contents
    assert interaction.submission_id is None
