"""``/server``: what those who manage a server set and read, played as they do it."""

import asyncio
import io
from typing import Any

import pytest
from PIL import Image

from playground.errors import MemberError
from playground.model import Message
from services.generations import State
from services.servers import UNTOUCHED, Servers
from tests.end_to_end.stage import Stage
from tests.end_to_end.stage import bot as program


async def server(scene: Stage, command: str, *, by: str = "Ada", **options: object) -> Message:
    """Run a subcommand of /server; the answer, which only its member sees."""
    interaction = scene.playground.command(f"server {command}", member=by, options=options)
    message = await scene.playground.answered(interaction)
    assert scene.playground.seen_by(message) == {by}
    return message


async def changed(scene: Stage, **settings: object) -> None:
    """Change the settings of the playground's server while the bot is away."""
    async with program.Database.open(scene.folder / "facelock.db") as database:
        servers = await Servers.read(database, now=scene.now)
        await servers.change(scene.playground.state.guild.id, by=scene.playground.state.member("Ada").id, **settings)


async def test_what_was_done_is_read_page_by_page_also_after_a_restart(scene: Stage) -> None:
    for steps in range(1, 13):
        await changed(scene, steps_max=steps)
    async with scene.bot():
        newest = await server(scene, "audit")
        assert "`steps_max`: 11 → 12" in newest.text
        assert "`steps_max`: 1 → 2" not in newest.text

    async with scene.bot():
        scene.playground.press(newest, "Older", member="Ada")
        await scene.playground.until(lambda _: "`steps_max`: 1 → 2" in newest.text)
        assert "11 → 12" not in newest.text


async def test_the_audit_is_closed_to_who_has_lost_the_permission(scene: Stage) -> None:
    for steps in range(1, 13):
        await changed(scene, steps_max=steps)
    async with scene.bot():
        scene.playground.give_role("Cleo", "Admin")
        page = await server(scene, "audit", by="Cleo")
        scene.playground.take_role("Cleo", "Admin")
        refused = await scene.playground.answered(
            scene.playground.press(page, "Older", member="Cleo"), lambda each: "permission" in each.text
        )
        with pytest.raises(MemberError):
            await server(scene, "audit", by="Ben")

    assert refused.text == "For this you need the permission to manage this server."


async def test_the_chart_of_a_server_is_for_who_asked_alone_and_says_its_numbers_in_words(scene: Stage) -> None:
    async with scene.bot() as doorway:
        await scene.delivered(scene.imagine(photo=None, count=3))
        assert doorway.runner is not None
        async with asyncio.timeout(15):
            while (made := await doorway.runner.generation(1)) is None or made.state is not State.SETTLED:
                pass
        interaction = scene.playground.command("server stats", member="Ada", options={"days": 7})
        message = await scene.playground.until(
            lambda state: found if (found := state.original(interaction)) and found.body.attachments else None
        )

        assert scene.playground.seen_by(message) == {"Ada"}
        (attachment,) = message.body.attachments
        with Image.open(io.BytesIO(scene.playground.content(attachment)), formats=["PNG"]) as image:
            assert image.size == (1100, 770)

    assert attachment.description
    assert attachment.description.startswith("The last 7 days of this server. 3 pictures were posted. Half of the")


async def panel(scene: Stage, *, member: str = "Ada") -> Message:
    return await server(scene, "settings", by=member)


async def choose(scene: Stage, message: Message, setting: str, values: object, shown: str = "") -> None:
    """Choose in a menu of the panel, and wait until it shows that."""
    before = len(message.versions)
    scene.playground.choose(message, f"fl:setting:{setting}", values, member="Ada")
    await scene.playground.until(lambda _: len(message.versions) > before and shown in message.text)


async def refused(scene: Stage, *, member: str = "Ben", **options: Any) -> str:
    """What the member alone reads of a request that is not taken."""
    answer = await scene.playground.answered(scene.imagine(member=member, **options))
    assert scene.playground.seen_by(answer) == {member}
    return answer.text


# --------------------------------------------------------------------------------------------------------- settings


async def test_what_is_chosen_in_the_panel_holds_for_members_and_is_written_down(scene: Stage) -> None:
    async with scene.bot():
        opened = await panel(scene)
        await choose(scene, opened, "channels", ["lounge"])
        await choose(scene, opened, "model", "sd")
        await choose(scene, opened, "preset", "Pixel art")
        told = await refused(scene)
        message = await scene.delivered(scene.imagine(channel="lounge", photo=None))
        audit = await server(scene, "audit")

    lounge = scene.playground.state.channel("lounge").id
    assert told == f"Pictures are made in these channels of this server: <#{lounge}>."
    (job,) = scene.renderer.jobs
    assert (job.parameters.model_id, job.parameters.width) == ("sd1.5", 512)
    assert "pixel art of a quiet harbour" in job.parameters.prompt
    assert "Pixel art" in message.text
    for line in (f"`channels`: - → <#{lounge}>", "`model`: - → sd", "`preset`: - → Pixel art"):
        assert line in audit.text


async def test_what_a_member_names_comes_before_what_the_server_has_chosen(scene: Stage) -> None:
    await changed(scene, model="sd", preset="Pixel art")
    async with scene.bot():
        await scene.delivered(scene.imagine(photo=None, model="sdxl", preset="Clay figure"))
        await scene.delivered(scene.advanced(model="sdxl", steps=12, negative_prompt="rain"))

    first, second = (job.parameters for job in scene.renderer.jobs)
    assert (first.model_id, first.prompt.startswith("stop-motion clay figure")) == ("sdxl", True)
    assert (second.num_inference_steps, second.negative_prompt) == (12, "rain")


async def test_the_panel_works_after_a_restart_and_its_numbers_too(scene: Stage) -> None:
    async with scene.bot():
        opened = await panel(scene)
    async with scene.bot():
        await choose(scene, opened, "side_px_max", "768")
        form = scene.playground.press(opened, "Change the numbers", member="Ada")
        await scene.playground.opened(form)
    async with scene.bot():
        scene.playground.submit(form, {"steps_max": "10", "member_queue": "1"}, member="Ada")
        await scene.playground.until(lambda _: "**Most steps of a picture:** 10" in opened.text)
        await scene.delivered(scene.imagine(photo=None, shape="wide"))
        scene.renderer.open.clear()
        held = scene.imagine(photo=None)
        await scene.renderer.begun(2)
        told = await refused(scene, photo=None)
        scene.renderer.open.set()
        await scene.delivered(held)

    sizes = [
        (job.parameters.num_inference_steps, job.parameters.width, job.parameters.height) for job in scene.renderer.jobs
    ]
    assert sizes == [(10, 768, 432), (10, 768, 768)]
    assert told == "You already have 1 request under way. Wait for it to finish."


@pytest.mark.parametrize("number", ["0", "101", "ten", "²"])
async def test_numbers_that_are_none_change_nothing(scene: Stage, number: str) -> None:
    async with scene.bot():
        form = scene.playground.press(await panel(scene), "Change the numbers", member="Ada")
        await scene.playground.opened(form)
        sent = scene.playground.submit(form, {"steps_max": number}, member="Ada")
        told = await scene.playground.answered(sent, lambda message: "should be" in message.text)
        audit = await server(scene, "audit")

    assert "a whole number from 1 to 100" in told.text
    assert audit.text == "**Nothing was done in this server so far.**"


async def test_what_was_named_above_a_cap_is_refused_also_by_a_button(scene: Stage) -> None:
    async with scene.bot():
        message = await scene.delivered(scene.advanced(steps=40, size="1000x1000"))
    await changed(scene, steps_max=30, side_px_max=1024)
    async with scene.bot():
        steps = await scene.playground.answered(scene.advanced(steps=31))
        size = await scene.playground.answered(scene.advanced(size="1032x512"))
        again = await scene.playground.answered(scene.playground.press(message, "Again"))
        await changed_to(scene, steps_max=None)
        larger = await scene.playground.answered(scene.playground.press(message, "Larger"))
        left = await scene.left()

    assert steps.text == "In this server a picture takes at most 30 steps, and this would be 31. Ask for fewer."
    assert size.text.startswith("In this server pictures have at most 1024 pixels a side, and this would be 1032x512.")
    assert "at most 30 steps, and this would be 40" in again.text
    assert "at most 1024 pixels a side, and this would be 1536x1536" in larger.text
    assert (len(scene.renderer.jobs), left) == (1, 19)


async def changed_to(scene: Stage, *, steps_max: int | None) -> None:
    """Change the number in the panel, while the bot runs."""
    opened = await panel(scene)
    form = scene.playground.press(opened, "Change the numbers", member="Ada")
    await scene.playground.opened(form)
    before = len(opened.versions)
    scene.playground.submit(form, {"steps_max": str(steps_max or "")}, member="Ada")
    await scene.playground.until(lambda _: len(opened.versions) > before)


async def test_what_was_left_open_is_clamped_again_by_a_later_cap(scene: Stage) -> None:
    async with scene.bot():
        message = await scene.delivered(scene.imagine(photo=None))
    await changed(scene, steps_max=12, side_px_max=512)
    async with scene.bot():
        await scene.delivered(scene.playground.press(message, "Again"))

    assert [(job.parameters.num_inference_steps, job.parameters.width) for job in scene.renderer.jobs] == [
        (30, 1024),
        (12, 512),
    ]


async def test_the_panel_is_closed_to_who_has_lost_the_permission_while_it_was_open(scene: Stage) -> None:
    async with scene.bot():
        scene.playground.give_role("Cleo", "Admin")
        opened = await panel(scene, member="Cleo")
        form = scene.playground.press(opened, "Change the numbers", member="Cleo")
        await scene.playground.opened(form)
        scene.playground.take_role("Cleo", "Admin")
        presses = [
            scene.playground.choose(opened, "fl:setting:channels", ["lounge"], member="Cleo"),
            scene.playground.press(opened, "Change the numbers", member="Cleo"),
            scene.playground.submit(form, {"steps_max": "10"}, member="Cleo"),
        ]
        answers = [await scene.playground.answered(press, lambda each: "permission" in each.text) for press in presses]

    assert {each.text for each in answers} == {"For this you need the permission to manage this server."}
    async with program.Database.open(scene.folder / "facelock.db") as database:
        servers = await Servers.read(database, now=scene.now)
        assert servers.of(scene.playground.state.guild.id) == UNTOUCHED


async def test_channels_and_roles_that_are_gone_are_named_and_can_be_removed(scene: Stage) -> None:
    gone = 1_100_000_000_000_000_999
    await changed(scene, channels=(gone,))
    async with scene.bot():
        told = await refused(scene)
        opened = await panel(scene)
        assert "⚠ 1 of those that were chosen does not exist any more." in opened.text
        scene.playground.press(opened, "Remove what is gone", member="Ada")
        await scene.playground.until(lambda _: "⚠" not in opened.text)
        assert await scene.delivered(scene.imagine())

    assert told.startswith("The channels that this server has chosen for pictures do not exist any more. Ask who")


async def test_a_model_that_is_not_offered_any_more_is_named_and_another_can_be(scene: Stage) -> None:
    await changed(scene, model="storybook", preset="Bronze age")
    async with scene.bot():
        preset = await refused(scene, model="sd")
        model = await refused(scene, preset="Pixel art")
        opened = await panel(scene)
        assert await scene.delivered(scene.imagine(photo=None, model="sd", preset="Pixel art"))

    assert preset.startswith("The style that this server has chosen is not offered any more.")
    assert model.startswith("The model that this server has chosen is not offered any more.")
    options = [option["label"] for menu in opened.body.selects for option in menu.get("options", [])]
    assert "⚠ storybook (not offered any more)" in options


# ----------------------------------------------------------------------------------------------------------- blocks


async def test_who_is_blocked_can_ask_nowhere_in_the_server_until_that_is_ended(scene: Stage) -> None:
    ben = scene.playground.state.member("Ben").id
    async with scene.bot():
        message = await scene.delivered(scene.imagine(photo=None))
        told = await server(scene, "block", member="Ben", reason="made_fun of others")
        command = await refused(scene)
        button = await scene.playground.answered(scene.playground.press(message, "Again"))
        assert await scene.delivered(scene.imagine(photo=None, channel="dm"))
    async with scene.bot():
        assert await refused(scene) == command
        listed = await server(scene, "blocked")
        ended = await server(scene, "unblock", member="Ben")
        again = await server(scene, "unblock", member="Ben")
        assert await scene.delivered(scene.imagine(photo=None))
        audit = await server(scene, "audit")

    assert told.text == f"<@{ben}> cannot ask for pictures in this server any more."
    assert command == button.text
    assert command == "You are blocked from making pictures in this server. Its moderators can tell you why."
    assert f"<@{ben}>, by <@{scene.playground.state.member('Ada').id}>" in listed.text
    assert r"made\_fun of others" in listed.text
    assert ended.text == f"<@{ben}> can ask for pictures in this server again."
    assert again.text == f"<@{ben}> is not blocked in this server."
    assert f"ended the block of <@{ben}>" in audit.text
    assert f"blocked <@{ben}>\n-# made\\_fun of others" in audit.text


async def test_the_operator_blocks_everywhere(scene: Stage) -> None:
    scene.env["BLOCKED_MEMBERS"] = f"{scene.playground.state.member('Ben').id}, 7"
    async with scene.bot():
        told = [await refused(scene), await refused(scene, channel="dm")]
        assert await scene.delivered(scene.imagine(member="Cleo"))

    assert set(told) == {"The operator of this bot has blocked you. If that is a mistake, write to them."}


async def test_neither_the_owner_nor_a_bot_can_be_blocked(scene: Stage) -> None:
    async with scene.bot():
        owner = await server(scene, "block", member="Ada")
        robot = await server(scene, "block", member="Facelock")

    assert owner.text == "The owner of a server cannot be blocked in it."
    assert robot.text == "A bot asks for no pictures, and cannot be blocked."
