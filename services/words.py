"""Small pieces of the sentences that members read."""

from datetime import datetime, timedelta


def counted(number: int, noun: str) -> str:
    """``1 image``, ``3 images``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def at(moment: datetime) -> str:
    """A moment as each reader's own Discord shows it: "in 3 hours".

    https://discord.com/developers/docs/reference#message-formatting
    """
    return f"<t:{int(moment.timestamp())}:R>"


def on(moment: datetime) -> str:
    """The same as a day and a time: "21 November 2026 12:00"."""
    return f"<t:{int(moment.timestamp())}:f>"


def span(length: timedelta) -> str:
    """A length in the largest unit of which it has several, and no rest: ``30 days``, ``24 hours``, ``90 seconds``."""
    seconds = round(length.total_seconds())
    for unit, noun in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if seconds % unit == 0 and seconds > unit:
            return counted(seconds // unit, noun)
    return counted(seconds, "second")


def refunded(images: int) -> str:
    """What a member reads after something they paid for was not made."""
    return "Your image was refunded." if images == 1 else f"Your {images} images were refunded."


def sentence(text: str) -> str:
    """The text with an end, where it has none."""
    return text if text.endswith((".", "!", "?", "…")) else f"{text}."
