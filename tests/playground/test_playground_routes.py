"""Every route against whatever JSON comes: an answer or a refusal in Discord's form, and nothing else."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playground import interactions
from playground.cdn import Cdn
from playground.commands import Command, read_command
from playground.errors import ApiError
from playground.interactions import CommandCall
from playground.multipart import Body
from playground.routes import ROUTES, Answer, Call, Route, find_route
from playground.validation import Problems
from playground.wire import Wire
from tests.playground.conftest import World

NAMES = """
    type data content embeds components attachments flags allowed_mentions message_reference nonce enforce_nonce name
    description options choices value required id url media items accessory file style custom_id label emoji parse
    users title fields image footer timestamp color recipient_id message_id poll tts accent_color contexts min_value
    channel_types component placeholder min_values max_values min_length max_length required default_values disabled
"""

LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-3, 20)
    | st.sampled_from(
        [32768, 64, 2**70, 1e300, float("nan"), "attachment://a.png", "https://x/y", "9" * 20, "٣", "²", ""]
    )
    | st.text(max_size=6)
)
JSON = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES.split()), inner, max_size=6),
    max_leaves=25,
)


def answers(body: object) -> bool:
    """Whether a body could be a first answer to an interaction."""
    return isinstance(body, dict) and "type" in body


def call(world: World, body: object, query: dict[str, str]) -> Call:
    """A call that would reach a real message, interaction and command."""
    state = world.state
    definition = read_command({"name": "ping", "description": "Ping"}, Problems())
    state.commands[5] = Command(id=5, version=1, guild_id=None, definition=definition)
    interaction = interactions.run_command(state, CommandCall(member="Ben", name="ping"))
    answer: Any = {"type": 4, "data": {"content": "pong"}}
    accepted = interactions.acknowledge(state, interaction.id, interaction.token, answer, files={})
    waiting = interactions.run_command(state, CommandCall(member="Ben", name="ping"))
    parameters = {
        "application_id": str(state.bot.id),
        "guild_id": str(state.guild.id),
        "channel_id": str(interaction.channel_id),
        "message_id": str(accepted.message.id) if accepted.message else "0",
        "command_id": "5",
        "user_id": str(state.bot.id),
        "interaction_id": str(waiting.id),
        "token": waiting.token if answers(body) else interaction.token,
    }
    wire = Wire(state, Cdn(key=b"key", now=state.now))
    return Call(
        state=state, wire=wire, gateway_url="ws://x", parameters=parameters, query=query, body=Body(payload=body)
    )


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.template}")
@settings(max_examples=60)
@given(body=JSON, query=st.dictionaries(st.sampled_from(["limit", "before", "after", "around"]), st.text(max_size=4)))
def test_no_body_makes_a_route_fall_over(route: Route, body: object, query: dict[str, str]) -> None:
    try:
        answer = route.handle(call(World(), body, query))
    except ApiError as refusal:
        answer = Answer(refusal.status, refusal.body())

    assert answer.status in (200, 201, 204, 400, 401, 403, 404, 413)


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.template}")
def test_every_route_is_found_by_its_own_path(route: Route) -> None:
    path = route.template.replace("{", "").replace("}", "")

    assert find_route(route.method, path)[0] is route
