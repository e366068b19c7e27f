"""``/server stats``: how much was made in a server lately, how long it took, and what went wrong, as a chart."""

import io
from typing import Any, Literal

import discord
from discord import app_commands

from cogs.answers import defer_alone
from cogs.client import FacelockBot
from cogs.files import release
from cogs.server import server_group
from services.charts import Artist, Chart
from services.quotas import scope_of
from services.stats import Cause, Stats, StatsReader
from services.words import _, ngettext


def stats_command(reader: StatsReader, artist: Artist) -> app_commands.Command[Any, ..., None]:
    """The command."""

    @app_commands.command()
    @app_commands.describe(days="How many days back, today among them")
    async def stats(interaction: discord.Interaction, days: Literal[7, 30, 90] = 30) -> None:
        """See how much was made in this server, how long it took, and what went wrong."""
        await _answer(interaction, reader, artist, days)

    return stats  # pyright: ignore[reportUnknownVariableType] - nothing says to which group it will belong


async def _answer(interaction: discord.Interaction, reader: StatsReader, artist: Artist, days: int) -> None:
    await defer_alone(interaction)
    scope = scope_of(guild_id=interaction.guild_id, member_id=interaction.user.id)
    stats = await reader.read(scope, days)
    png = await artist.draw(chart_of(stats))
    file = discord.File(io.BytesIO(png), "stats.png", description=alternative_text(stats))
    try:
        await interaction.edit_original_response(attachments=[file])
    finally:
        release([file])


def chart_of(stats: Stats) -> Chart:
    """What is drawn, in the language of the current task."""
    settled = [day.settled for day in stats.days]
    return Chart(
        title=_title(stats),
        days=[f"{day.day:%m-%d}" for day in stats.days],
        images_title=_("Pictures posted each day (UTC)"),
        images=[each.images if each else 0 for each in settled],
        waits_title=_("From the request to its pictures"),
        median_label=_("half of them within"),
        median_s=[each.median_s if each else None for each in settled],
        late_label=_("95 % within"),
        late_s=[each.late_s if each else None for each in settled],
        failures_title=_("Requests without pictures"),
        failures=[(label_of(cause), requests) for cause, requests in stats.failures],
        nothing=_("None in these days"),
    )


def alternative_text(stats: Stats) -> str:
    """The main numbers in words, for those who do not see the chart."""
    parts = [_title(stats)]
    if stats.settled is None:
        parts.append(_("No pictures were posted."))
    else:
        images = ngettext("{number} picture was posted.", "{number} pictures were posted.", stats.settled.images)
        waits = _(
            "Half of the requests took at most {median}, 95 % at most {late}.",
            median=_duration(stats.settled.median_s),
            late=_duration(stats.settled.late_s),
        )
        parts += [images, waits]
    if stats.failed:
        most, _requests = stats.failures[0]
        failed = ngettext("{number} request ended without any.", "{number} requests ended without any.", stats.failed)
        parts += [failed, _("The most frequent cause: {cause}.", cause=label_of(most))]
    return " ".join(parts)


def label_of(cause: Cause) -> str:
    """A cause in a few words."""
    match cause:
        case Cause.PHOTO:
            return _("The photo could not be used")
        case Cause.CONSENT:
            return _("The use of the face was not allowed")
        case Cause.REFUSED:
            return _("The image service refused it")
        case Cause.SERVICE:
            return _("The image service failed")
        case Cause.CHECK:
            return _("It did not pass the operator's check")
        case Cause.TIME:
            return _("It took too long")
        case Cause.POSTING:
            return _("It could not be posted")
        case Cause.CANCELLED:
            return _("It was cancelled")
        case Cause.OTHER:
            return _("Something else")


def _title(stats: Stats) -> str:
    return ngettext("The last {number} day of this server.", "The last {number} days of this server.", len(stats.days))


def _duration(seconds: float) -> str:
    if seconds < 120:
        return ngettext("{number} second", "{number} seconds", round(seconds))
    return ngettext("{number} minute", "{number} minutes", round(seconds / 60))


async def setup(bot: FacelockBot) -> None:
    """Called by discord.py when it loads this file."""
    server_group(bot).add_command(stats_command(bot.stats, Artist()))
