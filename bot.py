"""Builds the bot and owns every lifetime: settings, database, HTTP, services, Discord, until told to stop."""

import argparse
import asyncio
import contextlib
import functools
import logging
import os
import signal
import sys
import tempfile
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
import discord
from dotenv import load_dotenv

from cogs import doctor as discord_doctor
from cogs.client import ExaminedBot, FacelockBot, point_at
from cogs.notices import DiscordAsking, DiscordMessages, DiscordNotices
from cogs.presenter import DiscordPresenter
from cogs.reception import Reception
from db.connection import Database, UnusableDatabaseError
from services import doctor, network, web, words
from services.admission import Admission, Place
from services.catalog import Catalog, base_models, read_catalog
from services.command_guilds import CommandGuilds
from services.config import Settings
from services.consents import Consents
from services.downloads import Downloads, is_private_url
from services.errors import FacelockError
from services.faces import Faces
from services.generations import Generations
from services.history import History
from services.hosting import DiscordHosting, Hosting, PublicHosting
from services.image_check import ImageCheck
from services.imagepipeline.adapters import AdaptersClient
from services.imagepipeline.client import ImageClient
from services.imagepipeline.identity import IdentityClient
from services.jobs import load_schedule
from services.kept import KeptPhotos
from services.logs import set_up_logging
from services.metrics import Metrics
from services.moderation import Moderation
from services.parameters import Api, Family
from services.photos import PHOTO_BYTES_MAX, Photos
from services.pictures import Pictures
from services.policy.policy import Policy
from services.privacy import Privacy, Retention
from services.public import PublicAddresses
from services.quotas import Quota, ServerLimits
from services.refusals import Refusals
from services.runner import Runner
from services.server_quotas import ServerQuotas
from services.servers import Servers
from services.stats import StatsReader
from services.surroundings import Limits, Outside, Timing
from services.tasks import Tasks
from services.upkeep import Upkeep
from services.vault import Vault, all_keys, key_file_of
from services.visibility import Visibility

log = logging.getLogger("facelock")

# What is being sent at SIGTERM gets this long; container runtimes kill after 10 s.
GRACE_S = 5.0
FIRST_RESTART_S = 5.0
LONGEST_RESTART_S = 300.0
# A prepared photo on its way from Discord to the image service.
FETCH_TIMEOUT_S = 30.0
# A life this long was a good one: the next restart comes soon again.
GOOD_LIFE_S = 600.0
DEFAULT_TIMING = Timing()


def _closed(settings: Settings) -> frozenset[Place]:
    is_open = {Place.SERVER: True, Place.DIRECT: settings.direct_messages, Place.ELSEWHERE: settings.user_installs}
    return frozenset(place for place in Place if not is_open[place])


class Doorway:
    """What the bot's own server asks of whichever life there is just now."""

    def __init__(self) -> None:
        self.metrics = Metrics(now=utc_now)
        self.bot: FacelockBot | None = None
        self.runner: Runner | None = None

    def is_ready(self) -> bool:
        """Whether commands are being answered."""
        return self.bot is not None and self.bot.is_ready() and not self.bot.is_closed()

    def hooked(self, job_id: str, body: bytes) -> None:
        """A webhook has come; between two lives it is missed, and the next one asks in any case."""
        if self.runner is None:
            self.metrics.webhook("missed")
        else:
            self.metrics.webhook("awaited" if self.runner.hooked(job_id, body) else "not_awaited")

    async def measured(self, database: Database) -> bytes:
        """The page of metrics."""
        return await self.metrics.page(database, account_usd=self.runner.account_usd if self.runner else None)


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """What outlives each life of the bot. ``addresses`` are there with PUBLIC_URL alone."""

    settings: Settings
    catalog: Catalog
    database: Database
    servers: Servers
    visibility: Visibility
    policy: Policy
    vault: Vault
    addresses: PublicAddresses | None
    hosting: Hosting
    doorway: Doorway = field(default_factory=Doorway)


@contextlib.asynccontextmanager
async def opened(settings: Settings, *, owner_wait_s: float = 30.0) -> AsyncGenerator[House]:
    """The house, with its own server listening where the settings want that.

    Raises:
        FacelockError, UnusableDatabaseError: what only the operator can mend.
    """
    await asyncio.to_thread(words.load_catalogues)
    model_ids = {Family.SD: settings.sd_model_id, Family.SDXL: settings.sdxl_model_id}
    catalog = read_catalog(settings.catalog_file, base_models(model_ids, default=settings.default_model))
    async with Database.open(settings.database, owner_wait_s=owner_wait_s) as database:
        vault = Vault(await asyncio.to_thread(all_keys, settings.face_keys, key_file_of(settings.database)))
        addresses = None
        if settings.public_url is not None:
            addresses = await PublicAddresses.of(database, settings.public_url, now=utc_now)
        hosting: Hosting = DiscordHosting()
        if addresses is not None and settings.face_hosting == "public":
            lasting = timedelta(minutes=settings.job_timeout_minutes)
            hosting = PublicHosting(settings.database.parent / "photos", address=addresses.photo, lasting=lasting)
        servers = await Servers.read(database, now=utc_now)
        house = House(
            settings=settings,
            catalog=catalog,
            database=database,
            servers=servers,
            visibility=await Visibility.read(database, servers),
            policy=await asyncio.to_thread(Policy, allows_adult=settings.adult_content),
            vault=vault,
            addresses=addresses,
            hosting=hosting,
        )
        async with _listening(house):
            yield house


def _listening(house: House) -> contextlib.AbstractAsyncContextManager[int | None]:
    settings, doorway = house.settings, house.doorway
    if settings.http_port is None:
        return contextlib.nullcontext()
    doors = None
    if house.addresses is not None:
        doors = web.Doors(addresses=house.addresses, hooked=doorway.hooked, photo=house.hosting.file)
    return web.serve(
        host=settings.http_host,
        port=settings.http_port,
        is_ready=doorway.is_ready,
        doors=doors,
        metrics=functools.partial(doorway.measured, house.database) if settings.metrics else None,
    )


async def live(house: House, stop: asyncio.Event, timing: Timing = DEFAULT_TIMING) -> None:
    """One life of the bot: from connecting until told to stop.

    Raises:
        Exception: whatever ended it early; the next life goes on from the database.
    """
    async with contextlib.AsyncExitStack() as stack:
        tasks = Tasks(grace_s=GRACE_S)
        metrics = house.doorway.metrics
        bot = await furnished(stack, house, tasks, timing)
        if house.settings.metrics:
            tasks.spawn(metrics.watch_loop(tasks.sleep), "measure the event loop")
        house.doorway.bot, house.doorway.runner = bot, bot.runner
        connection = await stack.enter_async_context(_connected(bot))
        await stack.enter_async_context(tasks)  # ends first: what is being sent still finds Discord connected
        stopped = asyncio.ensure_future(stop.wait())
        try:
            await asyncio.wait({connection, stopped, tasks.failure}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            stopped.cancel()
            bot.runner.stop_taking()
            house.doorway.runner = None
        for ended in (connection, tasks.failure):
            if ended.done():
                ended.result()


async def furnished(
    stack: contextlib.AsyncExitStack,
    house: House,
    tasks: Tasks,
    timing: Timing = DEFAULT_TIMING,
    *,
    kind: type[FacelockBot] = FacelockBot,
) -> FacelockBot:
    """A bot with its services, not connected yet."""
    settings = house.settings
    bot = await stack.enter_async_context(
        kind(settings, house.catalog, CommandGuilds(house.database), house.doorway.metrics)
    )
    photos = await stack.enter_async_context(Photos(detect=settings.face_detection))
    bot.photo_downloads = await _downloads(stack, settings.discord_api_url)
    bot.faces = Faces(
        house.database,
        vault=house.vault,
        photos=photos,
        downloads=bot.photo_downloads,
        unused_max=timedelta(days=settings.face_days),
        now=utc_now,
    )
    bot.notices = DiscordNotices(bot)
    bot.upkeep = Upkeep(faces=bot.faces, notices=bot.notices, tasks=tasks)
    bot.servers, bot.visibility = house.servers, house.visibility
    quota = Quota(images=settings.quota_images, window=timedelta(hours=settings.quota_hours))
    operator = ServerLimits(images_per_day=settings.server_budget_day, images_per_month=settings.server_budget_month)
    bot.server_quotas = ServerQuotas(house.database, house.servers, quota=quota, operator=operator, now=utc_now)
    generations = Generations(
        house.database,
        quota=quota,
        limits=bot.server_quotas.limits,
        unfinished_max=settings.member_queue,
        now=utc_now,
        metrics=bot.metrics,
    )
    bot.history, bot.stats = History(house.database), StatsReader(house.database, now=utc_now)
    bot.kept = KeptPhotos(house.database, vault=house.vault)
    bot.consents = Consents(house.database, rule=settings.face_consent, servers=house.servers, now=utc_now)
    bot.runner = Runner(
        generations=generations,
        schedule=await load_schedule(generations),
        outside=Outside(
            client=await _client(stack, settings, bot.photo_downloads, bot.metrics),
            presenter=DiscordPresenter(bot, house.servers, bot.photo_downloads),
            hosting=house.hosting,
            webhook_url=house.addresses.hook if house.addresses else None,
            photo_downloads=bot.photo_downloads,
            picture_downloads=await _downloads(stack, settings.imagepipeline_url),
            asking=DiscordAsking(bot),
            image_check=await _image_check(stack, settings, tasks, timing, bot.metrics),
        ),
        photos=photos,
        faces=bot.faces,
        kept=bot.kept,
        consents=bot.consents,
        pictures=Pictures(settings.database.parent / "pictures"),
        limits=Limits(
            in_flight_max=settings.imagepipeline_max_in_flight,
            timeout=timedelta(minutes=settings.job_timeout_minutes),
            weight_of=house.catalog.weight_of,
        ),
        tasks=tasks,
        now=utc_now,
        timing=timing,
    )
    bot.privacy = Privacy(
        house.database,
        faces=bot.faces,
        visibility=house.visibility,
        unfinished=bot.runner,
        messages=DiscordMessages(bot),
        retention=Retention(
            history=timedelta(days=settings.history_days) if settings.history_days else None,
            audit=timedelta(days=settings.audit_days),
        ),
        tasks=tasks,
        now=utc_now,
    )
    bot.moderation = await Moderation.read(
        house.database,
        servers=house.servers,
        blocked_everywhere=settings.blocked_members,
        moderators=bot.notices,
        tasks=tasks,
        now=utc_now,
    )
    admission = Admission(
        servers=house.servers,
        moderation=bot.moderation,
        policy=house.policy,
        refusals=Refusals(house.database, now=utc_now),
        closed=_closed(settings),
    )
    bot.reception = Reception(bot.runner, admission, house.servers, house.visibility)
    return bot


async def _client(
    stack: contextlib.AsyncExitStack, settings: Settings, photos: Downloads, metrics: Metrics
) -> ImageClient:
    session = await stack.enter_async_context(
        aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar(), trace_configs=[metrics.provider_trace()])
    )
    url, key = settings.imagepipeline_url, settings.imagepipeline_api_key
    if settings.imagepipeline_api is Api.ADAPTERS:
        return AdaptersClient(session, base_url=url, api_key=key, now=utc_now)

    async def fetch(photo_url: str) -> bytes:
        return await photos.fetch(photo_url, bytes_max=PHOTO_BYTES_MAX, timeout_s=FETCH_TIMEOUT_S)

    is_hosted_here = settings.face_hosting == "public"
    return IdentityClient(session, base_url=url, api_key=key, now=utc_now, fetch=None if is_hosted_here else fetch)


async def _image_check(
    stack: contextlib.AsyncExitStack, settings: Settings, tasks: Tasks, timing: Timing, metrics: Metrics
) -> ImageCheck | None:
    if settings.image_check_url is None:
        return None
    session = await stack.enter_async_context(aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()))
    return ImageCheck(
        session,
        url=settings.image_check_url,
        key=settings.image_check_key,
        waits_s=timing.retries.waits_s,
        sleep=tasks.sleep,
        metrics=metrics,
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
    async with opened(settings) as house:
        restart_s = FIRST_RESTART_S
        while not stop.is_set():
            born = asyncio.get_running_loop().time()
            try:
                await live(house, stop)
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


def utc_now() -> datetime:
    """The wall clock."""
    return datetime.now(UTC)


async def run(settings: Settings) -> None:
    """Run until SIGTERM or Ctrl-C."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        try:
            loop.add_signal_handler(number, stop.set)
        except NotImplementedError:  # Windows has no such handlers
            signal.signal(number, lambda _number, _frame: loop.call_soon_threadsafe(stop.set))
    await supervise(settings, stop)
    log.info("stopped")


async def examine(settings: Settings, tell: Callable[[doctor.Finding], None]) -> None:
    """Look whether everything is in order, also beside a bot that runs: this one lives in a folder of its own and logs
    in over REST alone.

    Raises:
        FacelockError: the catalogue or the keys cannot be read; what comes before these was told.
    """

    async def look(subject: str, check: Awaitable[doctor.Findings]) -> None:
        for finding in await doctor.checked(subject, check):
            tell(finding)

    await look("database", doctor.check_database(settings.database))
    await look("disk", doctor.check_disk(settings.database))
    await look("face detector", doctor.check_detector(detect=settings.face_detection))
    await look("saved faces", doctor.check_faces(settings.database, settings.face_keys))
    async with contextlib.AsyncExitStack() as stack:
        bot, client = await _examined(stack, settings)
        session = await stack.enter_async_context(aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()))
        await look("clock", doctor.check_clock(session, settings.discord_api_url, utc_now))
        await look("image service", doctor.check_provider(client))
        check = await _image_check(stack, settings, Tasks(grace_s=GRACE_S), DEFAULT_TIMING, bot.metrics)
        await look("image check", doctor.check_image_check(check))
        await look("PUBLIC_URL", doctor.check_public(session, settings, now=utc_now))
        await look("token", discord_doctor.check_login(bot, settings.discord_token))
        if bot.application is not None:
            places = [None] if settings.discord_guild_id is None else [None, settings.discord_guild_id]
            installs = settings.user_installs
            await look("application", discord_doctor.check_application(bot, user_installs=installs))
            await look("commands", discord_doctor.check_commands(bot, bot.tree, places))
            await look("servers", _check_servers(bot, settings.database))


async def _check_servers(bot: FacelockBot, database: Path) -> doctor.Findings:
    return await discord_doctor.check_servers(bot, await doctor.report_channels(database))


async def _examined(stack: contextlib.AsyncExitStack, settings: Settings) -> tuple[FacelockBot, ImageClient]:
    """A bot that is like the one of these settings, and owns nothing of it."""
    folder = stack.enter_context(tempfile.TemporaryDirectory())
    apart = replace(settings, database=Path(folder) / "facelock.db", http_port=None, face_detection=False)
    house = await stack.enter_async_context(opened(apart))
    bot = await furnished(stack, house, Tasks(grace_s=GRACE_S), kind=ExaminedBot)
    photos = await _downloads(stack, settings.discord_api_url)
    return bot, await _client(stack, apart, photos, house.doorway.metrics)


def run_doctor(settings: Settings) -> int:
    """Print what is found; the exit status is 1 where something has to be done."""
    set_up_logging("CRITICAL", settings.log_format)
    point_at(settings)
    status = 0

    def tell(finding: doctor.Finding) -> None:
        nonlocal status
        status |= finding.is_problem
        sys.stdout.write(f"{finding}\n")
        sys.stdout.flush()

    asyncio.run(examine(settings, tell))
    return status


def main() -> int:
    """The exit status: 0 after a stop that was asked for, 1 for what the operator has to mend."""
    parser = argparse.ArgumentParser(
        prog="bot.py", description="Facelock, a bot for Discord. Its settings are in .env."
    )
    parser.add_argument("command", nargs="?", choices=["doctor"], help="look whether everything is in order, and end")
    command = parser.parse_args().command
    load_dotenv()
    try:
        settings = Settings.from_env(os.environ)
        if command == "doctor":
            return run_doctor(settings)
    except FacelockError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    set_up_logging(settings.log_level, settings.log_format)
    point_at(settings)
    try:
        asyncio.run(run(settings))
    except (FacelockError, UnusableDatabaseError) as error:
        log.critical("%s", error)
        return 1
    except discord.LoginFailure:
        log.critical("Discord refuses DISCORD_TOKEN. Reset the token in the developer portal and copy it anew.")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
