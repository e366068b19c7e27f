"""Places: the bot's server, direct messages with it, private channels, and a server where it is only brought along."""

import discord
import pytest

from playground.errors import Json, MemberError
from playground.model import Message, Permission
from playground.server import Playground
from tests.playground.tiny_bot import TinyBot


def offered(playground: Playground, member: str, channel: str) -> set[str]:
    who = playground.state.member(member)
    found = playground.state.visible_commands(who, playground.state.channel(channel, member=who))
    return {command.name for command in found} & {"where_am_i", "along", "indoors", "who_am_i"}


@pytest.mark.parametrize(
    ("member", "channel", "context", "installs", "is_member"),
    [
        ("Ben", "pictures", "guild", ["guild", "user"], True),
        ("Cleo", "pictures", "guild", ["guild"], True),
        # In a direct message the library takes nothing for a server's installation.
        ("Ben", "dm", "dm", ["user"], False),
        ("Cleo", "dm", "dm", [], False),
        ("Ben", "ben-cleo", "private", ["user"], False),
        ("Ben", "books", "guild", ["user"], True),
    ],
)
async def test_the_bot_hears_where_it_is_used(
    playground: Playground,
    bot: TinyBot,
    member: str,
    channel: str,
    context: str,
    installs: list[str],
    is_member: bool,
) -> None:
    await playground.answered(playground.command("where_am_i", member=member, channel=channel))

    told = {"context": [context], "installs": installs, "member": is_member, "age_restricted": False}
    assert bot.seen == [told]


async def test_owners_and_places_have_the_shape_of_discords(playground: Playground, bot: TinyBot) -> None:
    ben, guild = str(playground.state.member("Ben").id), str(playground.state.guild.id)
    found: dict[str, Json] = {}
    for channel in ("pictures", "dm", "ben-cleo", "books"):
        found[channel] = playground.wire.interaction_create(playground.command("where_am_i", channel=channel))

    assert [one["authorizing_integration_owners"] for one in found.values()] == [
        {"0": guild, "1": ben},
        {"0": "0", "1": ben},
        {"1": ben},
        {"1": ben},
    ]
    assert [one["context"] for one in found.values()] == [0, 1, 2, 0]
    sends = [bool(int(one["app_permissions"]) & Permission.SEND_MESSAGES) for one in found.values()]
    assert sends == [True, True, False, False]
    assert ["guild_id" in one for one in found.values()] == [True, False, False, True]
    assert ["member" in one for one in found.values()] == [True, False, False, True]
    assert [person["username"] for person in found["ben-cleo"]["channel"]["recipients"]] == ["ben", "cleo"]
    assert found["books"]["guild_id"] == str(playground.state.other_guild.id)
    assert found["books"]["member"]["roles"] == []


async def test_commands_are_offered_where_they_are_meant_to_be(playground: Playground, bot: TinyBot) -> None:
    assert offered(playground, "Ben", "pictures") == {"where_am_i", "along", "indoors", "who_am_i"}
    assert offered(playground, "Cleo", "pictures") == {"where_am_i", "indoors", "who_am_i"}
    assert offered(playground, "Ben", "dm") == {"where_am_i", "along", "who_am_i"}
    assert offered(playground, "Ben", "ben-cleo") == offered(playground, "Ben", "books") == {"where_am_i", "along"}
    assert offered(playground, "Cleo", "ben-cleo") == offered(playground, "Cleo", "books") == set()

    playground.install("Cleo")
    playground.install("Ben", installed=False)

    assert offered(playground, "Cleo", "books") == {"where_am_i", "along"}
    assert offered(playground, "Ben", "books") == set()


async def test_a_command_of_one_server_stays_there(playground: Playground, bot: TinyBot) -> None:
    guild = discord.Object(playground.state.guild.id)
    bot.tree.copy_global_to(guild=guild)
    await bot.tree.sync(guild=guild)
    bot.tree.clear_commands(guild=None)
    await bot.tree.sync()

    assert "where_am_i" in offered(playground, "Ben", "pictures")
    assert offered(playground, "Ben", "books") == offered(playground, "Ben", "dm") == set()


async def answer_in(playground: Playground, channel: str) -> Message:
    return await playground.answered(playground.command("where_am_i", channel=channel))


@pytest.mark.parametrize("channel", ["ben-cleo", "books"])
async def test_the_bot_cannot_reach_a_place_where_it_is_not(playground: Playground, bot: TinyBot, channel: str) -> None:
    message = await answer_in(playground, channel)
    room = bot.get_partial_messageable(message.channel_id)

    for attempt in (room.send("Hello"), room.fetch_message(message.id), bot.fetch_channel(message.channel_id)):
        with pytest.raises(discord.Forbidden) as refused:
            await attempt
        assert refused.value.code == 50001
    with pytest.raises(discord.Forbidden):
        await room.get_partial_message(message.id).edit(content="Changed")


@pytest.mark.parametrize("channel", ["ben-cleo", "books"])
async def test_everybody_there_can_press_what_somebody_brought_along(
    playground: Playground, bot: TinyBot, channel: str
) -> None:
    message = await answer_in(playground, channel)
    pressed = playground.press(message, "Here", member="Cleo")
    await playground.until(lambda _: message.text == "Pressed.")

    owners = playground.wire.interaction_create(pressed)["authorizing_integration_owners"]
    assert owners == {"1": str(playground.state.member("Ben").id)}


@pytest.mark.parametrize(("channel", "sent"), [("ben-cleo", 5), ("books", 5), ("pictures", 6), ("dm", 6)])
async def test_where_the_bot_is_not_it_follows_up_five_times(
    playground: Playground, bot: TinyBot, channel: str, sent: int
) -> None:
    interaction = playground.command("where_am_i", channel=channel, options={"followups": 6})

    await playground.until(lambda _: len(interaction.followup_ids) == sent)
    await playground.answered(playground.command("who_am_i"))

    tried = [row for row in playground.capture.rows if row["path"].startswith("/api/v10/webhooks")]
    assert len(interaction.followup_ids) == sent
    refused = [row["response"]["code"] for row in tried if row["status"] == 400]
    assert refused == ([40094] if sent == 5 else [])


async def test_a_private_channel_is_seen_by_its_two_people(playground: Playground, bot: TinyBot) -> None:
    message = await answer_in(playground, "ben-cleo")

    assert playground.seen_by(message) == {"Ben", "Cleo"}
    with pytest.raises(MemberError, match="There is no channel ben-cleo here"):
        playground.say("Hello", member="Ada", channel="ben-cleo")


async def test_buttons_and_messages_work_in_a_direct_message(playground: Playground, bot: TinyBot) -> None:
    message = await answer_in(playground, "dm")
    playground.press(message, "Here")
    await playground.until(lambda _: message.text == "Pressed.")

    channel = await bot.create_dm(discord.Object(playground.state.member("Ben").id))  # type: ignore[arg-type]
    sent = await channel.send("A word between us.")

    assert channel.id == message.channel_id
    assert playground.seen_by(playground.state.messages[sent.id]) == {"Ben"}


async def test_a_server_can_keep_what_is_brought_along_quiet(playground: Playground, bot: TinyBot) -> None:
    playground.state.other_guild.roles[playground.state.other_guild.id].permissions = Permission.VIEW_CHANNEL

    assert playground.seen_by(await answer_in(playground, "books")) == {"Ben"}


def test_the_bots_own_server_is_the_only_one_to_arrange(playground: Playground) -> None:
    for channel in ("books", "ben-cleo"):
        with pytest.raises(MemberError, match="channels of the bot's server only"):
            playground.deny(channel, Permission.SEND_MESSAGES)


# ------------------------------------------------------------------------------------------------------ age-restricted


async def test_an_age_restricted_channel_says_so(playground: Playground, bot: TinyBot) -> None:
    await playground.answered(playground.command("grown_ups", channel="after-dark"))

    assert bot.seen[0]["age_restricted"] is True
    assert {channel.name for channel in bot.guilds[0].text_channels if channel.nsfw} == {"after-dark"}
    with pytest.raises(MemberError, match="There is no command /grown_ups here"):
        playground.command("grown_ups", channel="pictures")
