"""The one SQLite database: opening, owning, migrating, and transactions that never mix."""

import asyncio
import contextlib
import glob
import logging
import re
import sqlite3
from collections.abc import AsyncGenerator, Awaitable
from datetime import datetime
from pathlib import Path
from typing import TypeVar

import aiosqlite

log = logging.getLogger(__name__)

MIGRATIONS = Path(__file__).with_name("migrations")
COPY_SUFFIX = ".backup"
SQLITE_MIN = (3, 37)  # the first with STRICT tables; RETURNING came before
_T = TypeVar("_T")

# What the functions of this package take, inside a transaction or for a single statement.
Connection = aiosqlite.Connection
# What every function in this package raises when the database itself fails: disk full, file damaged, disk gone.
StorageError = sqlite3.Error


class UnusableDatabaseError(Exception):
    """The database cannot be opened; the text names the file and says what to do."""


class Database:
    """One connection behind one lock, because coroutines that share a connection would share its transaction too.

    Statements take tens of microseconds, so waiting in line costs less than a second connection would.
    """

    def __init__(self, connection: aiosqlite.Connection, path: Path) -> None:
        self._connection = connection
        self._path = path
        self._lock = asyncio.Lock()

    @classmethod
    @contextlib.asynccontextmanager
    async def open(cls, path: Path, *, owner_wait_s: float = 30.0) -> AsyncGenerator["Database"]:
        """Own, migrate and open the database file, creating it and its folder where missing.

        Raises:
            UnusableDatabaseError: another process owns it for longer than ``owner_wait_s`` seconds, it was written by a
                newer version, or it is damaged or not writable.
        """
        if sqlite3.sqlite_version_info < SQLITE_MIN:
            needed = ".".join(map(str, SQLITE_MIN))
            raise UnusableDatabaseError(
                f"This Python comes with SQLite {sqlite3.sqlite_version}, and {needed} is needed: use a newer Python."
            )
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UnusableDatabaseError(f"The folder of {path} cannot be made: {error.strerror}.") from error
        async with _owned(path, owner_wait_s), _connected(path) as connection:
            yield cls(connection, path)

    @contextlib.asynccontextmanager
    async def connection(self) -> AsyncGenerator[aiosqlite.Connection]:
        """The connection, for a single statement that commits by itself."""
        async with self._lock:
            yield self._connection

    @contextlib.asynccontextmanager
    async def transaction(self) -> AsyncGenerator[aiosqlite.Connection]:
        """The connection inside ``BEGIN IMMEDIATE``: committed at the end, rolled back on any exception."""
        async with self._lock:
            try:
                await _to_the_end(self._connection.execute("BEGIN IMMEDIATE"))
                yield self._connection
                await _to_the_end(self._connection.commit())
            except BaseException:
                await _to_the_end(self._connection.rollback())
                raise

    @contextlib.asynccontextmanager
    async def reading(self) -> AsyncGenerator[aiosqlite.Connection]:
        """A connection of its own, for what takes long and must not keep the others waiting: it sees one moment and can
        write nothing.
        """
        async with reader(self._path) as connection:
            await connection.execute("BEGIN")
            yield connection

    async def delete_copies(self, *, before: datetime) -> None:
        """Delete the copies that upgrades made before that moment: what was erased since is still in them."""
        await asyncio.to_thread(_delete_older, self._path, before.timestamp())


@contextlib.asynccontextmanager
async def reader(path: Path) -> AsyncGenerator[aiosqlite.Connection]:
    """Look into a database file that another process may own; it is not disturbed, and no file is made."""
    async with aiosqlite.connect(_read_only(path), uri=True, isolation_level=None) as connection:
        connection.row_factory = sqlite3.Row
        yield connection


def _read_only(path: Path) -> str:
    """Who only reads a database in WAL mode makes its two other files all the same, which could then be in the way of
    an owner that runs as somebody else. Without a WAL nobody writes, and none is needed. https://sqlite.org/uri.html
    """
    is_in_use = path.with_name(f"{path.name}-wal").exists()
    return f"{path.absolute().as_uri()}?mode=ro{'' if is_in_use else '&immutable=1'}"


async def _to_the_end(step: Awaitable[_T]) -> _T:
    """Await a step that must not be left half-way, even if the task is cancelled meanwhile.

    aiosqlite's thread carries the statement out in any case; the lock must be held until it has.
    """
    future = asyncio.ensure_future(step)
    try:
        return await asyncio.shield(future)
    except asyncio.CancelledError:
        await asyncio.wait([future])
        raise


@contextlib.asynccontextmanager
async def _owned(path: Path, wait_s: float) -> AsyncGenerator[None]:
    """Hold an exclusive lock on ``<database>.lock`` for the process's life; the system frees it on any death."""
    lock_path = path.with_name(f"{path.name}.lock")
    async with aiosqlite.connect(lock_path, timeout=wait_s, isolation_level=None) as lock:
        try:
            await lock.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
                raise _unusable(path, error) from error
            raise UnusableDatabaseError(
                f"{path} is in use by another bot process (it holds {lock_path}). Stop that one first, "
                "or give this one a DATABASE_URL of its own."
            ) from error
        except sqlite3.DatabaseError as error:
            raise _unusable(lock_path, error) from error
        yield


@contextlib.asynccontextmanager
async def _connected(path: Path) -> AsyncGenerator[aiosqlite.Connection]:
    async with aiosqlite.connect(path, isolation_level=None) as connection:
        try:
            connection.row_factory = sqlite3.Row
            await connection.execute("PRAGMA journal_mode = WAL")
            # FULL: an accepted request survives even a power cut; measured at 0.2 ms a commit on an SSD.
            await connection.execute("PRAGMA synchronous = FULL")
            await connection.execute("PRAGMA foreign_keys = ON")
            # SQLite itself knows the case of ASCII letters alone.
            await connection.create_function("casefold", 1, str.casefold, deterministic=True)  # pyright: ignore[reportUnknownMemberType]
            # What is deleted is overwritten: a face that its owner deletes must not live on in the file's free pages.
            await connection.execute("PRAGMA secure_delete = ON")
            await _migrate(connection, path)
        except sqlite3.DatabaseError as error:
            raise _unusable(path, error) from error
        yield connection


async def _migrate(connection: aiosqlite.Connection, path: Path) -> None:
    """Bring the schema up to date, each step in a transaction together with its version number."""
    scripts = sorted(MIGRATIONS.glob("[0-9][0-9][0-9][0-9]_*.sql"))
    version = await _version(connection)
    if version > len(scripts):
        raise UnusableDatabaseError(
            f"{path} was written by a newer Facelock (schema {version}, this one knows {len(scripts)}). "
            "Install that version again, or restore an older copy of the database."
        )
    if 0 < version < len(scripts):
        await _back_up(connection, path.with_name(f"{path.name}.schema-{version}{COPY_SUFFIX}"))
    for number, script in enumerate(scripts[version:], start=version + 1):
        sql = await asyncio.to_thread(script.read_text, encoding="utf-8")
        # executescript is one call that runs to its end; an error inside leaves the transaction open for the rollback.
        try:
            await connection.executescript(f"BEGIN IMMEDIATE;\n{sql}\nPRAGMA user_version = {number};\nCOMMIT;")
        except sqlite3.DatabaseError:
            await connection.rollback()
            raise
        log.info("database schema is now %s", script.stem)


async def _version(connection: aiosqlite.Connection) -> int:
    rows = await connection.execute_fetchall("PRAGMA user_version")
    return next(iter(rows))[0]


async def _back_up(connection: aiosqlite.Connection, target: Path) -> None:
    await asyncio.to_thread(target.unlink, missing_ok=True)
    async with aiosqlite.connect(target) as copy:
        await connection.backup(copy)
    log.info("kept a copy of the database before the upgrade: %s", target)


def _delete_older(path: Path, before: float) -> None:
    for copy in path.parent.glob(f"{glob.escape(path.name)}.schema-*{COPY_SUFFIX}"):
        try:
            if copy.stat().st_mtime < before:
                copy.unlink()
                log.info("deleted the copy of the database before an upgrade: %s", copy)
        except OSError as error:
            log.warning("%s could not be deleted: %s", copy, error)


def _unusable(path: Path, error: sqlite3.DatabaseError) -> UnusableDatabaseError:
    reason = re.sub(r"\s+", " ", str(error))
    return UnusableDatabaseError(
        f"{path} cannot be used as the database ({reason}). Check that the file and its folder are writable and not "
        "full; if the file is damaged, move it away and put a backup in its place."
    )
