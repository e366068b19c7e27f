"""Bringing every message up to date with its row: progress, result, failure. The only caller of the presenter.

A message is a projection of the row: ``shown`` is written after Discord's confirmation, so a restart, a lost edit or an
outage of Discord needs nothing special. What is behind is shown again.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Coroutine
from datetime import datetime, timedelta
from typing import Any, Protocol

from db.connection import StorageError
from db.generations import Generation, State
from services import words
from services.allowance import Allowance
from services.errors import GenerationFailed, UserError
from services.generations import Generations
from services.presenter import (
    DiscordUnavailable,
    NeverAcknowledged,
    NowhereToShow,
    Presenter,
    Progress,
    Result,
    Scene,
    ShowError,
    Shown,
    TooLarge,
)
from services.request import Wish
from services.tasks import Tasks
from services.words import _

log = logging.getLogger(__name__)

# Each upload of four pictures is a few megabytes in memory and on the event loop's socket.
UPLOADS_AT_ONCE = 6
LONGEST_RETRY_S = 60.0
GIVE_UP_AFTER = timedelta(days=1)


class SceneOf(Protocol):
    """What there is to show of a generation; no picture of it may be larger than ``each_max`` bytes."""

    async def __call__(self, generation: Generation, wish: Wish, *, each_max: int) -> Scene:
        """Compose it from the row as it is now."""
        ...


class Delivery:
    """Shows what is behind, one message at a time each, many messages side by side.

    ``on_over`` is told once nothing more will be shown of a generation.
    """

    def __init__(
        self,
        *,
        presenter: Presenter,
        generations: Generations,
        tasks: Tasks,
        now: Callable[[], datetime],
        allowance: Allowance,
        scene_of: SceneOf,
        on_over: Callable[[int], Awaitable[None]],
        first_retry_s: float,
    ) -> None:
        self._presenter = presenter
        self._generations = generations
        self._tasks = tasks
        self._now = now
        self._allowance = allowance
        self._scene_of = scene_of
        self._on_over = on_over
        self._first_retry_s = first_retry_s
        self._uploads = asyncio.Semaphore(UPLOADS_AT_ONCE)
        self._news: dict[int, asyncio.Event] = {}
        self._quiet: dict[int, asyncio.Event] = {}

    def wake(self, generation_id: int) -> None:
        """Its row has changed: see that its message follows."""
        news = self._news.get(generation_id)
        if news is not None:
            news.set()
            return
        self._news[generation_id], self._quiet[generation_id] = asyncio.Event(), asyncio.Event()
        self._tasks.spawn(self._catch_up(generation_id), f"show generation {generation_id}")

    async def quiet(self, generation_id: int) -> None:
        """Wait until its message is not being edited any more."""
        while generation_id in self._quiet:
            with self._tasks.waiting():
                await self._quiet[generation_id].wait()

    async def show(self, generation: Generation, wish: Wish, scene: Scene) -> Shown:
        """Show a scene, however long Discord takes to come back.

        Raises:
            TooLarge, NeverAcknowledged
            NowhereToShow: also when Discord did not come back for a day.
        """
        wait_s = self._first_retry_s
        while True:
            try:
                return await self._show_once(generation, wish, scene)
            except DiscordUnavailable as error:
                log.warning("generation %d cannot be shown yet: %s", generation.id, error)
                if self._now() - generation.changed_at > GIVE_UP_AFTER:
                    raise NowhereToShow("Discord was not to be reached for a day") from error
                await self._tasks.sleep(max(wait_s, error.retry_after_s or 0.0))
                wait_s = min(2 * wait_s, LONGEST_RETRY_S)

    async def _show_once(self, generation: Generation, wish: Wish, scene: Scene) -> Shown:
        if isinstance(scene, Result) or (isinstance(scene, Progress) and scene.new_photos):
            with self._tasks.waiting():
                await self._uploads.acquire()
            try:
                return await self._presenter.show(generation, wish, scene)
            finally:
                self._uploads.release()
        return await self._presenter.show(generation, wish, scene)

    async def _catch_up(self, generation_id: int) -> None:
        news = self._news[generation_id]
        try:
            while True:
                news.clear()
                generation = await self._generations.get(generation_id)
                if generation is not None and _is_behind(generation):
                    with words.speaking(generation.locale):
                        await self._guard(generation, self._bring_forward(generation, news))
                elif not news.is_set():
                    return
        finally:
            del self._news[generation_id]
            self._quiet.pop(generation_id).set()

    async def _guard(self, generation: Generation, work: Coroutine[Any, Any, None]) -> None:
        """A scene that cannot even be composed must not come back at every start."""
        try:
            await work
        except UserError as error:
            await self._generations.fail(generation.id, error)
        except StorageError:
            raise  # without the database nothing can go on
        except Exception as error:
            log.exception("the message of generation %d met a bug", generation.id)
            await self._hidden(generation, ShowError(type(error).__name__))

    async def _bring_forward(self, generation: Generation, news: asyncio.Event) -> None:
        wish = Wish.from_json(generation.wish)
        try:
            shown = await self._show_fitting(generation, wish, news)
        except (NeverAcknowledged, NowhereToShow, TooLarge) as error:
            await self._hidden(generation, error)
            return
        if shown is not None:
            await self._confirm(generation, shown.message_id)

    async def _show_fitting(self, generation: Generation, wish: Wish, news: asyncio.Event) -> Shown | None:
        """Show it with pictures as small as Discord wants them; None where a progress edit has to wait its turn."""
        for divisor in (1, 2, 4, 16):
            each_max = generation.file_limit_bytes // divisor
            scene = await self._scene_of(generation, wish, each_max=each_max)
            if isinstance(scene, Progress) and not await self._may_edit(generation.channel_id, news):
                return None
            try:
                return await self.show(generation, wish, scene)
            except TooLarge:
                log.info("generation %d: Discord wants files smaller than %d bytes", generation.id, each_max)
        raise TooLarge("Discord takes none of these pictures")

    async def _may_edit(self, channel_id: int, news: asyncio.Event) -> bool:
        wait_s = self._allowance.take(channel_id)
        if wait_s:
            with self._tasks.waiting(), contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait_s):
                    await news.wait()
        return not wait_s

    async def _hidden(self, generation: Generation, error: ShowError) -> None:
        """It could not be shown: who did not get what they paid for is refunded, and then told if that is possible."""
        log.warning("generation %d (%s) was not shown: %s", generation.id, generation.state, error)
        if generation.state is State.WAITING:
            gone = _("The message of this request was deleted before anybody had answered.")
            await self._generations.fail(generation.id, GenerationFailed("message_gone", gone))
            return
        is_paid = generation.state in (State.QUEUED, State.RUNNING, State.FINISHED)
        if is_paid and (generation.state is State.FINISHED or isinstance(error, NeverAcknowledged)):
            text = _("The pictures were made, but could not be posted here.")
            await self._generations.fail(generation.id, GenerationFailed("undeliverable", text))
        else:
            await self._confirm(generation, None)

    async def _confirm(self, generation: Generation, message_id: int | None) -> None:
        await self._generations.mark_shown(generation.id, version=generation.version, message_id=message_id)
        if generation.state in (State.FINISHED, State.FAILED, State.CANCELLED):
            await self._on_over(generation.id)


def _is_behind(generation: Generation) -> bool:
    return generation.shown < generation.version and generation.state is not State.RECEIVED
