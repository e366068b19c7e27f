"""Who may not ask, and what members report to the moderators of their server. Blocks are read with every request, so
they are kept in memory: one process owns the database.
"""

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol, Self

from db import audit, moderation
from db.connection import Connection, Database
from db.generations import Generation
from db.moderation import Block, Outcome, Report, Voice
from services.errors import NotAllowed, TooManyReports
from services.presenter import DiscordUnavailable
from services.servers import Servers
from services.tasks import Tasks
from services.words import _, on

__all__ = ["Block", "Flag", "Moderation", "Moderators", "Outcome", "Report", "Voice"]

log = logging.getLogger(__name__)

REPORTS_MAX = 5
REPORTS_WINDOW = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Flag:
    """A member whose requests are refused again and again: ``times`` within a day, the last for this category."""

    member_id: int
    category: str
    times: int


class Moderators(Protocol):
    """How the moderators of a server are told of something; ``cogs/notices.py`` implements it."""

    async def flagged(self, channel_id: int, flag: Flag) -> None:
        """Write it into that channel, or find that this is not possible.

        Raises:
            DiscordUnavailable: it was not written.
        """
        ...


class Moderation:
    """Blocks members and keeps what is reported. ``blocked_everywhere`` are the operator's own blocks."""

    def __init__(
        self,
        database: Database,
        blocks: Iterable[Block],
        *,
        servers: Servers,
        blocked_everywhere: frozenset[int],
        moderators: Moderators,
        tasks: Tasks,
        now: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._blocks = {(block.guild_id, block.member_id): block for block in blocks}
        self._servers = servers
        self._blocked_everywhere = blocked_everywhere
        self._moderators = moderators
        self._tasks = tasks
        self._now = now

    @classmethod
    async def read(
        cls,
        database: Database,
        *,
        servers: Servers,
        blocked_everywhere: frozenset[int],
        moderators: Moderators,
        tasks: Tasks,
        now: Callable[[], datetime],
    ) -> Self:
        """With the blocks in the database."""
        async with database.connection() as connection:
            blocks = await moderation.every_block(connection)
        return cls(
            database,
            blocks,
            servers=servers,
            blocked_everywhere=blocked_everywhere,
            moderators=moderators,
            tasks=tasks,
            now=now,
        )

    # ------------------------------------------------------------------------------------------------------- blocks

    def check(self, guild_id: int | None, member_id: int) -> None:
        """Make sure that a member may ask there.

        Raises:
            NotAllowed: they are blocked.
        """
        if member_id in self._blocked_everywhere:
            raise NotAllowed(_("The operator of this bot has blocked you. If that is a mistake, write to them."))
        block = self._in_force(guild_id, member_id) if guild_id is not None else None
        if block is None:
            return
        if block.until is None:
            raise NotAllowed(_("You are blocked from making pictures in this server. Its moderators can tell you why."))
        raise NotAllowed(
            _(
                "You are blocked from making pictures in this server until {day}. Its moderators can tell you why.",
                day=on(block.until),
            )
        )

    def blocked(self, guild_id: int) -> list[Block]:
        """Who is blocked in a server now, the last first."""
        known = [
            block for guild, member in self._blocks if guild == guild_id and (block := self._in_force(guild, member))
        ]
        return sorted(known, key=lambda block: block.at, reverse=True)

    async def block(
        self, guild_id: int, member_id: int, *, by: int, reason: str | None = None, lasting: timedelta | None = None
    ) -> Block:
        """Block a member in a server, for good where it does not say for how long; in the place of an earlier block."""
        async with self._database.transaction() as connection:
            block = await self._block(connection, guild_id, member_id, by=by, reason=reason, lasting=lasting)
        self._blocks[guild_id, member_id] = block
        return block

    async def _block(
        self,
        connection: Connection,
        guild_id: int,
        member_id: int,
        *,
        by: int,
        reason: str | None,
        lasting: timedelta | None,
    ) -> Block:
        now = self._now()
        until = now + lasting if lasting else None
        block = Block(guild_id=guild_id, member_id=member_id, by_id=by, reason=reason, at=now, until=until)
        await moderation.put_block(connection, block)
        detail = {"reason": reason, "until": int(until.timestamp()) if until else None}
        await audit.note(
            connection, guild_id=guild_id, member_id=by, action="block", subject_id=member_id, detail=detail, at=now
        )
        return block

    async def unblock(self, guild_id: int, member_id: int, *, by: int) -> bool:
        """Let a member ask again; False where they were not blocked."""
        if self._in_force(guild_id, member_id) is None:
            return False
        async with self._database.transaction() as connection:
            await moderation.end_block(connection, guild_id=guild_id, member_id=member_id)
            await audit.note(
                connection,
                guild_id=guild_id,
                member_id=by,
                action="unblock",
                subject_id=member_id,
                at=self._now(),
            )
        self._blocks.pop((guild_id, member_id), None)
        return True

    def _in_force(self, guild_id: int, member_id: int) -> Block | None:
        block = self._blocks.get((guild_id, member_id))
        return block if block is not None and (block.until is None or self._now() < block.until) else None

    # ------------------------------------------------------------------------------------------------------ reports

    async def report(self, guild_id: int, generation_id: int, *, by: int, reason: str | None) -> Report:
        """Keep that a member reports a result; a second time changes nothing.

        Raises:
            TooManyReports: they have reported enough for now.
        """
        now = self._now()
        async with self._database.transaction() as connection:
            earlier = await moderation.report(connection, generation_id=generation_id)
            is_new = earlier is None or by not in {voice.member_id for voice in earlier.voices}
            since = now - REPORTS_WINDOW
            if is_new and await moderation.count_voices(connection, guild_id=guild_id, member_id=by, since=since) >= (
                REPORTS_MAX
            ):
                raise TooManyReports
            await moderation.add_voice(
                connection, guild_id=guild_id, generation_id=generation_id, member_id=by, reason=reason, at=now
            )
            report = await moderation.report(connection, generation_id=generation_id)
        assert report is not None, "it was kept just now"  # noqa: S101 - narrows the type
        log.info("generation %d was reported in server %d", generation_id, guild_id)
        return report

    async def reported(self, report_id: int) -> Report | None:
        """The report of that id as it is now."""
        async with self._database.transaction() as connection:
            return await moderation.report(connection, report_id=report_id)

    async def posted(self, report: Report, *, channel_id: int, message_id: int) -> None:
        """The moderators read of it there."""
        async with self._database.connection() as connection:
            await moderation.set_report_message(connection, report.id, channel_id=channel_id, message_id=message_id)

    async def conclude(self, report: Report, outcome: Outcome, *, by: int, member_id: int) -> Report:
        """A moderator has done this about a result of ``member_id``; where one did so before, nothing changes."""
        block = None
        async with self._database.transaction() as connection:
            if await moderation.conclude(connection, report.id, outcome, by=by):
                if outcome is Outcome.BLOCKED:
                    block = await self._block(connection, report.guild_id, member_id, by=by, reason=None, lasting=None)
                else:
                    await audit.note(
                        connection,
                        guild_id=report.guild_id,
                        member_id=by,
                        action=f"report_{outcome}",
                        subject_id=report.generation_id,
                        at=self._now(),
                    )
            now = await moderation.report(connection, report_id=report.id)
        if block is not None:
            self._blocks[block.guild_id, block.member_id] = block
        assert now is not None, "reports are kept"  # noqa: S101 - narrows the type
        return now

    async def deleted(self, guild_id: int, generation: Generation, *, by: int) -> None:
        """A moderator has deleted somebody else's result."""
        async with self._database.connection() as connection:
            await audit.note(
                connection,
                guild_id=guild_id,
                member_id=by,
                action="delete",
                subject_id=generation.id,
                detail={"member": generation.member_id},
                at=self._now(),
            )

    def flag(self, guild_id: int | None, member_id: int, *, category: str, times: int) -> None:
        """Tell a server's moderators, where they have a channel for that, of a member whose requests are refused again
        and again. Returns at once.
        """
        channel_id = self._servers.of(guild_id).report_channel
        if channel_id is None:
            return
        flag = Flag(member_id=member_id, category=category, times=times)
        self._tasks.spawn(self._flag(channel_id, flag), f"flag a member in server {guild_id}")

    async def _flag(self, channel_id: int, flag: Flag) -> None:
        try:
            await self._moderators.flagged(channel_id, flag)
        except DiscordUnavailable as error:
            log.warning("moderators were not told of a member whose requests are refused: %s", error)
