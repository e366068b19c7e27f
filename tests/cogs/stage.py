"""Cogs on a real connection to the playground, where the runner only notes what it is given."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import cast

import discord
import pytest
import yarl
from discord import app_commands
from discord.ext import commands
from discord.gateway import DiscordWebSocket
from discord.http import Route

from cogs.answers import answer_error
from cogs.reception import Reception
from db.connection import Database
from db.generations import NewGeneration
from playground.model import Interaction
from playground.server import Playground
from services.admission import Admission
from services.faces import Faces
from services.moderation import Moderation, Moderators
from services.quotas import Balance, Quota
from services.request import Wish
from services.runner import Runner
from services.servers import Servers
from services.tasks import Tasks

_PHOTO = b"never read by the cogs"
# For tests without saved faces.
NO_FACES = cast(Faces, None)
# Servers whose admins have set nothing.
NO_SERVERS = Servers(cast(Database, None), {}, now=lambda: datetime.now(UTC))


def reception(runner: Runner) -> Reception:
    """Where nothing is refused."""
    moderation = Moderation(
        cast(Database, None),
        (),
        servers=NO_SERVERS,
        blocked_everywhere=frozenset(),
        moderators=cast(Moderators, None),
        tasks=cast(Tasks, None),
        now=lambda: datetime.now(UTC),
    )
    return Reception(runner, Admission(servers=NO_SERVERS, moderation=moderation), NO_SERVERS)


class NotingRunner:
    """Takes every generation, as the job runner does that has room."""

    def __init__(self) -> None:
        self.taken: list[NewGeneration] = []
        self.message_ids: dict[int, int | None] = {}
        self.turns = 0  # of the event loop, that accepting takes
        self.account_usd: float | None = None
        self._acknowledged: dict[int, asyncio.Event] = {}

    async def accept(self, new: NewGeneration) -> int | None:
        for _ in range(self.turns):
            await asyncio.sleep(0)
        self.taken.append(new)
        return len(self.taken)

    async def acknowledged(self, generation_id: int, message_id: int | None) -> None:
        self.message_ids[generation_id] = message_id
        self._acknowledged.setdefault(generation_id, asyncio.Event()).set()

    async def balance(self, *, scope: str, member_id: int, role_ids: Collection[int]) -> Balance:
        return Balance(quota=Quota(images=20, window=timedelta(hours=24)), spendings=[])

    async def until_acknowledged(self, generation_id: int) -> None:
        async with asyncio.timeout(15):
            await self._acknowledged.setdefault(generation_id, asyncio.Event()).wait()


class _Tree(app_commands.CommandTree["CogBot"]):
    async def on_error(
        self, interaction: discord.Interaction["CogBot"], error: app_commands.AppCommandError, /
    ) -> None:
        await answer_error(interaction, error)


class CogBot(commands.Bot):
    def __init__(self, cogs: Sequence[commands.Cog]) -> None:
        super().__init__(
            command_prefix=commands.when_mentioned,
            help_command=None,
            tree_cls=_Tree,
            intents=discord.Intents(guilds=True),
            chunk_guilds_at_startup=False,
            max_messages=None,
        )
        self.wanted = cogs

    async def setup_hook(self) -> None:
        for cog in self.wanted:
            await self.add_cog(cog)
        await self.tree.sync()


@dataclass
class CogStage:
    """A playground with the cogs' commands, and what was made of them."""

    playground: Playground
    noting: NotingRunner
    bot: CogBot

    async def taken(self, command: str, *photos: str, **options: object) -> tuple[Wish, list[str]]:
        """Run a command with these attachments; what the runner was given of it, and the names of its photos."""
        self._run(command, photos, options)
        await self.noting.until_acknowledged(len(self.noting.taken) + 1)
        assert self.noting.message_ids[len(self.noting.taken)] is not None
        new = self.noting.taken[-1]
        wish = Wish.from_json(new.wish)
        assert new.images == wish.images
        return wish, [yarl.URL(url).name.removesuffix(".jpg") for url in (source.url for source in new.photos)]

    async def refused(self, command: str, *photos: str, **options: object) -> str:
        """Run a command; what the asker alone reads when it is not taken."""
        before = len(self.noting.taken)
        message = await self.playground.answered(self._run(command, photos, options))
        assert self.playground.seen_by(message) == {"Ben"}
        assert len(self.noting.taken) == before
        return message.text

    def _run(self, command: str, photos: Sequence[str], options: dict[str, object]) -> Interaction:
        attachments = {name: (f"{name}.jpg", _PHOTO) for name in photos}
        return self.playground.command(command, options={"prompt": "a harbour"} | options, attachments=attachments)

    async def suggested(self, option: str, typed: str = "", command: str = "advanced", **options: object) -> list[str]:
        """The values that are suggested for an option."""
        found = await self.playground.choices(command, option, typed, options=options)
        return [choice["value"] for choice in found]


@contextlib.asynccontextmanager
async def cog_stage(
    monkeypatch: pytest.MonkeyPatch, *cogs: Callable[[Runner], commands.Cog]
) -> AsyncGenerator[CogStage]:
    """The cogs that these make of a runner, connected."""
    async with Playground.run() as playground:
        monkeypatch.setattr(Route, "BASE", playground.api_url)
        monkeypatch.setattr(DiscordWebSocket, "DEFAULT_GATEWAY", yarl.URL(playground.gateway_url))
        noting = NotingRunner()
        bot = CogBot([cog(cast(Runner, noting)) for cog in cogs])
        running = asyncio.ensure_future(bot.start(playground.token))
        try:
            await playground.ready(*(command.name for cog in bot.wanted for command in cog.get_app_commands()))
            yield CogStage(playground=playground, noting=noting, bot=bot)
        finally:
            await bot.close()
            await running
