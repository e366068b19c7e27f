"""``/server``: what those who manage a server set and read, played as they do it."""

import asyncio
import io

from PIL import Image

from playground.model import Message
from services.generations import State
from services.servers import Servers
from tests.end_to_end.stage import Stage
from tests.end_to_end.stage import bot as program


async def server(scene: Stage, command: str, *, member: str = "Ada", **options: object) -> Message:
    """Run a subcommand of /server; the answer, which only its member sees."""
    interaction = scene.playground.command(f"server {command}", member=member, options=options)
    message = await scene.playground.answered(interaction)
    assert scene.playground.seen_by(message) == {member}
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
        scene.playground.give_role("Ben", "Admin")
        page = await server(scene, "audit", member="Ben")
        scene.playground.take_role("Ben", "Admin")
        refused = await scene.playground.answered(scene.playground.press(page, "Older", member="Ben"))

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
