"""Files on their way to Discord."""

from collections.abc import Iterable

import discord


def release(files: Iterable[discord.File]) -> None:
    """Close them after they were sent."""
    for file in files:
        file.close()
        # discord.py leaves a bound method of the buffer in the buffer, a cycle that would keep its bytes for long.
        vars(file.fp).pop("close", None)
