"""From an accepted command to its place in the queue: fetching the photo at once, checking it, showing the crop."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace

from db.generations import Generation
from services.delivery import Delivery
from services.downloads import DownloadError, Downloads
from services.errors import GenerationFailed, PhotoRefused
from services.photos import PHOTO_BYTES_MAX, FaceCrop, Photos
from services.presenter import NowhereToShow, Progress, Shown
from services.request import Wish
from services.tasks import Tasks

log = logging.getLogger(__name__)

PHOTO_TIMEOUT_S = 30.0
# As many photos as are in memory at one time, each up to 10 MiB and decoded up to 160 MB.
PHOTOS_AT_ONCE = 3
_RETRY_S = (0.5, 2.0)
_UNCHECKED = "The photo was cropped to its middle and not checked for a face."


class Intake:
    """Prepares one generation at a time for the queue; holds no state of its own."""

    def __init__(self, *, downloads: Downloads, photos: Photos, delivery: Delivery, tasks: Tasks) -> None:
        self._downloads = downloads
        self._photos = photos
        self._delivery = delivery
        self._tasks = tasks
        self._slots = asyncio.Semaphore(PHOTOS_AT_ONCE)

    async def prepare(
        self, generation: Generation, wish: Wish, scene: Callable[[], Awaitable[Progress]]
    ) -> Shown | None:
        """Show the generation in the queue, as ``scene`` describes that, with the face where there is one.

        Returns None where nothing had to be shown: there is no face, and the message is known already.

        Raises:
            PhotoRefused, GenerationFailed, NeverAcknowledged
        """
        crop = await self._crop(generation.photo_url) if generation.photo_url else None
        if crop is None and generation.message_id is not None:
            return None
        notes = () if crop is None or crop.detected else (_UNCHECKED,)
        progress = await scene()
        progress = replace(progress, new_face=crop.jpeg if crop else None, notes=(*notes, *progress.notes))
        try:
            shown = await self._delivery.show(generation, wish, progress)
        except NowhereToShow as error:
            raise GenerationFailed("message_gone", "The message of this request was deleted.") from error
        if crop is not None and shown.face is None:
            raise GenerationFailed("no_face_url", "Discord gave no address for the photo. Try again.")
        return shown

    async def _crop(self, photo_url: str) -> FaceCrop:
        with self._tasks.waiting():
            await self._slots.acquire()
        try:
            return await self._photos.crop(await self._fetch(photo_url))
        finally:
            self._slots.release()

    async def _fetch(self, url: str) -> bytes:
        for wait_s in (*_RETRY_S, None):
            try:
                return await self._downloads.fetch(url, bytes_max=PHOTO_BYTES_MAX, timeout_s=PHOTO_TIMEOUT_S)
            except DownloadError as error:
                log.info("a photo did not come: %s", error)
                if error.gone or wait_s is None:
                    raise PhotoRefused("The photo could not be fetched from Discord. Attach it again.") from error
                await self._tasks.sleep(wait_s)
        raise AssertionError("the last try returns or raises")
