"""What the admins of servers have set, in the database and in memory."""

from db.connection import Database
from services.servers import UNTOUCHED, Servers
from tests.conftest import Clock


async def test_a_server_that_nobody_touched_has_the_defaults(database: Database, clock: Clock) -> None:
    servers = await Servers.read(database, now=clock)

    assert servers.of(1) == servers.of(None) == UNTOUCHED


async def test_what_is_set_outlives_the_process_and_concerns_one_server(database: Database, clock: Clock) -> None:
    servers = await Servers.read(database, now=clock)
    await servers.change(1, by=5, channels=(10, 11), steps_max=20)
    await servers.change(1, by=5, language="de")

    for known in (servers, await Servers.read(database, now=clock)):
        assert known.of(1).channels == (10, 11)
        assert (known.of(1).steps_max, known.of(1).language) == (20, "de")
        assert known.of(2) == UNTOUCHED


async def test_every_change_is_written_down_with_what_was_there_before(database: Database, clock: Clock) -> None:
    servers = await Servers.read(database, now=clock)
    await servers.change(1, by=5, steps_max=20)
    await servers.change(1, by=6, steps_max=30, language=None)
    await servers.change(1, by=7, steps_max=30)
    await servers.change(2, by=7, steps_max=10)

    entries = (await servers.audited(1)).entries

    assert [(each.member_id, each.action, each.detail) for each in entries] == [
        (6, "settings", {"steps_max": {"from": 20, "to": 30}}),
        (5, "settings", {"steps_max": {"from": None, "to": 20}}),
    ]
    assert [each.member_id for each in (await servers.audited(1, before=entries[0].id)).entries] == [5]


async def test_settings_of_a_newer_version_do_no_harm(database: Database, clock: Clock) -> None:
    async with database.connection() as connection:
        sql = 'INSERT INTO servers VALUES (1, \'{"colour": "red", "roles": [3]}\', \'\')'
        await connection.execute_fetchall(sql)

    assert (await Servers.read(database, now=clock)).of(1).roles == (3,)


async def test_a_page_says_whether_there_is_more_on_either_side(database: Database, clock: Clock) -> None:
    servers = await Servers.read(database, now=clock)
    for steps in range(1, 12):
        await servers.change(1, by=5, steps_max=steps)

    newest = await servers.audited(1)
    oldest = await servers.audited(1, before=newest.entries[-1].id)

    assert (len(newest.entries), newest.has_newer, newest.has_older) == (10, False, True)
    assert (len(oldest.entries), oldest.has_newer, oldest.has_older) == (1, True, False)
