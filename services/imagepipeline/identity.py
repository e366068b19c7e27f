"""ImagePipeline's API of today: ``/identity/lock/image/v1`` with a face, ``/generate/image/v1`` without."""

import asyncio
import contextlib
import hashlib
import uuid
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any
from urllib.parse import quote
from weakref import WeakValueDictionary

import aiohttp

from services.downloads import DownloadError
from services.imagepipeline.answers import Answer, JobUnknown, Rejected, ServiceError, Unreachable
from services.imagepipeline.calls import Calls
from services.imagepipeline.client import Order
from services.imagepipeline.wire import balance_usd, read_answer, upload_url
from services.parameters import Api
from services.wishes import Wish
from services.words import _

LOCK = "/identity/lock/image/v1"
GENERATE = "/generate/image/v1"
UPLOAD = "/upload/image/v1"
ACCOUNT = "/v1/user/details"
UPLOADED_MAX = 256
Fetch = Callable[[str], Awaitable[bytes]]

_OTHER_DIALECT = "A key for the older API (API-Key, /sdxl/text2image/v1) needs IMAGEPIPELINE_API=adapters."


class IdentityClient:
    """See ``services.imagepipeline.client.ImageClient``.

    ``fetch`` gets a prepared photo's bytes, which are then uploaded to the service; without it the service fetches the
    photo from its address. The jobs of one wish share one upload.
    """

    api = Api.IDENTITY

    def __init__(
        self,
        session: aiohttp.ClientSession,
        *,
        base_url: str,
        api_key: str,
        now: Callable[[], datetime],
        fetch: Fetch | None,
    ) -> None:
        self._calls = Calls(
            session, base_url=base_url, key_header={"X-API-Key": api_key}, other_dialect=_OTHER_DIALECT, now=now
        )
        self._fetch = fetch
        self._uploaded: dict[str, str] = {}
        self._uploading: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self.account_usd: float | None = None

    def route(self, wish: Wish) -> str:
        """See the protocol."""
        return LOCK if wish.references else GENERATE

    async def look(self) -> None:
        """See the protocol. The vendor's own client asks for the account there; whether every key may is not known."""
        with contextlib.suppress(JobUnknown):
            await self.ask(GENERATE, str(uuid.uuid4()))
        with contextlib.suppress(ServiceError):
            self._note_balance(await self._calls.get(ACCOUNT))

    async def submit(self, order: Order) -> Answer:
        """See the protocol."""
        image_url = await self._image_url(order.photo_urls[0]) if order.photo_urls else None
        body = request_body(order, image_url=image_url)
        # A restart uploads the photo anew, to another address: under the old key that would be a different request.
        key = order.idempotency_key if image_url is None else f"{order.idempotency_key}-{_digest(image_url)}"
        return self._read(await self._calls.post(self.route(order.wish), json=body, key=key), None)

    async def ask(self, route: str, job_id: str) -> Answer:
        """See the protocol."""
        return self._read(await self._calls.get(f"{route}/status/{quote(job_id, safe='')}"), job_id)

    def _read(self, body: object, job_id: str | None) -> Answer:
        self._note_balance(body)
        return read_answer(body, job_id=job_id)

    def _note_balance(self, body: object) -> None:
        said = balance_usd(body)
        self.account_usd = self.account_usd if said is None else said

    async def _image_url(self, photo_url: str) -> str:
        if self._fetch is None:
            return photo_url
        async with self._uploading.setdefault(photo_url, asyncio.Lock()):
            if photo_url not in self._uploaded:
                self._uploaded[photo_url] = await self._upload(await _fetched(self._fetch, photo_url))
                while len(self._uploaded) > UPLOADED_MAX:
                    del self._uploaded[next(iter(self._uploaded))]
            return self._uploaded[photo_url]

    async def _upload(self, jpeg: bytes) -> str:
        form = aiohttp.FormData()
        form.add_field("file", jpeg, filename="face.jpg", content_type="image/jpeg")
        url = upload_url(await self._calls.post(UPLOAD, data=form))
        if url is None:
            raise Unreachable("the answer to the upload names no address")
        return url


def _digest(url: str) -> str:
    return hashlib.sha256(url.encode()).hexdigest()[:16]


async def _fetched(fetch: Fetch, photo_url: str) -> bytes:
    try:
        return await fetch(photo_url)
    except DownloadError as error:
        if error.gone:
            raise Rejected(_("the photo is no longer where it was shown")) from error
        raise Unreachable(f"the photo cannot be fetched for the upload: {error}") from error


def request_body(order: Order, *, image_url: str | None) -> dict[str, Any]:
    """The documented JSON body: one picture a job, and each job of a wish with a seed of its own."""
    wish = order.wish
    body: dict[str, Any] = {
        "prompt": wish.sent_prompt,
        "input_image": image_url,
        "negative_prompt": wish.negative_prompt,
        "num_inference_steps": wish.steps,
        "guidance_scale": wish.guidance,
        "width": wish.width,
        "height": wish.height,
        "seed": wish.seed_of(order.n),
        "output_format": "png",
        "enhance_prompt": wish.enhance_prompt or None,
        "server_id": wish.server_id,
        "callback_url": order.webhook_url,
    }
    return {name: value for name, value in body.items() if value is not None}
