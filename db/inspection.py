"""Looking at a database file from outside, also beside the bot that owns it; nothing is changed."""

import sqlite3
from dataclasses import dataclass
from pathlib import Path

import aiosqlite

from db import faces, servers, signing_keys
from db.connection import MIGRATIONS, StorageError, reader
from db.faces import SealedPhoto

__all__ = ["Inspection", "StorageError", "inspect", "is_owned", "sealed_photos", "server_settings", "signing_key"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspection:
    """``schema`` is the file's, ``known`` this version's; ``damage`` is SQLite's own first word on it, None where it
    found none.
    """

    schema: int
    known: int
    damage: str | None


async def inspect(path: Path) -> Inspection:
    """Open it read-only and check every page.

    Raises:
        StorageError: it cannot be read at all.
    """
    async with reader(path) as connection:
        version = await connection.execute_fetchall("PRAGMA user_version")
        found = next(iter(await connection.execute_fetchall("PRAGMA quick_check(1)")))[0]
    known = len(list(MIGRATIONS.glob("[0-9][0-9][0-9][0-9]_*.sql")))
    return Inspection(schema=next(iter(version))[0], known=known, damage=None if found == "ok" else found)


async def is_owned(path: Path) -> bool:
    """Whether a bot runs on it: whether somebody holds its lock."""
    lock_path = path.with_name(f"{path.name}.lock")
    uri = f"{lock_path.absolute().as_uri()}?mode=rw"
    try:
        async with aiosqlite.connect(uri, uri=True, timeout=0.0, isolation_level=None) as lock:
            await lock.execute("BEGIN EXCLUSIVE")
            await lock.rollback()
    except sqlite3.OperationalError as error:
        return error.sqlite_errorcode == sqlite3.SQLITE_BUSY
    return False


async def sealed_photos(path: Path) -> list[tuple[SealedPhoto, int]]:
    """One photo of a saved face for every key that has sealed any, and how many that are.

    Raises:
        StorageError: it cannot be read.
    """
    async with reader(path) as connection:
        return await faces.one_of_each_key(connection)


async def server_settings(path: Path) -> dict[int, str]:
    """The settings of all servers that have any, as JSON.

    Raises:
        StorageError: it cannot be read.
    """
    async with reader(path) as connection:
        return await servers.every(connection)


async def signing_key(path: Path, purpose: str) -> bytes | None:
    """The key that the database keeps for this purpose; None where it keeps none yet.

    Raises:
        StorageError: it cannot be read.
    """
    async with reader(path) as connection:
        return await signing_keys.existing(connection, purpose)
