"""How often something may be done: so many times in any window of time."""

from collections import defaultdict, deque
from collections.abc import Callable

# Discord hides its buckets for edits; others measured 30 in 60 s a channel. Half of it stays free for results.
PROGRESS_EDITS = 15
PROGRESS_WINDOW_S = 60.0


class Allowance:
    """Counts uses per key. ``clock`` gives monotonic seconds."""

    def __init__(
        self,
        *,
        clock: Callable[[], float],
        uses: int = PROGRESS_EDITS,
        window_s: float = PROGRESS_WINDOW_S,
    ) -> None:
        self._clock = clock
        self._uses = uses
        self._window_s = window_s
        self._used: defaultdict[int, deque[float]] = defaultdict(deque)

    def take(self, key: int) -> float:
        """Take one use and return 0.0, or return the seconds until one comes free."""
        now = self._clock()
        used = self._used[key]
        while used and used[0] <= now - self._window_s:
            used.popleft()
        if len(used) < self._uses:
            used.append(now)
            return 0.0
        return used[0] + self._window_s - now
