"""What an operator sees of a bot at work: its metrics and its log."""

import asyncio
import json
import signal
from dataclasses import replace

import aiohttp
from prometheus_client.parser import text_string_to_metric_families

from engine.errors import FailureReason, JobError
from services.tracker import Pace
from tests.end_to_end.stage import FAST, Stage
from tests.end_to_end.test_bot import free_port
from tests.servers import recording_server


async def scrape(port: int) -> dict[str, float]:
    """Samples by name and label values."""
    async with aiohttp.ClientSession() as session, session.get(f"http://127.0.0.1:{port}/metrics") as response:
        assert response.status == 200
        page = await response.text()
    return {
        " ".join([sample.name, *sample.labels.values()]): sample.value
        for family in text_string_to_metric_families(page)
        for sample in family.samples
    }


async def test_what_members_do_and_what_becomes_of_it_is_counted(scene: Stage) -> None:
    port = free_port()
    scene.env |= {"METRICS": "on", "HTTP_PORT": str(port), "QUOTA_IMAGES": "4"}
    async with scene.bot():
        await scene.delivered(scene.imagine("a garden", photo=None, count=2))
        scene.renderer.errors.append(JobError("It is too dark.", FailureReason.INPUT_INVALID))
        failed = scene.imagine("a cellar", photo=None)
        await scene.message_with("It is too dark", interaction=failed)
        refused = scene.imagine("a quarry", photo=None, count=3)
        await scene.playground.answered(refused)
        scene.renderer.open.clear()
        scene.imagine("a tower", photo=None)
        await scene.renderer.begun(3)
        found = await scrape(port)

    assert found["facelock_generations_total settled"] == found["facelock_generations_total failed"] == 1
    assert found["facelock_failures_total provider"] == found["facelock_refusals_total quota"] == 1
    assert found["facelock_images_total charged"] == 4
    assert found["facelock_images_total refunded"] == 1
    assert found["facelock_images_total delivered"] == 2
    assert found["facelock_queue_jobs at_provider"] == 1
    assert found["facelock_generation_seconds_count"] == 1
    assert found["facelock_interactions_total imagine application_command"] == 4
    assert found["facelock_interaction_ack_seconds_count"] == 4
    assert found["facelock_wait_seconds_count"] >= 2
    assert found["facelock_provider_requests_total POST /sdxl/text2image/v1 202"] == 3
    assert not any(word in name for name in found for word in ("garden", "stage-key", scene.playground.token))


async def test_what_is_refused_and_who_is_waited_for_is_counted(scene: Stage) -> None:
    port = free_port()
    scene.env |= {"METRICS": "on", "HTTP_PORT": str(port), "FACE_CONSENT": "ask"}
    async with recording_server() as check:
        check.answer({"ok": True})
        check.answer({"ok": False, "reason": "nudity"})
        scene.env |= {"IMAGE_CHECK_URL": f"{check.url}/check"}
        async with scene.bot():
            await scene.delivered(scene.imagine("a garden", photo=None))
            await scene.message_with("did not pass", interaction=scene.imagine("a cellar", photo=None))
            await scene.playground.answered(scene.imagine("naked on a beach"))
            asked = scene.imagine("a tower")
            await scene.playground.until(lambda state: (found := state.original(asked)) and "hose" in found.text)
            found = await scrape(port)

    assert found["facelock_image_checks_total passed"] == found["facelock_image_checks_total refused"] == 1
    assert found["facelock_failures_total image_check"] == 1
    assert found["facelock_policy_refusals_total sexual"] == found["facelock_refusals_total policy"] == 1
    assert found["facelock_unanswered_requests declaration"] == 1
    assert found["facelock_unanswered_requests consent"] == 0


async def test_webhooks_are_counted_as_awaited_and_as_repeated(scene: Stage) -> None:
    port = free_port()
    scene.env |= {"METRICS": "on", "HTTP_PORT": str(port), "PUBLIC_URL": f"http://127.0.0.1:{port}"}
    scene.renderer.open.clear()
    async with scene.bot(replace(FAST, pace=Pace(unheard_s=60.0))):
        interaction = scene.imagine(photo=None)
        async with asyncio.timeout(40):
            while not (await scrape(port))["facelock_wait_seconds_count"]:
                pass
        await scrape(port)  # reads the database after the bot has, which follows the job by then
        scene.renderer.open.set()
        await scene.delivered(interaction)
        hook = scene.trouble.orders[0]["webhook"]
        async with aiohttp.ClientSession() as session, session.post(hook, json={}) as response:
            assert response.status == 204
        found = await scrape(port)

    assert found["facelock_webhooks_total awaited"] == 1
    assert found["facelock_webhooks_total not_awaited"] == 1


async def test_every_line_of_a_json_log_is_an_object_without_secrets(scene: Stage) -> None:
    scene.env |= {"LOG_FORMAT": "json", "LOG_LEVEL": "DEBUG"}
    async with scene.process() as process:
        await scene.delivered(scene.imagine("a garden of roses"))
        process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(40):
            await process.wait()

    log = (scene.folder / "bot.log").read_text(encoding="utf-8")
    lines = [json.loads(line) for line in log.splitlines()]
    assert lines[-1] | {"time": ""} == {"time": "", "level": "INFO", "logger": "facelock", "message": "stopped"}
    assert all({"time", "level", "logger", "message"} <= set(line) for line in lines)
    assert lines[0]["time"].endswith("+00:00")
    assert scene.playground.token not in log
    assert "stage-key" not in log
