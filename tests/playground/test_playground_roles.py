"""Roles: who has which, what they allow, and what the bot and the page hear of it."""

import aiohttp
import discord
import pytest

from playground.errors import MemberError
from playground.model import Permission
from playground.server import Playground
from tests.playground.conftest import World
from tests.playground.tiny_bot import TinyBot


async def test_the_bot_knows_the_roles_of_the_server(bot: TinyBot) -> None:
    (guild,) = bot.guilds

    assert [role.name for role in guild.roles] == ["@everyone", "Supporters", "Moderators", "Admin"]
    assert guild.default_role.permissions.send_messages
    assert discord.utils.get(guild.roles, name="Moderators").permissions.manage_messages  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("member", "roles", "manages"),
    [
        ("Ada", ["@everyone", "Admin"], [True, True]),
        ("Ben", ["@everyone"], [False, False]),
        ("Cleo", ["@everyone", "Supporters"], [False, False]),
        ("Dora", ["@everyone", "Moderators"], [False, True]),
    ],
)
async def test_an_interaction_tells_roles_and_permissions(
    playground: Playground, bot: TinyBot, member: str, roles: list[str], manages: list[bool]
) -> None:
    await playground.answered(playground.command("who_am_i", member=member))

    assert bot.seen == [{"roles": roles, "manages": manages, "administrator": member == "Ada"}]


async def test_roles_are_given_and_taken(playground: Playground, bot: TinyBot) -> None:
    playground.give_role("Ben", "moderators")
    playground.give_role("Ben", "Supporters")
    playground.take_role("Cleo", "Supporters")
    await playground.answered(playground.command("who_am_i", member="Ben"))
    await playground.answered(playground.command("who_am_i", member="Cleo"))

    assert [seen["roles"] for seen in bot.seen] == [["@everyone", "Supporters", "Moderators"], ["@everyone"]]
    with pytest.raises(MemberError, match=r"There is no role Pilots\. The roles are @everyone, Supporters,"):
        playground.give_role("Ben", "Pilots")


async def test_the_bot_hears_what_a_role_allows_now(playground: Playground, bot: TinyBot) -> None:
    playground.set_permissions("Supporters", Permission.VIEW_CHANNEL, Permission.MANAGE_GUILD)
    await playground.answered(playground.command("who_am_i", member="Cleo"))

    role = discord.utils.get(bot.guilds[0].roles, name="Supporters")
    assert role is not None
    assert role.permissions.manage_guild
    assert bot.seen[0]["manages"] == [True, False]


async def test_a_command_is_offered_to_those_who_may_use_it(playground: Playground, bot: TinyBot) -> None:
    await playground.answered(playground.command("guard", member="Ada"))
    with pytest.raises(MemberError, match="There is no command /guard here"):
        playground.command("guard", member="Dora")

    playground.set_permissions("Moderators", Permission.MANAGE_GUILD)

    await playground.answered(playground.command("guard", member="Dora"))


async def test_who_may_use_a_command_is_the_admins_to_say(
    playground: Playground, bot: TinyBot, http: aiohttp.ClientSession
) -> None:
    (guard,) = (each for each in await bot.tree.fetch_commands() if each.name == "guard")
    guild = discord.Object(playground.state.guild.id)
    with pytest.raises(discord.NotFound):
        await guard.fetch_permissions(guild)

    playground.permit("guard", "Moderators")
    await http.post("/_ctl/commands/guard", json={"role": "@everyone", "allowed": False})

    set_here = (await guard.fetch_permissions(guild)).permissions
    moderators = playground.state.role("Moderators").id
    assert [(each.id, each.permission) for each in set_here] == [(moderators, True), (guild.id, False)]
    await playground.answered(playground.command("guard", member="Dora"))
    with pytest.raises(MemberError, match="There is no command /guard here"):
        playground.command("guard", member="Cleo")
    with pytest.raises(MemberError, match="There is no command nowhere"):
        playground.permit("nowhere", "Moderators")


async def test_what_a_role_allows_the_bot_counts_for_it(playground: Playground, bot: TinyBot) -> None:
    playground.set_permissions("@everyone", Permission.VIEW_CHANNEL)
    channel = bot.get_partial_messageable(playground.state.channel("lounge").id)

    with pytest.raises(discord.Forbidden) as refused:
        await channel.send("Hello")

    assert refused.value.code == 50013


def test_the_owner_may_everything_without_a_role(world: World) -> None:
    owner = world.state.member("Ada")
    owner.roles = set()

    assert Permission.ADMINISTRATOR in world.state.guild.permissions(owner)


async def test_roles_and_permissions_are_set_over_http(
    playground: Playground, bot: TinyBot, http: aiohttp.ClientSession
) -> None:
    await http.post("/_ctl/members/Ben", json={"roles": ["Supporters"]})
    await http.post("/_ctl/roles/Supporters", json={"permissions": ["MANAGE_GUILD"]})
    async with http.get("/_ctl/state") as response:
        state = await response.json()

    roles = {role["name"]: role for role in state["roles"]}
    assert next(m["roles"] for m in state["members"] if m["username"] == "ben") == [roles["Supporters"]["id"]]
    assert roles["Supporters"]["permissions"] == str(1 << 5)
    await playground.answered(playground.command("guard", member="Ben"))
