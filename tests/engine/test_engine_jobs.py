import asyncio
import gc
import logging
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from engine.account import Account
from engine.api import EngineSettings
from engine.errors import QueueFullError
from engine.fetch import ImageFetcher
from engine.jobs import MAX_WAITING_CHARS, Job, JobRunner, JobState
from engine.parameters import parse
from engine.request import Family, ReferenceSource, Role
from engine.store import FileStore
from tests.engine.pictures import PIXEL, astronaut, data_uri, encoded
from tests.engine.support import (
    KEY,
    PATIENCE_S,
    Clock,
    EmptyHandedRenderer,
    GatedRenderer,
    ManualSleep,
    OnePixelRenderer,
    RaisingRenderer,
    engine,
)

LAKE = {"prompt": "a lake"}
HOUR = timedelta(hours=1)
FACE = "ip-adapter-plus-face_sd15"


async def test_a_job_waits_is_made_and_succeeds() -> None:
    renderer = GatedRenderer()
    async with engine(renderer) as client, asyncio.timeout(PATIENCE_S):
        first, second = [await client.submitted(LAKE) for _ in range(2)]
        await renderer.entered.acquire()
        assert [(await client.status(job))["status"] for job in (first, second)] == ["PROCESSING", "PENDING"]
        assert await (await client.get("/health")).json() == {
            "status": "ok",
            "renderer": "one pixel",
            "queued": 1,
            "running": 1,
        }

        renderer.gate.set()

        assert [(await client.ended(job))["status"] for job in (first, second)] == ["SUCCESS", "SUCCESS"]


async def test_the_renderer_gets_what_was_asked_for() -> None:
    renderer = OnePixelRenderer()
    body = {**LAKE, "seed": 7, "width": 512, "ip_adapter": FACE, "ip_adapter_scale": 0.4}
    async with engine(renderer) as client:
        answer = await client.made({**body, "ip_adapter_image": data_uri(encoded(astronaut(), "JPEG"))})

    (job,) = renderer.jobs
    (reference,) = job.references
    assert (job.id, job.parameters.seed, answer["seed"]) == (answer["id"], 7, 7)
    assert (reference.role, reference.scale, reference.image.size) == (Role.FACE, 0.4, (512, 512))


async def test_a_seed_left_open_is_chosen_once_and_told() -> None:
    renderer = OnePixelRenderer()
    async with engine(renderer, choose_seed=lambda: 4321) as client:
        answer = await client.made({**LAKE, "seed": -1, "samples": 2})

    assert answer["seed"] == 4321
    assert renderer.jobs[0].parameters.sample_seeds == (4321, 4322)


async def test_a_renderer_that_raises_fails_the_job_without_saying_why(caplog: pytest.LogCaptureFixture) -> None:
    async with engine(RaisingRenderer(RuntimeError("secret detail"))) as client:
        answer = await client.made(LAKE)
        assert (await client.made(LAKE))["status"] == "FAILURE", "the worker must live on"

    assert answer["status"] == "FAILURE"
    assert "fault in the engine" in answer["error"]
    assert "secret" not in str(answer)
    assert "secret detail" in caplog.text, "the operator needs the traceback"


async def test_a_renderer_that_cancels_itself_does_not_take_the_worker_along() -> None:
    async with engine(RaisingRenderer(asyncio.CancelledError())) as client:
        answers = [await client.made(LAKE) for _ in range(2)]

    assert [answer["status"] for answer in answers] == ["FAILURE", "FAILURE"]


async def test_a_renderer_that_makes_nothing_fails_the_job() -> None:
    async with engine(EmptyHandedRenderer()) as client:
        assert (await client.made(LAKE))["status"] == "FAILURE"


async def test_a_job_whose_photo_cannot_be_had_fails_and_names_the_field() -> None:
    body = {**LAKE, "ip_adapter": FACE, "ip_adapter_image": "http://127.0.0.1:9/face.png?signature=secret"}
    async with engine() as client:
        answer = await client.made(body)

    assert answer["status"] == "FAILURE"
    assert answer["error"].startswith("ip_adapter_image cannot be used. Its address is in a private network")
    assert "secret" not in answer["error"]


async def test_a_private_photo_is_fetched_where_the_operator_allows_it() -> None:
    renderer = OnePixelRenderer()
    settings = EngineSettings(api_key=KEY, allow_private_hosts=True)
    async with engine() as photos, engine(renderer, settings) as client:
        (url,) = (await photos.made(LAKE))["download_urls"]
        answer = await client.made({**LAKE, "ip_adapter": FACE, "ip_adapter_image": url})

    assert answer["status"] == "SUCCESS"
    assert renderer.jobs[0].references[0].image.size == (1, 1)


async def test_a_photo_that_is_no_image_fails_the_job() -> None:
    async with engine() as client:
        answer = await client.made({**LAKE, "ip_adapter": FACE, "ip_adapter_image": data_uri(b"<html>")})

    assert answer["error"] == "ip_adapter_image cannot be used. That is not a JPEG, PNG or WebP image."


async def test_a_full_queue_says_when_to_come_back() -> None:
    renderer = GatedRenderer()
    async with engine(renderer, EngineSettings(api_key=KEY, queue_limit=2)) as client, asyncio.timeout(PATIENCE_S):
        await client.submitted(LAKE)
        await renderer.entered.acquire()
        statuses = [(await client.submit(LAKE)).status for _ in range(3)]
        refusal = await client.submit(LAKE)

    assert statuses == [202, 202, 503]
    assert int(refusal.headers["Retry-After"]) >= 1
    assert "full" in (await refusal.json())["detail"]


async def test_inline_images_that_wait_are_bounded_all_together(tmp_path: Path) -> None:
    half = "data:," + "x" * (MAX_WAITING_CHARS // 2 - 6)
    face = ReferenceSource(name="ip_adapter_image", role=Role.FACE, adapter=FACE, scale=0.6, source=half)
    request = replace(parse(LAKE, Family.SD), references=(face,))
    clock, fetcher, renderer = Clock(), ImageFetcher(), GatedRenderer()
    jobs = JobRunner(
        renderer=renderer,
        fetcher=fetcher,
        files=FileStore(tmp_path, ttl=HOUR, now=clock.now),
        account=Account(Decimal(1)),
        queue_limit=100,
        ttl=HOUR,
        choose_seed=lambda: 1,
        now=clock.now,
        sleep=ManualSleep(),
    )
    jobs.submit(request)
    jobs.submit(request)
    with pytest.raises(QueueFullError):
        jobs.submit(request)
    jobs.submit(parse(LAKE, Family.SD))

    async with fetcher, jobs, asyncio.timeout(PATIENCE_S):
        await renderer.entered.acquire()

        assert jobs.submit(request).state is JobState.QUEUED


async def test_as_many_jobs_run_at_once_as_the_renderer_takes() -> None:
    renderer = GatedRenderer()
    renderer.workers = 3
    async with engine(renderer) as client, asyncio.timeout(PATIENCE_S):
        jobs = [await client.submitted(LAKE) for _ in range(4)]
        for _ in range(3):
            await renderer.entered.acquire()
        assert (await (await client.get("/health")).json())["running"] == 3

        renderer.gate.set()

        assert {(await client.ended(job))["status"] for job in jobs} == {"SUCCESS"}


async def test_the_same_key_and_body_is_the_same_job() -> None:
    renderer = OnePixelRenderer()
    headers = {"Idempotency-Key": "generation 5"}
    async with engine(renderer) as client:
        first = await (await client.submit(LAKE, headers=headers)).json()
        await client.ended(first["id"])
        again = await client.submit(LAKE, headers=headers)
        other = await (await client.submit(LAKE, headers={"Idempotency-Key": "generation 6"})).json()

    assert (again.status, (await again.json())["id"]) == (202, first["id"])
    assert other["id"] != first["id"]


@pytest.mark.parametrize("key", ["", "x" * 256])
async def test_an_idempotency_key_must_have_a_sensible_length(key: str) -> None:
    async with engine() as client:
        refusal = await client.submit(LAKE, headers={"Idempotency-Key": key})

    assert refusal.status == 422


@pytest.mark.parametrize(("family", "prompt"), [("sd", "another lake"), ("sdxl", "a lake")])
async def test_the_same_key_for_another_request_is_refused(family: str, prompt: str) -> None:
    headers = {"Idempotency-Key": "generation 5"}
    async with engine() as client:
        await client.submit(LAKE, headers=headers)
        refusal = await client.submit({"prompt": prompt}, family=family, headers=headers)

    assert refusal.status == 422
    assert (await refusal.json())["detail"][0]["loc"] == ["header", "Idempotency-Key"]


async def test_a_repeated_submit_finds_its_job_even_when_the_queue_is_full() -> None:
    renderer = GatedRenderer()
    headers = {"Idempotency-Key": "generation 5"}
    async with engine(renderer, EngineSettings(api_key=KEY, queue_limit=1)) as client, asyncio.timeout(PATIENCE_S):
        await client.submitted(LAKE)
        await renderer.entered.acquire()
        first = await (await client.submit(LAKE, headers=headers)).json()
        again = await client.submit(LAKE, headers=headers)

    assert (again.status, (await again.json())["id"]) == (202, first["id"])


async def test_an_ended_job_and_its_files_expire_and_its_key_is_free_again() -> None:
    clock = Clock()
    headers = {"Idempotency-Key": "generation 5"}
    async with engine(now=clock.now) as client:
        first = await (await client.submit(LAKE, headers=headers)).json()
        (url,) = (await client.ended(first["id"]))["download_urls"]
        clock.pass_time(HOUR)
        status = await client.get(f"/sd/text2image/v1/status/{first['id']}")
        file = await client.session.get(url)
        again = await (await client.submit(LAKE, headers=headers)).json()

    assert (status.status, file.status) == (404, 404)
    assert again["id"] != first["id"]


async def test_a_job_that_waits_does_not_expire() -> None:
    clock, renderer = Clock(), GatedRenderer()
    async with engine(renderer, now=clock.now) as client:
        job = await client.submitted(LAKE)
        clock.pass_time(10 * HOUR)
        renderer.gate.set()

        assert (await client.ended(job))["status"] == "SUCCESS"


async def test_the_sweeper_deletes_expired_files(tmp_path_factory: pytest.TempPathFactory) -> None:
    clock, sleep, data = Clock(), ManualSleep(), tmp_path_factory.mktemp("data")
    settings = EngineSettings(api_key=KEY, data=data, file_ttl=HOUR)
    async with engine(settings=settings, now=clock.now, sleep=sleep) as client, asyncio.timeout(PATIENCE_S):
        await client.made(LAKE)
        await sleep.pass_once()
        assert len(list((data / "files").iterdir())) == 1

        clock.pass_time(HOUR)
        await sleep.pass_once()

        assert list((data / "files").iterdir()) == []


async def test_the_sweeper_lets_go_of_expired_jobs() -> None:
    clock, sleep = Clock(), ManualSleep()
    async with engine(now=clock.now, sleep=sleep) as client, asyncio.timeout(PATIENCE_S):
        job_id = await client.submitted(LAKE)
        await client.ended(job_id)
        assert job_id in kept_jobs()

        clock.pass_time(HOUR)
        await sleep.pass_once()

        assert job_id not in kept_jobs()


def kept_jobs() -> set[str]:
    gc.collect()
    return {thing.id for thing in gc.get_objects() if isinstance(thing, Job)}


async def test_the_sweeper_survives_a_folder_that_is_gone(
    tmp_path_factory: pytest.TempPathFactory, caplog: pytest.LogCaptureFixture
) -> None:
    sleep, data = ManualSleep(), tmp_path_factory.mktemp("data")
    async with engine(settings=EngineSettings(api_key=KEY, data=data), sleep=sleep), asyncio.timeout(PATIENCE_S):
        (data / "files").rmdir()
        await sleep.pass_once()
        await sleep.pass_once()

    assert "could not be swept" in caplog.text


async def test_stopping_cancels_what_runs_and_deletes_the_temporary_folder() -> None:
    renderer = GatedRenderer()
    async with engine(renderer) as client, asyncio.timeout(PATIENCE_S):
        await client.submitted(LAKE)
        await client.submitted(LAKE)
        await renderer.entered.acquire()

    others = asyncio.all_tasks() - {asyncio.current_task()}
    assert not [task for task in others if "JobRunner" in repr(task)]
    assert renderer.jobs == []


async def test_no_log_line_holds_the_prompt_the_key_or_a_files_name(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    body = {"prompt": "my secret wish", "ip_adapter": FACE, "ip_adapter_image": data_uri(PIXEL)}
    async with engine() as client:
        answer = await client.made(body)
        await client.session.get(answer["download_urls"][0])

    assert answer["id"] in caplog.text
    assert "secret wish" not in caplog.text
    assert KEY not in caplog.text
    assert data_uri(PIXEL)[-20:] not in caplog.text
