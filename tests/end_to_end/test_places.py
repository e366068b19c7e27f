"""Where the bot can be asked: in servers that have it, in direct messages, and where a member brings it along."""

from typing import Any

import pytest

import bot
from playground.errors import MemberError
from playground.model import Message
from tests.end_to_end.stage import PHOTO, Stage
from tests.end_to_end.test_buttons import told
from tests.end_to_end.test_discord_faults import being_made
from tests.end_to_end.test_history import looked, thumbnails
from tests.end_to_end.test_private import direct, posted

# In the playground Ben has installed the bot for himself, and it is in neither of these.
ELSEWHERE = ("books", "ben-cleo")
ON = {"USER_INSTALLS": "on"}


async def made(scene: Stage, **options: Any) -> Message:
    return await scene.delivered(scene.imagine(**options))


@pytest.mark.parametrize("channel", ELSEWHERE)
async def test_who_has_installed_it_brings_it_along_and_pays_alone(scene: Stage, channel: str) -> None:
    scene.env |= ON
    async with scene.bot():
        message = await made(scene, channel=channel, count=3)
        again = await scene.delivered(scene.playground.press(message, "Again"))
        details = await told(scene, again, "Details")
        asked = [scene.playground.command("quota", channel=where) for where in (channel, "dm", "pictures")]
        quotas = [(await scene.playground.answered(each)).text for each in asked]

    assert len(again.body.gallery) == 3
    assert scene.playground.seen_by(again) >= {"Ben", "Cleo"}
    assert "**Prompt** a quiet harbour" in details
    assert ["; 14 left" in text for text in quotas] == [True, True, False]


async def test_it_is_not_offered_where_the_operator_does_not_want_that(scene: Stage) -> None:
    scene.env["DIRECT_MESSAGES"] = "off"
    async with scene.bot():
        for channel in (*ELSEWHERE, "dm"):
            with pytest.raises(MemberError, match="There is no command /imagine here"):
                scene.imagine(channel=channel)


@pytest.mark.parametrize(("channel", "setting"), [("books", "USER_INSTALLS"), ("dm", "DIRECT_MESSAGES")])
async def test_buttons_from_before_do_nothing_where_he_wants_it_no_more(
    scene: Stage, channel: str, setting: str
) -> None:
    scene.env |= ON
    async with scene.bot():
        message = await made(scene, channel=channel)
    scene.env[setting] = "off"
    async with scene.bot():
        text = await told(scene, message, "Again")

    assert text == "This bot makes pictures only in the servers that have added it. Ask there."
    assert len(scene.renderer.jobs) == 1


async def test_no_servers_settings_count_where_the_bot_is_not(scene: Stage) -> None:
    scene.env |= ON
    async with scene.bot() as doorway:
        await set_everywhere(scene, doorway, is_private_first=True, channels=(1,))
        message = await made(scene, channel="books")

    assert not message.is_ephemeral


async def test_a_servers_settings_count_also_for_who_has_installed_it(scene: Stage) -> None:
    scene.env |= ON
    async with scene.bot() as doorway:
        await set_everywhere(scene, doorway, is_private_first=True)
        message = await made(scene)
        left = await scene.left()
        alone = await scene.playground.answered(scene.playground.command("quota", channel="dm"))

    assert message.is_ephemeral
    assert left == 19
    assert "; 20 left" in alone.text


async def set_everywhere(scene: Stage, doorway: bot.Doorway, **changes: Any) -> None:
    assert doorway.bot is not None
    for guild in (scene.playground.state.guild, scene.playground.state.other_guild):
        await doorway.bot.servers.change(guild.id, by=1, **changes)


@pytest.mark.parametrize("channel", ELSEWHERE)
async def test_what_comes_late_comes_by_direct_message(scene: Stage, channel: str) -> None:
    scene.env |= ON | {"JOB_TIMEOUT_MINUTES": "60"}
    async with scene.bot():
        await being_made(scene, channel=channel)
        scene.advance(minutes=16)
        scene.renderer.open.set()
        message = await scene.playground.until(direct)
        page = await looked(scene, channel="dm")

    assert len(message.body.gallery) == 1
    assert len(thumbnails(page)) == 1
    assert f"/@me/{message.channel_id}/{message.id})" in page.text


async def test_a_private_result_can_be_posted_there_too(scene: Stage) -> None:
    scene.env |= ON
    async with scene.bot():
        message = await made(scene, channel="books", private=True)
        before = scene.playground.seen_by(message)
        shown = await posted(scene, message)
        scene.playground.press(shown, "Delete")
        await scene.playground.until(lambda _: shown.deleted_at is not None)

    assert before == {"Ben"}
    assert shown.body.gallery


async def test_the_history_lists_what_the_bot_cannot_see_again(scene: Stage) -> None:
    scene.env |= ON
    async with scene.bot():
        await made(scene, channel="books")
        page = await looked(scene, channel="books")
        refused = await told(scene, page, "Again")
        pressed = scene.playground.press(page, "Edit")
        await scene.playground.opened(pressed)
        await scene.delivered(scene.playground.submit(pressed, {}, files={"Attach again": [PHOTO]}))

    assert thumbnails(page) == []
    assert refused == "The photo is no longer in this message. Press *Edit* and attach it again."


async def test_a_photo_that_is_refused_is_explained_to_the_asker_alone(scene: Stage) -> None:
    scene.env |= ON
    async with scene.bot():
        interaction = scene.imagine(channel="books", photo=("me.jpg", b"no photo at all"))
        told_alone = await scene.message_with("This file is not a photo", interaction=interaction)

    assert scene.playground.seen_by(told_alone) == {"Ben"}
