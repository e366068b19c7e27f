from collections.abc import AsyncIterator

import pytest

from db.connection import Database
from services.faces import Faces
from tests.conftest import Clock
from tests.saved_faces import KEY, faces_on


@pytest.fixture
async def faces(database: Database, clock: Clock) -> AsyncIterator[Faces]:
    async with faces_on(database, clock) as make:
        yield make(KEY)
