"""What came of a server's requests in the last days, for who looks after it."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum

from db import stats
from db.connection import Database
from db.stats import Settled

__all__ = ["Cause", "Day", "Settled", "Stats", "StatsReader"]


class Cause(StrEnum):
    """Why requests end without pictures, as far as it matters to who looks after a server."""

    PHOTO = "photo"
    REFUSED = "refused"
    SERVICE = "service"
    TIME = "time"
    POSTING = "posting"
    CANCELLED = "cancelled"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """One day of UTC; ``settled`` is None where nothing was delivered."""

    day: date
    settled: Settled | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stats:
    """The last days up to today, oldest first; the same of all of them together; and what was not delivered, the most
    frequent cause first.
    """

    days: Sequence[Day]
    settled: Settled | None
    failures: Sequence[tuple[Cause, int]]

    @property
    def failed(self) -> int:
        """Requests that ended without pictures."""
        return sum(requests for _, requests in self.failures)


class StatsReader:
    """Reads them, beside everything else that reads and writes."""

    def __init__(self, database: Database, *, now: Callable[[], datetime]) -> None:
        self._database = database
        self._now = now

    async def read(self, scope: str, days: int) -> Stats:
        """The last so many days of a scope, today among them."""
        today = self._now().astimezone(UTC).date()
        first = today - timedelta(days=days - 1)
        since = datetime.combine(first, time(), UTC)
        async with self._database.reading() as connection:
            by_day = await stats.settled_by_day(connection, scope=scope, since=since)
            settled = await stats.settled(connection, scope=scope, since=since)
            failures = await stats.not_delivered(connection, scope=scope, since=since)
        every = (first + timedelta(days=number) for number in range(days))
        return Stats(
            days=[Day(day=day, settled=by_day.get(day)) for day in every],
            settled=settled,
            failures=_by_cause(failures),
        )


def _by_cause(failures: Sequence[tuple[str, int]]) -> list[tuple[Cause, int]]:
    counted: Counter[Cause] = Counter()
    for code, requests in failures:
        counted[_CAUSES.get(code, Cause.OTHER)] += requests
    return counted.most_common()


_CAUSES = {
    "photo": Cause.PHOTO,
    "rejected": Cause.REFUSED,
    "provider": Cause.SERVICE,
    "lost": Cause.SERVICE,
    "download": Cause.SERVICE,
    "unreachable": Cause.SERVICE,
    "timeout": Cause.TIME,
    "expired": Cause.TIME,
    "undeliverable": Cause.POSTING,
    "unacknowledged": Cause.POSTING,
    "unanswered": Cause.POSTING,
    "message_gone": Cause.POSTING,
    "cancelled": Cause.CANCELLED,
    "erased": Cause.CANCELLED,
}
