"""Moderation on a real database."""

from db.connection import Database
from services.moderation import Flag, Moderation
from services.presenter import DiscordUnavailable
from services.servers import Servers
from services.tasks import Tasks
from tests.conftest import Clock


class NotedFlags:
    """A server's report channels, which may be out of reach."""

    def __init__(self) -> None:
        self.flags: list[tuple[int, Flag]] = []
        self.is_reachable = True

    async def flagged(self, channel_id: int, flag: Flag) -> None:
        if not self.is_reachable:
            raise DiscordUnavailable("out of reach")
        self.flags.append((channel_id, flag))


async def moderation_on(
    database: Database,
    servers: Servers,
    clock: Clock,
    *,
    blocked_everywhere: frozenset[int] = frozenset(),
    moderators: NotedFlags | None = None,
    tasks: Tasks | None = None,
) -> Moderation:
    """As a life of the bot with this database has it."""
    return await Moderation.read(
        database,
        servers=servers,
        blocked_everywhere=blocked_everywhere,
        moderators=moderators or NotedFlags(),
        tasks=tasks or Tasks(grace_s=1),
        now=clock,
    )
