"""Tells callers that a job has ended, at the address that they gave: up to three attempts, and no guarantee beyond."""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from types import TracebackType
from typing import Any, Self

import aiohttp

from engine.network import AddressRule, PrivateAddressError, guarded_session

log = logging.getLogger(__name__)

# As the schema WebhookEvent of ImagePipeline's OpenAPI document promises.
BACK_OFFS_S = (1.0, 2.0)
ACKNOWLEDGE_TIMEOUT_S = 10.0

_HEADERS = {"User-Agent": "facelock-engine", "Content-Type": "application/json"}

Event = Mapping[str, Any]


def once(event: Event) -> Iterable[Event]:
    """Send each event as it is, one time."""
    return (event,)


class Webhooks:
    """Owns every delivery, while its ``async with`` lasts. Leaving drops those that have not arrived.

    Neither addresses nor answers are logged: the path of an address is its receiver's secret.

    Args:
        allowed: Decides about each IP address that a connection would go to.
        copies: Says what is sent for an event.
        sleep: Waits for a number of seconds.
    """

    def __init__(
        self,
        *,
        allowed: AddressRule,
        copies: Callable[[Event], Iterable[Event]] = once,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        timeout_s: float = ACKNOWLEDGE_TIMEOUT_S,
    ) -> None:
        self._allowed = allowed
        self._copies = copies
        self._sleep = sleep
        self._timeout_s = timeout_s
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._session = guarded_session(self._allowed, headers=_HEADERS)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._session.close()

    def send(self, url: str, event: Event, *, job_id: str) -> None:
        """Begin to deliver an event, and return at once."""
        for copy in self._copies(event):
            task = asyncio.create_task(self._deliver(url, copy, job_id))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _deliver(self, url: str, event: Event, job_id: str) -> None:
        body = json.dumps(event).encode()
        for attempt, back_off_s in enumerate((*BACK_OFFS_S, None), start=1):
            try:
                fault = await self._post(url, body)
            except PrivateAddressError:
                log.warning(
                    "the webhook of job %s is in a private network, which this engine does not call; "
                    "--allow-private-hosts would permit it",
                    job_id,
                )
                return
            if fault is None:
                log.info("the webhook of job %s was taken at attempt %d", job_id, attempt)
                return
            log.info("the webhook of job %s was not taken at attempt %d: %s", job_id, attempt, fault)
            if back_off_s is not None:
                await self._sleep(back_off_s)
        log.warning("the webhook of job %s is given up", job_id)

    async def _post(self, url: str, body: bytes) -> str | None:
        """Return what went wrong, None if any 2xx came in time. A redirect is no 2xx and is not followed.

        Raises:
            PrivateAddressError: The address is one that the rule forbids.
        """
        try:
            async with (
                asyncio.timeout(self._timeout_s),
                self._session.post(url, data=body, allow_redirects=False) as response,
            ):
                return None if 200 <= response.status < 300 else f"HTTP status {response.status}"
        except TimeoutError:
            return f"no answer within {self._timeout_s:g} s"
        except aiohttp.ClientConnectorError as error:
            if isinstance(error.os_error, PrivateAddressError):
                raise error.os_error from None
            return type(error).__name__
        except (aiohttp.ClientError, ValueError) as error:
            return type(error).__name__
