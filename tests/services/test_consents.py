"""Which rule of consent counts where. What members and hostile members meet is tested end to end."""

import pytest

from db.connection import Database
from services.consents import Consents, Rule
from services.servers import Servers
from tests.conftest import Clock


@pytest.mark.parametrize(
    ("operators", "servers_own", "counts"),
    [
        (Rule.ASK, None, Rule.ASK),
        (Rule.ASK, "self", Rule.SELF),
        (Rule.ASK, "off", Rule.ASK),
        (Rule.OFF, "from a newer version", Rule.SELF),
    ],
)
async def test_the_stricter_of_the_operators_and_the_servers_rule_counts(
    database: Database, clock: Clock, operators: Rule, servers_own: str | None, counts: Rule
) -> None:
    servers = await Servers.read(database, now=clock)
    await servers.change(1, by=5, consent=servers_own)
    consents = Consents(database, rule=operators, servers=servers, now=clock)

    assert consents.rule_in(1) is counts
    assert consents.rule_in(None) is consents.rule_in(2) is operators
