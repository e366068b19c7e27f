"""What saved faces need by themselves: owners of unused ones are told in time, then those are deleted."""

import itertools
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from services.faces import Faces
from services.presenter import DiscordUnavailable
from services.tasks import Tasks
from services.words import speaking

log = logging.getLogger(__name__)

ROUND_S = 3600.0
# Discord takes a bot that opens many direct messages at once for one that sends spam.
TOLD_A_ROUND = 20


@dataclass(frozen=True, slots=True)
class Expiring:
    """A face that will be deleted at that moment if nobody uses it."""

    name: str = field(repr=False)
    at: datetime


class Notices(Protocol):
    """How a member is told something that they have not asked for; ``cogs/notices.py`` implements it."""

    async def faces_expire(self, member_id: int, expiring: Sequence[Expiring]) -> None:
        """Tell them in the language of the current task, or find that they cannot be told.

        Raises:
            DiscordUnavailable: try again later.
        """
        ...


class Upkeep:
    """One task, which looks at the start and then once an hour."""

    def __init__(self, *, faces: Faces, notices: Notices, tasks: Tasks) -> None:
        self._faces = faces
        self._notices = notices
        self._tasks = tasks

    def start(self) -> None:
        """Begin; call it once Discord can be reached."""
        self._tasks.spawn(self.run(), "upkeep of faces")

    async def run(self) -> None:
        """The task; it ends with its owner."""
        await self._faces.seal_anew()
        while True:
            await self._faces.delete_unused()
            await self._warn()
            await self._tasks.sleep(ROUND_S)

    async def _warn(self) -> None:
        by_member = itertools.groupby(await self._faces.to_warn(), key=lambda face: face.member_id)
        for member_id, found in itertools.islice(by_member, TOLD_A_ROUND):
            unused = list(found)
            expiring = [Expiring(face.name, self._faces.expires_at(face)) for face in unused]
            try:
                with speaking(unused[-1].locale):
                    await self._notices.faces_expire(member_id, expiring)
            except DiscordUnavailable as error:
                log.warning("a member could not be told yet that faces will be deleted: %s", error)
                return
            await self._faces.warned(unused)
