import asyncio
import hashlib
import io
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from PIL import Image

from engine.api import EngineSettings
from engine.errors import FailureReason, JobError
from engine.images import MAX_UPLOAD_BYTES
from tests.engine.pictures import PIXEL, astronaut, encoded
from tests.engine.support import (
    KEY,
    PATIENCE_S,
    Clock,
    EngineClient,
    GatedRenderer,
    OnePixelRenderer,
    RaisingRenderer,
    engine,
    host,
)

LAKE = {"prompt": "a lake"}
GENERATE = "generate/image/v1"
FACE_LOCK = "identity/lock/image/v1"
ENDPOINTS = [GENERATE, FACE_LOCK]


def upload_form(data: bytes, *, kind: str = "image/png", name: str = "file") -> aiohttp.FormData:
    form = aiohttp.FormData()
    form.add_field(name, io.BytesIO(data), filename="me.png", content_type=kind)
    return form


async def picture(client: EngineClient, status: dict[str, Any]) -> Image.Image:
    response = await client.session.get(status["result_url"])
    assert response.content_type == status["result_mime_type"]
    return Image.open(io.BytesIO(await response.read()))


@pytest.mark.parametrize("endpoint", ENDPOINTS)
async def test_a_submit_is_answered_with_what_to_ask_about(endpoint: str) -> None:
    clock = Clock()
    async with engine(now=clock.now) as client:
        answer = await client.ask("POST", f"/{endpoint}", json=LAKE)

    assert answer.pop("job_id")
    assert answer == {
        "status": "queued",
        "endpoint": endpoint,
        "estimated_time_seconds": 5,
        "queued_at": clock.now().isoformat(),
    }


@pytest.mark.parametrize("endpoint", ENDPOINTS)
async def test_a_finished_job_tells_everything_that_is_documented(endpoint: str) -> None:
    clock, renderer = Clock(), GatedRenderer()
    async with engine(renderer, now=clock.now) as client, asyncio.timeout(PATIENCE_S):
        job_id = (await client.ask("POST", f"/{endpoint}", json=LAKE))["job_id"]
        await renderer.entered.acquire()
        clock.pass_time(timedelta(seconds=4))
        renderer.gate.set()
        while (answer := await client.ask("GET", f"/{endpoint}/status/{job_id}"))["status"] != "completed":
            pass

    assert answer.pop("result_url").startswith(str(client.base))
    assert answer == {
        "job_id": job_id,
        "status": "completed",
        "progress": 100,
        "endpoint": endpoint,
        "result_mime_type": "image/webp",
        "queue_position": None,
        "estimated_time_seconds": 5,
        "error": None,
        "failure_reason_code": None,
        "retryable": None,
        "warnings": [],
        "prompt_hash": hashlib.sha256(b"a lake").hexdigest(),
        "cost_usd": 0.01,
        "balance_remaining_usd": 999.99,
        "queued_at": "2026-01-01T12:00:00+00:00",
        "started_at": "2026-01-01T12:00:00+00:00",
        "completed_at": "2026-01-01T12:00:04+00:00",
        "queue_wait_seconds": 0.0,
        "inference_time_seconds": 4.0,
        "processing_time_seconds": 4.0,
        "total_elapsed_seconds": 4.0,
    }


async def test_a_job_is_queued_then_pending_then_processing() -> None:
    renderer, asked, open_gate = GatedRenderer(), asyncio.Event(), asyncio.Event()

    async def photo(_request: web.Request) -> web.Response:
        asked.set()
        await open_gate.wait()
        return web.Response(body=PIXEL)

    settings = EngineSettings(api_key=KEY, allow_private_hosts=True)
    async with host(photo) as url, engine(renderer, settings) as client, asyncio.timeout(PATIENCE_S):
        first = await client.ask("POST", f"/{FACE_LOCK}", json={**LAKE, "input_image": str(url)})
        second = await client.ask("POST", f"/{GENERATE}", json=LAKE)
        await asked.wait()
        pending = await client.ask("GET", f"/{FACE_LOCK}/status/{first['job_id']}")
        queued = await client.ask("GET", f"/{GENERATE}/status/{second['job_id']}")
        open_gate.set()
        await renderer.entered.acquire()
        processing = await client.ask("GET", f"/{FACE_LOCK}/status/{first['job_id']}")

    assert [pending["status"], queued["status"], processing["status"]] == ["pending", "queued", "processing"]
    assert (queued["queue_position"], queued["progress"], queued["started_at"]) == (1, 0, None)
    assert (pending["queue_position"], processing["queue_position"]) == (None, None)


async def test_places_in_the_queue_and_estimates_grow_with_the_queue() -> None:
    renderer = GatedRenderer()
    async with engine(renderer) as client, asyncio.timeout(PATIENCE_S):
        answers = [await client.ask("POST", f"/{GENERATE}", json=LAKE) for _ in range(4)]
        await renderer.entered.acquire()
        waiting = [await client.ask("GET", f"/{GENERATE}/status/{answer['job_id']}") for answer in answers[1:]]

    assert [status["queue_position"] for status in waiting] == [1, 2, 3]
    assert [status["estimated_time_seconds"] for status in waiting] == [5, 10, 15]


async def test_progress_follows_the_time_that_jobs_usually_take() -> None:
    clock, renderer = Clock(), GatedRenderer()
    progress: list[int] = []
    async with engine(renderer, now=clock.now) as client, asyncio.timeout(PATIENCE_S):
        job_id = (await client.ask("POST", f"/{GENERATE}", json=LAKE))["job_id"]
        await renderer.entered.acquire()
        for _ in range(3):
            progress.append((await client.ask("GET", f"/{GENERATE}/status/{job_id}"))["progress"])
            clock.pass_time(timedelta(seconds=2.5))

    assert progress == [0, 50, 99]


@pytest.mark.parametrize("output_format", ["webp", "jpeg", "png"])
async def test_the_picture_has_the_format_that_was_asked_for(output_format: str) -> None:
    async with engine() as client:
        status = await client.completed(GENERATE, {**LAKE, "output_format": output_format})
        image = await picture(client, status)

    assert (status["result_mime_type"], image.format) == (f"image/{output_format}", output_format.upper())


@pytest.mark.parametrize(("seed", "made"), [(-1, 4321), (7, 7)])
async def test_a_seed_of_minus_one_is_random(seed: int, made: int) -> None:
    renderer = OnePixelRenderer()
    async with engine(renderer, choose_seed=lambda: 4321) as client:
        await client.completed(GENERATE, {**LAKE, "seed": seed})

    assert renderer.jobs[0].parameters.seed == made


async def test_an_upload_is_fetched_as_a_face_even_where_private_addresses_are_forbidden() -> None:
    renderer = OnePixelRenderer()
    data = encoded(astronaut())
    async with engine(renderer) as client:
        upload = await client.ask("POST", "/upload/image/v1", data=upload_form(data))
        status = await client.completed(FACE_LOCK, {**LAKE, "input_image": upload["url"]})
        served = await (await client.session.get(upload["url"])).read()

    assert (upload["filename"], upload["size_bytes"], upload["content_type"]) == ("me.png", len(data), "image/png")
    assert status["status"] == "completed"
    assert renderer.jobs[0].references[0].image.size == (512, 512)
    assert served == data


async def test_an_uploaded_gif_is_taken_as_a_face() -> None:
    renderer = OnePixelRenderer()
    async with engine(renderer) as client:
        form = upload_form(encoded(Image.new("RGB", (9, 7), "red"), "GIF"), kind="image/gif")
        upload = await client.ask("POST", "/upload/image/v1", data=form)
        await client.completed(FACE_LOCK, {**LAKE, "input_image": upload["url"]})

    assert renderer.jobs[0].references[0].image.size == (9, 7)


@pytest.mark.parametrize(
    ("data", "kind", "name"),
    [(PIXEL, "application/octet-stream", "file"), (PIXEL, "image/png", "image"), (b"no image", "image/png", "file")],
    ids=["type", "part", "content"],
)
async def test_a_wrong_upload_is_refused(data: bytes, kind: str, name: str) -> None:
    async with engine() as client:
        refusal = await client.call("POST", "/upload/image/v1", data=upload_form(data, kind=kind, name=name))

        assert refusal.status == 422
        assert (await refusal.json())["detail"][0]["loc"] == ["body", "file"]


@pytest.mark.parametrize("extra_bytes", [1, 2**17], ids=["the file", "the body"])
async def test_an_upload_that_is_too_large_is_refused(extra_bytes: int) -> None:
    data = PIXEL.ljust(MAX_UPLOAD_BYTES + extra_bytes, b"\0")
    async with engine() as client:
        refusal = await client.call("POST", "/upload/image/v1", data=upload_form(data))

        assert refusal.status == 413
        assert "20 MiB" in (await refusal.json())["message"]


async def test_an_upload_may_not_hide_among_too_much_else() -> None:
    form = upload_form(PIXEL)
    form.add_field("note", io.BytesIO(bytes(MAX_UPLOAD_BYTES + 2**17)))
    async with engine() as client:
        assert (await client.call("POST", "/upload/image/v1", data=form)).status == 413


@pytest.mark.parametrize(
    "source",
    [
        "http://127.0.0.1:9/face.png?signature=secret",
        "https://",
        "my face",
        "ftp://photos.example/face.png",
        "data:image/png;base64,AAAA",
        "http://127.0.0.1:9/files/" + "0" * 64,
    ],
)
async def test_a_face_that_cannot_be_had_fails_the_job_for_good(source: str) -> None:
    async with engine() as client:
        status = await client.completed(FACE_LOCK, {**LAKE, "input_image": source})

    assert (status["status"], status["failure_reason_code"], status["retryable"]) == ("failed", "INPUT_INVALID", False)
    assert status["error"].startswith("input_image cannot be used.")
    assert "secret" not in status["error"]
    assert (status["result_url"], status["cost_usd"], status["progress"]) == (None, None, None)


async def test_a_fault_of_the_renderer_may_be_tried_again_and_is_free() -> None:
    async with engine(RaisingRenderer(RuntimeError("secret detail"))) as client:
        status = await client.completed(GENERATE, LAKE)

    assert (status["status"], status["failure_reason_code"], status["retryable"]) == ("failed", "MODEL_ERROR", True)
    assert "secret" not in status["error"]
    assert status["balance_remaining_usd"] == 1000


@pytest.mark.parametrize(
    ("reason", "status", "retryable"),
    [
        (FailureReason.MODEL_UNAVAILABLE, "failed", True),
        (FailureReason.CREDIT_CHARGE_FAILED, "failed", False),
        (FailureReason.CANCELLED, "cancelled", False),
    ],
)
async def test_a_renderer_may_say_why(reason: FailureReason, status: str, *, retryable: bool) -> None:
    async with engine(RaisingRenderer(JobError("Not today.", reason))) as client:
        answer = await client.completed(GENERATE, LAKE)
        old = await client.status(answer["job_id"])

    assert (answer["status"], answer["failure_reason_code"], answer["retryable"]) == (status, reason, retryable)
    assert answer["error"] == "Not today."
    assert (old["status"], old["error"]) == ("FAILURE", "Not today.")


async def test_an_empty_account_fails_the_next_job() -> None:
    settings = EngineSettings(api_key=KEY, balance_usd=Decimal("0.015"))
    async with engine(settings=settings) as client:
        first = await client.completed(GENERATE, LAKE)
        left = await (await client.call("GET", "/v1/user/details")).json()
        second = await client.completed(GENERATE, LAKE)

    assert left["balance_remaining_usd"] == 0.005
    assert (first["status"], first["balance_remaining_usd"]) == ("completed", 0.005)
    assert (second["status"], second["failure_reason_code"]) == ("failed", "INSUFFICIENT_CREDITS")
    assert second["retryable"] is False


@pytest.mark.parametrize("headers", [{}, {"X-API-Key": ""}, {"X-API-Key": "wrong"}, {"API-Key": KEY}])
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", f"/{GENERATE}"),
        ("POST", "/upload/image/v1"),
        ("GET", f"/{FACE_LOCK}/status/1"),
        ("GET", "/v1/user/details"),
    ],
)
async def test_without_the_key_nothing_is_answered(method: str, path: str, headers: dict[str, str]) -> None:
    async with engine() as client:
        refusal = await client.call(method, path, headers=headers)

        assert refusal.status == 401
        assert "X-API-Key" in (await refusal.json())["message"]


async def test_a_refusal_has_fastapis_shape_and_the_newer_one() -> None:
    async with engine() as client:
        refusal = await client.call("POST", f"/{GENERATE}", json={"prompt": "x", "width": 1025})
        answer = await refusal.json()

    assert refusal.status == 422
    assert answer["detail"] == [
        {"loc": ["body", "width"], "msg": "Should be from 1 to 1024", "type": "out_of_range", "input": 1025}
    ]
    assert (answer["error_code"], answer["message"]) == ("INVALID_PARAMETERS", "width: Should be from 1 to 1024")


async def test_an_unknown_job_is_not_found() -> None:
    async with engine() as client:
        refusal = await client.call("GET", f"/{FACE_LOCK}/status/no-such-job")

        assert refusal.status == 404
        assert (await refusal.json())["error_code"] == "NOT_FOUND"


async def test_the_same_idempotency_key_is_the_same_job() -> None:
    headers = {"X-API-Key": KEY, "Idempotency-Key": "generation 5"}
    async with engine() as client:
        first, again = [await client.ask("POST", f"/{GENERATE}", json=LAKE, headers=headers) for _ in range(2)]

    assert first["job_id"] == again["job_id"]


async def test_an_example_of_a_webhook_can_be_had() -> None:
    async with engine() as client:
        event = await client.ask("GET", "/webhooks/event-schema")

    assert {"job_id", "user_id", "status", "timestamp", "result_url", "input"} <= event.keys()
    assert event["timestamp"] == datetime(2026, 1, 1, 12, 0, 4, 200_000, tzinfo=UTC).timestamp()
