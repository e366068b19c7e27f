import json
from collections.abc import AsyncIterator
from typing import Any

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
from services.imagepipeline.client import Order
from services.parameters import Family, Role
from services.wishes import Asked, ExtraAdapter, ModelChoice, Reference, Wish, adapters_wish
from tests.conftest import Clock
from tests.servers import Recorder, recording_server

SD = ModelChoice(key="sd", label="SD", family=Family.SD, model_id="sd1.5")
SDXL = ModelChoice(key="sdxl", label="SDXL", family=Family.SDXL, model_id="sdxl")
FACE = Reference(role=Role.FACE, scale=0.6)
FACE_URL = "https://cdn.example/attachments/1/2/face.jpg?ex=6&is=5&hm=4"


@pytest.fixture
async def service() -> AsyncIterator[Recorder]:
    async with recording_server() as recorder:
        yield recorder


@pytest.fixture
async def client(service: Recorder, clock: Clock) -> AsyncIterator[AdaptersClient]:
    async with aiohttp.ClientSession() as session:
        yield AdaptersClient(session, base_url=service.url, api_key="the-key", now=clock)


def order(wish: Wish | None = None, *urls: str, webhook_url: str | None = None) -> Order:
    wish = wish or adapters_wish(Asked(prompt="a quiet harbour"), model=SDXL, seed=11)
    return Order(wish=wish, n=0, photo_urls=urls, idempotency_key="k", webhook_url=webhook_url)


def wish_with(model: ModelChoice, *references: Reference, **asked: Any) -> Wish:
    return adapters_wish(Asked(prompt="a quiet harbour", references=references, **asked), model=model, seed=11)


@pytest.mark.parametrize(
    ("model", "adapter", "model_id", "side_px"),
    [(SD, "ip-adapter-plus-face_sd15", "sd1.5", 512), (SDXL, "ip-adapter-plus-face_sdxl_vit-h", "sdxl", 1024)],
)
async def test_a_face_request_is_the_documented_one(
    service: Recorder, client: AdaptersClient, model: ModelChoice, adapter: str, model_id: str, side_px: int
) -> None:
    service.answer({"id": "j1", "status": "PENDING"}, status=202)
    asked_for = order(wish_with(model, FACE, count=3), FACE_URL)

    await client.submit(asked_for)

    asked = service.asked[0]
    assert (asked.method, asked.path) == ("POST", f"/{model.family}/text2image/v1")
    assert asked.headers["API-Key"] == "the-key"
    assert asked.headers["Content-Type"] == "application/json"
    assert asked.headers["Idempotency-Key"] == "k"
    body = json.loads(asked.body)
    assert body == request_body(asked_for)
    assert body["ip_adapter"] == [adapter]
    assert body["ip_adapter_scale"] == [0.6]
    assert body["ip_adapter_image"] == FACE_URL
    assert (body["model_id"], body["samples"], body["seed"]) == (model_id, 3, 11)
    assert (body["width"], body["height"]) == (side_px, side_px)
    assert body["safety_checker"] is True
    assert body["negative_prompt"]
    assert 20 <= body["num_inference_steps"] <= 30
    assert 1 <= body["guidance_scale"] <= 20


def test_a_request_without_photos_names_no_adapter() -> None:
    assert not [name for name in request_body(order()) if name.startswith("ip_adapter")]


def test_what_nobody_set_is_left_to_the_service() -> None:
    assert not request_body(order()).keys() & {"strength", "scheduler", "server_id", "webhook"}


def test_everything_that_was_set_is_sent() -> None:
    extra = ExtraAdapter(name="hands-xl", label="Hands", family=Family.SDXL, scale=0.3)
    asked = Asked(prompt="x", references=(FACE,), strength=0.4, scheduler="DDIMScheduler", seed=5, size="768x512")
    wish = adapters_wish(asked, model=SDXL, seed=11, extra=extra, safety_checker=False, server_id="any")

    body = request_body(order(wish, FACE_URL, webhook_url="https://bot.example/hooks/1"))

    assert (body["strength"], body["scheduler"], body["seed"]) == (0.4, "DDIMScheduler", 5)
    assert (body["width"], body["height"], body["safety_checker"]) == (768, 512, True)  # a face: always
    assert (body["server_id"], body["webhook"]) == ("any", "https://bot.example/hooks/1")
    assert body["ip_adapter"] == ["ip-adapter-plus-face_sdxl_vit-h", "hands-xl"]
    assert body["ip_adapter_scale"] == [0.6, 0.3]


FACES = ["ip-adapter-plus-face_sdxl_vit-h"]
STYLES = ["ip-adapter-plus_sdxl_vit-h"]


@pytest.mark.parametrize(
    ("references", "images"),
    [
        (
            [Reference(role=Role.FACE, scale=0.7), Reference(role=Role.FACE, scale=0.5)],
            {"ip_adapter": FACES, "ip_adapter_scale": [0.7, 0.5], "ip_adapter_image": ["u0", "u1"]},
        ),
        (
            [Reference(role=Role.STYLE, scale=0.5)],
            {"ip_adapter": STYLES, "ip_adapter_scale": [0.5], "ip_adapter_image": ["u0"]},
        ),
        (
            [
                Reference(role=Role.FACE, scale=0.9),
                Reference(role=Role.STYLE, scale=0.4),
                Reference(role=Role.STYLE, scale=0.3),
            ],
            {
                "ip_adapter": [*STYLES, *FACES],
                "ip_adapter_scale": [0.4, 0.3, 0.9],
                "ip_adapter_image": "u0",
                "ip_adapter_style_images": ["u1", "u2"],
            },
        ),
    ],
)
def test_several_photos_are_sent_as_the_vendors_own_client_does(
    references: list[Reference], images: dict[str, Any]
) -> None:
    urls = [f"u{number}" for number in range(len(references))]

    body = request_body(order(wish_with(SDXL, *references), *urls))

    assert {name: value for name, value in body.items() if name.startswith("ip_adapter")} == images


@pytest.mark.parametrize("status", [200, 201, 202])
async def test_a_submit_may_be_answered_with_any_success(
    service: Recorder, client: AdaptersClient, status: int
) -> None:
    service.answer({"job_id": 5}, status=status)

    assert await client.submit(order()) == Pending(job_id="5", status="")


async def test_a_submit_may_already_be_the_end(service: Recorder, client: AdaptersClient) -> None:
    service.answer({"status": "SUCCESS", "download_urls": ["https://f.example/1"]})
    service.answer({"status": "FAILURE", "error": "no"})

    assert await client.submit(order()) == Done(sources=("https://f.example/1",))
    assert await client.submit(order()) == Failed(message="no")


async def test_a_job_name_is_quoted_in_the_status_address(service: Recorder, client: AdaptersClient) -> None:
    service.answer({"status": "PENDING"})

    await client.ask("/sd/text2image/v1", "a/b ?c")

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
        await client.submit(order())
    assert "the-key" not in str(refusal.value)


async def test_the_key_does_not_follow_a_redirect(service: Recorder, client: AdaptersClient) -> None:
    async with recording_server() as elsewhere:
        elsewhere.answer({"id": "stolen"})
        service.answer("", status=307, headers={"Location": f"{elsewhere.url}/"})

        with pytest.raises(Misconfigured):
            await client.submit(order())

        assert elsewhere.asked == []


@pytest.mark.parametrize("status", [401, 404])
async def test_a_wrong_dialect_is_named_with_the_right_one(
    service: Recorder, client: AdaptersClient, status: int
) -> None:
    service.answer({}, status=status)

    with pytest.raises(Misconfigured, match="IMAGEPIPELINE_API=identity"):
        await client.submit(order())


@pytest.mark.parametrize("status", [400, 413, 422])
async def test_a_refused_request_gives_the_services_reason(
    service: Recorder, client: AdaptersClient, status: int
) -> None:
    service.answer({"detail": [{"loc": ["body", "samples"], "msg": "at most 4"}]}, status=status)

    with pytest.raises(Rejected, match="samples: at most 4"):
        await client.submit(order())


async def test_a_429_carries_how_long_to_wait(service: Recorder, client: AdaptersClient) -> None:
    service.answer({}, status=429, headers={"Retry-After": "12"})

    with pytest.raises(Busy) as busy:
        await client.submit(order())
    assert busy.value.retry_after_s == 12.0


@pytest.mark.parametrize("status", [500, 502, 503, 504])
async def test_a_server_error_is_worth_another_try(service: Recorder, client: AdaptersClient, status: int) -> None:
    service.answer("<html>bad gateway</html>", status=status)

    with pytest.raises(Unreachable):
        await client.submit(order())


async def test_a_server_error_that_names_a_job_has_taken_it(service: Recorder, client: AdaptersClient) -> None:
    service.answer({"id": "j9", "error": "but it runs"}, status=500)

    assert await client.submit(order()) == Pending(job_id="j9", status="")


@pytest.mark.parametrize("text", ["<html>", "", "[" * 100_000, "\xff"])
async def test_an_answer_that_is_no_json_is_worth_another_try(
    service: Recorder, client: AdaptersClient, text: str
) -> None:
    service.answer(text)

    with pytest.raises(Unreachable):
        await client.ask("/sd/text2image/v1", "j")


async def test_a_connection_that_breaks_is_worth_another_try(service: Recorder, client: AdaptersClient) -> None:
    async def hang_up(request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        request.transport.close()
        return web.Response()

    service.answers.append(hang_up)

    with pytest.raises(Unreachable):
        await client.submit(order())


async def test_an_unknown_job_is_told_apart_from_a_wrong_address(service: Recorder, client: AdaptersClient) -> None:
    service.answer({"detail": "not found"}, status=404)

    with pytest.raises(JobUnknown):
        await client.ask("/sd/text2image/v1", "j")
