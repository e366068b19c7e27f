"""Webhooks between the real engine and the real bot: genuine, forged, repeated, late and missing ones."""

import asyncio
import dataclasses
import socket
from collections.abc import AsyncIterator
from http import HTTPStatus

import aiohttp
import pytest

from services.submitter import Backoff
from tests.end_to_end.stage import FAST, Stage

SUBMIT = ("POST", "/sdxl/text2image/v1")
STATUS = ("GET", "/status/")
# Nobody is asked about anything within a test but on a hint.
PATIENT = dataclasses.replace(
    FAST, pace=dataclasses.replace(FAST.pace, first_s=600.0, longest_s=600.0, unheard_s=600.0)
)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(autouse=True)
def public(scene: Stage) -> str:
    """The bot's own server and the address that the engine knows it by."""
    port = free_port()
    scene.env |= {"HTTP_PORT": str(port), "PUBLIC_URL": f"http://127.0.0.1:{port}"}
    return scene.env["PUBLIC_URL"]


@pytest.fixture
async def outside() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


def questions(scene: Stage) -> int:
    return sum(method == "GET" and "/status/" in path for method, path in scene.trouble.asked)


@pytest.mark.parametrize("api", ["adapters", "identity"])
async def test_a_webhook_brings_the_pictures_with_a_single_question(scene: Stage, api: str) -> None:
    scene.env["IMAGEPIPELINE_API"] = api
    async with scene.bot(PATIENT):
        message = await scene.delivered(scene.imagine())

    assert len(message.body.gallery) == 1
    assert questions(scene) == 1


async def test_each_job_has_an_address_of_its_own(scene: Stage, public: str) -> None:
    scene.env["IMAGEPIPELINE_API"] = "identity"
    async with scene.bot(PATIENT):
        message = await scene.delivered(scene.imagine(count=4))

    addresses = [order["callback_url"] for order in scene.trouble.orders]
    assert len(set(addresses)) == 4
    assert all(address.startswith(f"{public}/hooks/") for address in addresses)
    assert len(message.body.gallery) == 4
    assert questions(scene) == 4


async def test_a_failure_comes_by_webhook_too(scene: Stage) -> None:
    scene.renderer.error = RuntimeError("out of memory")
    async with scene.bot(PATIENT):
        await scene.message_with("refunded", interaction=scene.imagine())


async def test_repeated_and_late_webhooks_are_met_with_a_shrug(scene: Stage, outside: aiohttp.ClientSession) -> None:
    async with scene.bot(PATIENT):
        await scene.delivered(scene.imagine())
        asked = questions(scene)
        for body in (b'{"status": "failed", "error": "forged"}', b"", b"\x00" * 10_000):
            async with outside.post(scene.trouble.orders[0]["webhook"], data=body) as response:
                assert response.status == HTTPStatus.NO_CONTENT
        left = await scene.left()

    assert left == 19
    assert questions(scene) == asked


async def test_a_webhook_that_lies_is_only_a_reason_to_ask(scene: Stage, outside: aiohttp.ClientSession) -> None:
    scene.renderer.open.clear()
    async with scene.bot(PATIENT):
        interaction = scene.imagine()
        await scene.renderer.begun(1)
        await scene.message_with("**Making", interaction=interaction)
        lie = {
            "status": "completed",
            "result_url": "https://evil.example/x.png",
            "download_urls": ["https://evil.example/x"],
        }
        async with outside.post(scene.trouble.orders[0]["webhook"], json=lie) as response:
            assert response.status == HTTPStatus.NO_CONTENT
        await scene.trouble.until_asked(*STATUS)
        scene.renderer.open.set()
        message = await scene.delivered(interaction)

    (job,) = scene.renderer.jobs
    assert scene.seen(message) == scene.made((job, 0))


async def test_a_forged_address_moves_nothing(scene: Stage, outside: aiohttp.ClientSession) -> None:
    scene.renderer.open.clear()
    async with scene.bot(PATIENT):
        interaction = scene.imagine()
        await scene.renderer.begun(1)
        await scene.message_with("**Making", interaction=interaction)
        genuine = scene.trouble.orders[0]["webhook"]
        for forged in (genuine[:-2], f"{genuine}x", genuine.replace("/hooks/", "/hooks/0"), f"{genuine}/.."):
            async with outside.post(forged, data=b"{}") as response:
                assert response.status == HTTPStatus.NOT_FOUND
        assert questions(scene) == 0
        scene.renderer.open.set()
        await scene.delivered(interaction)


async def test_without_a_webhook_the_job_is_found_all_the_same(scene: Stage) -> None:
    scene.env["PUBLIC_URL"] = f"http://127.0.0.1:{free_port()}"  # nobody listens there
    async with scene.bot():
        message = await scene.delivered(scene.imagine(count=2))

    assert len(message.body.gallery) == 2


async def test_a_late_webhook_names_the_job_that_was_being_submitted_at_a_kill(scene: Stage) -> None:
    scene.renderer.open.clear()
    scene.trouble.hold(*SUBMIT, afterwards=True)
    async with scene.process() as process:
        interaction = scene.imagine()
        await scene.renderer.begun(1)
        process.kill()
        await process.wait()
    waits_long = dataclasses.replace(PATIENT, backoff=Backoff(late_name_s=600.0))
    async with scene.bot(waits_long):
        scene.trouble.end()
        scene.renderer.open.set()
        message = await scene.delivered(interaction)

    assert len(message.body.gallery) == 1
    assert scene.trouble.asked.count(SUBMIT) == 1


async def test_without_a_late_webhook_it_is_submitted_again(scene: Stage) -> None:
    scene.trouble.hold(*SUBMIT)
    async with scene.process() as process:
        interaction = scene.imagine()
        await scene.trouble.until_asked(*SUBMIT)
        process.kill()
        await process.wait()
    async with scene.bot():
        message = await scene.delivered(interaction)
        scene.trouble.end()

    assert len(message.body.gallery) == 1
    assert scene.trouble.asked.count(SUBMIT) == 2


async def test_addresses_stay_good_across_a_restart(scene: Stage) -> None:
    scene.renderer.open.clear()
    async with scene.bot(PATIENT):
        interaction = scene.imagine()
        await scene.renderer.begun(1)
        await scene.message_with("**Making", interaction=interaction)
    async with scene.bot(PATIENT):
        scene.renderer.open.set()
        await scene.delivered(interaction)


@pytest.mark.parametrize("api", ["adapters", "identity"])
async def test_the_bot_itself_can_give_out_the_photos_while_they_are_needed(
    scene: Stage, public: str, outside: aiohttp.ClientSession, api: str
) -> None:
    scene.env |= {"FACE_HOSTING": "public", "IMAGEPIPELINE_API": api}
    scene.renderer.open.clear()
    async with scene.bot(PATIENT):
        interaction = scene.imagine()
        await scene.renderer.begun(1)
        (order,) = scene.trouble.orders
        address = order["ip_adapter_image" if api == "adapters" else "input_image"]
        async with outside.get(address) as response:
            assert (response.status, response.content_type) == (HTTPStatus.OK, "image/jpeg")
        scene.renderer.open.set()
        await scene.delivered(interaction)
        async with asyncio.timeout(40):
            while True:
                async with outside.get(address) as response:
                    if response.status == HTTPStatus.NOT_FOUND:
                        break

    assert address.startswith(f"{public}/photos/")
    assert not any((scene.folder / "photos").iterdir())
    (reference,) = scene.renderer.jobs[0].references
    assert reference.image.size == (512, 512)


async def test_neither_addresses_nor_signatures_are_logged(scene: Stage, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    async with scene.bot(PATIENT):
        await scene.delivered(scene.imagine())

    signature = scene.trouble.orders[0]["webhook"].rpartition("/")[2]
    assert signature not in caplog.text
