"""Giving jobs to the provider: patiently, behind the gate, and at most once as far as that is in our hands."""

import asyncio
import contextlib
import json
import logging
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from db.generations import Generation
from db.provider_jobs import ProviderJob
from services.errors import GenerationFailed
from services.gate import Gate
from services.hosting import Hosting
from services.imagepipeline.answers import Answer, Busy, Rejected, Unreachable
from services.imagepipeline.client import ImageClient, Order
from services.imagepipeline.wire import job_id_in
from services.tasks import Tasks
from services.wishes import Wish
from services.words import _, sentence

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Backoff:
    """Seconds: between tries to reach the service, at first and at most; and how long a job that a killed process was
    just submitting may be named late by its webhook, before it is submitted again.
    """

    first_s: float = 1.0
    longest_s: float = 30.0
    late_name_s: float = 20.0


class Submitter:
    """Submits one job at a time. ``webhook_url`` makes the address for a job's webhook, where there are webhooks;
    ``is_wanted`` tells whether anybody still waits for a generation of that id.
    """

    def __init__(
        self,
        *,
        client: ImageClient,
        hosting: Hosting,
        webhook_url: Callable[[str], str] | None,
        is_wanted: Callable[[int], Awaitable[bool]],
        gate: Gate,
        tasks: Tasks,
        now: Callable[[], datetime],
        timeout: timedelta,
        backoff: Backoff,
    ) -> None:
        self._client = client
        self._hosting = hosting
        self._webhook_url = webhook_url
        self._is_wanted = is_wanted
        self._gate = gate
        self._tasks = tasks
        self._now = now
        self._timeout = timeout
        self._backoff = backoff
        self._nameless: dict[str, asyncio.Future[str]] = {}

    async def submit(self, generation: Generation, wish: Wish, job: ProviderJob) -> Answer | None:
        """Ask until the service has taken the job or refused it, or until nobody wants it any more: then None. Its time
        counts from when it was given its slot.

        Raises:
            Misconfigured: the service refuses every request.
            GenerationFailed: the service refuses this one, or could not be reached in time.
        """
        order = Order(
            wish=wish,
            n=job.n,
            photo_urls=self._hosting.urls(generation),
            idempotency_key=job.id,
            webhook_url=self._webhook_url(job.id) if self._webhook_url else None,
        )
        wait_s = self._backoff.first_s
        while True:
            try:
                return await self._client.submit(order)
            except Rejected as error:
                text = _("The image service refused the request: {reason}", reason=sentence(error.message))
                raise GenerationFailed("rejected", text) from error
            except Busy as error:
                self._gate.busy(error.retry_after_s)
            except Unreachable as error:
                log.warning("generation %d could not be submitted yet: %s", generation.id, error)
            if job.started_at is None or self._now() >= job.started_at + self._timeout:
                raise GenerationFailed("unreachable", _("The image service could not be reached."))
            await self._tasks.sleep(max(self._gate.closed_for_s(), wait_s * random.uniform(0.8, 1.2)))  # noqa: S311 - spreads load
            wait_s = min(2 * wait_s, self._backoff.longest_s)
            if not await self._is_wanted(generation.id):
                return None

    async def late_name(self, job_id: str) -> str | None:
        """Wait for a webhook to tell the provider's name of a job that may have been submitted before a restart."""
        if self._webhook_url is None:
            return None
        named = self._nameless[job_id] = asyncio.get_running_loop().create_future()
        try:
            with self._tasks.waiting(), contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._backoff.late_name_s):
                    return await named
            return None
        finally:
            del self._nameless[job_id]

    def named_late(self, job_id: str, body: bytes) -> bool:
        """A webhook has come; returns whether it was the one that ``late_name`` waits for. The body is only believed
        about the name, under which the service is then asked.
        """
        named = self._nameless.get(job_id)
        if named is None or named.done():
            return False
        try:
            provider_id = job_id_in(json.loads(body))
        except (ValueError, RecursionError):
            return False
        if provider_id is None:
            return False
        named.set_result(provider_id)
        return True
