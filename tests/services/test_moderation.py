"""Blocks, reports and flags, on a real database."""

from datetime import timedelta

import pytest

from db import generations
from db.connection import Database
from services.errors import NotAllowed
from services.moderation import Flag, Outcome
from services.servers import Servers
from services.tasks import Tasks
from tests.conftest import Clock
from tests.generations import new_generation
from tests.moderators import NotedFlags, moderation_on
from tests.wishes import with_adapters


@pytest.fixture
async def servers(database: Database, clock: Clock) -> Servers:
    return await Servers.read(database, now=clock)


async def generation(database: Database, clock: Clock) -> int:
    new = new_generation(wish=with_adapters().to_json())
    async with database.transaction() as connection:
        generation_id = await generations.insert(connection, new, clock())
    assert generation_id is not None
    return generation_id


async def test_a_block_holds_in_its_server_alone_and_outlives_the_process(
    database: Database, servers: Servers, clock: Clock
) -> None:
    before = await moderation_on(database, servers, clock)
    await before.block(1, 5, by=9, reason="spam")

    for moderation in (before, await moderation_on(database, servers, clock)):
        with pytest.raises(NotAllowed, match="blocked from making pictures in this server"):
            moderation.check(1, 5)
        moderation.check(1, 6)
        moderation.check(2, 5)
        moderation.check(None, 5)
        assert [(block.member_id, block.by_id, block.reason) for block in moderation.blocked(1)] == [(5, 9, "spam")]
        assert moderation.blocked(2) == []


async def test_a_block_ends_by_itself_where_it_said_so(database: Database, servers: Servers, clock: Clock) -> None:
    moderation = await moderation_on(database, servers, clock)
    await moderation.block(1, 5, by=9, lasting=timedelta(days=2))
    with pytest.raises(NotAllowed, match="until <t:"):
        moderation.check(1, 5)

    clock.advance(days=2)

    moderation.check(1, 5)
    assert moderation.blocked(1) == []
    assert not await moderation.unblock(1, 5, by=9)


async def test_a_later_block_takes_the_place_of_an_earlier_one(
    database: Database, servers: Servers, clock: Clock
) -> None:
    moderation = await moderation_on(database, servers, clock)
    await moderation.block(1, 5, by=9, lasting=timedelta(days=2))
    await moderation.block(1, 5, by=8)

    clock.advance(days=3)

    (block,) = (await moderation_on(database, servers, clock)).blocked(1)
    assert (block.by_id, block.until) == (8, None)


async def test_the_operators_blocks_hold_everywhere(database: Database, servers: Servers, clock: Clock) -> None:
    moderation = await moderation_on(database, servers, clock, blocked_everywhere=frozenset({5}))

    for guild_id in (1, None):
        with pytest.raises(NotAllowed, match="The operator of this bot has blocked you"):
            moderation.check(guild_id, 5)
        moderation.check(guild_id, 6)


async def test_what_was_done_about_a_report_is_done_once(database: Database, servers: Servers, clock: Clock) -> None:
    moderation = await moderation_on(database, servers, clock)
    generation_id = await generation(database, clock)
    report = await moderation.report(1, generation_id, by=6, reason=None)

    for moderator in (9, 8):
        report = await moderation.conclude(report, Outcome.BLOCKED, by=moderator, member_id=5)
        await moderation.unblock(1, 5, by=7)

    assert report.outcomes == {Outcome.BLOCKED: 9}
    assert moderation.blocked(1) == []
    done = [(each.member_id, each.action) for each in (await servers.audited(1)).entries]
    assert done == [(7, "unblock"), (9, "block")]


async def test_moderators_are_told_of_a_member_whose_requests_are_refused_where_they_have_a_channel(
    database: Database, servers: Servers, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    noted = NotedFlags()
    await servers.change(1, by=9, report_channel=77)
    async with Tasks(grace_s=1.0) as tasks:
        moderation = await moderation_on(database, servers, clock, moderators=noted, tasks=tasks)
        for guild_id in (1, 2, None):
            moderation.flag(guild_id, 5, category="sexual content", times=3)
    async with Tasks(grace_s=1.0) as tasks:
        noted.is_reachable = False
        moderation = await moderation_on(database, servers, clock, moderators=noted, tasks=tasks)
        moderation.flag(1, 5, category="sexual content", times=4)

    assert noted.flags == [(77, Flag(member_id=5, category="sexual content", times=3))]
    assert "were not told" in caplog.text
    assert not tasks.failure.done()
