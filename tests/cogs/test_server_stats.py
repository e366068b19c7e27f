"""What is drawn and said of a server."""

from datetime import date, timedelta

from cogs.server_stats import alternative_text, chart_of, label_of
from services.stats import Cause, Day, Settled, Stats

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
