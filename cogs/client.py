"""The Discord client: it has the services that its cogs answer with, and gives Discord its commands."""

import logging

import discord
import yarl
from discord import app_commands
from discord.ext import commands
from discord.gateway import DiscordWebSocket
from discord.http import Route

from cogs.answers import answer_error
from cogs.notices import DiscordNotices
from cogs.reception import Reception
from cogs.sync import sync_commands
from cogs.translator import CatalogueTranslator
from services import words
from services.catalog import Catalog
from services.command_guilds import CommandGuilds
from services.config import Settings
from services.consents import Consents
from services.downloads import Downloads
from services.errors import PromptRefused, UserError
from services.faces import Faces
from services.history import History
from services.kept import KeptPhotos
from services.metrics import Metrics
from services.moderation import Moderation
from services.parameters import Api
from services.privacy import Privacy
from services.runner import Runner
from services.server_quotas import ServerQuotas
from services.servers import Servers
from services.stats import StatsReader
from services.upkeep import Upkeep
from services.visibility import Visibility

log = logging.getLogger(__name__)

IMAGINE = {Api.ADAPTERS: "cogs.adapters", Api.IDENTITY: "cogs.identity"}
COGS = (
    "cogs.consent",
    "cogs.face",
    "cogs.history",
    "cogs.privacy",
    "cogs.private",
    "cogs.provenance",
    "cogs.quota",
    "cogs.reports",
    "cogs.results",
    "cogs.server",
    "cogs.server_stats",
    "cogs.server_quota",
    "cogs.styles",
)


class FacelockTree(app_commands.CommandTree["FacelockBot"]):
    """The commands; their errors end in one function."""

    async def on_error(
        self, interaction: discord.Interaction["FacelockBot"], error: app_commands.AppCommandError, /
    ) -> None:
        """See discord.py."""
        await answer_error(interaction, error)

    async def interaction_check(self, interaction: discord.Interaction["FacelockBot"], /) -> bool:
        """See discord.py; comes before every command and its suggestions, in the same task."""
        words.speak(str(interaction.locale))
        return True


class FacelockBot(commands.Bot):
    """The Discord client. It needs no privileged intent and keeps no cache of messages or members."""

    runner: Runner
    reception: Reception
    moderation: Moderation
    servers: Servers
    visibility: Visibility
    photo_downloads: Downloads
    server_quotas: ServerQuotas
    faces: Faces
    consents: Consents
    kept: KeptPhotos
    notices: DiscordNotices
    upkeep: Upkeep
    privacy: Privacy
    history: History
    stats: StatsReader

    def __init__(self, settings: Settings, catalog: Catalog, command_guilds: CommandGuilds, metrics: Metrics) -> None:
        super().__init__(
            command_prefix=commands.when_mentioned,
            help_command=None,
            tree_cls=FacelockTree,
            intents=discord.Intents(guilds=True),
            member_cache_flags=discord.MemberCacheFlags.none(),
            chunk_guilds_at_startup=False,
            guild_ready_timeout=0.0,  # no command needs to know the servers, so none waits for their list
            max_messages=None,
            allowed_mentions=discord.AllowedMentions.none(),
            allowed_contexts=_contexts(settings),
            allowed_installs=app_commands.AppInstallationType(guild=True, user=settings.user_installs),
            http_trace=metrics.discord_trace(),
        )
        self.settings = settings
        self.catalog = catalog
        self._command_guilds = command_guilds
        self.metrics = metrics

    async def setup_hook(self) -> None:
        """Runs once between the login and the gateway: Discord's REST answers from here on."""
        await self.load_commands()
        await self._sync_commands()
        await self.runner.start()
        self.upkeep.start()
        self.privacy.start()

    async def load_commands(self) -> None:
        """Everything that members and admins can do, with its words in every language; for all servers, or with
        DISCORD_GUILD_ID for that one.
        """
        await self.tree.set_translator(CatalogueTranslator())
        for cog in (IMAGINE[self.settings.imagepipeline_api], *COGS):
            await self.load_extension(cog)
        if self.settings.discord_guild_id is not None:
            self.tree.copy_global_to(guild=discord.Object(self.settings.discord_guild_id))
            self.tree.clear_commands(guild=None)

    async def on_ready(self) -> None:
        """See discord.py."""
        log.info("connected to Discord as %s, in %d servers", self.user, len(self.guilds))

    async def on_interaction(self, interaction: discord.Interaction) -> None:
        """See discord.py; commands and components are answered elsewhere."""
        has_command = interaction.type in (
            discord.InteractionType.application_command,
            discord.InteractionType.autocomplete,
        )
        command = interaction.command if has_command else None
        self.metrics.interaction(interaction.type.name, command.qualified_name if command else "")

    async def on_refusal(self, error: UserError) -> None:
        """An interaction was answered with this."""
        self.metrics.refused(error.code)
        if isinstance(error, PromptRefused) and not error.is_place:
            self.metrics.refused_by_policy(error.category)

    async def _sync_commands(self) -> None:
        """Where they were loaded, and never twice anywhere."""
        wanted = self.settings.discord_guild_id
        guild_ids = await self._command_guilds.including(wanted)
        await sync_commands(self, self.tree, None)
        for guild_id in guild_ids:
            await self._sync_guild(guild_id)

    async def _sync_guild(self, guild_id: int) -> None:
        try:
            await sync_commands(self, self.tree, guild_id)
        except discord.Forbidden:
            log.error("DISCORD_GUILD_ID: the bot may not make commands in server %d; invite it there first", guild_id)
        if guild_id != self.settings.discord_guild_id:
            await self._command_guilds.forget(guild_id)


class ExaminedBot(FacelockBot):
    """One that logs in to be looked at, and does nothing."""

    async def setup_hook(self) -> None:
        """See discord.py."""
        await self.load_commands()


def _contexts(settings: Settings) -> app_commands.AppCommandContext:
    return app_commands.AppCommandContext(
        guild=True, dm_channel=settings.direct_messages, private_channel=settings.user_installs
    )


def point_at(settings: Settings) -> None:
    """Aim discord.py at the configured addresses, which it has as class attributes only (tried with 2.7.1)."""
    Route.BASE = settings.discord_api_url
    if settings.discord_gateway_url:
        DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(settings.discord_gateway_url)
