import asyncio
import base64
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from db.connection import Database
from services.errors import FaceRefused, PhotoRefused
from services.faces import FACES_MAX, NAME_CHARACTERS_MAX, Faces, SavedPhoto
from services.photos import Photos
from tests.conftest import Clock
from tests.photographs import admiral, astronaut, coffee, encoded
from tests.saved_faces import MakeFaces, attached, faces_on

OLD, NEW = b"o" * 32, b"n" * 32
ADA, BEN = 7, 8

ME, ADMIRAL, COFFEE = attached(astronaut()), attached(admiral()), attached(coffee())


@pytest.fixture
async def make(database: Database, clock: Clock) -> AsyncIterator[MakeFaces]:
    async with faces_on(database, clock) as made:
        yield made


@pytest.fixture
def faces(make: MakeFaces) -> Faces:
    return make(OLD)


async def names(faces: Faces, member_id: int = ADA) -> list[str]:
    return [listed.face.name for listed in await faces.of(member_id)]


async def opened(faces: Faces, said: str, member_id: int = ADA) -> list[bytes]:
    return [(await faces.open(member_id, saved)).jpeg for saved in await faces.choose(member_id, said)]


# ------------------------------------------------------------------------------------------------------ keeping


async def test_what_is_kept_is_the_crop_of_every_photo(make: MakeFaces) -> None:
    async with Photos(detect=True) as photos:
        faces = make(OLD, photos=photos)
        saved = await faces.save(ADA, "Me", [ME, ADMIRAL])
        crops = [(await photos.crop(encoded(image))).jpeg for image in (astronaut(), admiral())]
    assert (saved.name, saved.photos, saved.checked) == ("Me", 2, True)
    assert await opened(faces, "Me") == crops


@pytest.mark.parametrize(
    ("urls", "told"),
    [
        ([COFFEE], r"^I found no face"),
        ([ME, COFFEE], r"^Photo 2 of 2: I found no face"),
        (["http://127.0.0.1:9/face.jpg"], r"^The photo could not be fetched"),
    ],
)
async def test_one_photo_that_cannot_be_used_and_nothing_is_kept(make: MakeFaces, urls: list[str], told: str) -> None:
    async with Photos(detect=True) as photos:
        faces = make(OLD, photos=photos)
        with pytest.raises(PhotoRefused, match=told):
            await faces.save(ADA, "Me", urls)

    assert await names(faces) == []


async def test_it_is_told_that_nobody_looked_for_a_face(faces: Faces) -> None:
    assert not (await faces.save(ADA, "Me", [COFFEE])).checked


async def test_a_name_is_taken_once_for_each_member_in_any_case(faces: Faces) -> None:
    await faces.save(ADA, "Größe", [ME])
    await faces.save(BEN, "Größe", [ADMIRAL])

    with pytest.raises(FaceRefused, match="already have a face called `Größe`"):
        await faces.save(ADA, "  GRÖSSE ", [ADMIRAL])
    assert await opened(faces, "grösse") != await opened(faces, "Größe", BEN)


async def test_a_taken_name_is_told_before_anything_is_fetched(faces: Faces) -> None:
    await faces.save(ADA, "Me", [ME])

    with pytest.raises(FaceRefused, match="already"):
        await faces.save(ADA, "me", ["http://127.0.0.1:9/never-fetched.jpg"])


@pytest.mark.parametrize("name", ["", "  ", "\n\0", "\u200b\u2060", "x" * (NAME_CHARACTERS_MAX + 1)])
async def test_a_name_that_is_none_is_refused(faces: Faces, name: str) -> None:
    await faces.save(ADA, "Me", [ME])

    with pytest.raises(FaceRefused, match="1 to 32 characters"):
        await faces.save(ADA, name, [ME])
    with pytest.raises(FaceRefused, match="1 to 32 characters"):
        await faces.rename(ADA, "Me", name)


async def test_there_are_so_many_faces_and_no_more_even_at_the_same_moment(faces: Faces) -> None:
    outcomes = await asyncio.gather(
        *(faces.save(ADA, f"face {number}", [ME]) for number in range(FACES_MAX + 2)), return_exceptions=True
    )

    assert sum(isinstance(outcome, FaceRefused) for outcome in outcomes) == 2
    assert len(await names(faces)) == FACES_MAX
    with pytest.raises(FaceRefused, match="already have 10 saved faces"):
        await faces.save(ADA, "another", ["http://127.0.0.1:9/never-fetched.jpg"])
    await faces.save(BEN, "another", [ME])


async def test_faces_are_renamed_made_the_default_and_deleted(faces: Faces) -> None:
    for name in ("Ada", "Ben", "Cleo"):
        await faces.save(ADA, name, [ME])

    assert await faces.set_default(ADA, "ben") == "Ben"
    assert await names(faces) == ["Ben", "Ada", "Cleo"]
    assert await faces.rename(ADA, "ben", " Zoe \n") == "Zoe"
    assert await faces.set_default(ADA, "cleo") == "Cleo"
    assert await faces.delete(ADA, "ADA") == "Ada"
    assert await names(faces) == ["Cleo", "Zoe"]


async def test_a_name_may_change_its_case_but_not_become_another_ones(faces: Faces) -> None:
    for name in ("Ada", "Ben"):
        await faces.save(ADA, name, [ME])

    assert await faces.rename(ADA, "ada", "ADA") == "ADA"
    with pytest.raises(FaceRefused, match="already have a face called `Ben`"):
        await faces.rename(ADA, "ADA", "ben")
    assert await names(faces) == ["ADA", "Ben"]


async def test_nobody_reaches_anothers_face_by_name_or_by_id(faces: Faces) -> None:
    await faces.save(ADA, "Me", [ME])
    (saved,) = await faces.choose(ADA, "Me")

    for attempt in (
        faces.choose(BEN, "Me"),
        faces.rename(BEN, "Me", "Mine"),
        faces.set_default(BEN, "Me"),
        faces.delete(BEN, "Me"),
    ):
        with pytest.raises(FaceRefused, match="You have no saved face called `Me`"):
            await attempt
    with pytest.raises(FaceRefused, match="was deleted before"):
        await faces.open(BEN, saved)
    assert await faces.of(BEN) == []
    assert await faces.suggested(BEN, "") == []
    assert await names(faces) == ["Me"]


# ----------------------------------------------------------------------------------------------------- using it


@given(face_id=st.integers(1, 2**63 - 1), n=st.integers(1, 3))
def test_a_saved_photo_is_known_by_its_address(face_id: int, n: int) -> None:
    assert SavedPhoto.from_url(SavedPhoto(face_id, n).url) == SavedPhoto(face_id, n)


@pytest.mark.parametrize("url", ["https://cdn.example/face:1:2", "data:face", "", "https://face:1/2"])
def test_no_other_address_is_taken_for_a_saved_photo(url: str) -> None:
    assert SavedPhoto.from_url(url) is None


async def test_a_face_that_is_used_begins_its_time_anew(faces: Faces, clock: Clock) -> None:
    await faces.save(ADA, "Me", [ME])
    clock.advance(days=80)
    (before,) = await faces.of(ADA)
    await opened(faces, "Me")
    (after,) = await faces.of(ADA)

    assert before.expires_at == clock.now + timedelta(days=10)
    assert (after.face.last_used_at, after.expires_at) == (clock.now, clock.now + timedelta(days=90))


async def test_a_face_that_is_deleted_meanwhile_is_a_sentence(faces: Faces) -> None:
    await faces.save(ADA, "Me", [ME])
    (saved,) = await faces.choose(ADA, "Me")
    await faces.delete(ADA, "Me")

    with pytest.raises(FaceRefused, match="deleted before it could be used"):
        await faces.open(ADA, saved)


# ---------------------------------------------------------------------------------------------------- the names


async def test_names_are_suggested_from_memory_the_default_first(faces: Faces, database: Database) -> None:
    for name in ("Ada", "Ben", "Cleo"):
        await faces.save(ADA, name, [ME])
    await faces.set_default(ADA, "Cleo")
    assert await faces.suggested(ADA, "") == ["Cleo", "Ada", "Ben"]

    async with database.transaction():  # nobody else gets at the database
        assert await faces.suggested(ADA, " CL") == ["Cleo"]


async def test_the_memory_follows_every_change(faces: Faces) -> None:
    async def change(work: Callable[[], Awaitable[object]]) -> list[str]:
        await faces.suggested(ADA, "")
        await work()
        return await faces.suggested(ADA, "")

    assert await change(lambda: faces.save(ADA, "Ben", [ME])) == ["Ben"]
    assert await change(lambda: faces.save(ADA, "Cleo", [ME])) == ["Ben", "Cleo"]
    assert await change(lambda: faces.set_default(ADA, "Cleo")) == ["Cleo", "Ben"]
    assert await change(lambda: faces.rename(ADA, "Cleo", "Dora")) == ["Dora", "Ben"]
    assert await change(lambda: faces.delete(ADA, "Dora")) == ["Ben"]


async def test_a_slow_database_suggests_nothing_instead_of_being_late(
    faces: Faces, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.faces.SUGGEST_TIMEOUT_S", 0.01)
    await faces.save(ADA, "Me", [ME])

    async with database.transaction():
        assert await faces.suggested(ADA, "") == []
    assert await faces.suggested(ADA, "") == ["Me"]


async def test_the_memory_holds_so_many_members(faces: Faces, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.faces.REMEMBERED_MEMBERS_MAX", 2)
    for member_id in range(5):
        await faces.save(member_id, f"of {member_id}", [ME])

    for _ in range(2):
        assert [await faces.suggested(member_id, "") for member_id in range(5)] == [[f"of {n}"] for n in range(5)]


# ----------------------------------------------------------------------------------------------------- the keys


def stored(folder: Path) -> bytes:
    """The database with all files that belong to it."""
    return b"".join(path.read_bytes() for path in folder.iterdir() if path.name.startswith("facelock.db"))


async def key_ids(database: Database) -> set[str]:
    async with database.connection() as connection:
        return {row["key_id"] for row in await connection.execute_fetchall("SELECT key_id FROM face_photos")}


async def test_a_new_key_seals_everything_anew_and_the_old_one_can_go(make: MakeFaces, database: Database) -> None:
    await make(OLD).save(ADA, "Me", [ME, ADMIRAL])
    before, crops = await key_ids(database), await opened(make(OLD), "Me")

    await make(NEW, OLD).seal_anew()

    assert before.isdisjoint(await key_ids(database))
    assert await opened(make(NEW), "Me") == crops


async def test_a_face_that_is_used_is_sealed_anew_at_once(make: MakeFaces) -> None:
    await make(OLD).save(ADA, "Me", [ME])

    crops = await opened(make(NEW, OLD), "Me")

    assert await opened(make(NEW), "Me") == crops


async def test_what_is_damaged_does_not_hold_up_the_rest(make: MakeFaces, database: Database) -> None:
    for name in ("Ada", "Ben", "Cleo"):
        await make(OLD).save(ADA, name, [ME])
    async with database.transaction() as connection:
        await connection.execute("UPDATE face_photos SET sealed = x'00' WHERE face_id = 2")

    await make(NEW, OLD).seal_anew()

    assert [bool(listed.photos) for listed in await make(NEW).of(ADA)] == [True, False, True]


async def test_without_its_key_a_face_is_listed_refused_and_can_be_saved_again(make: MakeFaces) -> None:
    await make(OLD).save(ADA, "Me", [ME])
    await make(OLD).set_default(ADA, "Me")
    (chosen,) = await make(OLD).choose(ADA, "Me")
    faces = make(NEW)

    assert [(listed.face.name, listed.photos) for listed in await faces.of(ADA)] == [("Me", ())]
    with pytest.raises(FaceRefused, match=r"`Me` cannot be opened any more\. Save it again with `/face save`"):
        await faces.choose(ADA, "Me")
    with pytest.raises(FaceRefused, match="cannot be opened any more"):
        await faces.open(ADA, chosen)
    await faces.save(ADA, "ME", [ADMIRAL])
    (listed,) = await faces.of(ADA)
    assert (listed.face.name, len(listed.photos), listed.face.is_default) == ("ME", 1, True)


async def test_without_any_key_nothing_is_saved_and_the_rest_works(make: MakeFaces) -> None:
    await make(OLD).save(ADA, "Me", [ME])
    faces = make()

    with pytest.raises(FaceRefused, match="cannot be kept just now"):
        await faces.save(ADA, "another", [ME])
    await faces.seal_anew()
    assert await faces.rename(ADA, "Me", "You") == "You"
    assert await faces.delete(ADA, "You") == "You"
    assert await names(faces) == []


async def test_a_row_that_is_moved_to_another_member_shows_them_nothing(faces: Faces, database: Database) -> None:
    await faces.save(ADA, "Me", [ME])
    async with database.transaction() as connection:
        await connection.execute("UPDATE faces SET member_id = :ben", {"ben": BEN})

    (listed,) = await faces.of(BEN)
    assert listed.photos == ()
    with pytest.raises(FaceRefused, match="cannot be opened"):
        await faces.choose(BEN, "Me")


# ---------------------------------------------------------------------------------------------------- privacy


async def test_nothing_of_a_face_is_in_the_log_or_in_the_database_file(
    make: MakeFaces, database: Database, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.INFO, "aiosqlite")  # as bot.set_up_logging has it
    await make(OLD).save(ADA, "Secret Name", [ME])
    (crop,) = await opened(make(OLD), "Secret Name")
    await make(NEW, OLD).seal_anew()
    await make(NEW).of(ADA)
    await make(NEW).delete(ADA, "Secret Name")
    await make(NEW).save(ADA, "Secret Name", [ME])

    files = stored(tmp_path)
    assert len(files) > len(crop)
    pieces = [crop[start : start + 16] for start in range(0, len(crop) - 16, 64)]
    assert [piece for piece in (*pieces, OLD, NEW) if piece in files] == []
    assert "saved face 1" in caplog.text
    for secret in ("Secret", "data:", "base64", "JFIF", OLD.decode(), NEW.decode(), base64.b64encode(OLD).decode()):
        assert secret not in caplog.text


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=st.text(min_size=1, max_size=NAME_CHARACTERS_MAX))
async def test_any_name_is_found_again_or_refused(faces: Faces, name: str) -> None:
    try:
        saved = await faces.save(ADA, name, [ME])
    except FaceRefused:
        return

    assert await faces.suggested(ADA, name) == [saved.name]
    assert await faces.delete(ADA, name) == saved.name
