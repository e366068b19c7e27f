"""ImagePipeline's own Python package, unchanged, against the engine on a real socket."""

import asyncio
import io
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import TypeVar

import pytest
from imagepipeline import ImagePipeline, JobStatus
from imagepipeline.exceptions import APIError, AuthenticationError, JobFailedError
from PIL import Image

from engine.api import EngineSettings
from engine.errors import FailureReason, JobError
from engine.request import Role
from tests.engine.pictures import astronaut, encoded
from tests.engine.support import KEY, PATIENCE_S, EngineClient, GatedRenderer, OnePixelRenderer, RaisingRenderer, engine

Answer = TypeVar("Answer")


async def with_sdk(client: EngineClient, use: Callable[[ImagePipeline], Answer], *, key: str = KEY) -> Answer:
    """Run synchronous code that uses the package in a thread, beside the engine."""
    sdk = ImagePipeline(key, base_url=str(client.base), timeout=int(PATIENCE_S))
    return await asyncio.to_thread(use, sdk)


@pytest.fixture(autouse=True)
def asks_without_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """The package waits 3 s between two questions; only that is shortened."""
    clock = SimpleNamespace(monotonic=time.monotonic, sleep=no_sleep)
    monkeypatch.setattr("imagepipeline._transport.time", clock)


def no_sleep(_seconds: float) -> None:
    """Return at once."""


async def test_it_generates_a_picture() -> None:
    async with engine() as client:
        job = await with_sdk(client, lambda sdk: sdk.generate.image(prompt="a lake", output_format="png", seed=7))
        picture = Image.open(io.BytesIO(await (await client.session.get(job.url or "")).read()))

    assert (job.status, job.progress, job.result_mime_type) == (JobStatus.COMPLETED, 100, "image/png")
    assert (job.cost_usd, job.balance_remaining_usd) == (0.01, 999.99)
    assert picture.format == "PNG"


async def test_it_uploads_a_face_and_locks_it(tmp_path: Path) -> None:
    photo, renderer = tmp_path / "me.jpg", OnePixelRenderer()
    photo.write_bytes(encoded(astronaut(), "JPEG"))
    async with engine(renderer) as client:
        upload = await with_sdk(client, lambda sdk: sdk.upload.image(str(photo)))
        job = await with_sdk(client, lambda sdk: sdk.identity.lock(input_image=upload.url, prompt="in a meadow"))

    assert (upload.filename, upload.content_type, upload.size_bytes) == ("me.jpg", "image/jpeg", photo.stat().st_size)
    assert (job.status, job.endpoint) == (JobStatus.COMPLETED, "identity/lock/image/v1")
    assert [(face.role, face.image.size) for face in renderer.jobs[0].references] == [(Role.FACE, (512, 512))]


async def test_it_polls_a_job_that_it_did_not_wait_for() -> None:
    renderer = GatedRenderer()
    async with engine(renderer) as client, asyncio.timeout(PATIENCE_S):
        job = await with_sdk(client, lambda sdk: sdk.generate.image(prompt="a lake", wait=False))
        polling = asyncio.create_task(
            with_sdk(client, lambda sdk: sdk._transport.poll("generate/image/v1", job.job_id))  # pyright: ignore[reportPrivateUsage]
        )
        await renderer.entered.acquire()
        renderer.gate.set()
        completed = await polling

    assert (job.status, completed.status) == (JobStatus.QUEUED, JobStatus.COMPLETED)
    assert completed.job_id == job.job_id


async def test_it_reads_why_a_job_failed() -> None:
    error = JobError("The model is resting.", FailureReason.MODEL_UNAVAILABLE)
    async with engine(RaisingRenderer(error)) as client:
        with pytest.raises(JobFailedError, match="The model is resting"):
            await with_sdk(client, lambda sdk: sdk.generate.image(prompt="a lake"))


async def test_it_reads_a_refusal() -> None:
    async with engine() as client:
        with pytest.raises(APIError, match="width: Should be from 1 to 1024") as refusal:
            await with_sdk(client, lambda sdk: sdk.generate.image(prompt="a lake", width=4096))

    assert (refusal.value.status_code, refusal.value.error_code) == (422, "INVALID_PARAMETERS")


async def test_it_is_told_when_the_key_is_wrong() -> None:
    async with engine(settings=EngineSettings(api_key=KEY)) as client:
        with pytest.raises(AuthenticationError, match="X-API-Key is wrong"):
            await with_sdk(client, lambda sdk: sdk.generate.image(prompt="a lake"), key="wrong")
