import asyncio
import os
import sqlite3
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from db import connection
from db.connection import MIGRATIONS, Database, UnusableDatabaseError

HOLD = """
import asyncio, sys
from pathlib import Path
from db.connection import Database

async def hold():
    async with Database.open(Path(sys.argv[1])):
        print("open", flush=True)
        await asyncio.Event().wait()

asyncio.run(hold())
"""


async def tables_of(database: Database) -> set[str]:
    async with database.connection() as opened:
        rows = await opened.execute_fetchall("SELECT name FROM sqlite_master WHERE type = 'table'")
    return {row["name"] for row in rows}


async def test_an_empty_file_gets_the_whole_schema_and_foreign_keys(tmp_path: Path) -> None:
    async with Database.open(tmp_path / "deep" / "new.db") as database:
        async with database.connection() as opened:
            pragmas = [
                next(iter(await opened.execute_fetchall(f"PRAGMA {name}")))[0]
                for name in ("foreign_keys", "journal_mode", "user_version")
            ]

        assert {"generations", "provider_jobs", "ledger"} <= await tables_of(database)
    assert pragmas == [1, "wal", len(list(MIGRATIONS.glob("*.sql")))]


async def test_a_second_process_is_refused_and_told_which_file_is_taken(tmp_path: Path) -> None:
    path = tmp_path / "facelock.db"

    async with Database.open(path):
        with pytest.raises(UnusableDatabaseError, match=r"facelock\.db is in use by another bot process"):
            async with Database.open(path, owner_wait_s=0.0):
                pass


async def test_the_database_is_free_again_after_its_owner_was_killed(tmp_path: Path) -> None:
    path = tmp_path / "facelock.db"
    owner = await asyncio.create_subprocess_exec(
        sys.executable, "-c", HOLD, str(path), stdout=asyncio.subprocess.PIPE, env=os.environ | {"PYTHONPATH": "."}
    )
    assert owner.stdout is not None
    assert await owner.stdout.readline() == b"open\n"
    with pytest.raises(UnusableDatabaseError):
        async with Database.open(path, owner_wait_s=0.0):
            pass

    owner.kill()
    await owner.wait()

    async with Database.open(path, owner_wait_s=0.0) as database:
        assert await tables_of(database)


async def test_a_file_that_is_no_database_is_named_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "facelock.db"
    path.write_bytes(b"certainly not SQLite " * 100)

    with pytest.raises(UnusableDatabaseError, match=r"facelock\.db cannot be used as the database .* put a backup"):
        async with Database.open(path):
            pass
    assert path.read_bytes().startswith(b"certainly not")


async def test_a_database_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "facelock.db"
    with sqlite3.connect(path) as raw:
        raw.execute("PRAGMA user_version = 999")
    raw.close()

    with pytest.raises(UnusableDatabaseError, match="newer Facelock"):
        async with Database.open(path):
            pass


async def test_an_upgrade_keeps_a_copy_and_a_failed_step_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, scripts = tmp_path / "facelock.db", tmp_path / "migrations"
    scripts.mkdir()
    (scripts / "0001_first.sql").write_text("CREATE TABLE first (id INTEGER PRIMARY KEY);")
    monkeypatch.setattr(connection, "MIGRATIONS", scripts)
    async with Database.open(path):
        pass
    (scripts / "0002_second.sql").write_text("CREATE TABLE second (id INTEGER PRIMARY KEY); CREATE TABLE first (id);")

    with pytest.raises(UnusableDatabaseError, match="already exists"):
        async with Database.open(path):
            pass

    (scripts / "0002_second.sql").write_text("CREATE TABLE second (id INTEGER PRIMARY KEY);")
    async with Database.open(path) as database:
        assert {"first", "second"} <= await tables_of(database)
        made = tmp_path / "facelock.db.schema-1.backup"
        made_at = datetime.fromtimestamp(made.stat().st_mtime, UTC)
        await database.delete_copies(before=made_at - timedelta(seconds=1))
        assert made.exists()
        await database.delete_copies(before=made_at + timedelta(seconds=1))
        assert not made.exists()
        assert {"first", "second"} <= await tables_of(database)


async def test_a_transaction_is_rolled_back_by_an_exception(database: Database) -> None:
    async def fail_half_way() -> None:
        async with database.transaction() as opened:
            await opened.execute("INSERT INTO command_guilds VALUES (1)")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail_half_way()

    async with database.connection() as opened:
        assert list(await opened.execute_fetchall("SELECT * FROM command_guilds")) == []


async def test_a_cancelled_transaction_leaves_nothing_open(database: Database) -> None:
    begun = asyncio.Event()

    async def half_a_transaction() -> None:
        async with database.transaction() as opened:
            await opened.execute("INSERT INTO command_guilds VALUES (1)")
            begun.set()
            await asyncio.Event().wait()

    task = asyncio.ensure_future(half_a_transaction())
    await begun.wait()
    task.cancel()
    await asyncio.wait([task])

    async with database.transaction() as opened:
        assert list(await opened.execute_fetchall("SELECT * FROM command_guilds")) == []


async def test_transactions_of_many_tasks_do_not_mix(database: Database) -> None:
    async def count_up() -> None:
        async with database.transaction() as opened:
            rows = await opened.execute_fetchall("SELECT coalesce(max(guild_id), 0) AS last FROM command_guilds")
            await opened.execute("INSERT INTO command_guilds VALUES (?)", (next(iter(rows))["last"] + 1,))

    await asyncio.gather(*(count_up() for _ in range(50)))

    async with database.connection() as opened:
        assert next(iter(await opened.execute_fetchall("SELECT count(*) FROM command_guilds")))[0] == 50
