"""The real client library against the running playground."""

import asyncio
import re

import aiohttp
import discord
import pytest

from playground.errors import Json, MemberError
from playground.interactions import CommandCall
from playground.model import InteractionState, Message, MessageKind
from playground.rate_limits import Bucket, Rate
from playground.server import Playground
from tests.playground.tiny_bot import TinyBot, picture, thumbnail_id

PHOTO = {"face": ("me.png", picture("pink"))}


async def test_a_command_with_a_photo_ends_in_a_gallery_in_the_deferred_message(
    playground: Playground, bot: TinyBot
) -> None:
    interaction = playground.command("picture_of", options={"prompt": "at sea", "count": 3}, attachments=PHOTO)

    message = await playground.answered(interaction, lambda m: m.body.gallery)

    assert [a.filename for a in message.body.gallery] == ["0.png", "1.png", "2.png"]
    assert [(a.width, a.height) for a in message.body.gallery] == [(512, 512)] * 3
    assert playground.content(message.body.thumbnails[0]) == PHOTO["face"][1]
    assert message.kind is MessageKind.COMMAND
    assert message.text.startswith("### at sea\n")


async def test_every_version_of_a_message_is_remembered(playground: Playground, bot: TinyBot) -> None:
    interaction = playground.command("picture_of", options={"prompt": "at sea"}, attachments=PHOTO)
    message = await playground.answered(interaction, lambda m: m.body.gallery)

    texts = [version.body.text for version in message.versions]
    assert texts == ["", "Making it…", message.text]
    assert interaction.acknowledged_after_ms is not None
    assert 0 < interaction.acknowledged_after_ms < 3000


async def test_a_kept_file_keeps_its_id_and_its_address_works(
    playground: Playground, bot: TinyBot, http: aiohttp.ClientSession
) -> None:
    bot.go_on.clear()
    interaction = playground.command("picture_of", options={"prompt": "at sea"}, attachments=PHOTO)
    progress = await playground.answered(interaction)
    face = progress.body.thumbnails[0]
    address = playground.file_url(face)
    bot.go_on.set()

    message = await playground.answered(interaction, lambda m: m.body.gallery)

    assert message.body.thumbnails == [face]
    async with http.get(address) as response:
        assert await response.read() == PHOTO["face"][1]


async def test_files_that_components_name_are_not_listed_as_attachments(playground: Playground, bot: TinyBot) -> None:
    bot.go_on.clear()
    interaction = playground.command("picture_of", options={"prompt": "at sea"}, attachments=PHOTO)
    message = await playground.answered(interaction)
    channel = await bot.fetch_channel(message.channel_id)
    assert isinstance(channel, discord.TextChannel)

    fetched = await channel.fetch_message(message.id)

    assert fetched.attachments == []
    assert thumbnail_id(fetched) == message.body.attachments[0].id
    bot.go_on.set()
    await playground.until(lambda _: message.body.gallery)


async def test_every_kind_of_option_reaches_the_bot(playground: Playground, bot: TinyBot) -> None:
    options = {"text": "a", "whole": 2, "part": 0.5, "sure": True, "who": "Cleo", "where": "lounge"}

    interaction = playground.command(
        "everything", options={**options, "role": "Admin"}, attachments={"file": ("x.txt", b"hi")}
    )
    await playground.answered(interaction)

    assert bot.seen == [{"everything": ["a", 2, 0.5, True, "Cleo", "lounge", "Admin", "x.txt"]}]


async def test_subcommands_are_run_by_their_whole_name(playground: Playground, bot: TinyBot) -> None:
    message = await playground.answered(playground.command("album add", options={"name": "Summer"}))

    assert message.text == "Added to Summer."


async def test_the_bot_suggests_values_while_a_member_types(playground: Playground, bot: TinyBot) -> None:
    assert await playground.choices("studio", "model", "sd") == [{"name": "SDXL base", "value": "sdxl"}]
    assert await playground.choices("studio", "steps", "1") == [
        {"name": "10 steps", "value": 10},
        {"name": "15 steps", "value": 15},
    ]
    assert len(await playground.choices("studio", "model")) == 25
    assert await playground.choices("studio", "model", "no such thing") == []
    assert await playground.choices("album show", "name", "Su", member="Cleo", channel="dm") == [
        {"name": "Summer", "value": "Summer"}
    ]


async def test_the_bot_sees_what_else_is_filled_in_while_a_member_types(playground: Playground, bot: TinyBot) -> None:
    await playground.choices("studio", "model", "sd", options={"prompt": "at sea", "seed": 7, "steps": 1000})

    assert bot.seen == [{"model": "sd", "namespace": {"prompt": "at sea", "model": "sd", "seed": 7}}]


async def test_a_bot_that_does_not_suggest_in_time_is_too_late(
    playground: Playground, bot: TinyBot, http: aiohttp.ClientSession
) -> None:
    bot.go_on.clear()
    asked = asyncio.create_task(playground.choices("studio", "model", "slow"))
    await playground.until(lambda state: state.pending)
    (interaction,) = playground.state.interactions.values()

    playground.advance(3)

    with pytest.raises(TimeoutError, match="nothing for model within 3 s"):
        await asked
    answer: Json = {"type": 8, "data": {"choices": []}}
    async with http.post(f"/api/v10/interactions/{interaction.id}/{interaction.token}/callback", json=answer) as late:
        assert (late.status, (await late.json())["code"]) == (404, 10062)


async def test_only_options_with_autocomplete_can_be_asked_for(playground: Playground, bot: TinyBot) -> None:
    with pytest.raises(MemberError, match="suggests nothing for prompt"):
        await playground.choices("studio", "prompt", "sea")


async def test_six_files_reach_the_bot_by_their_options(playground: Playground, bot: TinyBot) -> None:
    names = ("face", "face2", "face3", "style", "style2", "style3")
    files = {name: (f"{name}.png", name.encode()) for name in names}

    interaction = playground.command("studio", options={"prompt": "at sea", "model": "my own"}, attachments=files)
    await playground.answered(interaction)

    assert bot.seen == [{"studio": ["at sea", "my own", None, None], "files": {name: name.encode() for name in names}}]


async def test_commands_work_in_a_direct_message(playground: Playground, bot: TinyBot) -> None:
    message = await playground.answered(playground.command("album list", member="Cleo", channel="dm"))

    assert message.text == "No albums."
    assert playground.seen_by(message) == {"Cleo"}


async def test_an_ephemeral_answer_is_seen_by_its_member_alone(playground: Playground, bot: TinyBot) -> None:
    message = await playground.answered(playground.command("secret", member="Cleo"))

    assert message.text == "Just between us."
    assert playground.seen_by(message) == {"Cleo"}
    channel = await bot.fetch_channel(message.channel_id)
    assert isinstance(channel, discord.TextChannel)
    with pytest.raises(discord.NotFound) as refused:
        await channel.fetch_message(message.id)
    assert refused.value.code == 10008


async def test_a_button_can_answer_privately(playground: Playground, bot: TinyBot) -> None:
    result = await _result(playground)

    message = await playground.answered(playground.press(result, "Details", member="Cleo"))

    assert message.text == "Seed 7, 25 steps."
    assert playground.seen_by(message) == {"Cleo"}


async def test_the_first_followup_takes_the_place_of_the_deferral(playground: Playground, bot: TinyBot) -> None:
    result = await _result(playground)

    pressed = playground.press(result, "Again")
    message = await playground.answered(pressed)

    assert message.text == "Once more."
    assert message.id == pressed.original_id
    assert pressed.followup_ids == []


async def test_a_command_that_the_bot_ignores_fails_after_three_seconds(playground: Playground, bot: TinyBot) -> None:
    interaction = playground.command("silence")

    playground.advance(3)

    assert interaction.state is InteractionState.FAILED


async def test_the_bot_resumes_after_a_dropped_connection_and_misses_nothing(
    playground: Playground, bot: TinyBot
) -> None:
    playground.drop_gateway()

    interaction = playground.command("secret")

    assert (await playground.answered(interaction)).text == "Just between us."
    assert bot.resumed.is_set()


async def test_the_bot_resumes_when_asked_to_reconnect(playground: Playground, bot: TinyBot) -> None:
    playground.reconnect_gateway()
    async with asyncio.timeout(10):
        await bot.resumed.wait()

    assert (await playground.answered(playground.command("secret"))).text == "Just between us."
    assert len(playground.gateway.sessions) == 1


async def test_the_bot_resumes_a_session_that_is_invalid_for_a_moment(playground: Playground, bot: TinyBot) -> None:
    playground.invalidate_gateway(resumable=True)
    async with asyncio.timeout(10):
        await bot.resumed.wait()

    assert (await playground.answered(playground.command("secret"))).text == "Just between us."


async def test_the_bot_begins_anew_after_an_invalid_session(
    playground: Playground, bot: TinyBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def at_once(shard_id: int | None, *, initial: bool = False) -> None:
        """The library would wait five seconds here."""

    monkeypatch.setattr(bot, "before_identify_hook", at_once)
    (before,) = playground.gateway.sessions

    playground.invalidate_gateway()
    await playground.until(lambda state: state.bot_connected)

    assert before not in playground.gateway.sessions
    assert (await playground.answered(playground.command("secret"))).text == "Just between us."


async def test_a_wrong_token_is_refused_by_rest_and_gateway(playground: Playground, bot: TinyBot) -> None:
    stranger = discord.Client(intents=discord.Intents(guilds=True))
    with pytest.raises(discord.LoginFailure):
        await stranger.login("MTIz.wrong.token")
    await stranger.close()


async def test_after_fifteen_minutes_the_token_is_over_but_the_channel_still_works(
    playground: Playground, bot: TinyBot
) -> None:
    bot.go_on.clear()
    interaction = playground.command("picture_of", options={"prompt": "at sea"}, attachments=PHOTO)
    message = await playground.answered(interaction)
    playground.advance(15 * 60 + 1)
    webhook = discord.Webhook.partial(playground.state.bot.id, interaction.token, client=bot)

    with pytest.raises(discord.HTTPException) as refused:
        await webhook.edit_message(message.id, content="late")

    assert (refused.value.status, refused.value.code) == (401, 50027)
    channel = bot.get_partial_messageable(message.channel_id, guild_id=playground.state.guild.id)
    await channel.get_partial_message(message.id).delete()
    assert message.deleted_at is not None


async def test_a_rate_limited_client_waits_and_comes_through(playground: Playground, bot: TinyBot) -> None:
    playground.set_rates({Bucket.MESSAGE_CREATE: Rate(1, 0.05)})
    channel = bot.get_partial_messageable(playground.state.channel("lounge").id)

    await asyncio.gather(*(channel.send(str(number)) for number in range(3)))

    assert {m.text for m in playground.state.bot_messages()} == {"0", "1", "2"}


async def test_two_hundred_commands_at_once_are_all_answered_in_time(playground: Playground, bot: TinyBot) -> None:
    calls = [CommandCall(member="Ada", name="album add", options={"name": str(n)}) for n in range(200)]

    interactions = playground.burst(calls)
    await playground.until(lambda s: all(s.original(i) for i in interactions), timeout_s=30)

    answers = [m.text for i in interactions if (m := playground.state.original(i))]
    assert answers == [f"Added to {n}." for n in range(200)]
    assert not any(i.failed for i in interactions)


async def test_a_mention_pings_only_as_far_as_the_bot_allows(playground: Playground, bot: TinyBot) -> None:
    ada, ben = playground.state.member("Ada"), playground.state.member("Ben")
    channel = bot.get_partial_messageable(playground.state.channel("lounge").id)

    allowed = discord.AllowedMentions(everyone=False, users=[discord.Object(ben.id)])

    await channel.send(f"<@{ada.id}> <@{ben.id}> @everyone", allowed_mentions=allowed)

    (message,) = playground.state.bot_messages()
    assert message.pinged_users == {ben.id}
    assert not message.pinged_everyone


async def test_a_member_who_takes_no_direct_messages_cannot_be_written_to(playground: Playground, bot: TinyBot) -> None:
    cleo = playground.state.member("Cleo")
    playground.allow_direct_messages("Cleo", allowed=False)
    channel = await bot.create_dm(discord.Object(cleo.id))

    with pytest.raises(discord.Forbidden) as refused:
        await channel.send("hello")

    assert refused.value.code == 50007


async def test_the_ephemeral_upload_of_a_member_is_readable_for_an_hour(
    playground: Playground, bot: TinyBot, http: aiohttp.ClientSession
) -> None:
    options = {"text": "a", "whole": 2, "part": 0.5, "sure": True, "who": "Cleo", "where": "lounge"}
    interaction = playground.command("everything", options=options, attachments={"file": ("x.txt", b"hi")})
    await playground.answered(interaction)
    (identity,) = interaction.data["resolved"]["attachments"]
    address = playground.file_url(playground.state.attachments[int(identity)])

    async with http.get(address) as response:
        assert await response.read() == b"hi"
    assert re.match(rf"{playground.url}/ephemeral-attachments/\d+/\d+/x\.txt\?ex=\w+&is=\w+&hm=\w+", address)
    playground.advance(3600)
    async with http.get(address) as response:
        assert (response.status, await response.text()) == (404, "This content is no longer available.")


async def _result(playground: Playground) -> Message:
    interaction = playground.command("picture_of", options={"prompt": "at sea"}, attachments=PHOTO)
    return await playground.answered(interaction, lambda m: m.body.gallery)


async def test_a_private_file_has_an_address_and_its_message_changes_by_token_only(
    playground: Playground, bot: TinyBot, http: aiohttp.ClientSession
) -> None:
    interaction = playground.command("keepsake")
    message = await playground.answered(interaction)
    (file,) = playground.wire.message(message)["attachments"]
    room = bot.get_partial_messageable(message.channel_id)

    with pytest.raises(discord.NotFound) as refused:
        await room.get_partial_message(message.id).edit(content="Changed")
    webhook = discord.Webhook.partial(playground.state.bot.id, interaction.token, client=bot)
    await webhook.edit_message(message.id, content="Changed")

    async with http.get(file["url"]) as response:
        assert (response.status, len(await response.read())) == (200, file["size"])
    assert (file["ephemeral"], "/ephemeral-attachments/" in file["url"]) == (True, True)
    assert refused.value.code == 10008
    assert (message.text, playground.seen_by(message)) == ("Changed", {"Ben"})
