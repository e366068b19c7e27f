import logging

import pytest

from db.connection import Database
from services.refusals import Refusals
from tests.conftest import Clock


async def test_refusals_within_a_day_are_counted_for_each_member_and_server(database: Database, clock: Clock) -> None:
    refusals = Refusals(database, now=clock)

    assert await refusals.note(scope="guild:1", member_id=5, category="sexual") == 1
    clock.advance(hours=23)
    assert await refusals.note(scope="guild:1", member_id=5, category="gore") == 2
    assert await refusals.note(scope="guild:2", member_id=5, category="gore") == 1
    assert await refusals.note(scope="guild:1", member_id=6, category="gore") == 1
    clock.advance(hours=1)
    assert await refusals.note(scope="guild:1", member_id=5, category="gore") == 2


async def test_the_log_tells_who_where_and_why(
    database: Database, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        await Refusals(database, now=clock).note(scope="guild:1", member_id=5, category="sexual")

    assert caplog.messages == ["member 5 was refused in guild:1: sexual, 1 within a day"]
