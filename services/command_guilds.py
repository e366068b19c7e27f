"""The servers that have commands of their own on Discord: those where there should be none any more lose them."""

from db import command_guilds
from db.connection import Database


class CommandGuilds:
    """Remembers them over a change of DISCORD_GUILD_ID."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def including(self, wanted: int | None) -> frozenset[int]:
        """All of them, and from now on the one that should be."""
        async with self._database.connection() as connection:
            if wanted is not None:
                await command_guilds.remember(connection, wanted)
            return frozenset(await command_guilds.remembered(connection))

    async def forget(self, guild_id: int) -> None:
        """It has none any more."""
        async with self._database.connection() as connection:
            await command_guilds.forget(connection, guild_id)
