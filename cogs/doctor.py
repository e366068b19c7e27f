"""What the doctor looks at on Discord: over REST alone, so that a running bot keeps its connection to the gateway."""

import itertools
from collections.abc import Mapping, Sequence

import discord
from discord import app_commands
from discord.abc import GuildChannel
from discord.ext import commands

from cogs.sync import are_synced
from cogs.views.settings import REPORT_PERMISSIONS
from services import network
from services.doctor import Findings, fine, problem

# What it takes to finish a request whose command is older than 15 minutes; README.md has the same for the invitation.
NEEDED = ("view_channel", "send_messages", "send_messages_in_threads", "attach_files", "read_message_history")
# Each costs three requests.
SERVERS_MAX = 50
CHANNELS_NAMED_MAX = 10


async def check_login(client: commands.Bot, token: str) -> Findings:
    """Whether Discord takes the token; without that nothing else of Discord can be looked at."""
    subject = "token"
    try:
        await client.login(token)
    except discord.LoginFailure:
        return problem(subject, "Discord refuses DISCORD_TOKEN. Reset it in the developer portal and copy it anew.")
    except (discord.HTTPException, *network.FAULTS) as error:
        return problem(
            subject, f"Discord cannot be reached ({type(error).__name__}). Check DISCORD_API_URL and the network."
        )
    return fine(subject, f"Discord knows the bot as {client.user}.")


async def check_application(client: commands.Bot, *, user_installs: bool) -> Findings:
    """Whether the application is set up so that commands reach the bot and it can be invited."""
    subject, application = "application", client.application
    assert application is not None, "there is one after the login"  # noqa: S101 - narrows the type
    if application.interactions_endpoint_url:
        text = "Discord sends its commands elsewhere. Clear the Interactions Endpoint URL in the developer portal."
        return problem(subject, text)
    if application.bot_require_code_grant:
        text = "it cannot be invited. Switch off Requires OAuth2 Code Grant in the developer portal."
        return problem(subject, text)
    is_told = application.guild_integration_config is not None  # not every answer of Discord's has it
    if user_installs and is_told and application.user_integration_config is None:
        text = "USER_INSTALLS is on, but nobody can add the bot to their account. Allow User Install in the portal."
        return problem(subject, text)
    return fine(subject, f"{application.name} gets its commands over the gateway, and needs no privileged intent.")


async def check_commands(
    client: commands.Bot, tree: app_commands.CommandTree[commands.Bot], guild_ids: Sequence[int | None]
) -> Findings:
    """Whether Discord has the commands of this version, everywhere (None) or in those servers."""
    findings: Findings = []
    for guild_id in guild_ids:
        subject = "commands" if guild_id is None else f"commands of server {guild_id}"
        try:
            is_same = await are_synced(client, tree, guild_id)
        except discord.Forbidden:
            findings += problem(subject, "the bot is not there. Invite it, or correct DISCORD_GUILD_ID.")
            continue
        if is_same:
            findings += fine(subject, "Discord has those of this version.")
        else:
            findings += problem(subject, "Discord has others than this version. Start the bot anew, which gives them.")
    return findings


async def check_servers(client: commands.Bot, report_channels: Mapping[int, int]) -> Findings:
    """Whether the bot may post in the channels of its servers where members can write, and where moderators read
    reports: ``report_channels`` by the servers' ids.
    """
    findings: Findings = []
    servers = 0
    async for guild in client.fetch_guilds(limit=SERVERS_MAX, with_counts=False):
        servers += 1
        findings += await _check_server(client, guild.id, guild.name, report_channels.get(guild.id))
    if not findings:
        return problem("servers", "the bot is in none. Invite it: README.md has the address.")
    if servers == SERVERS_MAX:
        findings += fine("servers", f"only the first {SERVERS_MAX} were looked at.")
    return findings


async def _check_server(client: commands.Bot, guild_id: int, name: str, report_channel: int | None) -> Findings:
    guild = await client.fetch_guild(guild_id, with_counts=False)
    assert client.user is not None, "it is known after the login"  # noqa: S101 - narrows the type
    member = await guild.fetch_member(client.user.id)
    every = await guild.fetch_channels()
    reports = [] if report_channel is None else _check_reports(name, every, report_channel, member)
    channels = [channel for channel in every if _is_for_writing(channel)]
    lacking = [(channel.name, missing) for channel in channels if (missing := _missing(channel, guild, member))]
    if not lacking:
        return (
            fine(f"server {name}", f"the bot may post in all {len(channels)} channels where members write.") + reports
        )
    listed = ", ".join(f"#{channel} ({missing})" for channel, missing in itertools.islice(lacking, CHANNELS_NAMED_MAX))
    more = f" and {len(lacking) - CHANNELS_NAMED_MAX} more" if len(lacking) > CHANNELS_NAMED_MAX else ""
    advice = "Give its role these permissions, or late results come as direct messages"
    return problem(f"server {name}", f"the bot may not do everything in {listed}{more}. {advice}.") + reports


def _check_reports(name: str, channels: Sequence[GuildChannel], channel_id: int, bot: discord.Member) -> Findings:
    subject = f"reports of server {name}"
    channel = next((each for each in channels if each.id == channel_id), None)
    if channel is None:
        return problem(subject, "their channel is gone. Its admins choose another with /server settings.")
    may = channel.permissions_for(bot)
    lacking = ", ".join(each.replace("_", " ") for each in REPORT_PERMISSIONS if not getattr(may, each))
    if lacking:
        return problem(
            subject, f"the bot cannot write them into #{channel.name} ({lacking}). Give it these permissions."
        )
    return fine(subject, f"the bot may write them into #{channel.name}.")


def _is_for_writing(channel: GuildChannel) -> bool:
    return isinstance(channel, (discord.TextChannel, discord.VoiceChannel, discord.StageChannel, discord.ForumChannel))


def _missing(channel: GuildChannel, guild: discord.Guild, member: discord.Member) -> str:
    """The needed permissions that the bot lacks; none where neither everybody nor the bot is meant to write at all."""
    bot, everybody = channel.permissions_for(member), channel.permissions_for(guild.default_role)
    if not any(may.view_channel and may.send_messages for may in (bot, everybody)):
        return ""
    lacking = NEEDED[:1] if not bot.view_channel else [name for name in NEEDED if not getattr(bot, name)]
    return ", ".join(name.replace("_", " ") for name in lacking)
