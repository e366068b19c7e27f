"""Reports: from a member's form to a message for the moderators, and what they do about it."""

import asyncio
import contextlib
import io
import logging
from pathlib import PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import discord
from discord.ext import commands

from cogs.files import release
from cogs.presenter import pictures_in
from cogs.views.report import HANDLER, ReportButton, report_layout
from services import network, words
from services.downloads import DownloadError, Downloads
from services.errors import NotAllowed, UserError
from services.generations import Generation
from services.moderation import Moderation, Outcome, Report
from services.runner import Runner
from services.servers import Servers
from services.words import _

if TYPE_CHECKING:
    from bot import FacelockBot

log = logging.getLogger(__name__)

CALL_TIMEOUT_S = 60.0
FETCH_TIMEOUT_S = 20.0
# A request has at most 25 MiB (https://discord.com/developers/docs/reference#uploading-files), the text some of it.
PICTURES_BYTES_MAX = 24 * 2**20
SUFFIXES = (".png", ".jpg", ".jpeg", ".webp")


class Reports(commands.Cog, name=HANDLER):
    """Tells the moderators of a server what members report, in the channel that its admins have chosen for that."""

    def __init__(self, moderation: Moderation, servers: Servers, runner: Runner, downloads: Downloads) -> None:
        self._moderation = moderation
        self._servers = servers
        self._runner = runner
        self._downloads = downloads

    def channel_of(self, interaction: discord.Interaction) -> int:
        """Where reports from here go.

        Raises:
            NotAllowed: nowhere.
        """
        channel_id = self._servers.of(interaction.guild_id).report_channel
        if channel_id is None:
            raise NotAllowed(_("This server has no place for reports. Show the message to one of its moderators."))
        return channel_id

    async def report(self, interaction: discord.Interaction, generation: Generation, reason: str | None) -> None:
        """Keep a member's report of what a message shows, and show it to the moderators.

        Raises:
            UserError: they could not be told; the text says why.
        """
        channel_id, guild_id = self.channel_of(interaction), interaction.guild_id or 0
        await interaction.response.defer(thinking=True, ephemeral=True)  # the pictures take their time
        report = await self._moderation.report(guild_id, generation.id, by=interaction.user.id, reason=reason)
        files = await self._pictures(interaction, generation)
        try:
            with words.speaking(self._language(interaction)):
                view = report_layout(report, generation, [file.filename for file in files])
            report = await self._put(interaction.client, report, channel_id, view, files)
        except (discord.HTTPException, *network.FAULTS) as error:
            log.warning("report %d could not be shown: %s", report.id, type(error).__name__)
            if isinstance(error, discord.Forbidden | discord.NotFound):
                raise UserError(
                    _("The bot cannot write into this server's channel for reports. Tell one of its moderators.")
                ) from error
            raise UserError(_("Discord is slow to answer just now. Try again in a moment.")) from error
        finally:
            release(files)
        thanks = _("Thank you. The moderators of this server have been told, and nobody else.")
        await interaction.edit_original_response(content=thanks)

    async def pressed(self, interaction: discord.Interaction, press: ReportButton) -> None:
        """Do what a moderator wants about a report.

        Raises:
            UserError: nothing was done, for this reason.
        """
        _check_may(interaction, press.outcome)
        report = await self._moderation.reported(press.report_id)
        if report is None or report.guild_id != interaction.guild_id:
            raise UserError(_("The bot knows nothing of this report any more."))
        generation = await self._runner.generation(report.generation_id)
        if generation is not None and press.outcome is Outcome.BLOCKED:
            check_can_be_blocked(interaction, generation.member_id)
        await interaction.response.defer()
        if generation is not None and press.outcome is Outcome.DELETED:
            await _delete(interaction.client, generation)
        if generation is not None or press.outcome is Outcome.DISMISSED:
            member_id = generation.member_id if generation else 0
            report = await self._moderation.conclude(report, press.outcome, by=interaction.user.id, member_id=member_id)
        is_gone = Outcome.DELETED in report.outcomes
        names = (
            [] if is_gone or interaction.message is None else [_name(url) for url in pictures_in(interaction.message)]
        )
        with words.speaking(self._language(interaction)):
            view = report_layout(report, generation, names)
        if is_gone:  # their copies go too
            await interaction.edit_original_response(view=view, attachments=[])
        else:
            await interaction.edit_original_response(view=view)

    def _language(self, interaction: discord.Interaction) -> str | None:
        """What several moderators read is in their server's language, not in that of who pressed something."""
        locale = self._servers.of(interaction.guild_id).language or interaction.guild_locale
        return str(locale) if locale else None

    async def _put(
        self,
        client: discord.Client,
        report: Report,
        channel_id: int,
        view: discord.ui.LayoutView,
        files: list[discord.File],
    ) -> Report:
        """Show the report in its message, or in a new one where that is gone or never was."""
        async with asyncio.timeout(CALL_TIMEOUT_S):
            if report.channel_id is not None and report.message_id is not None:
                message = client.get_partial_messageable(report.channel_id).get_partial_message(report.message_id)
                with contextlib.suppress(discord.NotFound):
                    await message.edit(view=view, attachments=files)
                    return report
                for file in files:
                    file.reset()
            channel = client.get_partial_messageable(channel_id)
            # Whoever reports again because no answer came gets no second message.
            nonce = f"r{report.id}-{report.message_id or 0}"[:25]
            sent = await channel.send(view=view, files=files, nonce=nonce)
        await self._moderation.posted(report, channel_id=channel_id, message_id=sent.id)
        return report

    async def _pictures(self, interaction: discord.Interaction, generation: Generation) -> list[discord.File]:
        """Copies of the pictures in the message, which its asker may delete; none where they are too large together."""
        urls = pictures_in(interaction.message) if interaction.message else []
        files: list[discord.File] = []
        left = PICTURES_BYTES_MAX
        for number, url in enumerate(urls, start=1):
            most = min(left, generation.file_limit_bytes)
            try:
                content = await self._downloads.fetch(url, bytes_max=most, timeout_s=FETCH_TIMEOUT_S)
            except DownloadError as error:
                log.info("a picture of generation %d was not copied into its report: %s", generation.id, error)
                release(files)
                return []
            left -= len(content)
            suffix = PurePosixPath(_name(url)).suffix.lower()
            name = f"reported-{generation.id}-{number}{suffix if suffix in SUFFIXES else SUFFIXES[0]}"
            files.append(discord.File(io.BytesIO(content), filename=name))
        return files


async def _delete(client: discord.Client, generation: Generation) -> None:
    if generation.message_id is None:
        return
    message = client.get_partial_messageable(generation.channel_id).get_partial_message(generation.message_id)
    try:
        async with asyncio.timeout(CALL_TIMEOUT_S):
            await message.delete()
    except discord.NotFound:
        return  # somebody was quicker
    except discord.Forbidden as error:
        raise UserError(_("The bot cannot reach the message any more. Delete it by hand.")) from error
    except (discord.HTTPException, *network.FAULTS) as error:
        raise UserError(_("Discord is slow to answer just now. Try again in a moment.")) from error


def check_can_be_blocked(interaction: discord.Interaction, member_id: int) -> None:
    """Make sure that a block of this member would mean something.

    Raises:
        NotAllowed: it would not.
    """
    if interaction.guild is not None and member_id == interaction.guild.owner_id:
        raise NotAllowed(_("The owner of a server cannot be blocked in it."))


def _check_may(interaction: discord.Interaction, outcome: Outcome) -> None:
    """A moderator may have lost the permission since the report was shown."""
    may = interaction.permissions
    match outcome:
        case Outcome.DELETED if not may.manage_messages:
            raise NotAllowed(_("For this you need the permission to manage messages."))
        case Outcome.BLOCKED if not (may.manage_guild or may.moderate_members):
            raise NotAllowed(_("For this you need the permission to manage this server or to time out members."))
        case Outcome.DISMISSED if not (may.manage_messages or may.manage_guild or may.moderate_members):
            raise NotAllowed(_("Only moderators can dismiss a report."))
        case _:
            return


def _name(url: str) -> str:
    return urlsplit(url).path.rpartition("/")[2]


async def setup(bot: "FacelockBot") -> None:
    """Called by discord.py when it loads this file."""
    bot.add_dynamic_items(ReportButton)
    await bot.add_cog(Reports(bot.moderation, bot.servers, bot.runner, bot.downloads))
