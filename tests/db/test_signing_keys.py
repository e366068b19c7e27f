import sqlite3

import pytest

from db import signing_keys
from db.connection import Database


async def test_the_first_key_of_a_purpose_is_the_one_that_is_kept(database: Database) -> None:
    async with database.transaction() as connection:
        first = await signing_keys.kept(connection, "hooks", fresh=b"1" * 32)
        again = await signing_keys.kept(connection, "hooks", fresh=b"2" * 32)
        other = await signing_keys.kept(connection, "photos", fresh=b"3" * 32)

    assert (first, again, other) == (b"1" * 32, b"1" * 32, b"3" * 32)


async def test_a_key_that_is_too_short_is_never_kept(database: Database) -> None:
    with pytest.raises(sqlite3.IntegrityError):
        async with database.transaction() as connection:
            await signing_keys.kept(connection, "hooks", fresh=b"1" * 31)
