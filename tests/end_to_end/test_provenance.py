"""Where pictures come from: what their files say, and what the bot says of its messages."""

import asyncio
import os
import re
from collections.abc import Callable

import pytest
from PIL import Image

from engine.renderers import RenderJob
from playground.model import Message
from tests.end_to_end.stage import GatedRenderer, Stage
from tests.end_to_end.test_discord_faults import ORIGINAL, being_made, galleries
from tests.photographs import encoded
from tests.services.test_provenance import iptc, signed_png

NAME = "Who made this?"


def always(picture: bytes) -> Callable[[RenderJob, int], bytes]:
    """A renderer's work that is the same for every job."""

    def of(_job: RenderJob, _number: int) -> bytes:
        return picture

    return of


async def ask(scene: Stage, message: Message, *, member: str = "Cleo") -> Message:
    """The answer that this member alone reads."""
    answer = await scene.playground.answered(scene.playground.message_command(NAME, message, member=member))
    assert scene.playground.seen_by(answer) == {member}
    assert (answer.pinged_users, answer.pinged_everyone) == (frozenset(), False)
    return answer


async def known(scene: Stage, message: Message, *, member: str = "Cleo") -> str:
    """The answer once the bot has heard from Discord which message it is."""
    async with asyncio.timeout(40):
        while "Made with AI" not in (answer := await ask(scene, message, member=member)).text:
            pass
    return answer.text


async def test_a_delivered_file_says_how_it_was_made_and_not_for_whom(scene: Stage) -> None:
    async with scene.bot():
        interaction = scene.imagine("a quiet harbour", count=2, model="sd")
        message = await scene.delivered(interaction)

    (job,) = scene.renderer.jobs
    assert scene.seen(message) == scene.made((job, 0), (job, 1))
    for picture in scene.pictures(message):
        said = iptc(picture)
        assert said["DigitalSourceType"].endswith("/trainedAlgorithmicMedia")
        assert said["AISystemUsed"] == "Stable Diffusion 1.5"
        line = f"Steps: 30, CFG scale: 7.5, Seed: {job.parameters.seed}, Size: 512x512, Model: Stable Diffusion 1.5"
        assert said["AIPromptInformation"].startswith(f"a quiet harbour\n{line}, Date: 20")
        for private in (interaction.member_id, interaction.id, message.id, message.channel_id):
            assert str(private).encode() not in picture
        assert b"127.0.0.1" not in picture


async def test_a_prompt_from_a_direct_message_is_not_written_into_the_file(
    scene: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scene.renderer, "picture", always(encoded(Image.new("RGB", (64, 64)), "PNG")))
    async with scene.bot():
        message = await scene.delivered(scene.imagine("my secret", channel="dm"))

    (picture,) = scene.pictures(message)
    assert b"my secret" not in picture
    assert iptc(picture)["AIPromptInformation"].startswith("Steps: 30")


async def test_a_signed_file_is_posted_byte_for_byte(scene: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    def signed(job: RenderJob, number: int) -> bytes:
        return signed_png(GatedRenderer.picture(job, number))

    monkeypatch.setattr(scene.renderer, "picture", signed)
    async with scene.bot():
        message = await scene.delivered(scene.imagine(count=2))

    (job,) = scene.renderer.jobs
    assert scene.pictures(message) == [signed(job, 0), signed(job, 1)]
    assert "Saved as JPEG" not in message.text


async def test_a_signed_file_that_is_too_large_is_re_encoded_and_the_message_says_what_that_costs(
    scene: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    noise = Image.frombytes("RGB", (1900, 1900), os.urandom(1900 * 1900 * 3))
    signed = signed_png(encoded(noise, "PNG", compress_level=0))
    monkeypatch.setattr(scene.renderer, "picture", always(signed))
    async with scene.bot():
        message = await scene.delivered(scene.imagine())

    (picture,) = scene.pictures(message)
    assert "Saved as JPEG, because" in message.text
    assert "(C2PA) are lost by that." in message.text
    assert picture.startswith(b"\xff\xd8")
    assert "a quiet harbour" in iptc(picture)["AIPromptInformation"]


async def test_anybody_can_ask_who_made_a_result(scene: Stage) -> None:
    async with scene.bot():
        interaction = scene.imagine("a *quiet* <@1100000000000000111>")
        message = await scene.delivered(interaction)
        answer = await known(scene, message)

    (job,) = scene.renderer.jobs
    said, asked, prompt, parameters = answer.splitlines()
    assert said == "**Made with AI by this bot.**"
    assert re.fullmatch(rf"<@{interaction.member_id}> asked for it <t:\d+:f>\.", asked)
    assert prompt == r"> a \*quiet\* \<@1100000000000000111\>"
    assert parameters == (
        f"-# Stable Diffusion XL · 1024x1024 · seed {job.parameters.seed} · 30 steps · guidance 5 · with 1 face"
    )


async def test_it_is_known_too_where_the_service_chooses_the_model(scene: Stage) -> None:
    scene.env["IMAGEPIPELINE_API"] = "identity"
    async with scene.bot():
        message = await scene.delivered(scene.imagine(photo=None))
        answer = await known(scene, message)

    assert "-# the image service's own model · 1024x1024 · seed " in answer
    assert answer.endswith(" · 8 steps · guidance 0 · without a face")


async def test_a_result_that_was_posted_anew_is_known(scene: Stage) -> None:
    async with scene.bot():
        interaction = await being_made(scene)
        too_old = {"code": 30046, "message": "Maximum number of edits to messages older than 1 hour reached"}
        scene.playground.faults.respond("PATCH", ORIGINAL, status=400, body=too_old)
        scene.renderer.open.set()
        (message,) = await scene.playground.until(galleries)
        assert message.id != interaction.original_id
        assert f"<@{interaction.member_id}> asked" in await known(scene, message)


async def test_a_result_that_was_sent_directly_is_known(scene: Stage) -> None:
    async with scene.bot():
        interaction = await being_made(scene)
        scene.playground.delete_message(scene.playground.state.messages[interaction.original_id or 0])
        scene.renderer.open.set()
        (message,) = await scene.playground.until(galleries)
        assert f"<@{interaction.member_id}> asked" in await known(scene, message, member="Ben")


async def test_it_is_known_after_a_restart(scene: Stage) -> None:
    async with scene.bot():
        message = await scene.delivered(scene.imagine(photo=None))
        before = await known(scene, message)
    async with scene.bot():
        assert await known(scene, message) == before


async def test_what_is_not_a_result_is_told_apart(scene: Stage) -> None:
    async with scene.bot():
        plain = await ask(scene, scene.playground.say("hello", member="Ada", channel="pictures"))
        quota = await ask(scene, await scene.playground.answered(scene.playground.command("quota")), member="Ben")
        interaction = await being_made(scene)
        progress = await ask(scene, scene.playground.state.messages[interaction.original_id or 0])
        scene.renderer.error = RuntimeError("out of memory")
        scene.renderer.open.set()
        failed = await ask(scene, await scene.message_with("No pictures this time", interaction=interaction))

    assert plain.text == quota.text
    assert plain.text.startswith("The bot knows no pictures in this message.")
    assert progress.text == "The pictures of this request are not made yet. Ask again when they are here."
    assert failed.text == "No pictures came of this request."
