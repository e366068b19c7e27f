"""How many images a member may still have, where they are taken from, and when more come free."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from db.ledger import Grant, Spending

_MEMBER, _GUILD = "member:", "guild:"

# The windows of a server's budget; like those of quotas they slide.
DAY = timedelta(hours=24)
MONTH = timedelta(days=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """So many images in any window of that length."""

    images: int
    window: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerLimits:
    """What all members of a server together may have in any 24 hours and any 30 days, in images, and how many seconds
    each of them waits between two requests.
    """

    images_per_day: int | None = None
    images_per_month: int | None = None
    cooldown_s: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Free:
    """So many images come free at that moment."""

    images: int
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A quota, and what counts in its window at one moment, oldest first."""

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
        return _enough_at(self, wanted, ())


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance(Account):
    """All that decides what one member may have in one scope, at one moment. It is the account of the quota that leaves
    most now; where two leave the same, of the larger one.

    ``others`` are the accounts of the member's other quotas, ``grants`` the bonuses, the one that expires first at the
    beginning, ``budgets`` the accounts of all members of the server together. ``cooldown`` is the pause between two
    requests, ``pauses_until`` its end where it has not passed.
    """

    others: Sequence[Account] = ()
    grants: Sequence[Grant] = ()
    budgets: Sequence[Account] = ()
    cooldown: timedelta = timedelta()
    pauses_until: datetime | None = None

    @property
    def bonus(self) -> int:
        """Images left of all grants."""
        return sum(grant.images for grant in self.grants)

    @property
    def tightest(self) -> Account | None:
        """The budget that leaves least, where that is less than the member has."""
        budget = min(self.budgets, key=lambda budget: budget.left, default=None)
        return budget if budget is not None and budget.left < self.left + self.bonus else None

    def enough_at(self, wanted: int) -> datetime | None:
        """When the member will have so many, under any quota and with the grants that last until then; None where that
        is now, or can never be. Budgets do not count.
        """
        if wanted <= self.left + self.bonus:
            return None
        moments = (_enough_at(account, wanted, self.grants) for account in (self, *self.others))
        return min((moment for moment in moments if moment is not None), default=None)

    def split(self, images: int) -> list[tuple[int | None, int]]:
        """Where so many images are taken from, of which there have to be so many: the quota (None) as far as it goes,
        then grants by their ids, the one that expires first at the beginning.
        """
        parts: list[tuple[int | None, int]] = []
        sources = [(None, self.left), *((grant.id, grant.images) for grant in self.grants)]
        for source, left in sources:
            taken = min(left, images)
            if taken:
                parts.append((source, taken))
                images -= taken
        return parts


def best(accounts: Sequence[Account]) -> tuple[Account, list[Account]]:
    """The account that leaves most now, and the others; of those that leave the same, that of the larger quota, then
    of the shorter window. So one more role never takes anything from a member, however the windows differ.
    """
    ordered = sorted(accounts, key=lambda a: (-a.left, -a.quota.images, a.quota.window))
    return ordered[0], ordered[1:]


def scope_of(*, guild_id: int | None, member_id: int) -> str:
    """Where a request counts: in its server, or outside servers with the member alone."""
    return f"{_MEMBER}{member_id}" if guild_id is None else f"{_GUILD}{guild_id}"


def is_private(scope: str) -> bool:
    """Whether a request was made outside servers, where nobody else reads it."""
    return scope.startswith(_MEMBER)


def guild_of(scope: str) -> int | None:
    """The server of a scope; None outside servers."""
    return int(scope.removeprefix(_GUILD)) if scope.startswith(_GUILD) else None


def no_limits(_guild_id: int) -> ServerLimits:
    """Those of a server for which nobody has set any."""
    return ServerLimits()


def lower(one: ServerLimits, other: ServerLimits) -> ServerLimits:
    """What holds under both: the lower of the budgets, and the longer pause."""
    return ServerLimits(
        images_per_day=_lower(one.images_per_day, other.images_per_day),
        images_per_month=_lower(one.images_per_month, other.images_per_month),
        cooldown_s=max(one.cooldown_s, other.cooldown_s),
    )


def _lower(one: int | None, other: int | None) -> int | None:
    return min((each for each in (one, other) if each is not None), default=None)


def _enough_at(account: Account, wanted: int, grants: Sequence[Grant]) -> datetime | None:
    left = account.quota.images - account.used
    if max(0, left) + sum(grant.images for grant in grants) >= wanted:
        return None
    for spending in account.spendings:
        left += spending.images
        moment = spending.counts_at + account.quota.window
        if max(0, left) + sum(grant.images for grant in grants if grant.expires_at > moment) >= wanted:
            return moment
    return None
