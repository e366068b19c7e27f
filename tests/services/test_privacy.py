"""What is told to members and what is forgotten, on a real database."""

import io
import json
import sqlite3
import zipfile
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import pytest

from db import audit, consents, generations, ledger, moderation, privacy
from db.connection import Database
from db.consents import Answer, Whose
from db.generations import NewGeneration, Print, Source
from services.errors import UserError
from services.faces import Faces, Listed
from services.presenter import DiscordUnavailable
from services.privacy import Privacy, Retention
from services.servers import Servers
from services.tasks import Tasks
from services.visibility import Visibility
from tests.conftest import Clock
from tests.generations import new_generation
from tests.wishes import with_adapters

# Every column that says which member a row is about, and what becomes of the row when that member erases themselves.
KNOWN = {
    "generations.member_id": "forgotten",
    "generations.waits_on": "kept with the request of somebody else, until that is forgotten",
    "ledger.member_id": "kept: bare numbers, so that erasing brings no images back",
    "faces.member_id": "deleted",
    "private_first.member_id": "deleted",
    "declarations.member_id": "deleted; that a file shows another member stays, without who said so",
    "declarations.subject_id": "kept: it protects them from others",
    "consents.asker_id": "deleted",
    "consents.subject_id": "deleted, but for that they want no pictures by anybody",
    "audit.member_id": "kept: what was done to others, until it is too old",
    "audit.subject_id": "kept: what was done to others, until it is too old",
    "blocks.member_id": "kept: protects others",
    "blocks.by_id": "kept: what was done to others, until it has ended and is too old",
    "reports.deleted_by": "kept: what was done to others, until it is too old",
    "reports.blocked_by": "kept: what was done to others, until it is too old",
    "reports.dismissed_by": "kept: what was done to others, until it is too old",
    "report_voices.member_id": "deleted",
    "refusals.member_id": "kept: so that erasing hides no abuse, until it is too old",
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
        self.ended: list[tuple[int, str]] = []

    async def delete(self, channel_id: int, message_id: int) -> bool:
        if self.troubles:
            raise self.troubles.pop(0)
        self.deleted.append((channel_id, message_id))
        return True

    async def abandon(self, generation_id: int) -> None:
        self.abandoned.append(generation_id)

    async def end(self, generation_id: int, error: UserError) -> None:
        self.ended.append((generation_id, error.code))


def new(interaction_id: int, *, member_id: int = 5, prompt: str = "a quiet harbour") -> NewGeneration:
    wish = with_adapters(prompt)
    return new_generation(
        interaction_id=interaction_id,
        token="aW50ZXJhY3Rpb24",
        member_id=member_id,
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
    database: Database,
    clock: Clock,
    noted: Noted,
    *,
    tasks: Tasks | None = None,
    history: timedelta | None = None,
    visibility: Visibility | None = None,
) -> Privacy:
    return Privacy(
        database,
        faces=cast(Faces, NoFaces()),
        visibility=visibility or Visibility(database, set(), cast(Servers, None)),
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
        sql = r"""
            SELECT tables.name || '.' || columns.name AS found
            FROM sqlite_schema AS tables, pragma_table_info(tables.name) AS columns
            WHERE tables.type = 'table'
              AND (columns.name LIKE '%member%' OR columns.name LIKE '%subject%' OR columns.name LIKE '%user%'
                   OR columns.name LIKE '%\_by' ESCAPE '\' OR columns.name LIKE '%\_on' ESCAPE '\'
                   OR columns.name IN ('by_id', 'asker_id'))
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
        for member_id in (5, 6):
            detail = {"member": member_id}
            await audit.note(
                connection, guild_id=1, member_id=9, action="delete", subject_id=1, detail=detail, at=clock()
            )

    export = await service(database, clock, Noted()).export(5, bytes_max=10**6)

    told = read(export.content)
    assert [(each["id"], each["wish"]["prompt"]) for each in told["requests"]] == [(first, "a lighthouse")]
    assert told["requests"][0]["message_id"] == "77"
    assert [(each["kind"], each["images"]) for each in told["account"]] == [("charge", 1)]
    entry = {"guild_id": "1", "at": told["audit"][0]["at"], "by_you": False}
    assert told["audit"] == [
        entry | {"action": "block", "detail": {"why": "spam"}},
        entry | {"action": "delete", "detail": {"member": 5}},
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


async def test_what_was_reported_is_told_and_erased_and_so_is_the_copy_that_moderators_have(
    database: Database, clock: Clock
) -> None:
    generation_id = await made(database, clock, new(1), message_id=77)
    async with database.transaction() as connection:
        for member_id in (5, 6):
            await moderation.add_voice(
                connection, guild_id=1, generation_id=generation_id, member_id=member_id, reason="spam", at=clock()
            )
        await moderation.set_report_message(connection, 1, channel_id=3, message_id=78)
    privacy_service = service(database, clock, Noted())
    told = read((await privacy_service.export(6, bytes_max=10**6)).content)

    erased = [await privacy_service.erase(member_id) for member_id in (6, 5)]

    assert [(each["request_id"], each["reason"]) for each in told["reports"]] == [(str(generation_id), "spam")]
    assert [each.messages for each in erased] == [0, 2]
    async with database.transaction() as connection:
        report = await moderation.report(connection, report_id=1)
    assert report is not None
    assert report.voices == []


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


async def test_old_reports_go_with_the_names_of_moderators_unless_somebody_has_reported_again(
    database: Database, clock: Clock
) -> None:
    for number in (1, 2):
        generation_id = await made(database, clock, new(number))
        async with database.transaction() as connection:
            await moderation.add_voice(
                connection, guild_id=1, generation_id=generation_id, member_id=6, reason="spam", at=clock()
            )
            await moderation.conclude(connection, number, moderation.Outcome.DISMISSED, by=9)
    clock.advance(days=300)
    async with database.transaction() as connection:
        await moderation.add_voice(connection, guild_id=1, generation_id=2, member_id=7, reason=None, at=clock())
    clock.advance(days=66)

    await service(database, clock, Noted()).purge()

    assert [row["id"] for row in await rows(database, "SELECT id FROM reports")] == [2]
    assert [row["member_id"] for row in await rows(database, "SELECT member_id FROM report_voices")] == [7]


async def test_answers_are_kept_as_long_as_they_have_an_effect(database: Database, clock: Clock) -> None:
    given = [Answer.ONCE, Answer.ALWAYS, Answer.NO, Answer.ALWAYS, None, Answer.ONCE]
    for number, answer in enumerate(given, start=1):
        generation_id = await made(database, clock, new(number))
        async with database.transaction() as connection:
            await consents.ask(
                connection,
                subject_id=6 if number != 4 else 7,
                asker_id=5,
                scope="guild:1",
                generation_id=generation_id,
                wording=1,
                at=clock(),
            )
            if answer is not None:
                await consents.answer(connection, number, answer, clock())
    async with database.transaction() as connection:
        await consents.refuse_everybody(connection, 8, wording=1, at=clock())
        await consents.revoke(connection, 7, 5, clock())
        await connection.execute("UPDATE generations SET wish = '' WHERE id = 6")

    await service(database, clock, Noted()).purge()
    before = await rows(database, "SELECT id FROM consents")
    clock.advance(days=366)
    await service(database, clock, Noted()).purge()

    assert len(before) == 7
    left = await rows(database, "SELECT subject_id, answer FROM consents ORDER BY id")
    assert [tuple(row) for row in left] == [(6, "once"), (6, "always"), (8, "never")]


@pytest.mark.parametrize("bytes_max", [10, 10**6])
async def test_an_export_that_is_too_large_leaves_the_photos_out(
    database: Database, clock: Clock, bytes_max: int
) -> None:
    export = await service(database, clock, Noted()).export(5, bytes_max=bytes_max)

    assert export.has_photos is (bytes_max > 10)
    assert read(export.content)["faces"] == []


async def test_what_a_member_has_chosen_is_told_and_forgotten(database: Database, clock: Clock) -> None:
    member_id = 5
    visibility = Visibility(database, set(), Servers(database, {}, now=clock))
    await visibility.choose(member_id, is_private_first=True)
    privacy = service(database, clock, Noted(), visibility=visibility)

    before = read((await privacy.export(member_id, bytes_max=10**6)).content)
    await privacy.erase(member_id)
    after = read((await privacy.export(member_id, bytes_max=10**6)).content)

    assert (before["choices"], after["choices"]) == ([{"choice": "private first"}], [])
    assert not visibility.is_private_first(member_id)
    assert not (await Visibility.read(database, Servers(database, {}, now=clock))).is_private_first(member_id)


async def test_what_protects_others_outlives_who_has_said_it_and_a_never_outlives_all(
    database: Database, clock: Clock
) -> None:
    photo, own = Print("f" * 64, "c" * 64), Print("0" * 64, "1" * 64)
    async with database.transaction() as connection:
        for member_id, whose, subject_id in ((5, Whose.MEMBER, 6), (7, Whose.MEMBER, 6)):
            await consents.declare(
                connection, member_id, photo, whose=whose, subject_id=subject_id, wording=1, at=clock()
            )
        await consents.declare(connection, 5, own, whose=Whose.ME, subject_id=5, wording=1, at=clock())
        await consents.refuse_everybody(connection, 5, wording=1, at=clock())

    for member_id in (5, 7):
        await service(database, clock, Noted()).erase(member_id)

    async with database.transaction() as connection:
        assert await consents.known_subject(connection, 5, photo) == 6
        assert await consents.declared(connection, 5, photo) is None
        assert await consents.declared(connection, 5, own) is None
        assert await consents.says_never(connection, 5)


async def test_of_two_who_have_said_whom_a_file_shows_neither_takes_the_others_word_along(
    database: Database, clock: Clock
) -> None:
    photo = Print("f" * 64, "c" * 64)
    async with database.transaction() as connection:
        for member_id, subject_id in ((5, 6), (7, 8)):
            await consents.declare(
                connection, member_id, photo, whose=Whose.MEMBER, subject_id=subject_id, wording=1, at=clock()
            )
            clock.advance(seconds=1)
        for subject_id in (6, 8):
            await consents.refuse_everybody(connection, subject_id, wording=1, at=clock())

    for member_id in (7, 5):
        await service(database, clock, Noted()).erase(member_id)
    told = read((await service(database, clock, Noted()).export(6, bytes_max=10**6)).content)

    async with database.transaction() as connection:
        assert await consents.known_subject(connection, 9, photo) == 6
        assert [await consents.is_refused_file(connection, member_id, photo) for member_id in (6, 8)] == [True, True]
    assert [each["file"] for each in told["said_of_you"]] == [photo.file]


async def test_who_was_first_to_say_whom_a_file_shows_is_believed(database: Database, clock: Clock) -> None:
    photo = Print("f" * 64, "c" * 64)
    async with database.transaction() as connection:
        for member_id, whose, subject_id in ((4, Whose.AGREED, None), (5, Whose.MEMBER, 6), (7, Whose.ME, 7)):
            await consents.declare(
                connection, member_id, photo, whose=whose, subject_id=subject_id, wording=1, at=clock()
            )
            clock.advance(seconds=1)

        found = {each: await consents.known_subject(connection, each, photo) for each in (4, 5, 6, 7, 9)}

    assert found == {4: 6, 5: 6, 6: None, 7: 6, 9: 6}


async def test_what_was_asked_outside_servers_is_nobodys_once_it_is_erased(database: Database, clock: Clock) -> None:
    generation_id = await made(database, clock, replace(new(1), scope="member:5"))

    await service(database, clock, Noted()).erase(5)

    (row,) = await rows(database, "SELECT * FROM generations")
    assert (row["id"], row["scope"], row["member_id"]) == (generation_id, "member:0", 0)


async def test_what_others_have_under_way_with_a_members_photo_ends_with_their_consent(
    database: Database, clock: Clock
) -> None:
    photo = Print("f" * 64, "c" * 64)
    async with database.transaction() as connection:
        generation_id = await generations.insert(connection, new(1, member_id=7), clock())
        assert generation_id is not None
        await generations.set_prints(connection, generation_id, [photo])
        await consents.declare(connection, 7, photo, whose=Whose.MEMBER, subject_id=5, wording=1, at=clock())
        await consents.ask(
            connection, subject_id=5, asker_id=7, scope="guild:1", generation_id=generation_id, wording=1, at=clock()
        )
        await consents.set_message(connection, 1, channel_id=2, message_id=70)
    noted = Noted()

    erased = await service(database, clock, noted).erase(5)

    assert noted.ended == [(generation_id, "no_consent")]
    assert erased.messages == 1
    assert [row["message_id"] for row in await rows(database, "SELECT * FROM deletions")] == [70]
