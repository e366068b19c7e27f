"""ImagePipeline's adapters API: its paths, its header, and its words for what happens to a job."""

import hashlib
import hmac
from collections.abc import Callable
from enum import StrEnum
from typing import Any

from aiohttp import web

from engine.errors import InvalidRequestError, Problem, UnauthorizedError
from engine.fields import read_object
from engine.jobs import IdempotencyKey, Job, JobRunner, JobState
from engine.parameters import parse
from engine.request import Family

KEY_HEADER = "API-Key"
IDEMPOTENCY_HEADER = "Idempotency-Key"
MAX_IDEMPOTENCY_KEY_CHARS = 255

FileLink = Callable[[web.Request, str], str]


class Status(StrEnum):
    """The API's words for the state of a job."""

    PENDING = "PENDING"
    PROCESSING = "PROCESSING"
    SUCCESS = "SUCCESS"
    FAILURE = "FAILURE"


_STATUS = {
    JobState.QUEUED: Status.PENDING,
    JobState.RUNNING: Status.PROCESSING,
    JobState.SUCCEEDED: Status.SUCCESS,
    JobState.FAILED: Status.FAILURE,
}


class AdaptersApi:
    """The handlers of this API.

    Args:
        api_key: The one key that is taken; None takes any key that is not empty.
        link: Makes the address of a result from the request that asks for it and the file's name.
    """

    def __init__(self, jobs: JobRunner, *, api_key: str | None, link: FileLink) -> None:
        self._jobs = jobs
        self._api_key = api_key
        self._link = link

    def routes(self) -> list[web.RouteDef]:
        """List the routes; either family's status route answers for both, as the vendor's is seen to do."""
        return [
            web.post("/{family:sd|sdxl}/text2image/v1", self.submit),
            web.get("/{family:sd|sdxl}/text2image/v1/status/{id}", self.status),
        ]

    async def submit(self, request: web.Request) -> web.Response:
        """Take a request for pictures and answer 202 with the id to ask about."""
        self._check_key(request)
        family = Family(request.match_info["family"])
        raw = await request.read()
        wanted = parse(read_object(raw), family)
        job = self._jobs.submit(wanted, idempotency=_idempotency_key(request, raw))
        return web.json_response(self._describe(job, request), status=202)

    async def status(self, request: web.Request) -> web.Response:
        """Answer what has become of a job."""
        self._check_key(request)
        job = self._jobs.get(request.match_info["id"])
        return web.json_response(self._describe(job, request))

    def _check_key(self, request: web.Request) -> None:
        sent = request.headers.get(KEY_HEADER, "")
        if sent and (self._api_key is None or _is_same(sent, self._api_key)):
            return
        fault = "is wrong" if sent else "is missing"
        raise UnauthorizedError(f"The header {KEY_HEADER} {fault}. Send the key that this engine was started with.")

    def _describe(self, job: Job, request: web.Request) -> dict[str, Any]:
        answer: dict[str, Any] = {"id": job.id, "status": _STATUS[job.state], "seed": job.seed}
        if job.state is JobState.SUCCEEDED:
            answer["download_urls"] = [self._link(request, name) for name in job.files]
        if job.state is JobState.FAILED:
            answer["error"] = job.error
        return answer


def _is_same(one: str, other: str) -> bool:
    """Compare two secrets in a time that does not tell how much of them agrees."""
    first, second = (text.encode("utf-8", "surrogateescape") for text in (one, other))
    return hmac.compare_digest(first, second)


def _idempotency_key(request: web.Request, raw: bytes) -> IdempotencyKey | None:
    key = request.headers.get(IDEMPOTENCY_HEADER)
    if key is None:
        return None
    if not 1 <= len(key) <= MAX_IDEMPOTENCY_KEY_CHARS:
        message = f"Should be 1 to {MAX_IDEMPOTENCY_KEY_CHARS} characters long"
        raise InvalidRequestError([Problem(loc=("header", IDEMPOTENCY_HEADER), message=message, kind="string_length")])
    return IdempotencyKey(key, hashlib.sha256(request.path.encode() + b"\n" + raw).digest())
