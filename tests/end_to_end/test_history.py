"""Looking back: pages of one's own pictures, and the way from them to new ones."""

import re

import aiohttp
import pytest

from playground.model import Message
from tests.end_to_end.stage import PHOTO, Stage
from tests.end_to_end.test_buttons import face_of, told

MESSAGE = r"^/api/v10/channels/\d+/messages/\d+$"


async def looked(scene: Stage, *, member: str = "Ben", channel: str = "pictures", **options: object) -> Message:
    """The page that this member alone sees."""
    asked = scene.playground.command("history", member=member, channel=channel, options=options)
    message = await scene.playground.answered(asked, lambda message: message.body.components)
    assert scene.playground.seen_by(message) == {member}
    return message


def thumbnails(message: Message) -> list[str]:
    """The addresses of the page's pictures."""
    (container,) = message.body.components
    return [each["accessory"]["media"]["url"] for each in container["components"] if "accessory" in each]


async def loaded(address: str) -> bytes:
    """What a reader's client gets there."""
    async with aiohttp.ClientSession() as session, session.get(address, raise_for_status=True) as response:
        return await response.read()


def prompts(message: Message) -> list[str]:
    return re.findall(r"^> (.+)$", message.text, re.MULTILINE)


async def test_pages_turn_both_ways_also_after_a_restart(scene: Stage) -> None:
    async with scene.bot():
        for number in range(1, 8):
            await scene.delivered(scene.imagine(f"boat {number}", photo=None))
        await scene.delivered(scene.imagine("not mine", photo=None, member="Cleo"))
        page = await looked(scene)
        first = prompts(page)
    async with scene.bot():
        scene.playground.press(page, "Older")
        await scene.playground.until(lambda _: "boat 1" in page.text)
        second = prompts(page)
        scene.playground.press(page, "Newer")
        await scene.playground.until(lambda _: "boat 7" in page.text)

    assert first == prompts(page) == [f"boat {number}" for number in (7, 6, 5, 4, 3)]
    assert second == ["boat 2", "boat 1"]
    assert len(thumbnails(page)) == 5


async def test_words_are_searched_and_kept_while_turning(scene: Stage) -> None:
    async with scene.bot():
        for number in range(1, 7):
            await scene.delivered(scene.imagine(f"a Red boat {number}", photo=None))
        await scene.delivered(scene.imagine("a blue boat", photo=None))
        page = await looked(scene, search="boat red")
        first = prompts(page)
        scene.playground.press(page, "Older")
        await scene.playground.until(lambda _: "boat 1" in page.text)
        nothing = await looked(scene, search="green")

    assert first == [f"a Red boat {number}" for number in (6, 5, 4, 3, 2)]
    assert prompts(page) == ["a Red boat 1"]
    assert nothing.text == "None of your requests here has this in its prompt: green"


async def test_in_a_direct_message_there_is_everything_and_in_a_server_what_belongs_there(scene: Stage) -> None:
    async with scene.bot():
        await scene.delivered(scene.imagine("in public", photo=None))
        await scene.delivered(scene.imagine("my secret", photo=None, channel="dm"))
        here, alone = await looked(scene), await looked(scene, channel="dm")

    assert prompts(here) == ["in public"]
    assert prompts(alone) == ["my secret", "in public"]


async def test_thumbnails_still_load_after_days(scene: Stage) -> None:
    async with scene.bot():
        message = await scene.delivered(scene.imagine())
    scene.advance(days=3)
    async with scene.bot():
        page = await looked(scene)

    (address,) = thumbnails(page)
    assert f"/{message.channel_id}/{message.id})" in page.text
    assert await loaded(address) == scene.pictures(message)[0]


async def test_what_was_deleted_is_told_and_what_discord_withholds_is_left_out(scene: Stage) -> None:
    async with scene.bot():
        message = await scene.delivered(scene.imagine())
        scene.playground.faults.respond("GET", MESSAGE, status=403, body={"code": 50001, "message": "Missing Access"})
        withheld = await looked(scene)
        scene.playground.delete_message(message)
        gone = await looked(scene)

    assert (thumbnails(withheld), thumbnails(gone)) == ([], [])
    assert "no longer in" not in withheld.text
    assert "Its message is no longer in <#" in gone.text


async def test_a_slow_discord_leaves_thumbnails_out_and_not_the_answer(
    scene: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cogs.history.PREVIEW_TIMEOUT_S", 0.1)
    async with scene.bot():
        await scene.delivered(scene.imagine())
        hanging = scene.playground.faults.hang("GET", MESSAGE)
        page = await looked(scene)
        hanging.release()

    assert hanging.hits == 1
    assert prompts(page) == ["a quiet harbour"]
    assert thumbnails(page) == []


async def test_again_from_the_history_has_the_very_same_face(scene: Stage) -> None:
    async with scene.bot():
        await scene.delivered(scene.imagine())
        again = await scene.delivered(scene.playground.press(await looked(scene), "Again"))

    first, second = scene.renderer.jobs
    assert face_of(first) == face_of(second)
    assert scene.playground.seen_by(again) > {"Ben"}


async def test_edit_from_the_history_keeps_the_face(scene: Stage) -> None:
    async with scene.bot():
        await scene.delivered(scene.imagine())
        pressed = scene.playground.press(await looked(scene), "Edit")
        await scene.playground.opened(pressed)
        await scene.delivered(scene.playground.submit(pressed, {"Prompt": "a stormy harbour"}))

    first, second = scene.renderer.jobs
    assert face_of(first) == face_of(second)
    assert second.parameters.prompt == "a stormy harbour"


async def test_where_the_message_is_gone_the_photo_is_asked_for(scene: Stage) -> None:
    async with scene.bot():
        message = await scene.delivered(scene.imagine())
        page = await looked(scene)
        scene.playground.delete_message(message)
        text = await told(scene, page, "Again")
        pressed = scene.playground.press(page, "Edit")
        await scene.playground.opened(pressed)
        edited = scene.playground.submit(pressed, {}, files={"Attach again": [PHOTO]})
        await scene.delivered(edited)

    assert text == "The photo is no longer in this message. Press *Edit* and attach it again."
    assert len(scene.renderer.jobs) == 2


async def test_a_prompt_is_given_to_whoever_asks(scene: Stage) -> None:
    async with scene.bot():
        message = await scene.delivered(scene.imagine("a *quiet* harbour", photo=None))
        plain = scene.playground.say("hello", channel="pictures")
        answers = [
            await scene.playground.answered(scene.playground.message_command("Use this prompt", each, member="Cleo"))
            for each in (message, plain)
        ]

    assert answers[0].text == "```\na *quiet* harbour\n```"
    assert answers[1].text.startswith("The bot knows no prompt for this message.")
    assert scene.playground.seen_by(answers[0]) == {"Cleo"}


async def test_a_page_of_another_database_leads_to_nobody_elses_request(scene: Stage) -> None:
    async with scene.bot():
        await scene.delivered(scene.imagine(photo=None))
        page = await looked(scene)
    scene.env["DATABASE_URL"] = f"sqlite:///{(scene.folder / 'another.db').as_posix()}"

    async with scene.bot():
        await scene.delivered(scene.imagine(photo=None, member="Cleo"))
        text = await told(scene, page, "Again")

    assert text == "The bot knows nothing of this request any more. Use /imagine to ask anew."
