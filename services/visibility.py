"""Who sees a result first: everybody in the channel, or its member alone."""

from typing import Self

from db import private_first
from db.connection import Database
from services.servers import Servers


class Visibility:
    """Decides it for every request, before that is answered: so what members have chosen is kept in memory."""

    def __init__(self, database: Database, members: set[int], servers: Servers) -> None:
        self._database = database
        self._members = members
        self._servers = servers

    @classmethod
    async def read(cls, database: Database, servers: Servers) -> Self:
        """What is in the database."""
        async with database.connection() as connection:
            return cls(database, await private_first.every(connection), servers)

    def is_private(self, asked: bool | None, *, member_id: int, guild_id: int | None, has_face: bool) -> bool:
        """Whether a result is for its member's eyes first. A server's wish for that goes before what the member has
        ``asked`` for, and that before what they have chosen once and for all; without a face neither choice counts.
        """
        if has_face and self.is_server_private_first(guild_id):
            return True
        if asked is not None:
            return asked
        return has_face and self.is_private_first(member_id)

    def is_server_private_first(self, guild_id: int | None) -> bool:
        """What the server's admins have chosen."""
        return self._servers.of(guild_id).is_private_first

    def is_private_first(self, member_id: int) -> bool:
        """What the member has chosen."""
        return member_id in self._members

    def forget(self, member_id: int) -> None:
        """What the member had chosen was deleted elsewhere."""
        self._members.discard(member_id)

    async def choose(self, member_id: int, *, is_private_first: bool) -> None:
        """The member chooses for all their requests from now on."""
        async with self._database.connection() as connection:
            if is_private_first:
                await private_first.add(connection, member_id)
                self._members.add(member_id)
            else:
                await private_first.remove(connection, member_id)
                self._members.discard(member_id)
