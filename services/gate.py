"""Whether anything may be submitted now: the image service may be busy, or refuse the operator's account."""

import asyncio
import contextlib
import logging
from dataclasses import dataclass

from services.imagepipeline.answers import Misconfigured
from services.tasks import Tasks

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pauses:
    """Seconds: after a 429 without Retry-After; between probes of a refused account, at first and at most."""

    busy_s: float = 10.0
    refused_s: float = 30.0
    refused_longest_s: float = 300.0


class Gate:
    """Everybody who submits passes here. While the account is refused, one probe passes at growing intervals."""

    def __init__(self, *, tasks: Tasks, pauses: Pauses) -> None:
        self._tasks = tasks
        self._pauses = pauses
        self._closed_until = 0.0
        self._opened = asyncio.Event()
        self._refused_s = pauses.refused_s
        self.refusal: Misconfigured | None = None

    async def wait(self) -> None:
        """Wait until something may be submitted."""
        while (left_s := self.closed_for_s()) > 0:
            self._opened.clear()
            with self._tasks.waiting(), contextlib.suppress(TimeoutError):
                async with asyncio.timeout(left_s):
                    await self._opened.wait()

    def passed(self) -> None:
        """Something is being submitted: while the account is refused, the one probe, and the gate closes behind it."""
        if self.refusal is not None:
            self._close_for(self._refused_s)
            self._refused_s = min(2 * self._refused_s, self._pauses.refused_longest_s)

    def closed_for_s(self) -> float:
        """Seconds until the gate opens, 0.0 where it is open."""
        return max(0.0, self._closed_until - asyncio.get_running_loop().time())

    def busy(self, retry_after_s: float | None) -> None:
        """The service asked for fewer requests."""
        self._close_for(self._pauses.busy_s if retry_after_s is None else retry_after_s)

    def refused(self, error: Misconfigured) -> bool:
        """The service refuses the account; returns whether that is new."""
        is_new = self.refusal is None
        self.refusal = error
        if is_new:
            self._refused_s = self._pauses.refused_s
            self._close_for(self._refused_s)
        log.error("submitting is paused, the queue is kept; next try in %.0f s. %s", self.closed_for_s(), error)
        return is_new

    def accepted(self) -> bool:
        """The service has dealt with a request; returns whether it had refused the account before."""
        was_refused = self.refusal is not None
        if was_refused:
            log.info("the image service accepts the account again; submitting goes on")
            self.refusal = None
            self._closed_until = 0.0
            self._opened.set()
        return was_refused

    def _close_for(self, seconds: float) -> None:
        self._closed_until = max(self._closed_until, asyncio.get_running_loop().time() + seconds)
