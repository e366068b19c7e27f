"""The page as Prometheus would parse it, and the requests that are counted from a session's traces."""

import asyncio
import contextlib
import re
from collections.abc import Iterable
from datetime import timedelta

import aiohttp
import pytest
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from db.connection import Database
from services.metrics import Metrics
from services.version import VERSION
from tests import virtual_time
from tests.conftest import Clock
from tests.servers import recording_server

DISCORD_EPOCH_MS = 1_420_070_400_000


async def families(metrics: Metrics, database: Database, account_usd: float | None = None) -> list[Metric]:
    page = await metrics.page(database, account_usd=account_usd)
    return list(text_string_to_metric_families(page.decode("utf-8")))


def values(found: Iterable[Metric]) -> dict[str, float]:
    """Samples by name and label values: ``facelock_images_total charged``."""
    return {
        " ".join([sample.name, *sample.labels.values()]): sample.value for family in found for sample in family.samples
    }


@pytest.fixture
def metrics(clock: Clock) -> Metrics:
    return Metrics(now=clock)


async def test_names_follow_the_conventions(metrics: Metrics, database: Database) -> None:
    ours = [family for family in await families(metrics, database) if not family.name.startswith(("process", "python"))]

    assert len(ours) > 12
    for family in ours:
        assert re.fullmatch(r"facelock_[a-z_]+[a-z]", family.name)
        assert family.documentation.endswith(".")
        if family.type == "histogram":
            assert family.name.endswith("_seconds")  # base units: https://prometheus.io/docs/practices/naming/
        if family.type == "counter":
            assert all(sample.name.endswith(("_total", "_created")) for sample in family.samples)
        assert {name for sample in family.samples for name in sample.labels} <= {
            "state", "kind", "code", "le", "endpoint", "status", "method", "outcome", "command", "version",
            "category",
        }  # fmt: skip


async def test_the_parts_of_what_is_counted_are_there_before_anything_happened(
    metrics: Metrics, database: Database
) -> None:
    found = values(await families(metrics, database))

    assert found["facelock_generations_total failed"] == 0
    assert found["facelock_images_total refunded"] == 0
    assert found["facelock_queue_jobs waiting"] == found["facelock_queue_jobs at_provider"] == 0
    assert found["facelock_unanswered_requests consent"] == found["facelock_image_checks_total unavailable"] == 0
    assert found["facelock_account_usd"] != found["facelock_account_usd"]  # not a number: nobody has said
    assert found[f"facelock_build_info {VERSION}"] == 1
    assert found["process_resident_memory_bytes"] > 0


async def test_what_happens_is_counted(metrics: Metrics, database: Database) -> None:
    metrics.accepted(4)
    metrics.taken(timedelta(seconds=3))
    metrics.settled(timedelta(seconds=40), pictures=3)
    metrics.refunded(1)
    metrics.failed("photo")
    metrics.refused("quota")
    metrics.refused_by_policy("gore")
    metrics.checked("unavailable")
    metrics.cancelled()
    metrics.interaction("application_command", "face save")
    metrics.webhook("missed")

    found = values(await families(metrics, database, account_usd=12.5))

    assert found["facelock_images_total charged"] == 4
    assert found["facelock_images_total delivered"] == 3
    assert found["facelock_images_total refunded"] == 1
    assert found["facelock_generations_total settled"] == found["facelock_generations_total failed"] == 1
    assert found["facelock_generations_total cancelled"] == 1
    assert found["facelock_failures_total photo"] == found["facelock_refusals_total quota"] == 1
    assert found["facelock_policy_refusals_total gore"] == found["facelock_image_checks_total unavailable"] == 1
    assert found["facelock_wait_seconds_sum"] == 3
    assert found["facelock_generation_seconds_bucket 30.0"] == 0
    assert found["facelock_generation_seconds_bucket 60.0"] == 1
    assert found["facelock_interactions_total face save application_command"] == 1
    assert found["facelock_webhooks_total missed"] == 1
    assert found["facelock_account_usd"] == 12.5


async def test_two_sets_of_numbers_in_one_process_do_not_mix(
    metrics: Metrics, clock: Clock, database: Database
) -> None:
    metrics.accepted(4)

    assert values(await families(Metrics(now=clock), database))["facelock_images_total charged"] == 0


async def test_requests_to_the_image_service_are_counted_by_endpoint_and_not_by_job(
    metrics: Metrics, database: Database
) -> None:
    async with recording_server() as server, aiohttp.ClientSession(trace_configs=[metrics.provider_trace()]) as session:
        server.answer({}, status=200)
        server.answer({}, status=200)
        server.answer({}, status=429)
        await session.post(f"{server.url}/sdxl/text2image/v1")
        await session.get(f"{server.url}/sdxl/text2image/v1/status/one-job")
        await session.get(f"{server.url}/sdxl/text2image/v1/status/another")
        with contextlib.suppress(aiohttp.ClientConnectionError):
            await session.post("http://127.0.0.1:1/sdxl/text2image/v1")

    found = values(await families(metrics, database))

    assert found["facelock_provider_requests_total POST /sdxl/text2image/v1 200"] == 1
    assert found["facelock_provider_requests_total POST /sdxl/text2image/v1 none"] == 1
    assert found["facelock_provider_requests_total GET /sdxl/text2image/v1/status 200"] == 1
    assert found["facelock_provider_requests_total GET /sdxl/text2image/v1/status 429"] == 1
    assert found["facelock_provider_request_seconds_count POST /sdxl/text2image/v1"] == 2
    assert not any("one-job" in name for name in found)


async def test_an_answer_to_an_interaction_is_timed_from_the_moment_in_its_id(
    metrics: Metrics, clock: Clock, database: Database
) -> None:
    asked_at_ms = int((clock.now - timedelta(seconds=1.5)).timestamp() * 1000)
    interaction_id = (asked_at_ms - DISCORD_EPOCH_MS) << 22
    async with (
        recording_server() as server,
        aiohttp.ClientSession(trace_configs=[metrics.discord_trace()]) as session,
    ):
        server.answer({}, status=404)
        server.answer({}, status=200)
        await session.post(f"{server.url}/api/v10/interactions/{interaction_id}/a-secret/callback")
        await session.post(f"{server.url}/api/v10/interactions/{interaction_id}/a-secret/callback?with_response=1")

    found = values(await families(metrics, database))

    assert found["facelock_interaction_ack_seconds_count"] == 1
    assert found["facelock_interaction_ack_seconds_sum"] == pytest.approx(1.5)
    assert found["facelock_discord_requests_total POST 200"] == found["facelock_discord_requests_total POST 404"] == 1
    assert not any("secret" in name for name in found)


async def test_a_task_that_wakes_up_late_shows_as_lag(metrics: Metrics, database: Database) -> None:
    async def measure() -> None:
        async def late(seconds: float) -> None:
            await asyncio.sleep(seconds + 0.25)

        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(3.0):
                await metrics.watch_loop(late)

    await asyncio.to_thread(virtual_time.run, measure())

    found = values(await families(metrics, database))
    assert found["facelock_event_loop_lag_seconds_count"] == 2
    assert found["facelock_event_loop_lag_seconds_sum"] == pytest.approx(0.5)
