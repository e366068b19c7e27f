"""Going wrong on purpose, so that clients can rehearse it: every fault that ``--chaos`` can name, and what it does."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from enum import StrEnum
from random import Random
from typing import Any, cast

from aiohttp import web
from aiohttp.typedefs import Handler

from engine.errors import FailureReason, JobError
from engine.renderers import Renderer, RenderJob
from engine.webhooks import Event

ALL = "all"
DEFAULT_PROBABILITY = 0.1

SLOW_S = (1.0, 10.0)
RETRY_AFTER_S = (1, 5)
# Longer than clients wait for an answer, and for a job.
ANSWER_HANG_S = 120.0
JOB_HANG_S = 3600.0
# Each hanging job gets a worker of its own, so that the others still have those of the renderer.
MAX_HANGING_JOBS = 32


class Fault(StrEnum):
    """What can go wrong, by the word that selects it."""

    SLOW = "slow"
    RATE_LIMIT = "429"
    SERVER_ERROR = "5xx"
    HANG = "hang"
    JOB_FAILURE = "job-failure"
    JOB_CANCELLED = "job-cancelled"
    JOB_HANG = "job-hang"
    SPELLING = "spelling"
    WEBHOOK_TWICE = "webhook-twice"
    WEBHOOK_LOST = "webhook-lost"


EXPLANATIONS: Mapping[Fault, str] = {
    Fault.SLOW: f"an answer takes {SLOW_S[0]:g} to {SLOW_S[1]:g} s longer",
    Fault.RATE_LIMIT: "a request is refused with 429 and Retry-After",
    Fault.SERVER_ERROR: "a request is answered with 500, 502, 503 or 504, though every other one is carried out",
    Fault.HANG: f"a request is carried out, but answered only after {ANSWER_HANG_S:g} s",
    Fault.JOB_FAILURE: "a job fails for one of the documented reasons",
    Fault.JOB_CANCELLED: "a job ends as cancelled",
    Fault.JOB_HANG: f"a job stays in the works for {JOB_HANG_S / 60:g} minutes, then fails with TIMEOUT",
    Fault.SPELLING: "an answer spells its status, fields and numbers in another of the ways that have been seen",
    Fault.WEBHOOK_TWICE: "a webhook is sent twice",
    Fault.WEBHOOK_LOST: "a webhook is never sent",
}


def parse_faults(text: str) -> frozenset[Fault]:
    """Read the names of faults, separated by commas, or ``all``.

    Raises:
        ValueError: There is no such fault; the text lists those that there are.
    """
    names = {name.strip().lower() for name in text.split(",")} - {""}
    if ALL in names:
        return frozenset(Fault)
    unknown = sorted(names - set(Fault))
    if unknown or not names:
        wrong = f"there is no fault {', '.join(unknown)}" if unknown else "no fault is named"
        raise ValueError(f"{wrong}; choose from {', '.join(Fault)}, or {ALL}")
    return frozenset(Fault(name) for name in names)


class Chaos:
    """Decides which requests, jobs and webhooks go wrong, and how.

    Each fault has dice of its own: its n-th chance has the same outcome in every run with the same seed. The command
    line's ``arguments`` for that are kept.

    Args:
        probability: How often each selected fault strikes where it can, from 0 to 1.
        sleep: Waits for a number of seconds.
    """

    def __init__(
        self,
        faults: Collection[Fault],
        *,
        seed: int,
        probability: float = DEFAULT_PROBABILITY,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._probability = probability
        self._sleep = sleep
        self.arguments = f"--chaos {','.join(sorted(faults))} --chaos-probability {probability} --chaos-seed {seed}"
        self._dice = {fault: Random(f"{seed} {fault}") for fault in faults}  # noqa: S311 # dice, not secrets

    @web.middleware
    async def middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Serve a request, with the faults of answers. The health check is left in peace."""
        if request.path == "/health":
            return await handler(request)
        if dice := self._strikes(Fault.SLOW):
            await self._sleep(dice.uniform(*SLOW_S))
        if dice := self._strikes(Fault.RATE_LIMIT):
            return _rate_limited(dice.randint(*RETRY_AFTER_S), self._strikes(Fault.SPELLING))
        if dice := self._strikes(Fault.SERVER_ERROR):
            if dice.random() < 0.5:
                await handler(request)
            return _server_error(dice)
        response = await handler(request)
        if self._strikes(Fault.HANG):
            await self._sleep(ANSWER_HANG_S)
        if dice := self._strikes(Fault.SPELLING):
            return _respelled(response, dice)
        return response

    def renderer(self, inner: Renderer) -> Renderer:
        """Put the faults of jobs in front of a renderer."""
        spare_workers = MAX_HANGING_JOBS if Fault.JOB_HANG in self._dice else 0
        return _UnreliableRenderer(inner, strikes=self._strikes, sleep=self._sleep, spare_workers=spare_workers)

    def copies(self, event: Event) -> Iterable[Event]:
        """Say what is sent for a webhook's event."""
        if self._strikes(Fault.WEBHOOK_LOST):
            return ()
        return (event, event) if self._strikes(Fault.WEBHOOK_TWICE) else (event,)

    def _strikes(self, fault: Fault) -> Random | None:
        """Roll for a fault; where it strikes, return dice that decide about the rest of it."""
        dice = self._dice.get(fault)
        if dice is None or dice.random() >= self._probability:
            return None
        return Random(dice.getrandbits(64))  # noqa: S311 # of its own, as others may roll before it is done


class _UnreliableRenderer:
    """A renderer whose jobs fail, are cancelled or hang. The spare workers are for those that hang."""

    def __init__(
        self,
        inner: Renderer,
        *,
        strikes: Callable[[Fault], Random | None],
        sleep: Callable[[float], Awaitable[None]],
        spare_workers: int,
    ) -> None:
        self.name = inner.name
        self.workers = inner.workers + spare_workers
        self._inner = inner
        self._strikes = strikes
        self._sleep = sleep
        self._hangs = asyncio.Semaphore(spare_workers)
        self._slots = asyncio.Semaphore(inner.workers)

    async def render(self, job: RenderJob) -> list[bytes]:
        """Return the pictures of a job, unless something goes wrong with it.

        Raises:
            JobError: It does.
        """
        if self._strikes(Fault.JOB_HANG) and not self._hangs.locked():
            async with self._hangs:
                await self._sleep(JOB_HANG_S)
            raise JobError("The job took too long. Send it again.", FailureReason.TIMEOUT)
        if dice := self._strikes(Fault.JOB_FAILURE):
            reason = dice.choice(_FAILURES)
            raise JobError(f"A rehearsed failure: {reason}.", reason)
        if self._strikes(Fault.JOB_CANCELLED):
            raise JobError("A rehearsed cancellation.", FailureReason.CANCELLED)
        async with self._slots:
            return await self._inner.render(job)


_FAILURES = [reason for reason in FailureReason if reason is not FailureReason.CANCELLED]


def _rate_limited(retry_after_s: int, misspelt: Random | None) -> web.Response:
    text = f"Too many requests. Send it again in {retry_after_s} s."
    retry_after = str(retry_after_s)
    if misspelt:
        moment = datetime.now(UTC) + timedelta(seconds=retry_after_s)
        retry_after = misspelt.choice((f"{retry_after_s}.0", format_datetime(moment, usegmt=True)))
    body = {"detail": text, "message": text, "error_code": FailureReason.RATE_LIMIT_EXCEEDED}
    return web.json_response(body, status=429, headers={"Retry-After": retry_after})


def _server_error(dice: Random) -> web.Response:
    status = dice.choice((500, 502, 503, 504))
    if dice.random() < 0.5:  # proxies answer with pages of their own
        page = f"<html><head><title>{status}</title></head><body><h1>{status}</h1></body></html>"
        return web.Response(status=status, text=page, content_type="text/html")
    return web.json_response({"detail": "A rehearsed fault of the server."}, status=status)


def _respelled(response: web.StreamResponse, dice: Random) -> web.StreamResponse:
    """Respell an answer about a job; any other answer stays as it is."""
    if not isinstance(response, web.Response) or response.content_type != "application/json" or not response.text:
        return response
    body: Any = json.loads(response.text)
    if not isinstance(body, dict) or not {"id", "job_id"} & body.keys():
        return response
    return web.json_response(respell(cast("dict[str, Any]", body), dice), status=dice.choice((200, 201, 202)))


def respell(answer: Mapping[str, Any], dice: Random) -> dict[str, Any]:
    """Say the same about a job in other words: those of ImagePipeline's pages, of its own clients, and of others'."""
    plain = dict(answer)
    spelt = _respelled_status(str(plain.pop("status", "")), dice)
    spelt[dice.choice(("id", "job_id", "task_id"))] = plain.pop("job_id", None) or plain.pop("id")
    spelt |= _respelled_pictures(
        [*plain.pop("download_urls", ()), *filter(None, (plain.pop("result_url", None),))], dice
    )
    if error := plain.pop("error", None):
        spelt |= _respelled_error(error, dice)
    if code := plain.pop("failure_reason_code", None):
        spelt[dice.choice(("failure_reason_code", "error_code"))] = code
    spelt |= {name: _respelled_value(value, dice) for name, value in plain.items()}
    return spelt | {"trace": {"node": dice.randrange(100)}}


_WAITING = ("PENDING", "QUEUED", "PROCESSING", "STARTED", "IN_PROGRESS", "running", "Pending", "warming-up", None)
_STATUSES: Mapping[str, tuple[str | None, ...]] = {
    "success": ("SUCCESS", "COMPLETED", "succeeded", "completed", "Success"),
    "failure": ("FAILURE", "FAILED", "ERROR", "failed"),
    "cancelled": ("CANCELLED", "CANCELED", "canceled"),
}
_SAME = {"completed": "success", "failed": "failure"}


def _respelled_status(status: str, dice: Random) -> dict[str, Any]:
    """Return the field, or none: a missing status means that the job is not done."""
    word = status.lower()
    spelling = dice.choice(_STATUSES.get(_SAME.get(word, word), _WAITING))
    return {} if spelling is None else {"status": spelling}


def _respelled_pictures(urls: list[str], dice: Random) -> dict[str, Any]:
    if not urls:
        return {}
    field = dice.choice(("download_urls", "images"))
    if len(urls) > 1 or dice.random() < 0.4:
        return {field: urls}
    return {dice.choice(("download_urls", "result_url", "image_url", "output_url")): urls[0]}


def _respelled_error(error: Any, dice: Random) -> dict[str, Any]:
    return dice.choice(
        (
            {"error": error},
            {"message": error},
            {"detail": error},
            {"error": {"message": error}},
            {"detail": [{"loc": ["body"], "msg": error, "type": "value_error"}]},
        )
    )


def _respelled_value(value: Any, dice: Random) -> Any:
    """Write a number as a string, or a time as seconds, every other time."""
    if isinstance(value, bool) or value is None or dice.random() < 0.5:
        return value
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, str):
        try:
            return datetime.fromisoformat(value).timestamp()
        except ValueError:
            return value
    return value
