"""Who may ask, and where."""

from dataclasses import replace

import pytest

from db.connection import Database
from services.admission import Admission, Asker
from services.errors import NotAllowed, PromptRefused
from services.moderation import Flag, Moderation
from services.policy.policy import Policy
from services.refusals import Refusals
from services.remakes import drafted
from services.servers import Servers
from services.tasks import Tasks
from tests.conftest import Clock
from tests.moderators import NotedFlags, moderation_on
from tests.wishes import face, with_adapters

WISH = with_adapters()
ASKER = Asker(
    member_id=5, guild_id=1, channel_ids=(10,), role_ids=frozenset({7}), is_age_restricted=False, locale="en-US"
)


POLICY = Policy(allows_adult=True)


@pytest.fixture
async def servers(database: Database, clock: Clock) -> Servers:
    return await Servers.read(database, now=clock)


@pytest.fixture
async def moderation(database: Database, servers: Servers, clock: Clock) -> Moderation:
    return await moderation_on(database, servers, clock)


@pytest.fixture
def admission(servers: Servers, moderation: Moderation, database: Database, clock: Clock) -> Admission:
    refusals = Refusals(database, now=clock)
    return Admission(servers=servers, moderation=moderation, policy=POLICY, refusals=refusals)


async def test_everybody_may_ask_everywhere_until_a_server_says_otherwise(admission: Admission) -> None:
    assert await admission.admit(ASKER, WISH) == WISH


async def test_a_server_can_name_its_channels(servers: Servers, admission: Admission) -> None:
    await servers.change(1, by=9, channels=(11, 12))

    with pytest.raises(NotAllowed, match="<#11>, <#12>"):
        await admission.admit(ASKER, WISH)
    thread = replace(ASKER, channel_ids=(99, 12))
    assert await admission.admit(thread, WISH) == WISH
    assert await admission.admit(replace(ASKER, guild_id=2), WISH) == WISH
    assert await admission.admit(replace(ASKER, guild_id=None), WISH) == WISH


async def test_a_server_can_name_the_roles_that_may_ask(servers: Servers, admission: Admission) -> None:
    await servers.change(1, by=9, roles=(8,))

    with pytest.raises(NotAllowed, match="<@&8>"):
        await admission.admit(ASKER, WISH)
    assert await admission.admit(replace(ASKER, role_ids=frozenset({7, 8})), WISH) == WISH


async def test_channels_and_roles_that_are_gone_are_named_as_that(servers: Servers, admission: Admission) -> None:
    await servers.change(1, by=9, channels=(11, 12), roles=(8,))
    half = replace(ASKER, gone_ids=frozenset({11}))
    gone = replace(ASKER, gone_ids=frozenset({11, 12, 8}))

    with pytest.raises(NotAllowed, match="in these channels of this server: <#12>\\."):
        await admission.admit(half, WISH)
    with pytest.raises(NotAllowed, match=r"The channels that this server has chosen .* do not exist any more"):
        await admission.admit(gone, WISH)
    with pytest.raises(NotAllowed, match=r"The roles that this server has chosen .* do not exist any more"):
        await admission.admit(replace(gone, channel_ids=(12,)), WISH)


async def test_who_is_blocked_may_not_ask(moderation: Moderation, admission: Admission) -> None:
    await moderation.block(1, 5, by=9)

    with pytest.raises(NotAllowed, match="You are blocked"):
        await admission.admit(ASKER, WISH)
    assert await admission.admit(replace(ASKER, guild_id=2), WISH) == WISH


async def test_a_draft_is_held_to_the_steps_of_its_full_picture(servers: Servers, admission: Admission) -> None:
    await servers.change(1, by=9, steps_max=29)

    with pytest.raises(NotAllowed, match="at most 29 steps, and this would be 30"):
        await admission.admit(ASKER, drafted(WISH))
    await servers.change(1, by=9, steps_max=30)
    assert await admission.admit(ASKER, drafted(WISH)) == drafted(WISH)


async def test_what_the_policy_refuses_is_written_down_without_its_words(
    admission: Admission, database: Database
) -> None:
    with pytest.raises(PromptRefused):
        await admission.admit(ASKER, with_adapters("naked", face()))

    async with database.connection() as connection:
        (row,) = await connection.execute_fetchall("SELECT * FROM refusals")
    assert (row["scope"], row["member_id"], row["category"]) == ("guild:1", 5, "sexual")
    assert "naked" not in str(tuple(row))


async def test_who_is_refused_again_and_again_is_shown_to_the_moderators(
    servers: Servers, database: Database, clock: Clock
) -> None:
    await servers.change(1, by=9, report_channel=77)
    noted = NotedFlags()
    flagged_at: list[int] = []
    for number, hours in enumerate((0, 25, 1, 1, 1, 1, 1)):
        clock.advance(hours=hours)
        async with Tasks(grace_s=1) as tasks:
            moderation = await moderation_on(database, servers, clock, moderators=noted, tasks=tasks)
            refusals = Refusals(database, now=clock)
            admission = Admission(servers=servers, moderation=moderation, policy=POLICY, refusals=refusals)
            with pytest.raises(PromptRefused):
                await admission.admit(ASKER, with_adapters("naked", face()))
        flagged_at += [number] * (len(noted.flags) - len(flagged_at))

    assert flagged_at == [3, 6]
    assert noted.flags[0] == (77, Flag(member_id=5, category="sexual", times=3))


async def test_pictures_for_adults_become_spoilers_and_a_later_wish_that_is_none_does_not(admission: Admission) -> None:
    adult = await admission.admit(replace(ASKER, is_age_restricted=True), with_adapters("a naked woman"))
    assert adult.is_spoiler

    with pytest.raises(PromptRefused, match="age-restricted channels"):
        await admission.admit(ASKER, adult)
    assert not (await admission.admit(ASKER, replace(adult, prompt="a quiet harbour"))).is_spoiler
