"""Who may ask, and where."""

from dataclasses import replace

import pytest

from db.connection import Database
from services.admission import Admission, Asker
from services.errors import NotAllowed
from services.moderation import Moderation
from services.servers import Servers
from tests.conftest import Clock
from tests.moderators import moderation_on
from tests.wishes import with_adapters

WISH = with_adapters()
ASKER = Asker(
    member_id=5, guild_id=1, channel_ids=(10,), role_ids=frozenset({7}), is_age_restricted=False, locale="en-US"
)


@pytest.fixture
async def servers(database: Database, clock: Clock) -> Servers:
    return await Servers.read(database, now=clock)


@pytest.fixture
async def moderation(database: Database, servers: Servers, clock: Clock) -> Moderation:
    return await moderation_on(database, servers, clock)


@pytest.fixture
def admission(servers: Servers, moderation: Moderation) -> Admission:
    return Admission(servers=servers, moderation=moderation)


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
