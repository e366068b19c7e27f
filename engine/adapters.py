"""ImagePipeline's adapters API: its paths, its header, and its words for what happens to a job."""

from collections.abc import Callable
from dataclasses import replace
from enum import StrEnum
from typing import Any

from aiohttp import web

from engine.auth import ApiKey
from engine.fields import read_object
from engine.idempotency import idempotency_key
from engine.jobs import Job, JobRunner, JobState
from engine.parameters import parse
from engine.request import Family
from engine.webhooks import Webhooks

KEY_HEADER = "API-Key"


class Status(StrEnum):
    """The API's words for the state of a job."""

    PENDING = "PENDING"
    PROCESSING = "PROCESSING"
    SUCCESS = "SUCCESS"
    FAILURE = "FAILURE"


_STATUS = {
    JobState.QUEUED: Status.PENDING,
    JobState.PREPARING: Status.PROCESSING,
    JobState.RUNNING: Status.PROCESSING,
    JobState.SUCCEEDED: Status.SUCCESS,
    JobState.FAILED: Status.FAILURE,
    JobState.CANCELLED: Status.FAILURE,
}


class AdaptersApi:
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
        api_key: str | None,
        files_url: Callable[[web.Request], str],
    ) -> None:
        self._jobs = jobs
        self._webhooks = webhooks
        self._key = ApiKey(api_key, header=KEY_HEADER)
        self._files_url = files_url

    def routes(self) -> list[web.RouteDef]:
        """List the routes; either family's status route answers for both, as the vendor's is seen to do."""
        return [
            web.post("/{family:sd|sdxl}/text2image/v1", self.submit),
            web.get("/{family:sd|sdxl}/text2image/v1/status/{id}", self.status),
        ]

    async def submit(self, request: web.Request) -> web.Response:
        """Take a request for pictures and answer 202 with the id to ask about."""
        self._key.check(request)
        family = Family(request.match_info["family"])
        raw = await request.read()
        wanted = replace(parse(read_object(raw), family), endpoint=request.path.strip("/"))
        files_url, callback_url = self._files_url(request), wanted.callback_url

        def tell(job: Job) -> None:
            if callback_url is not None:
                self._webhooks.send(callback_url, describe(job, files_url), job_id=job.id)

        job = self._jobs.submit(wanted, idempotency=idempotency_key(request, raw), on_end=tell)
        return web.json_response(describe(job, files_url), status=202)

    async def status(self, request: web.Request) -> web.Response:
        """Answer what has become of a job."""
        self._key.check(request)
        job = self._jobs.get(request.match_info["id"])
        return web.json_response(describe(job, self._files_url(request)))


def describe(job: Job, files_url: str) -> dict[str, Any]:
    """Say in this API's words how a job is.

    The pages leave open what a webhook carries. It is this answer too, so that a client needs to read one shape alone.
    """
    answer: dict[str, Any] = {"id": job.id, "status": _STATUS[job.state], "seed": job.seed}
    if job.state is JobState.SUCCEEDED:
        answer["download_urls"] = [f"{files_url}{picture.name}" for picture in job.pictures]
    elif job.state.is_terminal:
        answer["error"] = job.error
    return answer
