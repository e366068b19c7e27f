"""ImagePipeline's identity API, the one of today: its paths, its header, and its words for what happens to a job."""

import asyncio
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any

from aiohttp import web

from engine.account import PRICE_USD, Account
from engine.auth import ApiKey
from engine.fields import read_object
from engine.idempotency import idempotency_key
from engine.jobs import Job, JobRunner, JobState, Picture
from engine.operations import FACE_LOCK, OPERATIONS, parse
from engine.request import ImageRequest
from engine.store import FileStore
from engine.uploads import MAX_UPLOAD_BODY_BYTES, file_too_large, read_upload
from engine.webhooks import Webhooks

KEY_HEADER = "X-API-Key"

# An engine has one account.
USER_ID = "engine"


class Status(StrEnum):
    """The API's words for the state of a job."""

    QUEUED = "queued"
    PENDING = "pending"
    PROCESSING = "processing"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


_STATUS = {
    JobState.QUEUED: Status.QUEUED,
    JobState.PREPARING: Status.PENDING,
    JobState.RUNNING: Status.PROCESSING,
    JobState.SUCCEEDED: Status.COMPLETED,
    JobState.FAILED: Status.FAILED,
    JobState.CANCELLED: Status.CANCELLED,
}


class IdentityApi:
    """The handlers of this API.

    Args:
        api_key: The one key that is taken; None takes any key that is not empty.
        files_url: Gives the address of the folder of results, as the sender of a request can reach it.
    """

    def __init__(
        self,
        jobs: JobRunner,
        webhooks: Webhooks,
        *,
        files: FileStore,
        account: Account,
        api_key: str | None,
        files_url: Callable[[web.Request], str],
    ) -> None:
        self._jobs = jobs
        self._webhooks = webhooks
        self._files = files
        self._account = account
        self._key = ApiKey(api_key, header=KEY_HEADER)
        self._files_url = files_url

    def routes(self) -> list[web.RouteDef]:
        """List the routes; either operation's status route answers for both."""
        endpoint = f"/{{endpoint:{'|'.join(OPERATIONS)}}}"
        return [
            web.post(endpoint, self.submit),
            web.get(f"{endpoint}/status/{{id}}", self.status),
            web.post("/upload/image/v1", self.upload),
            web.get("/webhooks/event-schema", self.event_schema),
            web.get("/v1/user/details", self.details),
        ]

    async def submit(self, request: web.Request) -> web.Response:
        """Take a request for a picture and answer with the id to ask about."""
        self._key.check(request)
        raw = await request.read()
        wanted = parse(read_object(raw), OPERATIONS[request.match_info["endpoint"]])
        files_url, callback_url = self._files_url(request), wanted.callback_url
        echo = _echo(wanted)

        def tell(job: Job) -> None:
            if callback_url is not None and job.state is not JobState.CANCELLED:
                self._webhooks.send(callback_url, webhook_event(job, echo, files_url), job_id=job.id)

        job = self._jobs.submit(wanted, idempotency=idempotency_key(request, raw), on_end=tell)
        answer = {
            "job_id": job.id,
            "status": _STATUS[job.state],
            "endpoint": job.endpoint,
            "estimated_time_seconds": self._jobs.estimate_s(job),
            "queued_at": job.queued_at.isoformat(),
        }
        return web.json_response(answer)

    async def status(self, request: web.Request) -> web.Response:
        """Answer what has become of a job."""
        self._key.check(request)
        job = self._jobs.get(request.match_info["id"])
        picture = next(iter(job.pictures), None)
        answer = {
            "job_id": job.id,
            "status": _STATUS[job.state],
            "progress": self._jobs.progress(job),
            "endpoint": job.endpoint,
            "result_url": f"{self._files_url(request)}{picture.name}" if picture else None,
            "result_mime_type": picture.media_type if picture else None,
            "queue_position": self._jobs.position(job),
            "estimated_time_seconds": self._jobs.estimate_s(job),
            "error": job.error,
            "failure_reason_code": job.reason,
            "retryable": None if job.reason is None else job.reason.is_retryable,
            "warnings": list(job.warnings),
            "prompt_hash": job.prompt_sha256,
            "cost_usd": _dollars(job.cost_usd),
            "balance_remaining_usd": _dollars(self._account.balance_usd),
        }
        return web.json_response(answer | _times(job))

    async def upload(self, request: web.Request) -> web.Response:
        """Keep an image, and answer with an address that nobody can guess. It expires as results do."""
        self._key.check(request)
        try:
            body = await request.clone(client_max_size=MAX_UPLOAD_BODY_BYTES).read()
        except web.HTTPRequestEntityTooLarge as error:
            raise file_too_large() from error
        part = await asyncio.to_thread(read_upload, body)
        name = await asyncio.to_thread(self._files.add, part.data)
        answer = {
            "url": f"{self._files_url(request)}{name}",
            "filename": part.filename or name,
            "size_bytes": len(part.data),
            "content_type": part.media_type,
        }
        return web.json_response(answer)

    async def details(self, request: web.Request) -> web.Response:
        """Answer what is left in the account. The vendor promises a plan and a balance here and shows neither."""
        self._key.check(request)
        answer = {"user_id": USER_ID, "balance_remaining_usd": _dollars(self._account.balance_usd)}
        return web.json_response(answer)

    async def event_schema(self, _request: web.Request) -> web.Response:
        """Answer an example of what a webhook carries; no key is needed."""
        return web.json_response(_example_event())


def webhook_event(job: Job, echo: Mapping[str, Any], files_url: str) -> dict[str, Any]:
    """Say what a webhook carries about a job that has ended; ``echo`` is what was asked for, without the image."""
    picture = next(iter(job.pictures), None)
    event: dict[str, Any] = {
        "job_id": job.id,
        "user_id": USER_ID,
        "status": _STATUS[job.state],
        "timestamp": job.ended_at and job.ended_at.timestamp(),
        "time_taken_s": _seconds(job.queued_at, job.ended_at),
        "input": {**echo, "seed": job.seed},
        "warnings": list(job.warnings),
    }
    if picture is not None:
        event["result_url"] = f"{files_url}{picture.name}"
        event["result_mime_type"] = picture.media_type
        event["result_size_bytes"] = picture.size_bytes
    if job.reason is not None:
        event["error"] = job.error
        event["failure_reason_code"] = job.reason
        event["retryable"] = job.reason.is_retryable
    return event


def _echo(wanted: ImageRequest) -> dict[str, Any]:
    parameters = wanted.parameters
    return {
        "prompt": parameters.prompt,
        "width": parameters.width,
        "height": parameters.height,
        "steps": parameters.num_inference_steps,
        "output_format": wanted.output_format,
    }


def _example_event() -> dict[str, Any]:
    wanted = parse({"prompt": "a portrait in soft light"}, FACE_LOCK)
    queued_at = datetime(2026, 1, 1, 12, tzinfo=UTC)
    job = Job(
        id="5f0c7d1e-8f7e-4f3e-9d55-2f6f4f1f3c52",
        number=1,
        state=JobState.SUCCEEDED,
        endpoint=wanted.endpoint,
        seed=42,
        prompt_sha256="",
        queued_at=queued_at,
        pictures=(Picture(name="0" * 64, media_type="image/webp", size_bytes=183_442),),
        cost_usd=PRICE_USD,
        started_at=queued_at,
        ended_at=queued_at + timedelta(seconds=4.2),
    )
    return webhook_event(job, _echo(wanted), "https://engine.example/files/")


def _times(job: Job) -> dict[str, Any]:
    made_s = _seconds(job.started_at, job.ended_at)
    return {
        "queued_at": job.queued_at.isoformat(),
        "started_at": job.started_at and job.started_at.isoformat(),
        "completed_at": job.ended_at and job.ended_at.isoformat(),
        "queue_wait_seconds": _seconds(job.queued_at, job.started_at),
        "inference_time_seconds": made_s,
        "processing_time_seconds": made_s,
        "total_elapsed_seconds": _seconds(job.queued_at, job.ended_at),
    }


def _seconds(start: datetime | None, end: datetime | None) -> float | None:
    return None if start is None or end is None else round((end - start).total_seconds(), 3)


def _dollars(amount: Decimal | None) -> float | None:
    return None if amount is None else float(amount)
