"""Putting questions to the people who are shown in photos: each once, however often the bot is started meanwhile."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from services import words
from services.consents import Asking, Consents, Question, Unreachable
from services.errors import UserError
from services.presenter import DiscordUnavailable
from services.tasks import Tasks

log = logging.getLogger(__name__)


class Questions:
    """One task. ``on_unreachable`` is told of a generation whose person cannot be asked, and why; what Discord does not
    take is tried again after ``retry_s`` seconds.
    """

    def __init__(
        self,
        consents: Consents,
        *,
        asking: Asking,
        on_unreachable: Callable[[int, UserError], Awaitable[None]],
        tasks: Tasks,
        retry_s: float,
    ) -> None:
        self._consents = consents
        self._asking = asking
        self._on_unreachable = on_unreachable
        self._tasks = tasks
        self._retry_s = retry_s
        self._news = asyncio.Event()

    def wake(self) -> None:
        """There is something to ask."""
        self._news.set()

    async def run(self) -> None:
        """The task; it ends with its owner."""
        while True:
            self._news.clear()
            is_all_asked = True
            for question in await self._consents.unasked():
                with words.speaking(question.generation.locale):
                    is_all_asked &= await self._ask(question)
            if is_all_asked:
                with self._tasks.waiting():
                    await self._news.wait()
            else:
                await self._tasks.sleep(self._retry_s)

    async def _ask(self, question: Question) -> bool:
        try:
            channel_id, message_id = await self._asking.ask(question)
        except DiscordUnavailable as error:
            log.warning("generation %d: its question cannot be put yet: %s", question.generation.id, error)
            return False
        except Unreachable as error:
            await self._on_unreachable(question.generation.id, error)
        else:
            await self._consents.asked(question, channel_id=channel_id, message_id=message_id)
        return True
