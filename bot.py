"""Builds the bot and owns every lifetime: settings, database, HTTP, services, Discord, until told to stop."""

import asyncio
import contextlib
import logging
import os
import signal
import sys
from collections.abc import AsyncGenerator
from datetime import UTC, datetime, timedelta

import aiohttp
import discord
import yarl
from discord import app_commands
from discord.ext import commands
from discord.gateway import DiscordWebSocket
from discord.http import Route
from dotenv import load_dotenv

from cogs.answers import answer_error
from cogs.presenter import DiscordPresenter
from cogs.sync import sync_commands
from db import command_guilds
from db.connection import Database, UnusableDatabaseError
from services import network, web
from services.config import Settings
from services.downloads import Downloads, is_private_url
from services.errors import FacelockError
from services.generations import Generations
from services.imagepipeline.adapters import AdaptersClient
from services.photos import Photos
from services.pictures import Pictures
from services.quotas import Quota
from services.runner import Limits, Outside, Runner, Timing
from services.tasks import Tasks

log = logging.getLogger("facelock")

COGS = ("cogs.imagine", "cogs.quota")
# What is being sent at SIGTERM gets this long; container runtimes kill after 10 s.
GRACE_S = 5.0
FIRST_RESTART_S = 5.0
LONGEST_RESTART_S = 300.0
# A life this long was a good one: the next restart comes soon again.
GOOD_LIFE_S = 600.0
DEFAULT_TIMING = Timing()


class FacelockTree(app_commands.CommandTree["FacelockBot"]):
    """The commands; their errors end in one function."""

    async def on_error(
        self, interaction: discord.Interaction["FacelockBot"], error: app_commands.AppCommandError, /
    ) -> None:
        """See discord.py."""
        await answer_error(interaction, error)


class FacelockBot(commands.Bot):
    """The Discord client. It needs no privileged intent and keeps no cache of messages or members."""

    runner: Runner

    def __init__(self, settings: Settings, database: Database) -> None:
        super().__init__(
            command_prefix=commands.when_mentioned,
            help_command=None,
            tree_cls=FacelockTree,
            intents=discord.Intents(guilds=True),
            member_cache_flags=discord.MemberCacheFlags.none(),
            chunk_guilds_at_startup=False,
            max_messages=None,
            allowed_mentions=discord.AllowedMentions.none(),
            allowed_contexts=app_commands.AppCommandContext(guild=True, dm_channel=True, private_channel=False),
            allowed_installs=app_commands.AppInstallationType(guild=True, user=False),
        )
        self.settings = settings
        self._database = database

    async def setup_hook(self) -> None:
        """Runs once between the login and the gateway: Discord's REST answers from here on."""
        for cog in COGS:
            await self.load_extension(cog)
        await self._sync_commands()
        await self.runner.start()

    async def on_ready(self) -> None:
        """See discord.py."""
        log.info("connected to Discord as %s, in %d servers", self.user, len(self.guilds))

    async def _sync_commands(self) -> None:
        """Everywhere, or with DISCORD_GUILD_ID in that one server; never twice in any."""
        wanted = self.settings.discord_guild_id
        if wanted is not None:
            self.tree.copy_global_to(guild=discord.Object(wanted))
            self.tree.clear_commands(guild=None)
        async with self._database.connection() as connection:
            known = await command_guilds.remembered(connection)
            if wanted is not None:
                await command_guilds.remember(connection, wanted)
        await sync_commands(self, self.tree, None)
        for guild_id in {*known, *([wanted] if wanted else [])}:
            await self._sync_guild(guild_id)

    async def _sync_guild(self, guild_id: int) -> None:
        try:
            await sync_commands(self, self.tree, guild_id)
        except discord.Forbidden:
            log.error("DISCORD_GUILD_ID: the bot may not make commands in server %d; invite it there first", guild_id)
        if guild_id != self.settings.discord_guild_id:
            async with self._database.connection() as connection:
                await command_guilds.forget(connection, guild_id)


class Health:
    """What ``/readyz`` asks; each life of the bot brings its own answer."""

    def __init__(self) -> None:
        self.bot: FacelockBot | None = None

    def is_ready(self) -> bool:
        """Whether commands are being answered."""
        return self.bot is not None and self.bot.is_ready() and not self.bot.is_closed()


async def live(
    settings: Settings, database: Database, stop: asyncio.Event, health: Health, timing: Timing = DEFAULT_TIMING
) -> None:
    """One life of the bot: from connecting until told to stop.

    Raises:
        Exception: whatever ended it early; the next life goes on from the database.
    """
    async with contextlib.AsyncExitStack() as stack:
        tasks = Tasks(grace_s=GRACE_S)
        bot = health.bot = await stack.enter_async_context(FacelockBot(settings, database))
        bot.runner = await _runner(stack, settings, database, tasks, bot, timing)
        connection = await stack.enter_async_context(_connected(bot))
        await stack.enter_async_context(tasks)  # ends first: what is being sent still finds Discord connected
        stopped = asyncio.ensure_future(stop.wait())
        try:
            await asyncio.wait({connection, stopped, tasks.failure}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            stopped.cancel()
            bot.runner.stop_taking()
        for ended in (connection, tasks.failure):
            if ended.done():
                ended.result()


async def _runner(
    stack: contextlib.AsyncExitStack,
    settings: Settings,
    database: Database,
    tasks: Tasks,
    bot: FacelockBot,
    timing: Timing,
) -> Runner:
    session = await stack.enter_async_context(aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()))
    quota = Quota(images=settings.quota_images, window=timedelta(hours=settings.quota_hours))
    return Runner(
        generations=Generations(database, quota=quota, unfinished_max=settings.member_queue, now=utc_now),
        outside=Outside(
            client=AdaptersClient(
                session, base_url=settings.imagepipeline_url, api_key=settings.imagepipeline_api_key, now=utc_now
            ),
            presenter=DiscordPresenter(bot),
            photo_downloads=await _downloads(stack, settings.discord_api_url),
            picture_downloads=await _downloads(stack, settings.imagepipeline_url),
        ),
        photos=await stack.enter_async_context(Photos(detect=settings.face_detection)),
        pictures=Pictures(settings.database.parent / "pictures"),
        limits=Limits(
            in_flight_max=settings.imagepipeline_max_in_flight,
            timeout=timedelta(minutes=settings.job_timeout_minutes),
        ),
        tasks=tasks,
        now=utc_now,
        timing=timing,
    )


async def _downloads(stack: contextlib.AsyncExitStack, other_side: str) -> Downloads:
    return await stack.enter_async_context(Downloads(allow_private=is_private_url(other_side)))


@contextlib.asynccontextmanager
async def _connected(bot: FacelockBot) -> AsyncGenerator[asyncio.Future[None]]:
    connection = asyncio.ensure_future(bot.start(bot.settings.discord_token))
    try:
        yield connection
    finally:
        await bot.close()
        await asyncio.wait({connection})


async def supervise(settings: Settings, stop: asyncio.Event) -> None:
    """Live again after whatever ended a life: Discord out of reach, a payload that discord.py cannot read, a full disk.

    Raises:
        FacelockError, UnusableDatabaseError, discord.LoginFailure: what only the operator can mend.
    """
    health = Health()
    async with Database.open(settings.database) as database, _watched(settings, health):
        restart_s = FIRST_RESTART_S
        while not stop.is_set():
            born = asyncio.get_running_loop().time()
            try:
                await live(settings, database, stop, health)
            except (discord.LoginFailure, FacelockError):
                raise
            except (discord.DiscordException, *network.FAULTS) as error:
                log.error("Discord cannot be reached: %s", error)
            except Exception:
                log.exception("the bot met a bug")
            else:
                continue
            if asyncio.get_running_loop().time() - born > GOOD_LIFE_S:
                restart_s = FIRST_RESTART_S
            log.warning("starting again in %.0f s; nothing is lost meanwhile", restart_s)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), restart_s)
            restart_s = min(2 * restart_s, LONGEST_RESTART_S)


def _watched(settings: Settings, health: Health) -> contextlib.AbstractAsyncContextManager[int | None]:
    if settings.http_port is None:
        return contextlib.nullcontext()
    return web.serve(host=settings.http_host, port=settings.http_port, is_ready=health.is_ready)


def utc_now() -> datetime:
    """The wall clock."""
    return datetime.now(UTC)


def set_up_logging(level: str) -> None:
    """One line an event on standard error. The libraries never get below INFO: at DEBUG they log tokens and prompts."""
    logging.basicConfig(level=level, format="%(asctime)s %(levelname)-7s %(name)s: %(message)s")
    if level == "DEBUG":
        for library in ("discord", "aiosqlite", "aiohttp", "asyncio", "PIL"):
            logging.getLogger(library).setLevel(logging.INFO)


def point_at(settings: Settings) -> None:
    """Aim discord.py at the configured addresses, which it has as class attributes only (tried with 2.7.1)."""
    Route.BASE = settings.discord_api_url
    if settings.discord_gateway_url:
        DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(settings.discord_gateway_url)


async def run(settings: Settings) -> None:
    """Run until SIGTERM or Ctrl-C."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        try:
            loop.add_signal_handler(number, stop.set)
        except NotImplementedError:  # Windows
            signal.signal(number, lambda _number, _frame: loop.call_soon_threadsafe(stop.set))
    await supervise(settings, stop)
    log.info("stopped")


def main() -> int:
    """The exit status: 0 after a stop that was asked for, 1 for what the operator has to mend."""
    load_dotenv()
    try:
        settings = Settings.from_env(os.environ)
        set_up_logging(settings.log_level)
        point_at(settings)
        asyncio.run(run(settings))
    except (FacelockError, UnusableDatabaseError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except discord.LoginFailure:
        sys.stderr.write("Discord refuses DISCORD_TOKEN. Reset the token in the developer portal and copy it anew.\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
