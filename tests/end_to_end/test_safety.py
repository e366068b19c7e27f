"""What is refused, by every way to a request, and what a checker of the operator's does not let pass."""

import sqlite3
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from playground.model import Interaction, Message
from tests.end_to_end.stage import PHOTO, Stage
from tests.servers import recording_server

AGE_RESTRICTED = "after-dark"


async def refused(scene: Stage, interaction: Any) -> str:
    """What Ben alone reads."""
    answer = await scene.playground.answered(interaction)
    assert scene.playground.seen_by(answer) == {"Ben"}
    return answer.text


def rows(scene: Stage, table: str) -> int:
    with sqlite3.connect(scene.folder / "facelock.db") as connection:
        ((number,),) = connection.execute(f"SELECT count(*) FROM {table}")  # noqa: S608 - a name from below
    connection.close()
    return number


async def test_a_refused_prompt_with_a_face_costs_nothing_and_fetches_nothing(
    scene: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    async with scene.bot():
        text = await refused(scene, scene.imagine("n4k3d on a beach"))
        left = await scene.left()

    assert "no nude or sexual pictures from photos" in text
    assert "naked" not in text
    assert "n4k3d" not in caplog.text
    assert left == 20
    assert (rows(scene, "generations"), rows(scene, "ledger"), rows(scene, "refusals")) == (0, 0, 1)
    assert scene.trouble.asked == []


async def test_clothes_in_the_negative_prompt_are_refused_and_nudity_there_is_not(scene: Stage) -> None:
    async with scene.bot():
        said = scene.advanced(photos={"face": PHOTO}, negative_prompt="clothes, bra")
        assert "negative prompt" in await refused(scene, said)
        await scene.delivered(scene.advanced(photos={"face": PHOTO}, negative_prompt="nude, nsfw, blood"))

    assert len(scene.renderer.jobs) == 1


async def test_a_result_cannot_be_edited_into_what_is_refused(scene: Stage) -> None:
    async with scene.bot():
        message = await scene.delivered(scene.imagine())
        press = scene.playground.press(message, "Edit")
        await scene.playground.opened(press)
        text = await refused(scene, scene.playground.submit(press, {"Prompt": "as a little child"}))

    assert "nobody younger" in text
    assert len(scene.renderer.jobs) == 1


async def edited(scene: Stage, message: Message) -> Interaction:
    press = scene.playground.press(message, "Edit")
    await scene.playground.opened(press)
    return scene.playground.submit(press, {})


async def again(scene: Stage, message: Message) -> Interaction:
    return scene.playground.press(message, "Again")


async def larger(scene: Stage, message: Message) -> Interaction:
    return scene.playground.press(message, "Larger")


async def varied(scene: Stage, message: Message) -> Interaction:
    return scene.playground.press(message, "Vary")


async def out_of_the_history(scene: Stage, _: Message) -> Interaction:
    return scene.playground.press(await scene.playground.answered(scene.playground.command("history")), "Again")


async def with_another_photo(scene: Stage, message: Message) -> Interaction:
    press = scene.playground.press(message, "Edit")
    await scene.playground.opened(press)
    return scene.playground.submit(press, {}, files={"Face": [PHOTO]})


@pytest.mark.parametrize("way", [edited, again, larger, varied, out_of_the_history, with_another_photo])
async def test_what_was_allowed_before_is_refused_by_every_way_once_the_operator_is_stricter(
    scene: Stage, way: Callable[[Stage, Message], Awaitable[Interaction]]
) -> None:
    scene.env["ADULT_CONTENT"] = "on"
    async with scene.bot():
        message = await scene.delivered(scene.imagine("a nude woman", photo=None, channel=AGE_RESTRICTED))
    scene.env["ADULT_CONTENT"] = "off"

    async with scene.bot():
        assert "nude" in await refused(scene, await way(scene, message))

    assert len(scene.renderer.jobs) == 1


async def test_a_spoiler_stays_one_by_every_way(scene: Stage) -> None:
    scene.env["ADULT_CONTENT"] = "on"
    async with scene.bot() as doorway:
        assert doorway.bot is not None
        lounge = next(each.id for each in scene.playground.state.channels.values() if each.name == "lounge")
        await doorway.bot.servers.change(scene.playground.state.guild.id, by=1, report_channel=lounge)
        private = await scene.delivered(scene.imagine("a nude woman", photo=None, channel=AGE_RESTRICTED, private=True))
        page = await scene.playground.answered(scene.playground.command("history", channel=AGE_RESTRICTED))
        again = await scene.delivered(scene.playground.press(private, "Again"))
        pressed = scene.playground.press(private, "Post to channel")
        posted = await scene.playground.until(lambda state: next(iter(state.followups(pressed)), None))
        later = await scene.playground.answered(scene.playground.command("history", channel="lounge"))
        form = scene.playground.press(posted, "Report", member="Cleo")
        await scene.playground.opened(form)
        scene.playground.submit(form, {}, member="Cleo")
        reported = await scene.message_with("**Reported:**")

    shown = [private, again, posted, reported]
    assert [[item["spoiler"] for item in galleries(each.body.components)] for each in shown] == [[True]] * 4
    for each in (page, later):
        assert [item["media"] for item in thumbnails(each.body.components) if not item.get("spoiler")] == []


async def test_without_a_photo_adult_content_is_a_spoiler_in_an_age_restricted_channel_alone(scene: Stage) -> None:
    scene.env["ADULT_CONTENT"] = "on"
    async with scene.bot():
        elsewhere = await refused(scene, scene.imagine("a nude woman", photo=None))
        message = await scene.delivered(scene.imagine("a nude woman", photo=None, channel=AGE_RESTRICTED))
        with_face = await refused(scene, scene.imagine("a nude woman", channel=AGE_RESTRICTED))

    assert "age-restricted channels" in elsewhere
    assert "from photos" in with_face
    assert [item["spoiler"] for item in galleries(message.body.components)] == [True]


async def test_what_the_checker_does_not_let_pass_is_neither_posted_nor_paid_for(scene: Stage) -> None:
    async with recording_server() as checker:
        checker.answer({"ok": False, "reason": "nudity"})
        checker.answer({"ok": True})
        scene.env |= {"IMAGE_CHECK_URL": checker.url, "IMAGE_CHECK_KEY": "k-1"}
        async with scene.bot():
            message = await scene.delivered(scene.imagine(count=2))
            left = await scene.left()

    (job,) = scene.renderer.jobs
    assert scene.seen(message) == scene.made((job, 1))
    assert "1 picture did not come. It did not pass the check of this bot's operator." in message.text
    assert left == 19
    assert [asked.headers["Authorization"] for asked in checker.asked] == ["Bearer k-1"] * 2


async def test_a_checker_that_is_out_of_order_lets_nothing_through(scene: Stage) -> None:
    async with recording_server() as checker:
        checker.answer("oops", status=500)
        scene.env["IMAGE_CHECK_URL"] = checker.url
        async with scene.bot():
            interaction = scene.imagine()
            await scene.message_with("did not pass the check", interaction=interaction)
            await scene.until_left(20)

    assert not list((scene.folder / "pictures").rglob("*.*"))


def thumbnails(components: tuple[dict[str, Any], ...]) -> list[dict[str, Any]]:
    """All thumbnails of a message."""
    found: list[dict[str, Any]] = []
    for component in components:
        accessory = component.get("accessory", {})
        found += [accessory] if "media" in accessory else []
        found += thumbnails(tuple(component.get("components", ())))
    return found


def galleries(components: tuple[dict[str, Any], ...]) -> list[dict[str, Any]]:
    """The items of all galleries of a message."""
    found: list[dict[str, Any]] = []
    for component in components:
        found += component.get("items", ())
        found += galleries(tuple(component.get("components", ())))
    return found
