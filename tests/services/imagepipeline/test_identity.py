import asyncio
import json
from collections.abc import AsyncIterator

import aiohttp
import pytest

from services.downloads import DownloadError
from services.imagepipeline.answers import Busy, Done, Misconfigured, Pending, Rejected, Unreachable
from services.imagepipeline.client import Order
from services.imagepipeline.identity import IdentityClient
from services.parameters import Role
from services.wishes import Asked, Reference, identity_wish
from tests.conftest import Clock
from tests.servers import Recorder, recording_server

CROP_URL = "https://cdn.example/attachments/1/2/face-1.jpg?ex=6"
UPLOADED_URL = "https://cdn.service.example/u/1.jpg"
CROP = b"\xff\xd8 the crop"


class Cdn:
    """Gives out the crop, or raises."""

    def __init__(self) -> None:
        self.fetched: list[str] = []
        self.error: DownloadError | None = None

    async def fetch(self, url: str) -> bytes:
        self.fetched.append(url)
        if self.error is not None:
            raise self.error
        return CROP


@pytest.fixture
def cdn() -> Cdn:
    return Cdn()


@pytest.fixture
async def service() -> AsyncIterator[Recorder]:
    async with recording_server() as recorder:
        yield recorder


@pytest.fixture
async def client(service: Recorder, clock: Clock, cdn: Cdn) -> AsyncIterator[IdentityClient]:
    async with aiohttp.ClientSession() as session:
        yield IdentityClient(session, base_url=service.url, api_key="the-key", now=clock, fetch=cdn.fetch)


def order(*urls: str, n: int = 0, webhook_url: str | None = None, **asked: object) -> Order:
    references = tuple(Reference(role=Role.FACE, scale=0.6) for _ in urls)
    wish = identity_wish(Asked(prompt="a quiet harbour", references=references, **asked), seed=11)  # pyright: ignore[reportArgumentType]
    return Order(wish=wish, n=n, photo_urls=urls, idempotency_key="k", webhook_url=webhook_url)


async def test_a_face_is_uploaded_and_locked(service: Recorder, client: IdentityClient) -> None:
    service.answer({"url": UPLOADED_URL, "filename": "face.jpg", "size_bytes": 9})
    service.answer({"job_id": "job_1", "status": "queued"})

    answer = await client.submit(order(CROP_URL, n=2, count=4, webhook_url="https://bot.example/hooks/1"))

    upload, lock = service.asked
    assert answer == Pending(job_id="job_1", status="queued")
    assert (upload.method, upload.path) == ("POST", "/upload/image/v1")
    assert b'name="file"' in upload.body
    assert b"Content-Type: image/jpeg" in upload.body
    assert CROP in upload.body
    assert (lock.method, lock.path) == ("POST", "/identity/lock/image/v1")
    assert lock.headers["X-API-Key"] == upload.headers["X-API-Key"] == "the-key"
    assert "API-Key" not in lock.headers
    assert json.loads(lock.body) == {
        "prompt": "a quiet harbour",
        "input_image": UPLOADED_URL,
        "num_inference_steps": 8,
        "guidance_scale": 1.5,
        "width": 1024,
        "height": 1024,
        "seed": 13,  # the third of the wish's jobs
        "output_format": "png",
        "callback_url": "https://bot.example/hooks/1",
    }


async def test_without_a_face_pictures_are_generated(service: Recorder, client: IdentityClient) -> None:
    service.answer({"job_id": "job_1", "status": "queued"})

    await client.submit(order(enhance_prompt=True, steps=12))

    (asked,) = service.asked
    assert asked.path == "/generate/image/v1"
    assert json.loads(asked.body) == {
        "prompt": "a quiet harbour",
        "num_inference_steps": 12,
        "guidance_scale": 0.0,
        "width": 1024,
        "height": 1024,
        "seed": 11,
        "output_format": "png",
        "enhance_prompt": True,
    }


async def test_the_jobs_of_one_wish_share_one_upload(service: Recorder, client: IdentityClient, cdn: Cdn) -> None:
    service.answer({"url": UPLOADED_URL})
    service.answer({"job_id": "job_1", "status": "queued"})

    await asyncio.gather(*(client.submit(order(CROP_URL, n=n, count=4)) for n in range(4)))

    assert [asked.path for asked in service.asked].count("/upload/image/v1") == 1
    assert cdn.fetched == [CROP_URL]


async def test_a_photo_that_the_bot_serves_itself_is_not_uploaded(service: Recorder, clock: Clock) -> None:
    service.answer({"job_id": "job_1", "status": "queued"})
    async with aiohttp.ClientSession() as session:
        client = IdentityClient(session, base_url=service.url, api_key="the-key", now=clock, fetch=None)
        await client.submit(order("https://bot.example/photos/1.jpg"))

    (asked,) = service.asked
    assert json.loads(asked.body)["input_image"] == "https://bot.example/photos/1.jpg"


@pytest.mark.parametrize(
    ("gone", "error"),
    [(True, Rejected), (False, Unreachable)],
)
async def test_a_photo_that_cannot_be_fetched_is_no_request(
    service: Recorder, client: IdentityClient, cdn: Cdn, gone: bool, error: type[Exception]
) -> None:
    cdn.error = DownloadError("not there", gone=gone)

    with pytest.raises(error):
        await client.submit(order(CROP_URL))

    assert service.asked == []


@pytest.mark.parametrize(
    ("status", "error"), [(429, Busy), (503, Unreachable), (402, Misconfigured), (422, Rejected), (200, Unreachable)]
)
async def test_a_failed_upload_is_a_failed_submit_and_is_tried_again(
    service: Recorder, client: IdentityClient, status: int, error: type[Exception]
) -> None:
    service.answer({}, status=status)
    service.answer({"url": UPLOADED_URL})
    service.answer({"job_id": "job_1", "status": "queued"})

    with pytest.raises(error):
        await client.submit(order(CROP_URL))

    assert await client.submit(order(CROP_URL)) == Pending(job_id="job_1", status="queued")


async def test_the_status_names_picture_and_balance(service: Recorder, client: IdentityClient) -> None:
    service.answer({"job_id": "a/b", "status": "processing", "progress": 40})
    service.answer(
        {"job_id": "a/b", "status": "completed", "result_url": UPLOADED_URL, "balance_remaining_usd": "7.50"}
    )

    assert client.account_usd is None
    assert await client.ask("/generate/image/v1", "a/b") == Pending(job_id="a/b", status="processing")
    assert await client.ask("/generate/image/v1", "a/b") == Done(sources=(UPLOADED_URL,))

    assert service.asked[0].path == "/generate/image/v1/status/a%2Fb"
    assert client.account_usd == 7.5


@pytest.mark.parametrize("status", [401, 404])
async def test_a_wrong_dialect_is_named_with_the_right_one(
    service: Recorder, client: IdentityClient, status: int
) -> None:
    service.answer({}, status=status)

    with pytest.raises(Misconfigured, match="IMAGEPIPELINE_API=adapters"):
        await client.submit(order())
