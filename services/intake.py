"""From an accepted command to its place in the queue: fetching the photo at once, checking it, showing the crop."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace

from db.generations import Generation, Source
from services.delivery import Delivery
from services.downloads import DownloadError, Downloads
from services.errors import GenerationFailed, PhotoRefused
from services.faces import Faces, SavedPhoto
from services.hosting import Hosting
from services.kept import KeptPhotos, number_in
from services.photos import PHOTO_BYTES_MAX, Photos, Prepared
from services.presenter import NowhereToShow, Progress, Shown
from services.request import Role, Wish
from services.tasks import Tasks
from services.words import _

log = logging.getLogger(__name__)

PHOTO_TIMEOUT_S = 30.0
# As many photos as are in memory at one time, each up to 10 MiB and decoded up to 160 MB.
PHOTOS_AT_ONCE = 3
_RETRY_S = (0.5, 2.0)


class Intake:
    """Prepares one generation at a time for the queue; holds no state of its own."""

    def __init__(
        self,
        *,
        downloads: Downloads,
        photos: Photos,
        faces: Faces,
        kept: KeptPhotos,
        hosting: Hosting,
        delivery: Delivery,
        tasks: Tasks,
    ) -> None:
        self._downloads = downloads
        self._photos = photos
        self._faces = faces
        self._kept = kept
        self._hosting = hosting
        self._delivery = delivery
        self._tasks = tasks
        self._slots = asyncio.Semaphore(PHOTOS_AT_ONCE)

    async def prepare(
        self, generation: Generation, wish: Wish, scene: Callable[[], Awaitable[Progress]]
    ) -> Shown | None:
        """Show the generation in the queue, as ``scene`` describes that, with its photos where there are any.

        Returns None where nothing had to be shown: there is no photo, and the message is known already.

        Raises:
            PhotoRefused, GenerationFailed, NeverAcknowledged
        """
        prepared = await self._prepare(generation, wish)
        if not prepared and generation.message_id is not None:
            return None
        await self._hosting.keep(generation.id, [photo.jpeg for photo in prepared])
        progress = replace(await scene(), new_photos=tuple(photo.jpeg for photo in prepared))
        if not all(photo.checked for photo in prepared):
            unchecked = _("The photo was cropped to its middle and not checked for a face.")
            progress = replace(progress, notes=(unchecked, *progress.notes))
        try:
            shown = await self._delivery.show(generation, wish, progress)
        except NowhereToShow as error:
            raise GenerationFailed("message_gone", _("The message of this request was deleted.")) from error
        if len(shown.photos) != len(prepared):
            raise GenerationFailed("no_photo_url", _("Discord gave no address for the photo. Try again."))
        return shown

    async def _prepare(self, generation: Generation, wish: Wish) -> list[Prepared]:
        """All photos, one after another: their bytes are large, and other generations have theirs too."""
        return [
            await self._faces.open(generation.member_id, saved)
            if (saved := SavedPhoto.from_url(source.url))
            else await self._prepare_one(generation, source, reference.role, number, len(wish.references))
            for number, (source, reference) in enumerate(zip(generation.photos, wish.references, strict=True), start=1)
        ]

    async def _prepare_one(self, generation: Generation, source: Source, role: Role, number: int, of: int) -> Prepared:
        with self._tasks.waiting():
            await self._slots.acquire()
        try:
            kept = number_in(source.url)
            photo = await (self._kept.open(generation, kept) if kept else self._fetch(source.url))
            if source.is_prepared:
                return await self._photos.verified(photo)
            return await (self._photos.crop(photo) if role is Role.FACE else self._photos.whole(photo))
        except PhotoRefused as error:
            if of == 1:
                raise
            raise error.among(of, number=number, role=role.label) from error
        finally:
            self._slots.release()

    async def _fetch(self, url: str) -> bytes:
        for wait_s in (*_RETRY_S, None):
            try:
                return await self._downloads.fetch(url, bytes_max=PHOTO_BYTES_MAX, timeout_s=PHOTO_TIMEOUT_S)
            except DownloadError as error:
                log.info("a photo did not come: %s", error)
                if error.gone or wait_s is None:
                    raise PhotoRefused(_("The photo could not be fetched from Discord. Attach it again.")) from error
                await self._tasks.sleep(wait_s)
        raise AssertionError("the last try returns or raises")
