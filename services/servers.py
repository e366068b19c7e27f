"""What the admins of each server have set. It is read with every command, so all of it is kept in memory: one process
owns the database.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime
from typing import Any, Self

from db import audit, servers
from db.audit import Entry
from db.connection import Database

__all__ = ["UNTOUCHED", "AuditPage", "Entry", "ServerSettings", "Servers"]

AUDIT_PAGE = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerSettings:
    """The settings of one server; the defaults are those of a server that was never touched, and of direct messages.

    ``channels`` and ``roles`` are where and who may ask, everywhere and everybody where they are empty. ``model`` and
    ``preset`` are taken where a member names none, by the key and the name in the catalogue. ``steps_max`` and
    ``side_px_max`` are caps below those of the image service. ``language`` is what the bot's public messages are in;
    without one, in that of who asked. ``member_queue`` is how many unfinished requests a member may have here, where
    that is fewer than the operator's. ``images_per_day`` and ``images_per_month`` are what all members together may
    have, where that is less than the operator allows, and ``cooldown_s`` is each member's pause between two requests.
    """

    channels: tuple[int, ...] = ()
    roles: tuple[int, ...] = ()
    model: str | None = None
    preset: str | None = None
    steps_max: int | None = None
    side_px_max: int | None = None
    is_private_first: bool = False
    report_channel: int | None = None
    language: str | None = None
    member_queue: int | None = None
    images_per_day: int | None = None
    images_per_month: int | None = None
    cooldown_s: int = 0

    def to_json(self) -> str:
        """Without what is the default."""
        chosen = {name: value for name, value in asdict(self).items() if value != getattr(UNTOUCHED, name)}
        return json.dumps(chosen, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read back what ``to_json`` wrote; what this version does not know is left out."""
        known = {field.name for field in fields(cls)}
        kept: dict[str, Any] = {name: value for name, value in json.loads(text).items() if name in known}
        for name in {"channels", "roles"} & kept.keys():
            kept[name] = tuple(kept[name])
        return cls(**kept)


UNTOUCHED = ServerSettings()


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditPage:
    """What was done, newest first, and whether there is more on either side."""

    entries: Sequence[Entry]
    has_newer: bool
    has_older: bool


class Servers:
    """The settings of all servers, and the audit log in which every change of them is written down."""

    def __init__(self, database: Database, settings: dict[int, ServerSettings], *, now: Callable[[], datetime]) -> None:
        self._database = database
        self._settings = settings
        self._now = now

    @classmethod
    async def read(cls, database: Database, *, now: Callable[[], datetime]) -> Self:
        """Those in the database."""
        async with database.connection() as connection:
            known = await servers.every(connection)
        return cls(database, {guild: ServerSettings.from_json(text) for guild, text in known.items()}, now=now)

    def of(self, guild_id: int | None) -> ServerSettings:
        """The settings of a server; outside servers those of one that was never touched."""
        return self._settings.get(guild_id, UNTOUCHED) if guild_id is not None else UNTOUCHED

    async def change(self, guild_id: int, *, by: int, **changes: Any) -> ServerSettings:
        """Set some of a server's settings, as the member ``by`` wants, and write down what is different by that."""
        now = self._now()
        async with self._database.transaction() as connection:
            before = self.of(guild_id)
            after = replace(before, **changes)
            different = {
                name: {"from": getattr(before, name), "to": value}
                for name, value in changes.items()
                if getattr(before, name) != value
            }
            if different:
                await servers.save(connection, guild_id, after.to_json(), now)
                await audit.note(
                    connection, guild_id=guild_id, member_id=by, action="settings", detail=different, at=now
                )
        self._settings[guild_id] = after
        return after

    async def audited(self, guild_id: int, *, before: int | None = None) -> AuditPage:
        """What was done in a server: the newest page, or the one before the entry of that id."""
        async with self._database.connection() as connection:
            found = await audit.latest(connection, guild_id, before=before, most=AUDIT_PAGE + 1)
        return AuditPage(entries=found[:AUDIT_PAGE], has_newer=before is not None, has_older=len(found) > AUDIT_PAGE)
