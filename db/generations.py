"""The table ``generations``: one row is everything there is to know of a member's request."""

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Self

import aiosqlite

from db.times import from_text, to_text


class State(StrEnum):
    """Where a generation is in its life; README.md has the diagram."""

    RECEIVED = "received"
    WAITING = "waiting"
    QUEUED = "queued"
    RUNNING = "running"
    FINISHED = "finished"
    SETTLED = "settled"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_terminal(self) -> bool:
        """Nothing more happens to it, except that its message may still be behind."""
        return self in (State.SETTLED, State.FAILED, State.CANCELLED)


class WaitsFor(StrEnum):
    """What a waiting generation needs of a person."""

    DECLARATION = "declaration"
    CONSENT = "consent"
    FACE = "face"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """Why a generation waits: what it needs, of which member, because of which of its photos, from 1, and until when
    that can be given.
    """

    what: WaitsFor
    on: int
    n: int
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where a photo is fetched from; a prepared one has come out of the bot before, and is used as it is. ``file`` is
    then the SHA-256 of the file that it was made of, as far as that is known.
    """

    url: str = field(repr=False)
    is_prepared: bool = False
    file: str | None = None


@dataclass(frozen=True, slots=True)
class Print:
    """What a photo is known by: the SHA-256 of the file as it was attached, and of what the bot made of it: of a face
    the crop.
    """

    file: str
    crop: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptPhoto:
    """One photo of a waiting generation, sealed; ``n`` is its place among the generation's photos, from 1."""

    generation_id: int
    n: int
    key_id: str
    sealed: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewGeneration:
    """What is known when a command is accepted. A private one is answered with an ephemeral message. ``weight`` is what
    each of its images counts as, ``role_ids`` are the member's roles in the server; ``unfinished_max`` is how many
    unfinished requests they may have in its scope, where that is limited. ``said`` is whose face they say it is.
    """

    interaction_id: int
    application_id: int
    token: str = field(repr=False)
    scope: str
    guild_id: int | None = None
    channel_id: int
    is_private: bool = False
    member_id: int
    locale: str
    file_limit_bytes: int
    wish: str = field(repr=False)
    images: int
    weight: int = 1
    role_ids: tuple[int, ...] = ()
    photos: tuple[Source, ...] = ()
    said: str | None = None
    unfinished_max: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Hosted:
    """A prepared photo as Discord serves it: a signed URL that ends within a day, and the attachment's id where it was
    told.
    """

    url: str = field(repr=False)
    attachment_id: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Generation:
    """One row. ``version`` counts what there is to show, ``shown`` is the last version that Discord confirmed.

    ``weight`` is what each of its images counts as, ``role_ids`` are the member's roles that had a quota when it was
    accepted. ``photos`` are where the photos come from, ``hosted`` the same ones prepared, in the same order;
    ``prints`` has what they are known by. ``said`` is whose face they show, where that was said. ``guild_id`` and
    ``channel_id`` are where its message is. A private one is for its member's eyes alone; its message is ephemeral,
    unless it had to be sent to the member directly.
    """

    id: int
    interaction_id: int
    application_id: int
    token: str | None = field(repr=False)
    scope: str
    guild_id: int | None
    channel_id: int
    is_private: bool
    is_ephemeral: bool
    member_id: int
    locale: str
    file_limit_bytes: int
    wish: str = field(repr=False)
    images: int
    weight: int
    role_ids: tuple[int, ...]
    photos: tuple[Source, ...]
    hosted: tuple[Hosted, ...]
    message_id: int | None
    state: State
    pictures: int
    version: int
    shown: int
    failure_code: str | None
    failure_text: str | None
    created_at: datetime
    changed_at: datetime
    said: str | None = None
    prints: tuple[Print, ...] = ()
    wait: Wait | None = None
    resumed_at: datetime | None = None

    @property
    def begun_at(self) -> datetime:
        """When it was last taken in: when it was asked for, or when it went on after it had waited for a person."""
        return self.resumed_at or self.created_at

    @classmethod
    def from_row(cls, row: sqlite3.Row) -> Self:
        """Read a row of ``SELECT *``."""
        resumed_at: str | None = row["resumed_at"]
        return cls(
            id=row["id"],
            interaction_id=row["interaction_id"],
            application_id=row["application_id"],
            token=row["token"],
            scope=row["scope"],
            guild_id=row["guild_id"],
            channel_id=row["channel_id"],
            is_private=bool(row["is_private"]),
            is_ephemeral=bool(row["is_ephemeral"]),
            member_id=row["member_id"],
            locale=row["locale"],
            file_limit_bytes=row["file_limit_bytes"],
            wish=row["wish"],
            images=row["images"],
            weight=row["weight"],
            role_ids=tuple(json.loads(row["role_ids"])),
            photos=tuple(Source(**source) for source in json.loads(row["photos"] or "[]")),
            hosted=tuple(Hosted(**hosted) for hosted in json.loads(row["hosted"] or "[]")),
            message_id=row["message_id"],
            state=State(row["state"]),
            said=row["said"],
            prints=tuple(Print(**each) for each in json.loads(row["prints"] or "[]")),
            wait=_wait_in(row),
            resumed_at=from_text(resumed_at) if resumed_at else None,
            pictures=row["pictures"],
            version=row["version"],
            shown=row["shown"],
            failure_code=row["failure_code"],
            failure_text=row["failure_text"],
            created_at=from_text(row["created_at"]),
            changed_at=from_text(row["changed_at"]),
        )


def _wait_in(row: sqlite3.Row) -> Wait | None:
    if row["state"] != State.WAITING:
        return None
    return Wait(
        what=WaitsFor(row["waits_for"]), on=row["waits_on"], n=row["waits_n"], until=from_text(row["waits_until"])
    )


async def insert(connection: aiosqlite.Connection, new: NewGeneration, at: datetime) -> int | None:
    """Add a received generation and return its id, or None where this interaction already has one."""
    sql = """
        INSERT INTO generations (interaction_id, application_id, token, scope, guild_id, channel_id, is_private,
                                 is_ephemeral, member_id, locale, file_limit_bytes, wish, images, weight, role_ids,
                                 photos, said, state, version, created_at, changed_at)
        VALUES (:interaction_id, :application_id, :token, :scope, :guild_id, :channel_id, :is_private,
                :is_private, :member_id, :locale, :file_limit_bytes, :wish, :images, :weight, :role_ids,
                :photos, :said, 'received', 1, :at, :at)
        ON CONFLICT (interaction_id) DO NOTHING
        RETURNING id
    """
    fields = asdict(new)
    lists = {name: json.dumps(fields[name]) for name in ("photos", "role_ids")}
    values = fields | lists | {"at": to_text(at)}
    rows = await connection.execute_fetchall(sql, values)
    return next((row["id"] for row in rows), None)


async def get(connection: aiosqlite.Connection, generation_id: int) -> Generation | None:
    """The generation of that id; None also where it was forgotten."""
    sql = "SELECT * FROM generations WHERE id = :id AND wish <> ''"
    rows = await connection.execute_fetchall(sql, {"id": generation_id})
    return next(map(Generation.from_row, rows), None)


async def of_message(connection: aiosqlite.Connection, message_id: int) -> Generation | None:
    """The generation that is shown in this message; where it was posted anew, in the last one."""
    sql = "SELECT * FROM generations WHERE message_id = :message_id"
    rows = await connection.execute_fetchall(sql, {"message_id": message_id})
    return next(map(Generation.from_row, rows), None)


async def unfinished(connection: aiosqlite.Connection) -> list[Generation]:
    """Everything that a new start has to take up again, oldest first."""
    sql = """
        SELECT * FROM generations
        WHERE state IN ('received', 'waiting', 'queued', 'running', 'finished') ORDER BY id
    """
    return [Generation.from_row(row) for row in await connection.execute_fetchall(sql)]


async def behind(connection: aiosqlite.Connection) -> list[int]:
    """The ids of all whose message does not show their last version yet, oldest first."""
    rows = await connection.execute_fetchall("SELECT id FROM generations WHERE shown < version ORDER BY id")
    return [row["id"] for row in rows]


async def count_unfinished(connection: aiosqlite.Connection, member_id: int, *, scope: str | None = None) -> int:
    """How many requests of a member are under way, in one scope or in all together; a cancelled one is while it is at
    the provider.
    """
    # Members may have asked for thousands, and few jobs are open: CROSS JOIN holds SQLite to begin with these, and the
    # three states, of which one is not wanted, are those of their index.
    sql = """
        SELECT (SELECT count(*) FROM generations
                WHERE member_id = :member_id AND (:scope IS NULL OR scope = :scope)
                  AND state IN ('received', 'waiting', 'queued', 'running', 'finished'))
             + (SELECT count(DISTINCT generation_id)
                FROM provider_jobs CROSS JOIN generations ON generations.id = generation_id
                WHERE provider_jobs.state IN ('waiting', 'submitting', 'submitted') AND provider_jobs.state <> 'waiting'
                  AND generations.state = 'cancelled' AND member_id = :member_id AND (:scope IS NULL OR scope = :scope))
    """
    rows = await connection.execute_fetchall(sql, {"member_id": member_id, "scope": scope})
    return next(iter(rows))[0]


async def count_waiting(connection: aiosqlite.Connection) -> dict[WaitsFor, int]:
    """How many wait for a person, by what they need."""
    sql = "SELECT waits_for, count(*) AS number FROM generations WHERE state = 'waiting' GROUP BY waits_for"
    rows = await connection.execute_fetchall(sql)
    return {WaitsFor(row["waits_for"]): row["number"] for row in rows}


async def set_message(connection: aiosqlite.Connection, generation_id: int, message_id: int) -> None:
    """Remember the one message, as soon as Discord has named it."""
    sql = "UPDATE generations SET message_id = :message_id WHERE id = :id AND wish <> ''"
    await connection.execute_fetchall(sql, {"id": generation_id, "message_id": message_id})


async def renew_token(connection: aiosqlite.Connection, generation_id: int, token: str) -> None:
    """A press on its ephemeral message has brought a younger token, which edits that message too."""
    sql = "UPDATE generations SET token = :token WHERE id = :id AND is_ephemeral AND token IS NOT NULL"
    await connection.execute_fetchall(sql, {"id": generation_id, "token": token})


async def publish(connection: aiosqlite.Connection, generation_id: int, message_id: int) -> bool:
    """Its member has posted it for everybody, as this message of the same channel; False where that was so before."""
    sql = """
        UPDATE generations SET is_private = 0, is_ephemeral = 0, message_id = :message_id
        WHERE id = :id AND is_ephemeral RETURNING id
    """
    return bool(await connection.execute_fetchall(sql, {"id": generation_id, "message_id": message_id}))


async def to_waiting(
    connection: aiosqlite.Connection,
    generation_id: int,
    wait: Wait,
    *,
    photos: Sequence[Source],
    kept: Sequence[KeptPhoto],
    at: datetime,
) -> bool:
    """Received -> waiting; ``photos`` are where its photos come from once it goes on, ``kept`` those that are kept
    here for it. Needs a transaction.
    """
    sql = """
        UPDATE generations
        SET state = 'waiting', changed_at = :at, version = version + 1, photos = :photos,
            waits_for = :waits_for, waits_on = :waits_on, waits_n = :waits_n,
            waits_until = :waits_until
        WHERE id = :id AND state = 'received'
        RETURNING id
    """
    values = {
        "id": generation_id,
        "at": to_text(at),
        "photos": json.dumps([asdict(photo) for photo in photos]),
        "waits_for": wait.what,
        "waits_on": wait.on,
        "waits_n": wait.n,
        "waits_until": to_text(wait.until),
    }
    if not await connection.execute_fetchall(sql, values):
        return False
    put = """
        INSERT INTO kept_photos (generation_id, n, key_id, sealed) VALUES (:generation_id, :n, :key_id, :sealed)
        ON CONFLICT (generation_id, n) DO UPDATE SET key_id = excluded.key_id, sealed = excluded.sealed
    """
    await connection.executemany(put, [asdict(photo) for photo in kept])
    return True


async def back_to_received(connection: aiosqlite.Connection, generation_id: int, at: datetime) -> bool:
    """Waiting -> received: the person has answered."""
    sql = """
        UPDATE generations SET state = 'received', changed_at = :at, resumed_at = :at
        WHERE id = :id AND state = 'waiting' RETURNING id
    """
    return bool(await connection.execute_fetchall(sql, {"id": generation_id, "at": to_text(at)}))


async def set_prints(connection: aiosqlite.Connection, generation_id: int, prints: Sequence[Print]) -> None:
    """Remember what its photos are known by, in the order of its references."""
    sql = "UPDATE generations SET prints = :prints WHERE id = :id"
    values = {"id": generation_id, "prints": json.dumps([asdict(each) for each in prints])}
    await connection.execute_fetchall(sql, values)


async def kept_photo(connection: aiosqlite.Connection, generation_id: int, n: int) -> KeptPhoto | None:
    """The photo of that number that is kept for a generation."""
    sql = "SELECT * FROM kept_photos WHERE generation_id = :id AND n = :n"
    rows = await connection.execute_fetchall(sql, {"id": generation_id, "n": n})
    return next((KeptPhoto(**{name: row[name] for name in row.keys()}) for row in rows), None)  # noqa: SIM118 - a row yields values


async def kept_photos(connection: aiosqlite.Connection, generation_id: int, numbers: range) -> list[KeptPhoto]:
    """Those that are kept for a generation under these numbers, in their order."""
    sql = """
        SELECT * FROM kept_photos WHERE generation_id = :id AND n >= :start AND n < :stop ORDER BY n
    """
    rows = await connection.execute_fetchall(sql, {"id": generation_id, "start": numbers.start, "stop": numbers.stop})
    return [KeptPhoto(**{name: row[name] for name in row.keys()}) for row in rows]  # noqa: SIM118 - a row yields values


async def choose_photo(
    connection: aiosqlite.Connection,
    generation_id: int,
    *,
    photos: Sequence[Source],
    chosen: int,
    among: range,
    at: datetime,
) -> None:
    """Waiting -> received with these photos; of the kept ones with these numbers, only the chosen one stays. Needs a
    transaction.
    """
    sql = "UPDATE generations SET photos = :photos WHERE id = :id"
    values = {"id": generation_id, "photos": json.dumps([asdict(photo) for photo in photos])}
    await connection.execute_fetchall(sql, values)
    forget = "DELETE FROM kept_photos WHERE generation_id = :id AND n >= :start AND n < :stop AND n <> :chosen"
    numbers = {"start": among.start, "stop": among.stop, "chosen": chosen}
    await connection.execute_fetchall(forget, {"id": generation_id} | numbers)
    await back_to_received(connection, generation_id, at)


async def forget_kept_photos(connection: aiosqlite.Connection, generation_id: int) -> None:
    """It needs them no more."""
    await connection.execute_fetchall("DELETE FROM kept_photos WHERE generation_id = :id", {"id": generation_id})


async def waited_too_long(connection: aiosqlite.Connection, now: datetime) -> list[Generation]:
    """Those whose time to wait is over, oldest first."""
    sql = "SELECT * FROM generations WHERE state = 'waiting' AND waits_until <= :now ORDER BY id"
    return [Generation.from_row(row) for row in await connection.execute_fetchall(sql, {"now": to_text(now)})]


async def to_queued(
    connection: aiosqlite.Connection,
    generation_id: int,
    *,
    is_shown: bool,
    hosted: Sequence[Hosted],
    message_id: int | None,
    at: datetime,
) -> bool:
    """Received -> queued; ``is_shown`` where the message shows the queue already."""
    sql = """
        UPDATE generations
        SET state = 'queued', changed_at = :at, version = version + 1,
            shown = CASE WHEN :is_shown THEN version + 1 ELSE shown END,
            hosted = :hosted,
            message_id = coalesce(:message_id, message_id)
        WHERE id = :id AND state = 'received'
        RETURNING id
    """
    values = {
        "id": generation_id,
        "at": to_text(at),
        "is_shown": is_shown,
        "hosted": json.dumps([asdict(photo) for photo in hosted]),
        "message_id": message_id,
    }
    return bool(await connection.execute_fetchall(sql, values))


async def to_running(connection: aiosqlite.Connection, generation_id: int, at: datetime) -> bool:
    """Queued -> running: the first of its jobs has a slot at the provider."""
    sql = """
        UPDATE generations SET state = 'running', changed_at = :at, version = version + 1
        WHERE id = :id AND state = 'queued' RETURNING id
    """
    return bool(await connection.execute_fetchall(sql, {"id": generation_id, "at": to_text(at)}))


async def back_to_queued(connection: aiosqlite.Connection, generation_id: int, at: datetime) -> bool:
    """Running -> queued: none of its jobs is at the provider any more, or done."""
    sql = """
        UPDATE generations SET state = 'queued', changed_at = :at, version = version + 1
        WHERE id = :id AND state = 'running' RETURNING id
    """
    return bool(await connection.execute_fetchall(sql, {"id": generation_id, "at": to_text(at)}))


async def to_finished(
    connection: aiosqlite.Connection, generation_id: int, *, pictures: int, missing_text: str | None, at: datetime
) -> Generation | None:
    """Running -> finished: that many pictures are verified files on disk; where some are missing, the text says why.
    Returns the row, or None where it was not running.
    """
    sql = """
        UPDATE generations
        SET state = 'finished', changed_at = :at, version = version + 1, pictures = :pictures,
            failure_text = :missing_text
        WHERE id = :id AND state = 'running' RETURNING *
    """
    values = {"id": generation_id, "at": to_text(at), "pictures": pictures, "missing_text": missing_text}
    return next(map(Generation.from_row, await connection.execute_fetchall(sql, values)), None)


async def to_failed(
    connection: aiosqlite.Connection, generation_id: int, *, code: str, text: str, at: datetime
) -> Generation | None:
    """Anything unfinished -> failed; returns the failed row, or None where it was over already."""
    sql = """
        UPDATE generations
        SET state = 'failed', changed_at = :at, version = version + 1, pictures = 0,
            failure_code = :code, failure_text = :text
        WHERE id = :id AND state IN ('received', 'waiting', 'queued', 'running', 'finished')
        RETURNING *
    """
    values = {"id": generation_id, "at": to_text(at), "code": code, "text": text}
    return next(map(Generation.from_row, await connection.execute_fetchall(sql, values)), None)


async def to_cancelled(connection: aiosqlite.Connection, generation_id: int, at: datetime) -> Generation | None:
    """Anything whose pictures are not there yet -> cancelled; returns the row, or None where it was too late."""
    sql = """
        UPDATE generations SET state = 'cancelled', changed_at = :at, version = version + 1
        WHERE id = :id AND state IN ('received', 'waiting', 'queued', 'running')
        RETURNING *
    """
    rows = await connection.execute_fetchall(sql, {"id": generation_id, "at": to_text(at)})
    return next(map(Generation.from_row, rows), None)


async def mark_shown(
    connection: aiosqlite.Connection,
    generation_id: int,
    *,
    version: int,
    message_id: int | None,
    direct_channel_id: int | None,
    at: datetime,
) -> Generation | None:
    """Discord has confirmed a version, in a direct message where one is named. A finished generation is settled by it,
    and then returned; what is over forgets its secrets.
    """
    sql = """
        UPDATE generations
        SET shown = max(shown, :version), message_id = coalesce(:message_id, message_id),
            channel_id = coalesce(:direct_channel_id, channel_id),
            guild_id = CASE WHEN :direct_channel_id IS NULL THEN guild_id END,
            is_ephemeral = is_ephemeral AND :direct_channel_id IS NULL
        WHERE id = :id AND wish <> ''
    """
    moved = {"message_id": message_id, "direct_channel_id": direct_channel_id}
    await connection.execute_fetchall(sql, {"id": generation_id, "version": version} | moved)
    settle = """
        UPDATE generations SET state = 'settled', changed_at = :at
        WHERE id = :id AND state = 'finished' AND version = :version AND wish <> '' RETURNING *
    """
    values = {"id": generation_id, "version": version, "at": to_text(at)}
    settled = next(map(Generation.from_row, await connection.execute_fetchall(settle, values)), None)
    forget = """
        UPDATE generations SET token = NULL, photos = NULL, hosted = NULL, said = NULL, waits_on = NULL
        WHERE id = :id AND state IN ('settled', 'failed', 'cancelled') AND shown = version
    """
    await connection.execute_fetchall(forget, {"id": generation_id})
    return settled


async def show_queue_again(connection: aiosqlite.Connection) -> list[int]:
    """Mark every generation with a job in line as behind, because what there is to say to all of them has changed."""
    sql = """
        UPDATE generations SET version = version + 1
        WHERE state IN ('queued', 'running') AND id IN (SELECT generation_id FROM provider_jobs WHERE state = 'waiting')
        RETURNING id
    """
    return [row["id"] for row in await connection.execute_fetchall(sql)]
