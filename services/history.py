"""What a member has asked for, page by page."""

from collections.abc import Sequence
from dataclasses import dataclass

from db import history
from db.connection import Database
from db.generations import Generation

PAGE = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Requests, newest first, and whether there are others on either side."""

    generations: Sequence[Generation]
    has_newer: bool
    has_older: bool


class History:
    """Reads what members have asked for. ``scope`` is where; None is everywhere. ``search`` are words that must all be
    in the prompt.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def older(self, *, member_id: int, scope: str | None, search: str, before: int | None = None) -> Page:
        """The page before that request, or the newest."""
        async with self._database.connection() as connection:
            found = await history.older(
                connection, member_id=member_id, scope=scope, words=search.split(), before=before, limit=PAGE + 1
            )
        return Page(generations=found[:PAGE], has_newer=before is not None, has_older=len(found) > PAGE)

    async def newer(self, *, member_id: int, scope: str | None, search: str, after: int) -> Page:
        """The page after that request; the newest where that would not be full."""
        async with self._database.connection() as connection:
            found = await history.newer(
                connection, member_id=member_id, scope=scope, words=search.split(), after=after, limit=PAGE + 1
            )
        if len(found) <= PAGE:
            return await self.older(member_id=member_id, scope=scope, search=search)
        return Page(generations=found[-PAGE:], has_newer=True, has_older=True)
