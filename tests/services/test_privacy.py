"""What is told to members and what is forgotten, on a real database."""

import io
import json
import sqlite3
import zipfile
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import pytest

from db import audit, generations, ledger, privacy
from db.connection import Database
from db.generations import NewGeneration, Source
from services.faces import Faces, Listed
from services.presenter import DiscordUnavailable
from services.privacy import Privacy, Retention
from services.tasks import Tasks
from tests.conftest import Clock
from tests.wishes import with_adapters

# Every column that says which member a row is about, and what becomes of the row when that member erases themselves.
KNOWN = {
    "generations.member_id": "forgotten",
    "ledger.member_id": "kept: bare numbers, so that erasing brings no images back",
    "faces.member_id": "deleted",
    "audit.member_id": "kept: what was done to others, until it is too old",
    "audit.subject_id": "kept: what was done to others, until it is too old",
}


class NoFaces:
    """Nothing saved."""

    async def of(self, member_id: int) -> list[Listed]:
        return []

    def forget(self, member_id: int) -> None:
        pass


class Noted:
    """The edges of the service: messages at Discord, and what the runner is told to end."""

    def __init__(self) -> None:
        self.deleted: list[tuple[int, int]] = []
        self.troubles: list[Exception] = []
        self.abandoned: list[int] = []

    async def delete(self, channel_id: int, message_id: int) -> bool:
        if self.troubles:
            raise self.troubles.pop(0)
        self.deleted.append((channel_id, message_id))
        return True

    async def abandon(self, generation_id: int) -> None:
        self.abandoned.append(generation_id)


def new(interaction_id: int, *, member_id: int = 5, prompt: str = "a quiet harbour") -> NewGeneration:
    wish = with_adapters(prompt)
    return NewGeneration(
        interaction_id=interaction_id,
        application_id=1,
        token="aW50ZXJhY3Rpb24",
        scope="guild:1",
        channel_id=2,
        member_id=member_id,
        locale="en-US",
        file_limit_bytes=10,
        wish=wish.to_json(),
        images=wish.images,
        photos=(Source(url="https://cdn.example/face"),),
    )


async def made(database: Database, clock: Clock, new: NewGeneration, *, message_id: int | None = None) -> int:
    """A request that is over."""
    async with database.transaction() as connection:
        generation_id = await generations.insert(connection, new, clock())
        assert generation_id is not None
        await ledger.charge(
            connection, generation_id=generation_id, scope=new.scope, member_id=new.member_id, images=1, at=clock()
        )
        if message_id is not None:
            await generations.set_message(connection, generation_id, message_id)
        await generations.to_cancelled(connection, generation_id, clock())
    return generation_id


def service(
    database: Database, clock: Clock, noted: Noted, *, tasks: Tasks | None = None, history: timedelta | None = None
) -> Privacy:
    return Privacy(
        database,
        faces=cast(Faces, NoFaces()),
        unfinished=noted,
        messages=noted,
        retention=Retention(history=history, audit=timedelta(days=365)),
        tasks=tasks or cast(Tasks, None),
        now=clock,
    )


def stored(folder: Path) -> dict[str, bytes]:
    """All that the database has on the disk."""
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def read(content: bytes) -> dict[str, Any]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return json.loads(archive.read("export.json"))


async def test_every_column_about_a_member_has_been_thought_of(database: Database) -> None:
    async with database.connection() as connection:
        sql = """
            SELECT tables.name || '.' || columns.name AS found
            FROM sqlite_schema AS tables, pragma_table_info(tables.name) AS columns
            WHERE tables.type = 'table'
              AND (columns.name LIKE '%member%' OR columns.name LIKE '%subject%' OR columns.name LIKE '%user%'
                   OR columns.name IN ('by', 'asker', 'asker_id', 'reporter_id'))
              AND columns.type = 'INTEGER'
        """
        found = {row["found"] for row in await connection.execute_fetchall(sql)}

    assert found == set(KNOWN)


async def test_an_export_tells_everything_of_one_member_and_nothing_of_others(database: Database, clock: Clock) -> None:
    first = await made(database, clock, new(1, prompt="a lighthouse"), message_id=77)
    await made(database, clock, new(2, member_id=6, prompt="not yours"))
    async with database.connection() as connection:
        await audit.note(
            connection, guild_id=1, member_id=9, action="block", subject_id=5, detail={"why": "spam"}, at=clock()
        )

    export = await service(database, clock, Noted()).export(5, bytes_max=10**6)

    told = read(export.content)
    assert [(each["id"], each["wish"]["prompt"]) for each in told["requests"]] == [(first, "a lighthouse")]
    assert told["requests"][0]["message_id"] == "77"
    assert [(each["kind"], each["images"]) for each in told["account"]] == [("charge", 1)]
    assert told["audit"] == [
        {"guild_id": "1", "action": "block", "detail": {"why": "spam"}, "at": told["audit"][0]["at"], "by_you": False}
    ]
    text = json.dumps(told)
    assert "not yours" not in text
    assert "aW50ZXJhY3Rpb24" not in text


async def test_what_is_erased_is_in_no_file_any_more_and_the_account_stays(
    database: Database, clock: Clock, tmp_path: Path
) -> None:
    await made(database, clock, new(1, prompt="a very secret lighthouse"), message_id=77)
    kept = await made(database, clock, new(2, member_id=6, prompt="somebody else's harbour"))
    async with database.transaction() as connection:
        await ledger.grant(
            connection,
            interaction_id=9,
            scope="guild:1",
            member_id=5,
            images=3,
            expires_at=clock() + timedelta(days=1),
            reason="for the secret lighthouse",
            at=clock(),
        )
        assert (await privacy.told(connection, 5))["account"][-1]["reason"] == "for the secret lighthouse"
    noted = Noted()

    erased = await service(database, clock, noted).erase(5)

    assert (erased.requests, erased.messages) == (1, 1)
    files = stored(tmp_path)
    assert not [name for name, content in files.items() if b"secret lighthouse" in content]
    assert [name for name, content in files.items() if b"else's harbour" in content]
    async with database.connection() as connection:
        spent = await ledger.spendings(connection, scope="guild:1", member_id=5, since=clock() - timedelta(days=1))
        assert [each.images for each in spent] == [1]
        (grant,) = await ledger.grants(connection, scope="guild:1", member_id=5, now=clock())
        assert (grant.images, grant.reason) == (3, None)
        assert (await privacy.told(connection, 5))["requests"] == []
        assert await generations.get(connection, kept) is not None
        assert await generations.of_message(connection, 77) is None


async def test_what_is_under_way_is_ended_first(database: Database, clock: Clock) -> None:
    async with database.connection() as connection:
        generation_id = await generations.insert(connection, new(1), clock())
    noted = Noted()

    await service(database, clock, noted).erase(5)

    assert noted.abandoned == [generation_id]


async def test_messages_are_deleted_one_after_another_and_again_after_a_fault(database: Database, clock: Clock) -> None:
    for number in (1, 2, 3):
        await made(database, clock, new(number), message_id=70 + number)
    noted = Noted()
    noted.troubles = [DiscordUnavailable("Discord answered 500"), DiscordUnavailable("busy", retry_after_s=90.0)]
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    async with Tasks(grace_s=0.0, sleep=sleep) as tasks:
        deleting = service(database, clock, noted, tasks=tasks)
        await deleting.erase(5)
        deleting.start()
        await until_gone(database)

    assert noted.deleted == [(2, 71), (2, 72), (2, 73)]
    assert slept[:2] == [60.0, 90.0] or sorted(slept)[:2] == [60.0, 90.0]


async def until_gone(database: Database) -> None:
    while await rows(database, "SELECT * FROM deletions"):
        pass


async def rows(database: Database, sql: str) -> Sequence[sqlite3.Row]:
    async with database.connection() as connection:
        return list(await connection.execute_fetchall(sql))


async def test_the_operator_can_have_old_requests_forgotten(database: Database, clock: Clock) -> None:
    old = await made(database, clock, new(1, prompt="an old one"))
    async with database.connection() as connection:
        unfinished = await generations.insert(connection, new(2), clock())
        await audit.note(connection, guild_id=1, member_id=9, action="old", at=clock())
    clock.advance(days=40)
    young = await made(database, clock, new(3))

    await service(database, clock, Noted(), history=timedelta(days=30)).purge()

    async with database.connection() as connection:
        assert unfinished is not None
        assert await generations.get(connection, old) is None
        assert await generations.get(connection, unfinished) is not None
        assert await generations.get(connection, young) is not None
    assert len(await rows(database, "SELECT * FROM audit")) == 1
    clock.advance(days=330)
    await service(database, clock, Noted()).purge()
    assert await rows(database, "SELECT * FROM audit") == []


@pytest.mark.parametrize("bytes_max", [10, 10**6])
async def test_an_export_that_is_too_large_leaves_the_photos_out(
    database: Database, clock: Clock, bytes_max: int
) -> None:
    export = await service(database, clock, Noted()).export(5, bytes_max=bytes_max)

    assert export.has_photos is (bytes_max > 10)
    assert read(export.content)["faces"] == []
