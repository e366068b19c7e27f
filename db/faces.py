"""The tables ``faces`` and ``face_photos``: what members have saved by name, with the photos sealed."""

import sqlite3
from dataclasses import dataclass, field
from datetime import datetime
from typing import Self

import aiosqlite

from db.times import from_text, to_text


@dataclass(frozen=True, slots=True, kw_only=True)
class Face:
    """A saved face without its photos. ``warned_at`` is when its owner was told that it will be deleted."""

    id: int
    member_id: int
    name: str = field(repr=False)
    folded: str = field(repr=False)
    is_default: bool
    locale: str
    created_at: datetime
    last_used_at: datetime
    warned_at: datetime | None

    @classmethod
    def from_row(cls, row: sqlite3.Row) -> Self:
        """Read a row of ``SELECT *``."""
        warned_at: str | None = row["warned_at"]
        return cls(
            id=row["id"],
            member_id=row["member_id"],
            name=row["name"],
            folded=row["folded"],
            is_default=bool(row["is_default"]),
            locale=row["locale"],
            created_at=from_text(row["created_at"]),
            last_used_at=from_text(row["last_used_at"]),
            warned_at=from_text(warned_at) if warned_at else None,
        )


@dataclass(frozen=True, slots=True)
class PhotoKey:
    """Which photo of which face, and whose that is."""

    member_id: int
    face_id: int
    n: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedPhoto:
    """One photo of a face, as it is kept; ``file`` is the SHA-256 of the file that it was made of."""

    member_id: int
    face_id: int
    n: int
    file: str
    key_id: str
    sealed: bytes = field(repr=False)

    @classmethod
    def from_row(cls, row: sqlite3.Row) -> Self:
        """Read a row of ``face_photos`` with the ``member_id`` of its face."""
        return cls(**{name: row[name] for name in ("member_id", "face_id", "n", "file", "key_id", "sealed")})


async def insert(
    connection: aiosqlite.Connection,
    *,
    member_id: int,
    name: str,
    folded: str,
    is_default: bool,
    locale: str,
    at: datetime,
) -> int:
    """Add a face without photos and return its id.

    Raises:
        sqlite3.IntegrityError: the member has one of that name, or has another default.
    """
    sql = """
        INSERT INTO faces (member_id, name, folded, is_default, locale, created_at, last_used_at)
        VALUES (:member_id, :name, :folded, :is_default, :locale, :at, :at) RETURNING id
    """
    values = {
        "member_id": member_id,
        "name": name,
        "folded": folded,
        "is_default": is_default,
        "locale": locale,
        "at": to_text(at),
    }
    return next(iter(await connection.execute_fetchall(sql, values)))["id"]


async def put_photo(
    connection: aiosqlite.Connection, *, face_id: int, n: int, file: str, key_id: str, sealed: bytes
) -> None:
    """Keep a sealed photo of that file, in the place of that number."""
    sql = """
        INSERT INTO face_photos (face_id, n, file, key_id, sealed) VALUES (:face_id, :n, :file, :key_id, :sealed)
        ON CONFLICT (face_id, n) DO UPDATE SET file = :file, key_id = :key_id, sealed = :sealed
    """
    values = {"face_id": face_id, "n": n, "file": file, "key_id": key_id, "sealed": sealed}
    await connection.execute_fetchall(sql, values)


async def of_member(connection: aiosqlite.Connection, member_id: int) -> list[Face]:
    """All faces of a member: the default one first, then by name."""
    sql = "SELECT * FROM faces WHERE member_id = :member_id ORDER BY is_default DESC, folded"
    return [Face.from_row(row) for row in await connection.execute_fetchall(sql, {"member_id": member_id})]


async def photos(connection: aiosqlite.Connection, face_id: int) -> list[SealedPhoto]:
    """A face's photos, in order."""
    sql = """
        SELECT member_id, face_photos.* FROM face_photos JOIN faces ON faces.id = face_id
        WHERE face_id = :face_id ORDER BY n
    """
    return [SealedPhoto.from_row(row) for row in await connection.execute_fetchall(sql, {"face_id": face_id})]


async def photo(connection: aiosqlite.Connection, *, member_id: int, face_id: int, n: int) -> SealedPhoto | None:
    """One photo of a member's own face."""
    sql = """
        SELECT member_id, face_photos.* FROM face_photos JOIN faces ON faces.id = face_id
        WHERE face_id = :face_id AND n = :n AND member_id = :member_id
    """
    values = {"member_id": member_id, "face_id": face_id, "n": n}
    return next(map(SealedPhoto.from_row, await connection.execute_fetchall(sql, values)), None)


async def one_of_each_key(connection: aiosqlite.Connection) -> list[tuple[SealedPhoto, int]]:
    """One photo of every key that has sealed any, and how many that are."""
    sql = """
        SELECT max(photos) AS photos, member_id, face_id, n, file, key_id, sealed
        FROM face_photos JOIN faces ON faces.id = face_id
        JOIN (SELECT key_id, count(*) AS photos FROM face_photos GROUP BY key_id) USING (key_id)
        GROUP BY key_id
    """
    return [(SealedPhoto.from_row(row), row["photos"]) for row in await connection.execute_fetchall(sql)]


async def sealed_with(connection: aiosqlite.Connection, key_id: str) -> list[PhotoKey]:
    """All photos that this key has sealed."""
    sql = """
        SELECT member_id, face_id, n FROM face_photos JOIN faces ON faces.id = face_id WHERE key_id = :key_id
    """
    rows = await connection.execute_fetchall(sql, {"key_id": key_id})
    return [PhotoKey(row["member_id"], row["face_id"], row["n"]) for row in rows]


async def rename(connection: aiosqlite.Connection, face_id: int, *, name: str, folded: str) -> None:
    """Give a face another name.

    Raises:
        sqlite3.IntegrityError: the member has another one of that name.
    """
    sql = "UPDATE faces SET name = :name, folded = :folded WHERE id = :id"
    await connection.execute_fetchall(sql, {"id": face_id, "name": name, "folded": folded})


async def set_default(connection: aiosqlite.Connection, *, member_id: int, face_id: int) -> None:
    """Make this the member's only default. Needs a transaction."""
    values = {"member_id": member_id, "id": face_id}
    await connection.execute_fetchall("UPDATE faces SET is_default = 0 WHERE member_id = :member_id", values)
    sql = "UPDATE faces SET is_default = 1 WHERE id = :id AND member_id = :member_id"
    await connection.execute_fetchall(sql, values)


async def delete(connection: aiosqlite.Connection, face_id: int) -> None:
    """Remove a face with its photos."""
    await connection.execute_fetchall("DELETE FROM faces WHERE id = :id", {"id": face_id})


async def touch(connection: aiosqlite.Connection, face_id: int, at: datetime) -> None:
    """It was used: its time begins anew."""
    sql = "UPDATE faces SET last_used_at = :at, warned_at = NULL WHERE id = :id"
    await connection.execute_fetchall(sql, {"id": face_id, "at": to_text(at)})


async def set_locale(connection: aiosqlite.Connection, face_id: int, locale: str) -> None:
    """Its owner speaks this now."""
    await connection.execute_fetchall(
        "UPDATE faces SET locale = :locale WHERE id = :id", {"id": face_id, "locale": locale}
    )


async def to_warn(connection: aiosqlite.Connection, *, unused_since: datetime) -> list[Face]:
    """Those that nobody has used since then and whose owner does not know yet, one member's after the other's."""
    sql = "SELECT * FROM faces WHERE last_used_at <= :since AND warned_at IS NULL ORDER BY member_id, folded"
    rows = await connection.execute_fetchall(sql, {"since": to_text(unused_since)})
    return [Face.from_row(row) for row in rows]


async def mark_warned(connection: aiosqlite.Connection, face: Face, at: datetime) -> None:
    """Its owner was told; unless it was used meanwhile."""
    sql = "UPDATE faces SET warned_at = :at WHERE id = :id AND last_used_at = :last_used_at"
    values = {"id": face.id, "last_used_at": to_text(face.last_used_at), "at": to_text(at)}
    await connection.execute_fetchall(sql, values)


async def delete_unused(
    connection: aiosqlite.Connection, *, unused_since: datetime, warned_before: datetime
) -> list[Face]:
    """Remove those that nobody has used since then, and whose owner was told early enough."""
    sql = "DELETE FROM faces WHERE last_used_at <= :since AND warned_at <= :warned RETURNING *"
    rows = await connection.execute_fetchall(sql, {"since": to_text(unused_since), "warned": to_text(warned_before)})
    return [Face.from_row(row) for row in rows]
