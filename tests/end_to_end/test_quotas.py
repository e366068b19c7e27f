"""Quotas by role, bonuses, budgets, pauses and weights, as members and admins meet them."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from playground.errors import MemberError
from playground.interactions import CommandCall
from playground.model import Message
from tests.end_to_end.stage import Stage

CATALOG = """
[[weights]]
weight = 2
model = "sdxl"
"""


async def server_quota(scene: Stage, command: str, **options: object) -> Message:
    """What Ada, the admin, reads in answer."""
    interaction = scene.playground.command(f"server quota {command}", member="Ada", options=options)
    message = await scene.playground.answered(interaction)
    assert scene.playground.seen_by(message) == {"Ada"}
    return message


async def quota(scene: Stage, member: str = "Ben", channel: str = "pictures") -> str:
    return (await scene.playground.answered(scene.playground.command("quota", member=member, channel=channel))).text


async def refused(scene: Stage, **options: object) -> str:
    member = str(options.get("member", "Ben"))
    message = await scene.playground.answered(scene.imagine(**options))  # pyright: ignore[reportArgumentType]
    assert scene.playground.seen_by(message) == {member}
    return message.text


def admins(scene: Stage) -> int:
    """A role that Ada has and Ben has not."""
    return scene.playground.state.guild.id + 1


async def test_who_has_a_role_with_a_quota_gets_more(scene: Stage) -> None:
    scene.env["QUOTA_IMAGES"] = "2"
    async with scene.bot():
        told = await server_quota(scene, "set", role=admins(scene), images=30)
        assert re.fullmatch(r"Each member with <@&\d+> may have 30 images in any 24 hours\.", told.text)

        message = await scene.delivered(scene.imagine(member="Ada", count=4))
        assert "4 images used, 26 of 30 left" in message.text
        assert "You have used 4 of 30 images in the last 24 hours; 26 left." in await quota(scene, "Ada")
        assert await refused(scene, count=3) == (
            "You have 2 of your 2 images left. The whole quota is 2. Ask for fewer pictures."
        )

        (choice,) = await scene.playground.choices("server quota remove", "role", "adm", member="Ada")
        assert choice == {"name": "Admin", "value": str(admins(scene))}
        await server_quota(scene, "remove", role=choice["value"])
        assert "You have no images left." in await refused(scene, member="Ada")
        again = await server_quota(scene, "remove", role=choice["value"])
        assert "This role has no quota" in again.text


async def test_everybodys_role_counts_for_everybody(scene: Stage) -> None:
    scene.env["QUOTA_IMAGES"] = "2"
    async with scene.bot():
        await server_quota(scene, "set", role=scene.playground.state.guild.id, images=5, hours=48)

        assert "0 of 5 images in the last 2 days; 5 left." in await quota(scene)
        assert "0 of 2 images in the last 24 hours; 2 left." in await quota(scene, channel="dm")


async def test_of_two_commands_at_the_last_image_one_is_made(scene: Stage) -> None:
    scene.env["QUOTA_IMAGES"] = "1"
    async with scene.bot():
        call = CommandCall(member="Ben", name="imagine", options={"prompt": "a harbour"})

        interactions = scene.playground.burst([call, call])
        answers = [await scene.playground.answered(interaction) for interaction in interactions]

        texts = sorted("You have no images left." in answer.text for answer in answers)
        assert texts == [False, True]
        await scene.message_with("1 image used, 0 of 1 left")
        assert len(scene.renderer.jobs) == 1


async def test_a_bonus_is_spent_after_the_quota_and_comes_back_with_a_refund(
    scene: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.end_to_end.stage.bot.utc_now", lambda: scene.now())
    scene.env["QUOTA_IMAGES"] = "1"
    async with scene.bot():
        granted = await server_quota(scene, "grant", member="Ben", images=3, days=7, reason="won the *contest*")
        assert "has a bonus of 3 images until <t:" in granted.text
        bonus = re.search(r"A bonus of 3 more images until <t:(\d+):f>. won the \\\*contest\\\*", await quota(scene))
        assert bonus is not None
        end = datetime.fromtimestamp(int(bonus[1]), UTC)
        assert abs(end - datetime.now(UTC) - timedelta(days=7)) < timedelta(minutes=2)

        scene.renderer.error = RuntimeError("test")
        failed = await scene.message_with("refunded", interaction=scene.imagine(count=3))
        assert "Your 3 images were refunded." in failed.text
        assert "1 left." in await quota(scene)
        assert "A bonus of 3 more images" in await quota(scene)

        scene.renderer.error = None
        message = await scene.delivered(scene.imagine(count=3))
        assert "3 images used, 0 of 1 left · a bonus of 1" in message.text
        assert "A bonus of 1 more image until" in await quota(scene)
        assert "You have 1 image left, 1 of them a bonus." in await refused(scene, count=2)
        scene.advance(days=7)
        assert "bonus" not in await quota(scene)


async def test_a_server_stays_within_the_operators_budget(scene: Stage) -> None:
    scene.env["SERVER_BUDGET_DAY"] = "3"
    async with scene.bot():
        await server_quota(scene, "set", role=admins(scene), images=1_000_000)
        await scene.delivered(scene.imagine(count=2))

        told = await refused(scene, member="Ada", count=2)
        budget = "All members of this server together may have 3 images in 24 hours"
        assert told.startswith(f"{budget}, and 1 are left. There will be enough <t:")
        assert f"{budget}; 1 of them left." in await quota(scene)
        await scene.delivered(scene.imagine(member="Ada"))
        await scene.delivered(scene.imagine(channel="dm", count=2))

        table = await server_quota(scene, "show")
        assert "Window    Used  Budget\n24 hours     3  3\n30 days      3  no limit\n" in table.text
        more = await server_quota(scene, "budget", day=4)
        assert "allows a server 3 images in 24 hours" in more.text
        less = await server_quota(scene, "budget", day=2, month=9)
        assert "24 hours     3  2\n30 days      3  9\n" in less.text


async def test_admins_read_everything_as_a_table_and_nobody_else_does(scene: Stage) -> None:
    async with scene.bot():
        await server_quota(scene, "set", role=admins(scene), images=100, hours=720)
        await scene.delivered(scene.imagine(count=2))

        table = await server_quota(scene, "show")
        assert "Who        Images  Window\neverybody      20  24 hours\nAdmin         100  30 days\n" in table.text
        assert re.search(r"1\. <@\d+>: 2 images$", table.text)
        with pytest.raises(MemberError):
            scene.playground.command("server quota show", member="Ben")
        with pytest.raises(MemberError):
            scene.playground.command("server quota show", member="Ada", channel="dm")


async def test_every_change_stands_in_the_audit_log(scene: Stage) -> None:
    async with scene.bot():
        await server_quota(scene, "set", role=admins(scene), images=100)
        await server_quota(scene, "grant", member="Ben", images=3, reason="the contest")
        await server_quota(scene, "budget", day=50)
        await server_quota(scene, "remove", role=str(admins(scene)))

        log = (await scene.playground.answered(scene.playground.command("server audit", member="Ada"))).text

    assert re.search(rf"gave <@&{admins(scene)}> a quota\n-# `images`: 100\n-# `hours`: 24", log)
    assert re.search(r"gave <@\d+> bonus images\n-# `images`: 3\n-# `days`: 30\n-# `reason`: the contest", log)
    assert "`images_per_day`: - → 50" in log
    assert f"took the quota of <@&{admins(scene)}> away" in log


async def test_members_wait_between_two_requests_where_admins_want_that(
    scene: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.end_to_end.stage.bot.utc_now", lambda: scene.now())
    async with scene.bot():
        await server_quota(scene, "cooldown", seconds=60)
        await scene.delivered(scene.imagine())

        assert re.match(r"Each member waits 60 seconds .* You can ask again <t:\d+:R>\.$", await refused(scene))
        assert "You can ask again <t:" in await quota(scene)
        scene.advance(seconds=61)
        await scene.delivered(scene.imagine())
        told = await server_quota(scene, "cooldown", seconds=0)
        assert told.text == "Nobody waits between two requests."
        await scene.delivered(scene.imagine())


async def test_a_weight_is_told_before_and_after_and_refunded(scene: Stage) -> None:
    catalog = scene.folder / "catalog.toml"
    catalog.write_text(CATALOG, encoding="utf-8")
    scene.env["CATALOG_FILE"] = str(catalog)
    scene.renderer.open.clear()
    async with scene.bot():
        interaction = scene.imagine(count=2)
        await scene.message_with("Each of these pictures counts as 2 images: 4 in all.", interaction=interaction)
        assert await scene.left() == 16
        scene.renderer.open.set()
        assert "4 images used, 16 of 20 left" in (await scene.delivered(interaction)).text

        await scene.delivered(scene.imagine(model="sd"))
        assert await scene.left() == 15
        scene.renderer.error = RuntimeError("test")
        failed = await scene.message_with("refunded", interaction=scene.imagine(count=3))
        assert "Your 6 images were refunded." in failed.text
        assert await scene.left() == 15
