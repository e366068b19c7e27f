"""An operator's own look at every picture before it is posted: a server of theirs that says yes or no.

docs/safety.md describes what it is sent and what it answers. Whatever is not a clear yes counts as no.
"""

import json
import logging
from typing import Any, cast

import aiohttp

from services import network
from services.errors import FacelockError
from services.metrics import Metrics
from services.tasks import Sleep

log = logging.getLogger(__name__)

# A classifier on a small CPU takes some seconds.
TIMEOUT_S = 30.0
_REASON_CHARACTERS_MAX = 100


class CheckUnavailableError(FacelockError):
    """The server gave no answer that can be understood."""


class ImageCheck:
    """Asks the server at ``url``. ``waits_s`` are between tries, in seconds; ``metrics`` are told of what comes out."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        *,
        url: str,
        key: str | None,
        waits_s: tuple[float, ...],
        sleep: Sleep,
        metrics: Metrics,
    ) -> None:
        self._session = session
        self._url = url
        self._headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._waits_s = waits_s
        self._sleep = sleep
        self._metrics = metrics

    async def passes(self, picture: bytes, *, media_type: str, generation_id: int) -> bool:
        """Whether the picture may be posted; False also where the server cannot say, however often it is asked."""
        for wait_s in (*self._waits_s, None):
            try:
                is_ok, reason = await self.ask(picture, media_type)
            except CheckUnavailableError as error:
                log.warning("a picture of generation %d could not be checked: %s", generation_id, error)
                if wait_s is not None:
                    await self._sleep(wait_s)
            else:
                if not is_ok:
                    log.info("a picture of generation %d did not pass the check: %s", generation_id, reason)
                self._metrics.checked("passed" if is_ok else "refused")
                return is_ok
        self._metrics.checked("unavailable")
        return False

    async def ask(self, picture: bytes, media_type: str) -> tuple[bool, str]:
        """What the server says of a picture, asked once, and why.

        Raises:
            CheckUnavailableError: nothing that can be understood.
        """
        try:
            async with self._session.post(
                self._url,
                data=picture,
                headers={**self._headers, "Content-Type": media_type},
                timeout=aiohttp.ClientTimeout(total=TIMEOUT_S),
                allow_redirects=False,
            ) as response:
                if response.status != 200:
                    raise CheckUnavailableError(f"the check answered {response.status}")
                return _verdict(await response.read())
        except network.FAULTS as error:
            raise CheckUnavailableError(f"no answer from the check: {type(error).__name__}") from error


def _verdict(answer: bytes) -> tuple[bool, str]:
    try:
        said: Any = json.loads(answer)
    except ValueError as error:
        raise CheckUnavailableError("the check answered no JSON") from error
    verdict = cast(dict[str, Any], said) if isinstance(said, dict) else {}
    is_ok, reason = verdict.get("ok"), verdict.get("reason", "no reason given")
    if not isinstance(is_ok, bool):
        raise CheckUnavailableError('the check answered without "ok": true or false')
    return is_ok, str(reason)[:_REASON_CHARACTERS_MAX]
