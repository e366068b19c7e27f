"""Who may ask, and where."""

from dataclasses import replace

import pytest

from db.connection import Database
from services.admission import Admission, Asker
from services.errors import NotAllowed, PromptRefused
from services.policy.policy import Policy
from services.refusals import Refusals
from services.servers import Servers
from tests.conftest import Clock
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
def admission(servers: Servers, database: Database, clock: Clock) -> Admission:
    return Admission(servers=servers, policy=POLICY, refusals=Refusals(database, now=clock))


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


async def test_what_the_policy_refuses_is_written_down_without_its_words(
    admission: Admission, database: Database
) -> None:
    with pytest.raises(PromptRefused):
        await admission.admit(ASKER, with_adapters("naked", face()))

    async with database.connection() as connection:
        (row,) = await connection.execute_fetchall("SELECT * FROM refusals")
    assert (row["scope"], row["member_id"], row["category"]) == ("guild:1", 5, "sexual")
    assert "naked" not in str(tuple(row))


async def test_pictures_for_adults_become_spoilers_and_a_later_wish_that_is_none_does_not(admission: Admission) -> None:
    adult = await admission.admit(replace(ASKER, is_age_restricted=True), with_adapters("a naked woman"))
    assert adult.is_spoiler

    with pytest.raises(PromptRefused, match="age restriction"):
        await admission.admit(ASKER, adult)
    assert not (await admission.admit(ASKER, replace(adult, prompt="a quiet harbour"))).is_spoiler
