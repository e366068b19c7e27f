"""Saved faces on a real database."""

import base64
import contextlib
from collections.abc import AsyncGenerator, Callable
from datetime import timedelta

from PIL import Image

from db.connection import Database
from db.generations import Source
from services.downloads import Downloads
from services.faces import Faces
from services.photos import Photos
from services.vault import Vault
from tests.conftest import Clock
from tests.photographs import encoded

KEY = b"k" * 32

MakeFaces = Callable[..., Faces]


def attached(image: Image.Image) -> Source:
    """A photo that comes without a server."""
    return Source(url=f"data:image/jpeg;base64,{base64.b64encode(encoded(image)).decode()}")


@contextlib.asynccontextmanager
async def faces_on(database: Database, clock: Clock, *, allow_private: bool = False) -> AsyncGenerator[MakeFaces]:
    """What makes the faces as a life of the bot with these keys has them; without other photos nobody detects faces."""
    async with Photos(detect=False) as unchecked, Downloads(allow_private=allow_private) as downloads:

        def make(*keys: bytes, photos: Photos = unchecked) -> Faces:
            return Faces(
                database,
                vault=Vault(keys),
                photos=photos,
                downloads=downloads,
                unused_max=timedelta(days=90),
                now=clock,
            )

        yield make
