"""The client of ImagePipeline's adapters API: ``/sd/text2image/v1`` and ``/sdxl/text2image/v1``."""

import asyncio
import json
import logging
from collections.abc import Callable
from datetime import datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import aiohttp

from services import network
from services.imagepipeline.answers import Answer, Busy, JobUnknown, Misconfigured, Pending, Rejected, Unreachable
from services.imagepipeline.wire import error_message, job_id_in, read_answer, retry_after_s
from services.request import DEFAULTS, Model, Wish

log = logging.getLogger(__name__)

TIMEOUT = aiohttp.ClientTimeout(total=30)
# Four PNG pictures of 1536 pixels as base64 are about 25 MB; a longer answer is not one.
ANSWER_BYTES_MAX = 48 * 2**20
PARSED_INLINE_BYTES_MAX = 2**16  # under a millisecond; anything longer carries pictures


class AdaptersClient:
    """Submits wishes and asks how they are. The key goes to this one host alone, so redirects are not followed."""

    def __init__(
        self, session: aiohttp.ClientSession, *, base_url: str, api_key: str, now: Callable[[], datetime]
    ) -> None:
        self._session = session
        self._base_url = base_url
        self._headers = {"API-Key": api_key}
        self._now = now

    async def submit(self, wish: Wish, *, face_url: str | None, idempotency_key: str) -> Answer:
        """Ask for the pictures. The service may answer with a job's name, or already with its end.

        Raises:
            Unreachable, Busy: nothing is known to have been taken; try again later.
            Rejected: the service refuses this request.
            Misconfigured: the service refuses every request.
        """
        url = f"{self._base_url}{_route(wish.model)}"
        headers = self._headers | {"Idempotency-Key": idempotency_key}
        body = request_body(wish, face_url)
        return await self._call("POST", url, headers=headers, json=body, job_id=None)

    async def ask(self, model: Model, job_id: str) -> Answer:
        """Ask how a job is.

        Raises:
            Unreachable, Busy: ask again later.
            JobUnknown: the service has no such job.
            Misconfigured: the service refuses every question.
        """
        url = f"{self._base_url}{_route(model)}/status/{quote(job_id, safe='')}"
        try:
            return await self._call("GET", url, headers=self._headers, json=None, job_id=job_id)
        except Rejected as error:
            raise Unreachable(f"the status answer makes no sense: {error.message}") from error

    async def _call(
        self, method: str, url: str, *, headers: dict[str, str], json: dict[str, Any] | None, job_id: str | None
    ) -> Answer:
        try:
            async with self._session.request(
                method, url, headers=headers, json=json, allow_redirects=False, timeout=TIMEOUT
            ) as response:
                text = await _read(response)
        except network.FAULTS as error:
            raise Unreachable(f"{method} got no answer: {type(error).__name__}") from error
        body = _parse(text) if len(text) <= PARSED_INLINE_BYTES_MAX else await asyncio.to_thread(_parse, text)
        if response.status < HTTPStatus.MULTIPLE_CHOICES:
            if body is None:
                raise Unreachable(f"{method} was answered with something that is no JSON")
            return read_answer(body, job_id=job_id)
        taken = job_id_in(body) if method == "POST" and response.status >= HTTPStatus.INTERNAL_SERVER_ERROR else None
        if taken is not None:
            return Pending(job_id=taken, status="")
        raise self._refusal(response, body, is_status=job_id is not None)

    def _refusal(self, response: aiohttp.ClientResponse, body: object, *, is_status: bool) -> Exception:
        status, reason = response.status, error_message(body)
        if status == HTTPStatus.TOO_MANY_REQUESTS:
            return Busy(retry_after_s(response.headers.get("Retry-After"), self._now()))
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status == HTTPStatus.REQUEST_TIMEOUT:
            return Unreachable(f"the image service answered {status}")
        if status == HTTPStatus.NOT_FOUND and is_status:
            return JobUnknown("the image service does not know the job")
        advice = _OPERATOR_ADVICE.get(status, _REDIRECT_ADVICE if status < HTTPStatus.BAD_REQUEST else None)
        if advice is not None:
            said = f" It said: {reason}" if reason else ""
            return Misconfigured(f"{response.method} {response.url.path} was answered {status}. {advice}{said}")
        return Rejected(reason or f"it answered {status}")


_OPERATOR_ADVICE: dict[int, str] = {
    HTTPStatus.UNAUTHORIZED: "Check IMAGEPIPELINE_API_KEY: the service does not accept this key.",
    HTTPStatus.PAYMENT_REQUIRED: "Check the balance of the ImagePipeline account: it has to be topped up.",
    HTTPStatus.FORBIDDEN: "Check the plan of the ImagePipeline account: this key may not use this endpoint.",
    HTTPStatus.NOT_FOUND: "Check IMAGEPIPELINE_URL: there is no such endpoint at this address.",
    HTTPStatus.METHOD_NOT_ALLOWED: "Check IMAGEPIPELINE_URL: there is no such endpoint at this address.",
}
_REDIRECT_ADVICE = "Check IMAGEPIPELINE_URL: it redirects; set it to the address that it redirects to."


def request_body(wish: Wish, face_url: str | None) -> dict[str, Any]:
    """The documented JSON body. Lists are always JSON arrays, also with one entry, as the vendor's own client sends."""
    body: dict[str, Any] = {
        "model_id": wish.model_id,
        "prompt": wish.prompt,
        "negative_prompt": wish.negative_prompt,
        "num_inference_steps": wish.steps,
        "samples": wish.images,
        "guidance_scale": wish.guidance,
        "width": wish.width,
        "height": wish.height,
        "seed": wish.seed,
    }
    if face_url is not None:
        body["ip_adapter"] = [DEFAULTS[wish.model].face_adapter]
        body["ip_adapter_scale"] = [wish.face_scale]
        body["ip_adapter_image"] = face_url
    return body


def _route(model: Model) -> str:
    return f"/{model.value}/text2image/v1"


async def _read(response: aiohttp.ClientResponse) -> bytes:
    read = bytearray()
    async for chunk in response.content.iter_chunked(2**16):
        read += chunk
        if len(read) > ANSWER_BYTES_MAX:
            raise aiohttp.ClientPayloadError("the answer is too long")
    return bytes(read)


def _parse(text: bytes) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):  # ValueError also covers wrong UTF-8
        return None
