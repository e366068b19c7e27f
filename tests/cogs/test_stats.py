"""The chart of a server: what is drawn and said of it, and who sees it."""

import io
from datetime import date, timedelta
from pathlib import Path

import discord
import pytest
from discord import app_commands
from discord.ext import commands
from PIL import Image

from cogs.stats import alternative_text, answer_stats, chart_of, label_of
from db.connection import Database
from services.charts import Artist
from services.stats import Cause, Day, Settled, Stats, StatsReader
from tests.cogs.stage import cog_stage
from tests.conftest import Clock

SETTLED = Settled(requests=20, images=41, median_s=31.4, late_s=185.0)


def stats(settled: Settled | None, *failures: tuple[Cause, int]) -> Stats:
    days = [Day(day=date(2026, 11, 15) + timedelta(days=number), settled=None) for number in range(6)]
    return Stats(days=[*days, Day(day=date(2026, 11, 21), settled=settled)], settled=settled, failures=list(failures))


def test_the_chart_has_an_entry_for_every_day() -> None:
    chart = chart_of(stats(SETTLED, (Cause.PHOTO, 3)))

    assert chart.days == ["11-15", "11-16", "11-17", "11-18", "11-19", "11-20", "11-21"]
    assert chart.images == [0, 0, 0, 0, 0, 0, 41]
    assert chart.median_s == [None] * 6 + [31.4]
    assert chart.late_s == [None] * 6 + [185.0]
    assert chart.failures == [("The photo could not be used", 3)]


def test_the_main_numbers_are_said_in_words() -> None:
    assert alternative_text(stats(SETTLED, (Cause.SERVICE, 3), (Cause.PHOTO, 1))) == (
        "The last 7 days of this server. 41 pictures were posted. "
        "Half of the requests took at most 31 seconds, 95 % at most 3 minutes. "
        "4 requests ended without any. The most frequent cause: The image service failed."
    )
    assert alternative_text(stats(None)) == "The last 7 days of this server. No pictures were posted."


def test_every_cause_has_words_of_its_own() -> None:
    assert len({label_of(cause) for cause in Cause}) == len(Cause)


class Asking(commands.Cog):
    def __init__(self, reader: StatsReader) -> None:
        self._reader = reader

    @app_commands.command()
    async def statistics(self, interaction: discord.Interaction) -> None:
        """Show the chart."""
        await answer_stats(interaction, self._reader, Artist(), days=7)


async def test_the_chart_is_for_who_asked_alone_and_has_an_alternative_text(
    monkeypatch: pytest.MonkeyPatch, database: Database, clock: Clock, tmp_path: Path
) -> None:
    async with cog_stage(monkeypatch, lambda _: Asking(StatsReader(database, now=clock))) as stage:
        interaction = stage.playground.command("statistics")
        message = await stage.playground.until(
            lambda state: found if (found := state.original(interaction)) and found.body.attachments else None
        )

        assert stage.playground.seen_by(message) == {"Ben"}
        (attachment,) = message.body.attachments
        assert attachment.description == "The last 7 days of this server. No pictures were posted."
        with Image.open(io.BytesIO(stage.playground.content(attachment)), formats=["PNG"]) as image:
            assert image.size == (1100, 770)
