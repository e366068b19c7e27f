import asyncio
import gzip
import io
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from engine.api import MAX_BODY_BYTES, EngineSettings
from tests.engine.pictures import PIXEL
from tests.engine.support import KEY, EngineClient, OnePixelRenderer, engine

LAKE = {"prompt": "a lake"}
FIELDS = (
    "prompt",
    "model_id",
    "samples",
    "guidance_scale",
    "width",
    "seed",
    "scheduler",
    "ip_adapter",
    "ip_adapter_image",
)


async def raw_answer(client: EngineClient, request: bytes) -> tuple[bytes, bytes]:
    """Send bytes as they are, and return the answer's head and body."""
    reader, writer = await asyncio.open_connection(client.base.host, client.base.port)
    writer.write(request)
    async with asyncio.timeout(20):
        answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    head, _, body = answer.partition(b"\r\n\r\n")
    return head, body


@pytest.mark.parametrize("family", ["sd", "sdxl"])
async def test_a_submit_is_accepted_with_an_id_to_ask_about(family: str) -> None:
    async with engine() as client:
        response = await client.submit(LAKE, family=family)
        answer = await response.json()

    assert (response.status, response.content_type) == (202, "application/json")
    assert answer["status"] == "PENDING"
    assert isinstance(answer["id"], str)


@pytest.mark.parametrize("family", ["sd", "sdxl"])
async def test_either_familys_status_answers_for_both(family: str) -> None:
    async with engine() as client:
        job = await client.submitted(LAKE, family="sdxl")
        await client.ended(job)

        assert (await client.status(job, family=family))["status"] == "SUCCESS"


async def test_a_finished_job_names_one_address_per_picture() -> None:
    async with engine() as client:
        urls = (await client.made({**LAKE, "samples": 3}))["download_urls"]
        pictures = [await client.session.get(url) for url in urls]

        assert len(set(urls)) == 3
        assert [await picture.read() for picture in pictures] == [PIXEL] * 3
        assert {picture.content_type for picture in pictures} == {"image/png"}
        assert {picture.headers["X-Content-Type-Options"] for picture in pictures} == {"nosniff"}


async def test_addresses_of_results_use_the_public_url_where_one_is_set() -> None:
    async with engine(settings=EngineSettings(api_key=KEY, public_url="https://pictures.example/engine")) as client:
        (url,) = (await client.made(LAKE))["download_urls"]

    assert url.startswith("https://pictures.example/engine/files/")


@pytest.mark.parametrize("headers", [{}, {"API-Key": ""}, {"API-Key": "wrong"}, {"API-Key": "ключ"}])
@pytest.mark.parametrize(("method", "path"), [("POST", "/sd/text2image/v1"), ("GET", "/sdxl/text2image/v1/status/1")])
async def test_without_the_key_nothing_is_answered(method: str, path: str, headers: dict[str, str]) -> None:
    async with engine() as client:
        response = await client.session.request(method, client.url(path), headers=headers, json=LAKE)

        assert response.status == 401
        assert "API-Key" in (await response.json())["detail"]


@pytest.mark.parametrize(("key", "status"), [("anything", 202), ("", 401)])
async def test_an_engine_without_a_key_takes_any_but_an_empty_one(key: str, status: int) -> None:
    async with engine(settings=EngineSettings()) as client:
        assert (await client.submit(LAKE, headers={"API-Key": key})).status == status


@pytest.mark.parametrize("content_type", ["application/json", "text/plain", "application/x-www-form-urlencoded", ""])
async def test_a_body_is_json_whatever_its_content_type_says(content_type: str) -> None:
    async with engine() as client:
        response = await client.submit(LAKE, headers={"Content-Type": content_type})

    assert response.status == 202


async def test_a_refusal_names_place_reason_and_value() -> None:
    async with engine() as client:
        response = await client.submit({**LAKE, "samples": 9, "ip_adapter_image": "ftp://secret"})
        detail = (await response.json())["detail"]

    assert response.status == 422
    assert detail[0] == {"loc": ["body", "samples"], "msg": "Should be from 1 to 4", "type": "out_of_range", "input": 9}
    assert "secret" not in str(detail)


@pytest.mark.parametrize("raw", [b"", b"prompt=a+lake", b"[1, 2]", b"\xff\xff"])
async def test_a_body_that_is_no_json_object_is_refused_in_the_same_shape(raw: bytes) -> None:
    async with engine() as client:
        response = await client.post(raw)

        assert response.status == 422
        assert (await response.json())["detail"][0]["loc"] == ["body"]


async def test_a_body_that_is_too_large_is_refused() -> None:
    async with engine() as client:
        response = await client.post(b" " * (MAX_BODY_BYTES + 1))

        assert response.status == 413
        assert "16 MiB" in (await response.json())["detail"]


async def test_a_body_of_ten_mebibytes_inline_fits() -> None:
    padding = " " * (14 * 2**20)
    async with engine() as client:
        assert (await client.post(json.dumps({**LAKE, "note": padding}).encode())).status == 202


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 404),
        ("POST", "/sd2/text2image/v1", 404),
        ("GET", "/sd/text2image/v1", 405),
        ("DELETE", "/health", 405),
        ("GET", "/sd/text2image/v1/status/no-such-job", 404),
        ("GET", "/files/" + "a" * 64, 404),
        ("GET", "/files/..%2f..%2fetc%2fpasswd", 404),
    ],
)
async def test_every_error_is_json_with_a_sentence(method: str, path: str, status: int) -> None:
    async with engine() as client:
        response = await client.session.request(method, client.url(path), headers={"API-Key": KEY})

        assert response.status == status
        assert (await response.json())["detail"].endswith(".")


async def test_a_method_that_is_not_taken_is_told_which_are() -> None:
    async with engine() as client:
        response = await client.session.delete(client.url("/health"))

    assert response.headers["Allow"] == "GET,HEAD"


async def test_health_needs_no_key() -> None:
    async with engine() as client:
        response = await client.session.get(client.url("/health"))

        assert await response.json() == {"status": "ok", "renderer": "one pixel", "queued": 0, "running": 0}


async def test_a_fault_is_answered_without_its_details(caplog: pytest.LogCaptureFixture) -> None:
    def no_seed() -> int:
        raise RuntimeError("secret detail")

    async with engine(choose_seed=no_seed) as client:
        response = await client.submit(LAKE)

        assert response.status == 500
        assert "secret" not in await response.text()
    assert "secret detail" in caplog.text


async def test_a_broken_compressed_body_is_refused() -> None:
    async with engine() as client:
        head, body = await raw_answer(
            client,
            b"POST /sd/text2image/v1 HTTP/1.1\r\nHost: engine\r\nConnection: close\r\nAPI-Key: "
            + KEY.encode()
            + b"\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nnope",
        )

    assert b" 400 " in head.splitlines()[0]
    assert "detail" in json.loads(body)


async def test_a_compressed_body_that_unpacks_to_too_much_is_refused() -> None:
    async with engine() as client:
        response = await client.post(gzip.compress(b" " * (4 * MAX_BODY_BYTES)), headers={"Content-Encoding": "gzip"})

    assert response.status == 413


async def test_a_caller_who_hangs_up_in_the_middle_leaves_no_trace(caplog: pytest.LogCaptureFixture) -> None:
    async with engine() as client:
        _, writer = await asyncio.open_connection(client.base.host, client.base.port)
        head = f"POST /sd/text2image/v1 HTTP/1.1\r\nHost: x\r\nAPI-Key: {KEY}\r\nContent-Length: 99\r\n\r\n"
        writer.write(head.encode() + b'{"prompt"')
        await writer.drain()
        writer.close()
        await writer.wait_closed()
        assert (await client.submit(LAKE)).status == 202

    assert "Traceback" not in caplog.text


async def test_results_are_real_pictures_of_the_size_that_was_asked_for() -> None:
    renderer = OnePixelRenderer()
    async with engine(renderer) as client:
        (url,) = (await client.made({**LAKE, "width": 640, "height": "512"}, family="sdxl"))["download_urls"]
        picture = Image.open(io.BytesIO(await (await client.session.get(url)).read()))

    assert picture.format == "PNG"
    assert (renderer.jobs[0].parameters.width, renderer.jobs[0].parameters.height) == (640, 512)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(st.sampled_from([*FIELDS, "note"]), JSON, max_size=6) | JSON)
@settings(max_examples=60, deadline=None)
async def test_any_json_is_accepted_or_refused_but_never_a_fault(body: Any) -> None:
    async with engine() as client:
        response = await client.post(json.dumps(body).encode())

    assert response.status in {202, 422}
