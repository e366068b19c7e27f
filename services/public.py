"""The addresses below ``PUBLIC_URL`` that the bot gives to the image service, each with its signature."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Self

from db.connection import Database
from services.signing import Signer

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MINUTE = timedelta(minutes=1)
_SUFFIX = ".jpg"


@dataclass(frozen=True, slots=True)
class Hook:
    """Where the provider tells that a job is done; ``job_id`` is ours."""

    job_id: str


@dataclass(frozen=True, slots=True)
class Photo:
    """Where the provider fetches a generation's photo."""

    generation_id: int
    number: int


class PublicAddresses:
    """Makes them and knows them again, also those of an earlier run on the same database.

    Their paths begin at ``public_url``, which may have a path itself; the reverse proxy takes that part away.
    """

    def __init__(self, public_url: str, *, hooks: Signer, photos: Signer, now: Callable[[], datetime]) -> None:
        self._public_url = public_url.rstrip("/")
        self._hooks = hooks
        self._photos = photos
        self._now = now

    @classmethod
    async def of(cls, database: Database, public_url: str, *, now: Callable[[], datetime]) -> Self:
        """With the keys that the database keeps."""
        hooks, photos = await Signer.of(database, "hooks"), await Signer.of(database, "photos")
        return cls(public_url, hooks=hooks, photos=photos, now=now)

    def hook(self, job_id: str) -> str:
        """The address for word of one job of ours, good for ever; the id must be fit for a path, as a UUID is."""
        return f"{self._public_url}/hooks/{job_id}/{self._hooks.sign(job_id)}"

    def photo(self, generation_id: int, number: int, until: datetime) -> str:
        """The address of a generation's photo, good until ``until`` (aware), rounded up to a full minute."""
        minutes = -((_EPOCH - until) // _MINUTE)
        parts = (str(generation_id), str(number), str(minutes))
        return f"{self._public_url}/photos/{'/'.join(parts)}/{self._photos.sign(*parts)}{_SUFFIX}"

    def read(self, path: str) -> Hook | Photo | None:
        """What a path leads to, as it stands in the request, with nothing decoded; None unless genuine and in time.

        Nothing in it is so much as converted before the signature has proved that we wrote it.
        """
        match path.split("/"):
            case ["", "hooks", job_id, signature] if self._hooks.is_genuine(signature, job_id):
                return Hook(job_id)
            case ["", "photos", generation_id, number, minutes, name] if name.endswith(_SUFFIX) and (
                self._photos.is_genuine(name.removesuffix(_SUFFIX), generation_id, number, minutes)
            ):
                is_over = self._now() >= _EPOCH + int(minutes) * _MINUTE
                return None if is_over else Photo(int(generation_id), int(number))
            case _:
                return None
