"""Choosing people, roles and channels: in messages, in forms and in the options of commands."""

import pytest

from playground.errors import MemberError
from playground.interactions import Resolver
from playground.model import Message
from playground.server import Playground
from tests.playground.conftest import World
from tests.playground.tiny_bot import TinyBot


async def picks(playground: Playground) -> Message:
    return await playground.answered(playground.command("picks"))


@pytest.mark.parametrize(
    ("menu", "values", "said"),
    [
        ("People", ["Ada", "Facelock"], "Member Ada, Member facelock"),
        ("Roles", "Supporters", "Role Supporters"),
        ("Roles", "@everyone", "Role @everyone"),
        ("Anybody", ["Cleo", "moderators"], "Member Cleo, Role Moderators"),
        ("Rooms", ["lounge", "pictures"], "AppCommandChannel lounge, AppCommandChannel pictures"),
    ],
)
async def test_the_bot_hears_what_was_chosen(
    playground: Playground, bot: TinyBot, menu: str, values: object, said: str
) -> None:
    answer = await playground.answered(playground.choose(await picks(playground), menu, values))

    assert answer.text == said


async def test_what_was_chosen_beforehand_stays(playground: Playground, bot: TinyBot) -> None:
    message = await picks(playground)

    for menu, said in (("Roles", "Role Moderators"), ("Rooms", "AppCommandChannel lounge")):
        assert (await playground.answered(playground.choose(message, menu, None))).text == said


@pytest.mark.parametrize(
    ("menu", "values", "said"),
    [
        ("Roles", ["Supporters", "Admin"], "Roles takes 0 to 1 choices, this is 2."),
        ("Roles", "Ada", "There is no role Ada."),
        ("Anybody", "Zoe", "There is no member Zoe."),
        ("Rooms", [], "Rooms takes 1 to 2 choices, this is 0."),
        ("Rooms", "dm", "There is no channel dm here."),
        ("Calls", "lounge", "A channel like lounge cannot be chosen here."),
    ],
)
async def test_what_cannot_be_chosen_gets_a_sentence(
    playground: Playground, bot: TinyBot, menu: str, values: object, said: str
) -> None:
    message = await picks(playground)

    with pytest.raises(MemberError) as refused:
        playground.choose(message, menu, values)

    assert str(refused.value).startswith(said)


async def test_a_choice_comes_with_what_was_chosen(playground: Playground, bot: TinyBot) -> None:
    message = await picks(playground)
    both = playground.choose(message, "Anybody", ["Dora", "Supporters"])
    room = playground.choose(message, "Rooms", "pictures")

    data = playground.wire.interaction_create(both)["data"]
    (dora,) = data["resolved"]["members"].values()
    (role,) = data["resolved"]["roles"].values()
    (channel,) = playground.wire.interaction_create(room)["data"]["resolved"]["channels"].values()
    assert data["resolved"]["users"].keys() == data["resolved"]["members"].keys()
    assert int(dora["permissions"]) & 1 << 13
    assert data["values"][1] == role["id"]
    assert (channel["name"], channel["type"], int(channel["permissions"]) & 1 << 13) == ("pictures", 0, 0)


async def test_a_form_has_menus_and_boxes(playground: Playground, bot: TinyBot) -> None:
    form = playground.command("enrol")
    await playground.opened(form)

    values = {"Role": "Supporters", "Room": "lounge", "Color": "Blue", "Days": ["Friday"], "I agree": True}
    await playground.answered(playground.submit(form, values))

    chosen = [["Role Supporters"], ["AppCommandChannel lounge"]]
    assert bot.seen == [{"chosen": chosen, "ticked": ["blue", ["friday"], True]}]


async def test_a_command_two_levels_down_takes_people_roles_and_channels(playground: Playground, bot: TinyBot) -> None:
    options = {"who": "Ben", "role": "Moderators", "where": "lounge", "tell": "Supporters"}
    await playground.answered(playground.command("desk paper hand", options=options))
    await playground.answered(playground.command("desk paper hand", options={"who": "Ben", "tell": "Ada"}))

    assert bot.seen == [
        {"handed": ["ben", "Moderators", "lounge", "Supporters"]},
        {"handed": ["ben", None, None, "ada"]},
    ]
    with pytest.raises(MemberError, match="/desk needs a subcommand: hand"):
        playground.command("desk paper")


def test_a_direct_message_has_no_roles_and_channels(world: World) -> None:
    resolver = Resolver(world.state, world.state.direct_channel(world.state.member("Ben").id))

    with pytest.raises(MemberError, match="There are no roles in a direct message"):
        resolver({"type": 8, "name": "role"}, "Moderators")
    with pytest.raises(MemberError, match="There is no channel lounge here"):
        resolver({"type": 7, "name": "where"}, "lounge")
    assert resolver({"type": 9, "name": "who"}, "Ada")[0] == str(world.state.member("Ada").id)
