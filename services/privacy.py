"""What members may know and want: everything that is kept about them, and that it is forgotten."""

import asyncio
import io
import json
import logging
import zipfile
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

from db import deletions, privacy
from db.connection import Database
from db.deletions import Deletion
from db.times import to_text
from services.faces import Faces, Listed
from services.presenter import DiscordUnavailable
from services.tasks import Tasks

log = logging.getLogger(__name__)

ROUND_S = 3600.0
# Rows that are forgotten in one transaction: nobody else writes meanwhile.
FORGOTTEN_AT_ONCE = 200
# Messages that are deleted in a row; Discord allows few deletions of old messages.
DELETED_AT_ONCE = 50
RETRY_S = 60.0
EXPORT_NAME = "facelock-export.zip"


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """How long things are kept; None for ever, as far as their members do not erase them."""

    history: timedelta | None
    audit: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """Everything about one member, as a ZIP file. ``has_photos`` is False where they would have made it too large."""

    content: bytes = field(repr=False)
    has_photos: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Erased:
    """What was forgotten. The messages are deleted one after another from now on."""

    requests: int
    faces: int
    messages: int


class Messages(Protocol):
    """How a message of the bot's is deleted; ``cogs/notices.py`` implements it."""

    async def delete(self, channel_id: int, message_id: int) -> bool:
        """Delete it; False where that can never be.

        Raises:
            DiscordUnavailable: try again later.
        """
        ...


class Unfinished(Protocol):
    """What ends requests that are under way; the job runner does."""

    async def abandon(self, generation_id: int) -> None:
        """Nothing more is made or shown of it."""
        ...


class Privacy:
    """Tells and forgets; a task deletes messages and whatever is older than the operator wants."""

    def __init__(
        self,
        database: Database,
        *,
        faces: Faces,
        unfinished: Unfinished,
        messages: Messages,
        retention: Retention,
        tasks: Tasks,
        now: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._faces = faces
        self._unfinished = unfinished
        self._messages = messages
        self.retention = retention
        self._tasks = tasks
        self._now = now
        self._news = asyncio.Event()

    def start(self) -> None:
        """Begin to delete; call it once Discord can be reached."""
        self._tasks.spawn(self._delete_messages(), "delete messages")
        self._tasks.spawn(self._purge(), "purge what is old")

    async def export(self, member_id: int, *, bytes_max: int) -> Export:
        """Everything that is kept about a member, in at most so many bytes."""
        async with self._database.transaction() as connection:
            told = await privacy.told(connection, member_id)
        faces = await self._faces.of(member_id)
        content = await asyncio.to_thread(_zipped, told, faces, with_photos=True)
        if len(content) <= bytes_max:
            return Export(content=content, has_photos=True)
        return Export(content=await asyncio.to_thread(_zipped, told, faces, with_photos=False), has_photos=False)

    async def erase(self, member_id: int) -> Erased:
        """Forget a member, but for the bare numbers of the ledger, and what protects others from them."""
        await self._end_all(member_id)
        async with self._database.transaction() as connection:
            messages = await deletions.insert_of_member(connection, member_id, self._now())
            requests = await privacy.forget_member(connection, member_id)
            await privacy.forget_reasons(connection, member_id)
            faces = await privacy.forget_faces(connection, member_id)
        self._faces.forget(member_id)
        async with self._database.connection() as connection:
            await privacy.overwrite_log(connection)
        self._news.set()
        log.info("a member erased %d requests and %d faces", len(requests), faces)
        return Erased(requests=len(requests), faces=faces, messages=messages)

    async def _end_all(self, member_id: int) -> None:
        async with self._database.connection() as connection:
            under_way = await privacy.unfinished(connection, member_id)
        for generation_id in under_way:
            await self._unfinished.abandon(generation_id)

    async def _purge(self) -> None:
        while True:
            await self.purge()
            await self._tasks.sleep(ROUND_S)

    async def purge(self) -> None:
        """Forget what is older than the operator wants it kept."""
        now = self._now()
        async with self._database.connection() as connection:
            await privacy.forget_audit(connection, before=now - self.retention.audit)
        if self.retention.history is None:
            return
        while True:
            async with self._database.transaction() as connection:
                before = now - self.retention.history
                forgotten = await privacy.forget_older(connection, before=before, most=FORGOTTEN_AT_ONCE)
            if forgotten:
                log.info("forgot %d requests that were over before %s", len(forgotten), before.date())
            if len(forgotten) < FORGOTTEN_AT_ONCE:
                break
        async with self._database.connection() as connection:
            await privacy.overwrite_log(connection)

    async def _delete_messages(self) -> None:
        while True:
            self._news.clear()
            async with self._database.connection() as connection:
                found = await deletions.oldest(connection, DELETED_AT_ONCE)
            if not found:
                with self._tasks.waiting():
                    await self._news.wait()
            for deletion in found:
                await self._keep_trying(lambda deletion=deletion: self._delete(deletion))

    async def _keep_trying(self, delete: Callable[[], Awaitable[None]]) -> None:
        while True:
            try:
                return await delete()
            except DiscordUnavailable as error:
                log.warning("a message could not be deleted yet: %s", error)
                await self._tasks.sleep(max(RETRY_S, error.retry_after_s or 0.0))

    async def _delete(self, deletion: Deletion) -> None:
        if not await self._messages.delete(deletion.channel_id, deletion.message_id):
            log.info("message %d is out of the bot's reach and was not deleted", deletion.message_id)
        async with self._database.connection() as connection:
            await deletions.remove(connection, deletion.message_id)


def _zipped(told: Mapping[str, list[dict[str, Any]]], faces: Sequence[Listed], *, with_photos: bool) -> bytes:
    readable: dict[str, Any] = {subject: [_readable(row) for row in rows] for subject, rows in told.items()}
    files: dict[str, bytes] = {}
    kept: list[dict[str, Any]] = []
    for number, listed in enumerate(faces, start=1):
        photos = {f"faces/{number}-{n}.jpg": photo for n, photo in enumerate(listed.photos, start=1)}
        files |= photos
        face = listed.face
        kept.append(
            {
                "name": face.name,
                "is_default": face.is_default,
                "created_at": to_text(face.created_at),
                "last_used_at": to_text(face.last_used_at),
                "photos": list(photos),
            }
        )
    readable["faces"] = kept
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("export.json", json.dumps(readable, ensure_ascii=False, indent=2))
        for name, photo in files.items() if with_photos else ():
            archive.writestr(name, photo, zipfile.ZIP_STORED)
    return packed.getvalue()


def _readable(row: Mapping[str, Any]) -> dict[str, Any]:
    """What there is in a row, with JSON as what it stands for."""
    return {name: _value(name, value) for name, value in row.items() if value is not None}


def _value(name: str, value: Any) -> Any:
    if name in _JSON:
        return json.loads(value)
    if name.startswith(("is_", "by_")):
        return bool(value)
    return str(value) if name.endswith("_id") else value  # not every reader of JSON has integers of 64 bits


_JSON = ("wish", "detail")
