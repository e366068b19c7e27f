"""Time and ids, both injected into the state so that a test can let a day pass at once."""

import time
from collections.abc import Callable

# https://discord.com/developers/docs/reference#snowflakes: milliseconds since 2015, then 22 bits of our own.
DISCORD_EPOCH_MS = 1_420_070_400_000
_SEQUENCE_BITS = 22


class Clock:
    """Seconds since 1970 that run with the machine's steady clock and can be moved forward."""

    def __init__(self) -> None:
        self._start_s = time.time() - time.monotonic()
        self._ahead_s = 0.0

    def __call__(self) -> float:
        """Now, in seconds since 1970."""
        return self._start_s + time.monotonic() + self._ahead_s

    def advance(self, seconds: float) -> None:
        """Let time pass. Raises ValueError for a negative number: Discord's clock never goes back."""
        if seconds < 0:
            raise ValueError("the clock only goes forward")
        self._ahead_s += seconds


class Snowflakes:
    """Discord-like ids: unique, rising, and telling when they were made."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._last = 0

    def __call__(self) -> int:
        """The next id."""
        fresh = (int(self._now() * 1000) - DISCORD_EPOCH_MS) << _SEQUENCE_BITS
        self._last = max(fresh, self._last + 1)
        return self._last
