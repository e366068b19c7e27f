"""What an operator's Prometheus reads: the one place where things are counted and timed.

Labels are words of our own and few; nothing here tells a member, a server, a prompt or an address.
https://prometheus.io/docs/practices/naming/
"""

import asyncio
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import aiohttp
from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Info,
    PlatformCollector,
    ProcessCollector,
    exposition,
)

from db import generations, provider_jobs
from db.connection import Database
from db.generations import WaitsFor
from services.tasks import Sleep
from services.version import VERSION

CONTENT_TYPE = exposition.CONTENT_TYPE_PLAIN_0_0_4

LAG_EVERY_S = 1.0
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 3.0, 5.0, 10.0, 30.0)
_MINUTES = (1.0, 2.5, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0)
_CALLBACK = re.compile(r"/interactions/(\d+)/[^/]+/callback$")
# The first moment of Discord's ids: https://discord.com/developers/docs/reference#snowflakes
_DISCORD_EPOCH = datetime(2015, 1, 1, tzinfo=UTC)


class Metrics:
    """One set of numbers with a registry of its own. They begin at zero with the process, which Prometheus expects."""

    def __init__(self, *, now: Callable[[], datetime]) -> None:
        self._now = now
        self._registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        PlatformCollector(registry=registry)
        Info("facelock_build", "Which Facelock runs.", registry=registry).info({"version": VERSION})
        self._generations = Counter(
            "facelock_generations", "Requests that are over, by how they ended.", ["state"], registry=registry
        )
        self._failures = Counter("facelock_failures", "Failed requests, by cause.", ["code"], registry=registry)
        self._refusals = Counter(
            "facelock_refusals", "Commands that were refused before they cost anything.", ["code"], registry=registry
        )
        self._policy_refusals = Counter(
            "facelock_policy_refusals",
            "Prompts that the rules for pictures refused, by category.",
            ["category"],
            registry=registry,
        )
        self._image_checks = Counter(
            "facelock_image_checks",
            "Pictures shown to the operator's check: passed, refused, or refused because it gave no answer.",
            ["outcome"],
            registry=registry,
        )
        self._images = Counter(
            "facelock_images",
            "Images charged to members and given back, as quotas count them, and pictures posted.",
            ["kind"],
            registry=registry,
        )
        self._jobs = Gauge(
            "facelock_queue_jobs", "Jobs in line and jobs at the image service.", ["state"], registry=registry
        )
        self._unanswered = Gauge(
            "facelock_unanswered_requests",
            "Requests that wait for a person: to say whose face it is, to allow it, or to choose one.",
            ["kind"],
            registry=registry,
        )
        self._took = Histogram(
            "facelock_generation_seconds",
            "From the acceptance of a request until Discord has confirmed its pictures.",
            buckets=_MINUTES,
            registry=registry,
        )
        self._waited = Histogram(
            "facelock_wait_seconds",
            "From the acceptance of a request until the image service has taken its first job.",
            buckets=_MINUTES,
            registry=registry,
        )
        self._provider_requests = Counter(
            "facelock_provider_requests",
            "Requests to the image service; the status is none where no answer came.",
            ["endpoint", "status"],
            registry=registry,
        )
        self._provider_seconds = Histogram(
            "facelock_provider_request_seconds",
            "How long the image service took to answer a request.",
            ["endpoint"],
            buckets=_SECONDS,
            registry=registry,
        )
        self._discord_requests = Counter(
            "facelock_discord_requests",
            "Requests to Discord; the status is none where no answer came.",
            ["method", "status"],
            registry=registry,
        )
        self._webhooks = Counter(
            "facelock_webhooks", "Genuine webhooks: awaited, not awaited, or missed.", ["outcome"], registry=registry
        )
        self._interactions = Counter(
            "facelock_interactions", "What members did, by kind and command.", ["kind", "command"], registry=registry
        )
        self._ack = Histogram(
            "facelock_interaction_ack_seconds",
            "From the moment in an interaction's id, by Discord's clock, until Discord has taken the answer.",
            buckets=_SECONDS,
            registry=registry,
        )
        self._account = Gauge(
            "facelock_account_usd", "What is left in the account at the image service, if it says.", registry=registry
        )
        self._account.set(float("nan"))
        self._lag = Histogram(
            "facelock_event_loop_lag_seconds",
            "How much later than due the event loop wakes up a task.",
            buckets=_SECONDS,
            registry=registry,
        )
        for counter, values in (
            (self._generations, ("settled", "failed", "cancelled")),
            (self._images, ("charged", "refunded", "delivered")),
            (self._webhooks, ("awaited", "not_awaited", "missed")),
            (self._image_checks, ("passed", "refused", "unavailable")),
        ):
            for value in values:
                counter.labels(value)

    async def page(self, database: Database, *, account_usd: float | None) -> bytes:
        """Everything as Prometheus reads it; what lives in rows is read from them now."""
        async with database.connection() as connection:
            counted = await provider_jobs.count_open(connection)
            unanswered = await generations.count_waiting(connection)
        self._jobs.labels("waiting").set(counted.waiting)
        self._jobs.labels("at_provider").set(counted.at_provider)
        for what in WaitsFor:
            self._unanswered.labels(what).set(unanswered.get(what, 0))
        if account_usd is not None:
            self._account.set(account_usd)
        return exposition.generate_latest(self._registry)

    def accepted(self, images: int) -> None:
        """A request and its charge are written."""
        self._images.labels("charged").inc(images)

    def taken(self, waited: timedelta) -> None:
        """The image service has taken the first job of a request that is so old."""
        self._waited.observe(waited.total_seconds())

    def settled(self, took: timedelta, *, pictures: int) -> None:
        """So many pictures are posted."""
        self._generations.labels("settled").inc()
        self._images.labels("delivered").inc(pictures)
        self._took.observe(took.total_seconds())

    def failed(self, code: str) -> None:
        """A request is over without pictures; ``code`` is that of a ``UserError``."""
        self._generations.labels("failed").inc()
        self._failures.labels(code).inc()

    def cancelled(self) -> None:
        """A request is over because nobody wants it any more."""
        self._generations.labels("cancelled").inc()

    def refunded(self, images: int) -> None:
        """A member has so many images back."""
        self._images.labels("refunded").inc(images)

    def refused(self, code: str) -> None:
        """Somebody was told that this cannot be done; ``code`` is that of a ``UserError``."""
        self._refusals.labels(code).inc()

    def refused_by_policy(self, category: str) -> None:
        """The rules for pictures refused a prompt; ``category`` is the name of a rule file."""
        self._policy_refusals.labels(category).inc()

    def checked(self, outcome: str) -> None:
        """The operator's check was shown a picture: passed, refused, or unavailable."""
        self._image_checks.labels(outcome).inc()

    def interaction(self, kind: str, command: str) -> None:
        """A member did something; ``command`` is empty where it is none."""
        self._interactions.labels(kind, command).inc()

    def webhook(self, outcome: str) -> None:
        """A genuine one has come: awaited, not_awaited, or missed."""
        self._webhooks.labels(outcome).inc()

    async def watch_loop(self, sleep: Sleep) -> None:
        """A task that measures the event loop; it ends with its owner."""
        time = asyncio.get_running_loop().time
        while True:
            due = time() + LAG_EVERY_S
            await sleep(LAG_EVERY_S)
            self._lag.observe(max(0.0, time() - due))

    def provider_trace(self) -> aiohttp.TraceConfig:
        """For the HTTP session with which the image service is asked."""

        def note(method: str, path: str, status: str, took_s: float) -> None:
            endpoint = f"{method} {path.partition('/status/')[0]}{'/status' if '/status/' in path else ''}"
            self._provider_requests.labels(endpoint, status).inc()
            self._provider_seconds.labels(endpoint).observe(took_s)

        return _trace(note)

    def discord_trace(self) -> aiohttp.TraceConfig:
        """For discord.py's HTTP session."""

        def note(method: str, path: str, status: str, _took_s: float) -> None:
            self._discord_requests.labels(method, status).inc()
            callback = _CALLBACK.search(path)
            if callback and status.startswith("2"):
                asked_at = _DISCORD_EPOCH + timedelta(milliseconds=int(callback[1]) >> 22)
                self._ack.observe(max(0.0, (self._now() - asked_at).total_seconds()))

        return _trace(note)


def _trace(note: Callable[[str, str, str, float], None]) -> aiohttp.TraceConfig:
    """Tell ``note`` of each request's method, path, status and seconds until the head of the answer."""

    async def begin(
        _session: aiohttp.ClientSession, context: SimpleNamespace, _: aiohttp.TraceRequestStartParams
    ) -> None:
        context.began_s = asyncio.get_running_loop().time()

    def end(context: SimpleNamespace, method: str, path: str, status: str) -> None:
        note(method, path, status, asyncio.get_running_loop().time() - context.began_s)

    async def answered(
        _session: aiohttp.ClientSession, context: SimpleNamespace, said: aiohttp.TraceRequestEndParams
    ) -> None:
        end(context, said.method, said.url.path, str(said.response.status))

    async def broken(
        _session: aiohttp.ClientSession, context: SimpleNamespace, said: aiohttp.TraceRequestExceptionParams
    ) -> None:
        end(context, said.method, said.url.path, "none")

    trace = aiohttp.TraceConfig()
    trace.on_request_start.append(begin)
    trace.on_request_end.append(answered)
    trace.on_request_exception.append(broken)
    return trace
