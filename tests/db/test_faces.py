import secrets
import sqlite3
from datetime import timedelta
from pathlib import Path

import pytest

from db import faces
from db.connection import Database
from tests.conftest import Clock


async def saved(database: Database, clock: Clock, name: str, *, member_id: int = 7, is_default: bool = False) -> int:
    async with database.transaction() as connection:
        return await faces.insert(
            connection,
            member_id=member_id,
            name=name,
            folded=name.lower(),
            is_default=is_default,
            locale="en",
            at=clock.now,
        )


async def put(database: Database, face_id: int, n: int, sealed: bytes, key_id: str = "old") -> None:
    async with database.transaction() as connection:
        await faces.put_photo(connection, face_id=face_id, n=n, key_id=key_id, sealed=sealed)


async def names(database: Database, member_id: int = 7) -> list[str]:
    async with database.connection() as connection:
        return [face.name for face in await faces.of_member(connection, member_id)]


async def test_a_member_sees_their_own_faces_the_default_one_first(database: Database, clock: Clock) -> None:
    for name in ("Cleo", "ada", "Ben"):
        await saved(database, clock, name, is_default=name == "Cleo")
    await saved(database, clock, "Dora", member_id=8)

    assert await names(database) == ["Cleo", "ada", "Ben"]


async def test_a_name_is_unique_for_its_member_whatever_its_case(database: Database, clock: Clock) -> None:
    await saved(database, clock, "Ada")
    await saved(database, clock, "Ada", member_id=8)

    with pytest.raises(sqlite3.IntegrityError):
        await saved(database, clock, "ADA")


async def test_there_is_one_default_at_most(database: Database, clock: Clock) -> None:
    first, second = [await saved(database, clock, name) for name in ("Ada", "Ben")]

    for face_id in (first, second):
        async with database.transaction() as connection:
            await faces.set_default(connection, member_id=7, face_id=face_id)

    async with database.connection() as connection:
        assert [(face.id, face.is_default) for face in await faces.of_member(connection, 7)] == [
            (second, True),
            (first, False),
        ]


async def test_a_photo_is_found_by_its_owner_alone(database: Database, clock: Clock) -> None:
    face_id = await saved(database, clock, "Ada")
    await put(database, face_id, 1, b"sealed")

    async with database.connection() as connection:
        mine = await faces.photo(connection, member_id=7, face_id=face_id, n=1)
        theirs = await faces.photo(connection, member_id=8, face_id=face_id, n=1)

    assert mine is not None
    assert mine.sealed == b"sealed"
    assert theirs is None


async def test_what_is_deleted_is_overwritten_in_the_file_and_its_id_is_never_given_again(
    tmp_path: Path, clock: Clock
) -> None:
    path, sealed = tmp_path / "facelock.db", secrets.token_bytes(50_000)
    async with Database.open(path) as database:
        face_id = await saved(database, clock, "Ada")
        await put(database, face_id, 1, sealed)
    assert sealed[20_000:20_500] in path.read_bytes()

    async with Database.open(path) as database:
        async with database.transaction() as connection:
            await faces.delete(connection, face_id)
        async with database.connection() as connection:
            assert await faces.photos(connection, face_id) == []
        assert await saved(database, clock, "Ada") != face_id

    left = path.read_bytes()
    assert [start for start in range(0, 50_000, 500) if sealed[start : start + 500] in left] == []


async def test_only_who_was_told_early_enough_loses_an_unused_face(database: Database, clock: Clock) -> None:
    start = clock.now
    for name in ("told", "told late", "untold", "used"):
        await saved(database, clock, name)
    clock.advance(days=10)
    async with database.transaction() as connection:
        of_name = {face.name: face for face in await faces.to_warn(connection, unused_since=start)}
        await faces.mark_warned(connection, of_name["told"], clock.now)
        await faces.mark_warned(connection, of_name["told late"], clock.now + timedelta(seconds=1))
        await faces.mark_warned(connection, of_name["used"], clock.now)
        await faces.touch(connection, of_name["used"].id, clock.now)
        assert await faces.delete_unused(connection, unused_since=start, warned_before=start) == []
        deleted = await faces.delete_unused(connection, unused_since=clock.now, warned_before=clock.now)

    assert [face.name for face in deleted] == ["told"]
    assert await names(database) == ["told late", "untold", "used"]


async def test_who_uses_a_face_while_the_warning_is_on_its_way_counts_as_untold(
    database: Database, clock: Clock
) -> None:
    face_id = await saved(database, clock, "Ada")
    async with database.transaction() as connection:
        (face,) = await faces.to_warn(connection, unused_since=clock.now)
        clock.advance(minutes=1)
        await faces.touch(connection, face_id, clock.now)
        await faces.mark_warned(connection, face, clock.now)
        (after,) = await faces.of_member(connection, 7)

    assert after.warned_at is None
