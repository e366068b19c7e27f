"""What happened, numbered, so that a page that lost its connection can catch up."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator

from playground.model import Event

KEPT_EVENTS = 2000


class Journal:
    """The latest events. Readers get what they missed and then whatever comes, until it is closed."""

    def __init__(self) -> None:
        self.last = 0
        self._events: deque[tuple[int, Event]] = deque(maxlen=KEPT_EVENTS)
        self._readers: set[asyncio.Event] = set()
        self._closed = False

    def add(self, event: Event) -> None:
        """Note an event and wake the readers."""
        self.last += 1
        self._events.append((self.last, event))
        self._wake()

    def close(self) -> None:
        """End all readers."""
        self._closed = True
        self._wake()

    def covers(self, number: int) -> bool:
        """Whether everything after that number is still here."""
        oldest = self._events[0][0] if self._events else self.last + 1
        return oldest - 1 <= number <= self.last

    async def read(self, after: int, *, idle_s: float) -> AsyncIterator[tuple[int, Event] | None]:
        """Events after a number, in order; None whenever nothing has happened for `idle_s` seconds."""
        news = asyncio.Event()
        self._readers.add(news)
        try:
            while not self._closed:
                news.clear()
                for number, event in [entry for entry in self._events if entry[0] > after]:
                    after = number
                    yield number, event
                if self.last <= after and not await _happens(news, idle_s):
                    yield None
        finally:
            self._readers.discard(news)

    def _wake(self) -> None:
        for reader in self._readers:
            reader.set()


async def _happens(news: asyncio.Event, within_s: float) -> bool:
    try:
        async with asyncio.timeout(within_s):
            await news.wait()
    except TimeoutError:
        return False
    return True
