"""How many images a member may still have, and when more come free."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from db.ledger import Spending

_MEMBER = "member:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """So many images in any window of that length."""

    images: int
    window: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Free:
    """So many images come free at that moment."""

    images: int
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """One member's account in one scope, at one moment."""

    quota: Quota
    spendings: Sequence[Spending]

    @property
    def used(self) -> int:
        """Images that count in the window."""
        return sum(spending.images for spending in self.spendings)

    @property
    def left(self) -> int:
        """Images that may still be asked for now."""
        return max(0, self.quota.images - self.used)

    @property
    def next_free(self) -> Free | None:
        """What comes free first; None where nothing is used."""
        if not self.spendings:
            return None
        first = self.spendings[0]
        return Free(images=first.images, at=first.counts_at + self.quota.window)

    def enough_at(self, wanted: int) -> datetime | None:
        """When ``wanted`` images will be free; None where they are free now or can never be."""
        missing = wanted - (self.quota.images - self.used)
        if missing <= 0:
            return None
        for spending in self.spendings:
            missing -= spending.images
            if missing <= 0:
                return spending.counts_at + self.quota.window
        return None


def scope_of(*, guild_id: int | None, member_id: int) -> str:
    """Where a request counts: in its server, or outside servers with the member alone."""
    return f"{_MEMBER}{member_id}" if guild_id is None else f"guild:{guild_id}"


def is_private(scope: str) -> bool:
    """Whether a request was made outside servers, where nobody else reads it."""
    return scope.startswith(_MEMBER)
