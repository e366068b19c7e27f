"""The port through which a generation's message is shown; ``cogs/presenter.py`` implements it on Discord."""

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Protocol

from db.generations import Generation, Hosted, Wait
from services.errors import FacelockError
from services.pictures import number_of
from services.quotas import Balance
from services.request import Wish


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """It waits or is being made. ``place`` counts from 1 and is None once it is being made; ``ready_at`` is when the
    pictures will probably be there, None where nothing is known about such requests yet.

    ``new_photos`` are the prepared photos to upload, the first time only, in the order of the wish's references.
    ``notes`` are lines for the member.
    """

    place: int | None
    ready_at: datetime | None = None
    new_photos: tuple[bytes, ...] = field(default=(), repr=False)
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """Nothing is made before somebody has answered."""

    wait: Wait


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """The pictures, and what they cost. ``missing`` says why some did not come, ``shrunk`` tells that they were
    re-encoded to fit Discord's limit, ``unsigned`` that a C2PA manifest was lost by that.
    """

    pictures: tuple[Path, ...]
    refunded: int
    missing: str | None
    balance: Balance
    shrunk: bool
    unsigned: bool = False

    @property
    def numbers(self) -> list[int]:
        """The pictures' numbers, from 1: of a draft, that of the job that made it."""
        return [number_of(picture) for picture in self.pictures]


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why there are no pictures. A private one is for the asker's eyes only: the public message goes away."""

    sentence: str
    refunded: int
    private: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancelled:
    """Its member wanted it no more."""

    refunded: int


Scene = Waiting | Progress | Result | Failure | Cancelled


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What Discord confirmed: the message that shows the scene now, and the photos in it where they were uploaded, in
    the order of the wish's references.
    """

    message_id: int | None
    photos: tuple[Hosted, ...] = ()


class ShowError(FacelockError):
    """The scene could not be shown."""


class DiscordUnavailable(ShowError):
    """Nobody's fault here: try again later."""

    def __init__(self, reason: str, *, retry_after_s: float | None = None) -> None:
        super().__init__(reason)
        self.retry_after_s = retry_after_s


class TooLarge(ShowError):
    """Discord found the pictures too large for one message."""


class NeverAcknowledged(ShowError):
    """Discord knows of no answer to this interaction: the member was told that the command failed, nothing is owed."""


class NowhereToShow(ShowError):
    """The message is gone and there is no other way to reach the member."""


class Presenter(Protocol):
    """Shows a scene in a generation's one message. Showing the same scene twice leaves the same message."""

    async def show(self, generation: Generation, wish: Wish, scene: Scene) -> Shown:
        """Show it and return only when Discord has confirmed it.

        Raises:
            DiscordUnavailable, TooLarge, NeverAcknowledged, NowhereToShow
        """
        ...
