from datetime import UTC, datetime

from db import generations
from db.connection import Database
from tests.generations import new_generation

NOW = datetime(2026, 11, 21, tzinfo=UTC)


async def generation(database: Database) -> int:
    new = new_generation(scope="guild:3", channel_id=4)
    async with database.transaction() as connection:
        generation_id = await generations.insert(connection, new, NOW)
    assert generation_id is not None
    return generation_id


async def shown_in(database: Database, *message_ids: int) -> list[int | None]:
    async with database.connection() as connection:
        found = [await generations.of_message(connection, message_id) for message_id in message_ids]
    return [each.id if each else None for each in found]


async def test_the_last_message_that_shows_a_generation_leads_to_it(database: Database) -> None:
    generation_id = await generation(database)
    assert await shown_in(database, 70) == [None]

    async with database.transaction() as connection:
        await generations.set_message(connection, generation_id, 70)
    assert await shown_in(database, 70, 71) == [generation_id, None]

    async with database.transaction() as connection:
        await generations.mark_shown(
            connection, generation_id, version=1, message_id=71, direct_channel_id=None, at=NOW
        )
    assert await shown_in(database, 70, 71) == [None, generation_id]


async def test_a_message_is_looked_up_without_reading_the_whole_history(database: Database) -> None:
    async with database.connection() as connection:
        sql = "EXPLAIN QUERY PLAN SELECT * FROM generations WHERE message_id = :message_id"
        (step,) = await connection.execute_fetchall(sql, {"message_id": 70})

    assert "USING INDEX generations_by_message" in step["detail"]
