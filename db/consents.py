"""The tables ``declarations`` and ``consents``: whose face a photo shows, and what the person shown has answered."""

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from typing import Self

import aiosqlite

from db.generations import Print
from db.times import from_text, to_text


class Whose(StrEnum):
    """Whose face a member says a photo shows, the strictest last."""

    ME = "me"
    AGREED = "agreed"
    MEMBER = "member"


class Answer(StrEnum):
    """What the person shown allows: these pictures, all of this member's here, not these, nobody's anywhere."""

    ONCE = "once"
    ALWAYS = "always"
    NO = "no"
    NEVER = "never"


@dataclass(frozen=True, slots=True, kw_only=True)
class Declaration:
    """What a member has said of a file. ``subject_id`` is who is shown, where that is a member."""

    member_id: int
    file: str
    crop: str
    whose: Whose
    subject_id: int | None
    at: datetime

    @classmethod
    def from_row(cls, row: sqlite3.Row) -> Self:
        """Read a row of ``SELECT *``."""
        return cls(
            member_id=row["member_id"],
            file=row["file"],
            crop=row["crop"],
            whose=Whose(row["whose"]),
            subject_id=row["subject_id"],
            at=from_text(row["at"]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """A question to the person shown, and their answer where there is one."""

    id: int
    subject_id: int
    asker_id: int | None
    scope: str | None
    generation_id: int | None
    message_id: int | None
    answer: Answer | None
    answered_at: datetime | None
    revoked_at: datetime | None

    @classmethod
    def from_row(cls, row: sqlite3.Row) -> Self:
        """Read a row of ``SELECT *``."""
        return cls(
            id=row["id"],
            subject_id=row["subject_id"],
            asker_id=row["asker_id"],
            scope=row["scope"],
            generation_id=row["generation_id"],
            message_id=row["message_id"],
            answer=Answer(row["answer"]) if row["answer"] else None,
            answered_at=from_text(row["answered_at"]) if row["answered_at"] else None,
            revoked_at=from_text(row["revoked_at"]) if row["revoked_at"] else None,
        )


# The generations of other members with a photo that they have said shows this one.
_SHOWING = """
    FROM declarations
    JOIN generations ON generations.member_id = declarations.member_id
    JOIN json_each(generations.prints) AS print ON json_extract(print.value, '$.file') = declarations.file
    WHERE declarations.subject_id = :subject_id AND declarations.member_id <> :subject_id
        AND (:asker_id IS NULL OR declarations.member_id = :asker_id)
"""


async def declare(
    connection: aiosqlite.Connection,
    member_id: int,
    photo: Print,
    *,
    whose: Whose,
    subject_id: int | None,
    wording: int,
    at: datetime,
) -> None:
    """Write down whose face a file shows, in the place of what the member has said before."""
    sql = """
        INSERT INTO declarations (member_id, file, crop, whose, subject_id, wording, at)
        VALUES (:member_id, :file, :crop, :whose, :subject_id, :wording, :at)
        ON CONFLICT (member_id, file) DO UPDATE
        SET whose = excluded.whose, subject_id = excluded.subject_id, wording = excluded.wording, at = excluded.at
    """
    values = {
        "member_id": member_id,
        "file": photo.file,
        "crop": photo.crop,
        "whose": whose,
        "subject_id": subject_id,
        "wording": wording,
        "at": to_text(at),
    }
    await connection.execute_fetchall(sql, values)


async def declared(connection: aiosqlite.Connection, member_id: int, photo: Print) -> Declaration | None:
    """What a member has said of a file, or of the crop that the bot made of it."""
    sql = """
        SELECT * FROM declarations
        WHERE member_id = :member_id AND (file IN (:file, :crop) OR crop IN (:file, :crop))
        ORDER BY whose = 'member' DESC, file = :file DESC LIMIT 1
    """
    values = {"member_id": member_id, "file": photo.file, "crop": photo.crop}
    return next(map(Declaration.from_row, await connection.execute_fetchall(sql, values)), None)


async def is_known(connection: aiosqlite.Connection, photo: Print) -> bool:
    """Whether anybody has said whose face this file, or the crop of it, shows."""
    sql = "SELECT 1 FROM declarations WHERE file IN (:file, :crop) OR crop IN (:file, :crop)"
    return bool(await connection.execute_fetchall(sql, {"file": photo.file, "crop": photo.crop}))


async def known_subject(connection: aiosqlite.Connection, member_id: int, photo: Print) -> int | None:
    """The other member whom this file, or the crop of it, shows as was said first of all; None where that was this
    member themself, or nobody has said it.
    """
    sql = """
        SELECT subject_id FROM declarations
        WHERE (file IN (:file, :crop) OR crop IN (:file, :crop)) AND subject_id IS NOT NULL
        ORDER BY at, member_id <> :member_id LIMIT 1
    """
    values = {"member_id": member_id, "file": photo.file, "crop": photo.crop}
    first = next((row["subject_id"] for row in await connection.execute_fetchall(sql, values)), None)
    return None if first == member_id else first


async def is_refused_file(connection: aiosqlite.Connection, member_id: int, photo: Print) -> bool:
    """Whether anybody has said that this file, or the crop of it, shows somebody else who wants no pictures at all."""
    sql = """
        SELECT 1 FROM declarations JOIN consents USING (subject_id)
        WHERE (file IN (:file, :crop) OR crop IN (:file, :crop)) AND declarations.subject_id <> :member_id
            AND answer = 'never' AND revoked_at IS NULL
    """
    values = {"member_id": member_id, "file": photo.file, "crop": photo.crop}
    return bool(await connection.execute_fetchall(sql, values))


async def says_never(connection: aiosqlite.Connection, subject_id: int) -> bool:
    """Whether this member wants no pictures of themself by anybody."""
    sql = "SELECT 1 FROM consents WHERE subject_id = :id AND answer = 'never' AND revoked_at IS NULL"
    return bool(await connection.execute_fetchall(sql, {"id": subject_id}))


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """The person shown, who asks, and where."""

    subject_id: int
    asker_id: int
    scope: str


async def allows_always(connection: aiosqlite.Connection, pair: Pair) -> bool:
    """Whether the person shown allows all of this member's pictures here."""
    sql = """
        SELECT 1 FROM consents
        WHERE subject_id = :subject_id AND asker_id = :asker_id AND scope = :scope
            AND answer = 'always' AND revoked_at IS NULL
    """
    return bool(await connection.execute_fetchall(sql, asdict(pair)))


async def said_no(connection: aiosqlite.Connection, pair: Pair, *, since: datetime) -> bool:
    """Whether the last answer of the person shown to this member here was a no, and not before that moment."""
    sql = """
        SELECT answer FROM consents
        WHERE subject_id = :subject_id AND asker_id = :asker_id AND scope = :scope AND answered_at >= :since
        ORDER BY answered_at DESC, id DESC LIMIT 1
    """
    rows = await connection.execute_fetchall(sql, {**asdict(pair), "since": to_text(since)})
    return any(row["answer"] == Answer.NO for row in rows)


async def open_questions(connection: aiosqlite.Connection, pair: Pair, *, beside: int, since: datetime) -> int:
    """How many questions for other requests of this member the person shown has not answered, wherever: those that wait
    for it, and those that were put since that moment, also where the request was cancelled meanwhile.
    """
    sql = """
        SELECT count(*) FROM consents JOIN generations ON generations.id = generation_id
        WHERE subject_id = :subject_id AND asker_id = :asker_id AND answer IS NULL
            AND (state = 'waiting' OR asked_at >= :since) AND generation_id <> :beside
    """
    rows = await connection.execute_fetchall(sql, {**asdict(pair), "beside": beside, "since": to_text(since)})
    return next(iter(rows))[0]


async def allows_once(connection: aiosqlite.Connection, pair: Pair, *, wish: str, prints: Sequence[Print]) -> bool:
    """Whether the person shown has allowed these very words here, with these images or more."""
    sql = """
        SELECT 1 FROM consents JOIN generations ON generations.id = generation_id
        WHERE subject_id = :subject_id AND asker_id = :asker_id AND consents.scope = :scope
            AND answer = 'once' AND revoked_at IS NULL AND wish <> ''
            AND NOT EXISTS (
                SELECT * FROM json_each('["$.prompt", "$.template", "$.negative_prompt"]') AS words
                WHERE json_extract(nullif(wish, ''), words.value) IS NOT json_extract(:wish, words.value))
            AND NOT EXISTS (
                SELECT * FROM json_each(:files) AS wanted
                WHERE wanted.value NOT IN (SELECT json_extract(value, '$.file') FROM json_each(prints)))
    """
    values = {**asdict(pair), "wish": wish, "files": json.dumps([photo.file for photo in prints])}
    return bool(await connection.execute_fetchall(sql, values))


async def ask(
    connection: aiosqlite.Connection,
    *,
    subject_id: int,
    asker_id: int,
    scope: str,
    generation_id: int,
    wording: int,
    at: datetime,
) -> None:
    """Note that this generation needs that person's answer; once."""
    sql = """
        INSERT INTO consents (subject_id, asker_id, scope, generation_id, wording, asked_at)
        VALUES (:subject_id, :asker_id, :scope, :generation_id, :wording, :at)
        ON CONFLICT (generation_id, subject_id) WHERE generation_id IS NOT NULL DO NOTHING
    """
    values = {
        "subject_id": subject_id,
        "asker_id": asker_id,
        "scope": scope,
        "generation_id": generation_id,
        "wording": wording,
        "at": to_text(at),
    }
    await connection.execute_fetchall(sql, values)


async def get(connection: aiosqlite.Connection, consent_id: int) -> Consent | None:
    """The one of that id."""
    rows = await connection.execute_fetchall("SELECT * FROM consents WHERE id = :id", {"id": consent_id})
    return next(map(Consent.from_row, rows), None)


async def unasked(connection: aiosqlite.Connection) -> list[Consent]:
    """The questions of waiting generations that Discord has not confirmed yet, oldest first."""
    sql = """
        SELECT consents.* FROM consents JOIN generations ON generations.id = generation_id
        WHERE answer IS NULL AND consents.message_id IS NULL AND state = 'waiting' AND waits_for = 'consent'
        ORDER BY consents.id
    """
    return [Consent.from_row(row) for row in await connection.execute_fetchall(sql)]


async def set_message(connection: aiosqlite.Connection, consent_id: int, *, channel_id: int, message_id: int) -> None:
    """Discord has named the message with the question."""
    sql = "UPDATE consents SET channel_id = :channel_id, message_id = :message_id WHERE id = :id"
    await connection.execute_fetchall(sql, {"id": consent_id, "channel_id": channel_id, "message_id": message_id})


async def answer(connection: aiosqlite.Connection, consent_id: int, given: Answer, at: datetime) -> bool:
    """Write down the answer; False where there was one already."""
    sql = """
        UPDATE consents SET answer = :answer, answered_at = :at WHERE id = :id AND answer IS NULL RETURNING id
    """
    values = {"id": consent_id, "answer": given, "at": to_text(at)}
    return bool(await connection.execute_fetchall(sql, values))


async def refuse_everybody(connection: aiosqlite.Connection, subject_id: int, *, wording: int, at: datetime) -> None:
    """From now on nobody may make pictures of this member."""
    sql = """
        INSERT INTO consents (subject_id, answer, wording, asked_at, answered_at)
        VALUES (:subject_id, 'never', :wording, :at, :at)
        ON CONFLICT (subject_id) WHERE answer = 'never' AND revoked_at IS NULL DO NOTHING
    """
    await connection.execute_fetchall(sql, {"subject_id": subject_id, "wording": wording, "at": to_text(at)})


async def revoke(connection: aiosqlite.Connection, subject_id: int, asker_id: int | None, at: datetime) -> int:
    """Take back what a member allows another, or everybody; returns how much that was."""
    sql = """
        UPDATE consents SET revoked_at = :at
        WHERE subject_id = :subject_id AND (:asker_id IS NULL OR asker_id = :asker_id)
            AND answer IN ('once', 'always') AND revoked_at IS NULL
        RETURNING id
    """
    values = {"subject_id": subject_id, "asker_id": asker_id, "at": to_text(at)}
    return len(list(await connection.execute_fetchall(sql, values)))


async def revoke_never(connection: aiosqlite.Connection, subject_id: int, at: datetime) -> bool:
    """The member may be asked again; False where they could be."""
    sql = """
        UPDATE consents SET revoked_at = :at
        WHERE subject_id = :id AND answer = 'never' AND revoked_at IS NULL RETURNING id
    """
    return bool(await connection.execute_fetchall(sql, {"id": subject_id, "at": to_text(at)}))


async def under_way(connection: aiosqlite.Connection, subject_id: int, asker_id: int | None) -> list[int]:
    """The ids of others' requests, or another's, that are under way with a photo of this member."""
    sql = f"""
        SELECT DISTINCT generations.id {_SHOWING}
            AND state IN ('received', 'waiting', 'queued', 'running', 'finished')
        ORDER BY generations.id
    """
    rows = await connection.execute_fetchall(sql, {"subject_id": subject_id, "asker_id": asker_id})
    return [row["id"] for row in rows]


async def messages(connection: aiosqlite.Connection, subject_id: int, asker_id: int | None) -> Sequence[int]:
    """The messages with pictures that others, or another, have made with a photo of this member."""
    sql = f"""
        SELECT DISTINCT message_id {_SHOWING} AND message_id IS NOT NULL AND pictures > 0 ORDER BY message_id
    """
    rows = await connection.execute_fetchall(sql, {"subject_id": subject_id, "asker_id": asker_id})
    return [row["message_id"] for row in rows]


async def delete_messages(connection: aiosqlite.Connection, subject_id: int, asker_id: int | None, at: datetime) -> int:
    """Have those messages deleted; returns how many that are."""
    sql = f"""
        INSERT INTO deletions (message_id, channel_id, at)
        SELECT DISTINCT message_id, generations.channel_id, :at {_SHOWING} AND message_id IS NOT NULL AND pictures > 0
        ON CONFLICT DO NOTHING RETURNING message_id
    """
    values = {"subject_id": subject_id, "asker_id": asker_id, "at": to_text(at)}
    return len(list(await connection.execute_fetchall(sql, values)))


@dataclass(frozen=True, slots=True)
class DeletedFace:
    """A saved face that is gone, and whose it was."""

    member_id: int
    name: str


async def delete_faces(
    connection: aiosqlite.Connection, subject_id: int, asker_id: int | None
) -> Sequence[DeletedFace]:
    """Delete the faces that others, or another, have saved of this member."""
    sql = """
        DELETE FROM faces
        WHERE member_id <> :subject_id AND (:asker_id IS NULL OR member_id = :asker_id) AND id IN (
            SELECT face_id FROM face_photos JOIN declarations USING (file)
            WHERE declarations.member_id = faces.member_id AND subject_id = :subject_id)
        RETURNING member_id, name
    """
    rows = await connection.execute_fetchall(sql, {"subject_id": subject_id, "asker_id": asker_id})
    return [DeletedFace(row["member_id"], row["name"]) for row in rows]


async def of_subject(connection: aiosqlite.Connection, subject_id: int, most: int) -> list[Consent]:
    """What a member allows or refuses now, the newest first."""
    sql = """
        SELECT * FROM consents
        WHERE subject_id = :id AND answer IN ('once', 'always', 'never') AND revoked_at IS NULL
        ORDER BY answer = 'never' DESC, answered_at DESC LIMIT :most
    """
    rows = await connection.execute_fetchall(sql, {"id": subject_id, "most": most})
    return [Consent.from_row(row) for row in rows]


async def of_member(connection: aiosqlite.Connection, member_id: int, most: int) -> list[Declaration]:
    """What a member has said of their photos, the newest first."""
    sql = "SELECT * FROM declarations WHERE member_id = :id ORDER BY at DESC LIMIT :most"
    rows = await connection.execute_fetchall(sql, {"id": member_id, "most": most})
    return [Declaration.from_row(row) for row in rows]
