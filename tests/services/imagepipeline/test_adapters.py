import json
from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import web

from services.imagepipeline.adapters import AdaptersClient, request_body
from services.imagepipeline.answers import (
    Busy,
    Done,
    Failed,
    JobUnknown,
    Misconfigured,
    Pending,
    Rejected,
    Unreachable,
)
from services.request import Model, Wish
from tests.conftest import Clock
from tests.servers import Recorder, recording_server

FACE_URL = "https://cdn.example/attachments/1/2/face.jpg?ex=6&is=5&hm=4"


@pytest.fixture
async def service() -> AsyncIterator[Recorder]:
    async with recording_server() as recorder:
        yield recorder


@pytest.fixture
async def client(service: Recorder, clock: Clock) -> AsyncIterator[AdaptersClient]:
    async with aiohttp.ClientSession() as session:
        yield AdaptersClient(session, base_url=service.url, api_key="the-key", now=clock)


def wish(model: Model = Model.SDXL, *, images: int = 1) -> Wish:
    model_id = {Model.SD: "sd1.5", Model.SDXL: "sdxl"}[model]
    return Wish.of(prompt="a quiet harbour", model=model, model_id=model_id, images=images, seed=11)


@pytest.mark.parametrize(
    ("model", "adapter", "model_id", "side_px"),
    [
        (Model.SD, "ip-adapter-plus-face_sd15", "sd1.5", 512),
        (Model.SDXL, "ip-adapter-plus-face_sdxl_vit-h", "sdxl", 1024),
    ],
)
async def test_a_face_request_is_the_documented_one(
    service: Recorder, client: AdaptersClient, model: Model, adapter: str, model_id: str, side_px: int
) -> None:
    service.answer({"id": "j1", "status": "PENDING"}, status=202)

    await client.submit(wish(model, images=3), face_url=FACE_URL, idempotency_key="k")

    asked = service.asked[0]
    assert (asked.method, asked.path) == ("POST", f"/{model.value}/text2image/v1")
    assert asked.headers["API-Key"] == "the-key"
    assert asked.headers["Content-Type"] == "application/json"
    assert asked.headers["Idempotency-Key"] == "k"
    body = json.loads(asked.body)
    assert body == request_body(wish(model, images=3), FACE_URL)
    assert body["ip_adapter"] == [adapter]
    assert body["ip_adapter_scale"] == [0.6]
    assert body["ip_adapter_image"] == FACE_URL
    assert (body["model_id"], body["samples"], body["seed"]) == (model_id, 3, 11)
    assert (body["width"], body["height"]) == (side_px, side_px)
    assert body["negative_prompt"]
    assert 20 <= body["num_inference_steps"] <= 30
    assert 1 <= body["guidance_scale"] <= 20


def test_a_request_without_a_face_names_no_adapter() -> None:
    assert not [name for name in request_body(wish(), None) if name.startswith("ip_adapter")]


@pytest.mark.parametrize("status", [200, 201, 202])
async def test_a_submit_may_be_answered_with_any_success(
    service: Recorder, client: AdaptersClient, status: int
) -> None:
    service.answer({"job_id": 5}, status=status)

    assert await client.submit(wish(), face_url=None, idempotency_key="k") == Pending(job_id="5", status="")


async def test_a_submit_may_already_be_the_end(service: Recorder, client: AdaptersClient) -> None:
    service.answer({"status": "SUCCESS", "download_urls": ["https://f.example/1"]})
    service.answer({"status": "FAILURE", "error": "no"})

    assert await client.submit(wish(), face_url=None, idempotency_key="k") == Done(sources=("https://f.example/1",))
    assert await client.submit(wish(), face_url=None, idempotency_key="k") == Failed(message="no")


async def test_a_job_name_is_quoted_in_the_status_address(service: Recorder, client: AdaptersClient) -> None:
    service.answer({"status": "PENDING"})

    await client.ask(Model.SD, "a/b ?c")

    assert service.asked[0].path == "/sd/text2image/v1/status/a%2Fb%20%3Fc"
    assert service.asked[0].headers["API-Key"] == "the-key"


@pytest.mark.parametrize(
    ("status", "setting"),
    [
        (401, "IMAGEPIPELINE_API_KEY"),
        (402, "balance"),
        (403, "plan"),
        (404, "IMAGEPIPELINE_URL"),
        (405, "IMAGEPIPELINE_URL"),
        (301, "IMAGEPIPELINE_URL"),
    ],
)
async def test_what_only_the_operator_can_mend_says_what_to_check(
    service: Recorder, client: AdaptersClient, status: int, setting: str
) -> None:
    service.answer({"detail": "no such thing"}, status=status, headers={"Location": "https://elsewhere.example/"})

    with pytest.raises(Misconfigured, match=f"answered {status}.*{setting}.*no such thing") as refusal:
        await client.submit(wish(), face_url=None, idempotency_key="k")
    assert "the-key" not in str(refusal.value)


async def test_the_key_does_not_follow_a_redirect(service: Recorder, client: AdaptersClient) -> None:
    async with recording_server() as elsewhere:
        elsewhere.answer({"id": "stolen"})
        service.answer("", status=307, headers={"Location": f"{elsewhere.url}/"})

        with pytest.raises(Misconfigured):
            await client.submit(wish(), face_url=None, idempotency_key="k")

        assert elsewhere.asked == []


@pytest.mark.parametrize("status", [400, 413, 422])
async def test_a_refused_request_gives_the_services_reason(
    service: Recorder, client: AdaptersClient, status: int
) -> None:
    service.answer({"detail": [{"loc": ["body", "samples"], "msg": "at most 4"}]}, status=status)

    with pytest.raises(Rejected, match="samples: at most 4"):
        await client.submit(wish(), face_url=None, idempotency_key="k")


async def test_a_429_carries_how_long_to_wait(service: Recorder, client: AdaptersClient) -> None:
    service.answer({}, status=429, headers={"Retry-After": "12"})

    with pytest.raises(Busy) as busy:
        await client.submit(wish(), face_url=None, idempotency_key="k")
    assert busy.value.retry_after_s == 12.0


@pytest.mark.parametrize("status", [500, 502, 503, 504])
async def test_a_server_error_is_worth_another_try(service: Recorder, client: AdaptersClient, status: int) -> None:
    service.answer("<html>bad gateway</html>", status=status)

    with pytest.raises(Unreachable):
        await client.submit(wish(), face_url=None, idempotency_key="k")


async def test_a_server_error_that_names_a_job_has_taken_it(service: Recorder, client: AdaptersClient) -> None:
    service.answer({"id": "j9", "error": "but it runs"}, status=500)

    assert await client.submit(wish(), face_url=None, idempotency_key="k") == Pending(job_id="j9", status="")


@pytest.mark.parametrize("text", ["<html>", "", "[" * 100_000, "\xff"])
async def test_an_answer_that_is_no_json_is_worth_another_try(
    service: Recorder, client: AdaptersClient, text: str
) -> None:
    service.answer(text)

    with pytest.raises(Unreachable):
        await client.ask(Model.SD, "j")


async def test_a_connection_that_breaks_is_worth_another_try(service: Recorder, client: AdaptersClient) -> None:
    async def hang_up(request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        request.transport.close()
        return web.Response()

    service.answers.append(hang_up)

    with pytest.raises(Unreachable):
        await client.submit(wish(), face_url=None, idempotency_key="k")


async def test_an_unknown_job_is_told_apart_from_a_wrong_address(service: Recorder, client: AdaptersClient) -> None:
    service.answer({"detail": "not found"}, status=404)

    with pytest.raises(JobUnknown):
        await client.ask(Model.SD, "j")
