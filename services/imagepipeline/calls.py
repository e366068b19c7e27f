"""One call to the service's API, whatever its dialect: sent, read within limits, and its refusal understood."""

import asyncio
import json
from collections.abc import Callable, Mapping
from datetime import datetime
from http import HTTPStatus
from typing import Any

import aiohttp

from services import network
from services.imagepipeline.answers import Busy, JobUnknown, Misconfigured, Rejected, Unreachable
from services.imagepipeline.wire import error_message, job_id_in, retry_after_s
from services.words import _

TIMEOUT = aiohttp.ClientTimeout(total=30)
# Four PNG pictures of 1536 pixels as base64 are about 25 MB; a longer answer is not one.
ANSWER_BYTES_MAX = 48 * 2**20
PARSED_INLINE_BYTES_MAX = 2**16  # under a millisecond; anything longer carries pictures


class Calls:
    """Calls with the operator's key. It goes to this one host alone, so redirects are not followed.

    ``other_dialect`` is what the operator may have meant where the service knows neither the key nor the endpoint.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        *,
        base_url: str,
        key_header: Mapping[str, str],
        other_dialect: str,
        now: Callable[[], datetime],
    ) -> None:
        self._session = session
        self._base_url = base_url
        self._key_header = key_header
        self._other_dialect = other_dialect
        self._now = now

    async def post(
        self, path: str, *, json: dict[str, Any] | None = None, data: aiohttp.FormData | None = None, key: str = ""
    ) -> object:
        """The JSON of the answer. A 5xx that names a job counts as one which says nothing else: the job exists. ``key``
        makes a repeated call the same one, where the service knows of such keys.

        Raises:
            Unreachable, Busy, Rejected, Misconfigured
        """
        headers = {"Idempotency-Key": key} if key else {}
        response, body = await self._send("POST", path, headers=headers, json=json, data=data)
        if response.status < HTTPStatus.MULTIPLE_CHOICES:
            return body
        taken = job_id_in(body) if response.status >= HTTPStatus.INTERNAL_SERVER_ERROR else None
        if taken is not None:
            return {"job_id": taken}
        raise self._refusal(response, body, is_status=False)

    async def get(self, path: str) -> object:
        """The JSON of the answer to a question about a job.

        Raises:
            Unreachable, Busy, JobUnknown, Misconfigured
        """
        response, body = await self._send("GET", path)
        if response.status < HTTPStatus.MULTIPLE_CHOICES:
            return body
        refusal = self._refusal(response, body, is_status=True)
        if isinstance(refusal, Rejected):
            raise Unreachable(f"the status answer makes no sense: {refusal.message}")
        raise refusal

    async def _send(self, method: str, path: str, **said: Any) -> tuple[aiohttp.ClientResponse, object]:
        headers = {**self._key_header, **said.pop("headers", {})}
        try:
            async with self._session.request(
                method, f"{self._base_url}{path}", headers=headers, allow_redirects=False, timeout=TIMEOUT, **said
            ) as response:
                text = await _read(response)
        except network.FAULTS as error:
            raise Unreachable(f"{method} got no answer: {type(error).__name__}") from error
        body = _parse(text) if len(text) <= PARSED_INLINE_BYTES_MAX else await asyncio.to_thread(_parse, text)
        if body is None and response.status < HTTPStatus.MULTIPLE_CHOICES:
            raise Unreachable(f"{method} was answered with something that is no JSON")
        return response, body

    def _refusal(self, response: aiohttp.ClientResponse, body: object, *, is_status: bool) -> Exception:
        status, reason = response.status, error_message(body)
        if status == HTTPStatus.TOO_MANY_REQUESTS:
            return Busy(retry_after_s(response.headers.get("Retry-After"), self._now()))
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status == HTTPStatus.REQUEST_TIMEOUT:
            return Unreachable(f"the image service answered {status}")
        if status == HTTPStatus.NOT_FOUND and is_status:
            return JobUnknown("the image service does not know the job")
        advice = _OPERATOR_ADVICE.get(status, _REDIRECT_ADVICE if status < HTTPStatus.BAD_REQUEST else None)
        if advice is None:
            return Rejected(reason or _("it answered {status}", status=status))
        other = f" {self._other_dialect}" if status in _WRONG_DIALECT else ""
        said = f" It said: {reason}" if reason else ""
        return Misconfigured(f"{response.method} {response.url.path} was answered {status}. {advice}{other}{said}")


_OPERATOR_ADVICE: dict[int, str] = {
    HTTPStatus.UNAUTHORIZED: "Check IMAGEPIPELINE_API_KEY: the service does not accept this key.",
    HTTPStatus.PAYMENT_REQUIRED: "Check the balance of the ImagePipeline account: it has to be topped up.",
    HTTPStatus.FORBIDDEN: "Check the plan of the ImagePipeline account: this key may not use this endpoint.",
    HTTPStatus.NOT_FOUND: "Check IMAGEPIPELINE_URL: there is no such endpoint at this address.",
    HTTPStatus.METHOD_NOT_ALLOWED: "Check IMAGEPIPELINE_URL: there is no such endpoint at this address.",
}
_REDIRECT_ADVICE = "Check IMAGEPIPELINE_URL: it redirects; set it to the address that it redirects to."
_WRONG_DIALECT = (HTTPStatus.UNAUTHORIZED, HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED)


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
