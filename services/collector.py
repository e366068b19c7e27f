"""Bringing a finished job's pictures home, while the provider still has them."""

import logging
from dataclasses import dataclass

from db.provider_jobs import ProviderJob
from services.downloads import DownloadError, Downloads
from services.errors import GenerationFailed
from services.image_check import ImageCheck
from services.pictures import PICTURE_BYTES_MAX, NotAPictureError, Pictures
from services.tasks import Tasks
from services.words import ngettext

log = logging.getLogger(__name__)

DOWNLOAD_TIMEOUT_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Retries:
    """Waits between tries for one file, in seconds."""

    waits_s: tuple[float, ...] = (1.0, 3.0, 10.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Collected:
    """So many pictures are kept; ``missing`` tells the member why others were not, where it was not the way here."""

    pictures: int
    missing: str | None = None


class _RefusedError(Exception):
    """The operator's check did not let a picture pass."""


class Collector:
    """Downloads every picture of a job, one job's pictures one after another. ``check`` is None where the operator has
    none.
    """

    def __init__(
        self, *, downloads: Downloads, pictures: Pictures, check: ImageCheck | None, tasks: Tasks, retries: Retries
    ) -> None:
        self._downloads = downloads
        self._pictures = pictures
        self._check = check
        self._tasks = tasks
        self._retries = retries

    async def collect(self, job: ProviderJob, sources: tuple[str, ...]) -> Collected:
        """Keep the pictures, at most as many as the job was to make.

        Raises:
            GenerationFailed: there is none to keep.
        """
        first = job.n * job.images + 1
        await self._pictures.discard_some(job.generation_id, range(first, first + job.images))  # what a kill has left
        kept = refused = 0
        for source in sources[: job.images]:
            try:
                kept += await self._collect_one(job.generation_id, first + kept, source)
            except _RefusedError:
                refused += 1
        if not kept:
            raise _none_kept(job, refused)
        missing = ngettext(
            "It did not pass the check of this bot's operator.",
            "They did not pass the check of this bot's operator.",
            refused,
        )
        return Collected(pictures=kept, missing=missing if refused else None)

    async def _collect_one(self, generation_id: int, number: int, source: str) -> bool:
        for wait_s in (*self._retries.waits_s, None):
            try:
                data = await self._downloads.fetch(source, bytes_max=PICTURE_BYTES_MAX, timeout_s=DOWNLOAD_TIMEOUT_S)
                await self._keep(generation_id, number, data)
            except DownloadError as error:
                log.warning("picture %d of generation %d did not come: %s", number, generation_id, error)
                if error.gone or wait_s is None:
                    return False
                await self._tasks.sleep(wait_s)
            except NotAPictureError as error:
                log.warning("picture %d of generation %d: %s", number, generation_id, error)
                return False
            else:
                return True
        return False

    async def _keep(self, generation_id: int, number: int, data: bytes) -> None:
        check = self._check

        async def may_keep(media_type: str) -> bool:
            return check is None or await check.passes(data, media_type=media_type, generation_id=generation_id)

        if not await self._pictures.keep(generation_id, number, data, may_keep=may_keep):
            raise _RefusedError


def _none_kept(job: ProviderJob, refused: int) -> GenerationFailed:
    if refused:
        text = ngettext(
            "The picture did not pass the check of this bot's operator.",
            "The {number} pictures did not pass the check of this bot's operator.",
            refused,
        )
        return GenerationFailed("image_check", text)
    text = ngettext(
        "The picture could not be fetched from the image service.",
        "The {number} pictures could not be fetched from the image service.",
        job.images,
    )
    return GenerationFailed("download", text)
