from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from db.connection import Database
from services.public import PublicAddresses
from tests.conftest import Clock
from tests.services.web.outside import BASE, JPEG, Outside, served


@pytest.fixture
async def outside(database: Database, clock: Clock, tmp_path: Path) -> Outside:
    (tmp_path / "0.jpg").write_bytes(JPEG)
    return Outside(await PublicAddresses.of(database, BASE, now=clock), tmp_path)


@pytest.fixture
async def bot(outside: Outside) -> AsyncIterator[Outside]:
    async with served(outside):
        yield outside
