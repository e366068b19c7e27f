"""The one place where background tasks are started, watched and ended."""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Coroutine, Generator
from types import TracebackType
from typing import Any, Self

log = logging.getLogger(__name__)

Sleep = Callable[[float], Awaitable[None]]


class Tasks:
    """A set of tasks with one life. A task that dies of an exception sets ``failure``, and the owner stops everything:
    half a bot that goes on silently is worse than a restart, and a restart loses nothing.

    At the end, tasks in the middle of something get ``grace_s`` seconds to finish it; those that only wait are
    cancelled at once. ``sleep`` is asyncio's, or a faster one in tests.
    """

    def __init__(self, *, grace_s: float, sleep: Sleep = asyncio.sleep) -> None:
        self._grace_s = grace_s
        self._sleep = sleep
        self._tasks: set[asyncio.Task[None]] = set()
        self._waiting: set[asyncio.Task[Any]] = set()
        self._ending = False
        self.failure: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ending = True
        for task in self._waiting:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=self._grace_s)
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)
        if self.failure.done():
            self.failure.exception()  # retrieved, whether or not anybody waited for it

    def spawn(self, work: Coroutine[Any, Any, None], name: str) -> None:
        """Start a task; once the end has begun, nothing new starts."""
        if self._ending:
            work.close()
            return
        task = asyncio.get_running_loop().create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    @contextlib.contextmanager
    def waiting(self) -> Generator[None]:
        """Around a wait that may be broken off when the end comes, because nothing is half-done meanwhile."""
        task = asyncio.current_task()
        if self._ending or task is None:
            raise asyncio.CancelledError
        self._waiting.add(task)
        try:
            yield
        finally:
            self._waiting.discard(task)

    async def sleep(self, seconds: float) -> None:
        """Wait, and be broken off when the end comes."""
        with self.waiting():
            await self._sleep(seconds)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is None:
            return
        log.error("task %s died", task.get_name(), exc_info=error)
        if not self.failure.done():
            self.failure.set_exception(error)
