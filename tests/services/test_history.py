from datetime import UTC, datetime

import pytest

from db import generations
from db.connection import Database
from services.history import PAGE, History, Page
from tests.generations import new_generation
from tests.wishes import with_adapters

NOW = datetime(2026, 11, 21, tzinfo=UTC)


async def asked(database: Database, *prompts: str, member_id: int = 5, scope: str = "guild:3") -> None:
    """Requests with these prompts, oldest first."""
    async with database.transaction() as connection:
        for prompt in prompts:
            rows = await connection.execute_fetchall("SELECT count(*) FROM generations")
            new = new_generation(
                interaction_id=next(iter(rows))[0],
                scope=scope,
                channel_id=4,
                member_id=member_id,
                wish=with_adapters(prompt).to_json(),
            )
            await generations.insert(connection, new, NOW)


def ids(page: Page) -> list[int]:
    return [each.id for each in page.generations]


async def test_pages_are_newest_first_and_lead_there_and_back(database: Database) -> None:
    await asked(database, *"abcdefghijkl")
    history = History(database)

    first = await history.older(member_id=5, scope=None, search="")
    second = await history.older(member_id=5, scope=None, search="", before=8)
    third = await history.older(member_id=5, scope=None, search="", before=3)
    back = await history.newer(member_id=5, scope=None, search="", after=2)
    front = await history.newer(member_id=5, scope=None, search="", after=7)

    assert [ids(page) for page in (first, second, third)] == [[12, 11, 10, 9, 8], [7, 6, 5, 4, 3], [2, 1]]
    assert [(page.has_newer, page.has_older) for page in (first, second, third)] == [
        (False, True),
        (True, True),
        (True, False),
    ]
    assert (back, front) == (second, first)


async def test_a_page_that_is_just_full_has_nothing_older(database: Database) -> None:
    await asked(database, *"abcde")

    page = await History(database).older(member_id=5, scope=None, search="")

    assert (len(page.generations), page.has_newer, page.has_older) == (PAGE, False, False)


async def test_it_is_ones_own_and_from_one_scope_alone(database: Database) -> None:
    await asked(database, "mine")
    await asked(database, "elsewhere", scope="guild:4")
    await asked(database, "somebody else's", member_id=6)
    history = History(database)

    assert ids(await history.older(member_id=5, scope="guild:3", search="")) == [1]
    assert ids(await history.older(member_id=5, scope=None, search="")) == [2, 1]
    assert ids(await history.newer(member_id=5, scope="guild:3", search="", after=0)) == [1]


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("HARBOUR", [2, 1]),
        ("night harbour", [2]),
        ("élan ÜBER", [3]),
        ("%", [4]),
        ("0_0", [5]),
        ("\\", [6]),
        ("sdxl", []),
    ],
)
async def test_all_words_have_to_be_in_the_prompt_and_signs_mean_themselves(
    database: Database, search: str, found: list[int]
) -> None:
    await asked(database, "a quiet Harbour", "harbour at NIGHT", "Élan über alles", "100 %", "0_0 and 000", "a\\b")
    history = History(database)

    assert ids(await history.older(member_id=5, scope=None, search=search)) == found
    assert ids(await history.newer(member_id=5, scope=None, search=search, after=0)) == found


@pytest.mark.parametrize("order", ["id < 9 ORDER BY id DESC", "id > 9 ORDER BY id"])
async def test_a_page_is_read_without_reading_everybodys_history(database: Database, order: str) -> None:
    async with database.connection() as connection:
        sql = f"EXPLAIN QUERY PLAN SELECT * FROM generations WHERE member_id = 5 AND {order} LIMIT 6"  # noqa: S608 - from here
        (step,) = await connection.execute_fetchall(sql)

    assert "USING INDEX generations_by_member" in step["detail"]
