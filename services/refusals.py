"""Who was refused what, for a while: one refusal may be a misunderstanding, several in a day are none."""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from db import refusals
from db.connection import Database

log = logging.getLogger(__name__)

KEPT = timedelta(days=30)  # services/privacy.py deletes what is older
COUNTED = timedelta(hours=24)


class Refusals:
    """Kept without words and photos."""

    def __init__(self, database: Database, *, now: Callable[[], datetime]) -> None:
        self._database = database
        self._now = now

    async def note(self, *, scope: str, member_id: int, category: str) -> int:
        """Write one down; returns how many this member has had in this scope within a day, with this one."""
        now = self._now()
        async with self._database.transaction() as connection:
            await refusals.insert(connection, scope=scope, member_id=member_id, category=category, at=now)
            number = await refusals.count(connection, scope=scope, member_id=member_id, since=now - COUNTED)
        log.info("member %d was refused in %s: %s, %d within a day", member_id, scope, category, number)
        return number
