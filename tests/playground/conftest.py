"""A running playground, a bot connected to it, and a world without sockets."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from itertools import count

import aiohttp
import pytest
from hypothesis import strategies as st

from playground.clock import Snowflakes
from playground.model import Event
from playground.server import Playground
from playground.state import State
from playground.world import build_world, default_token
from tests.playground.tiny_bot import TinyBot, connected

# Whatever a bot could send instead of components.
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 20) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "type",
                    "components",
                    "component",
                    "content",
                    "items",
                    "media",
                    "url",
                    "accessory",
                    "style",
                    "id",
                    "options",
                ]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=20,
)


@pytest.fixture
async def playground() -> AsyncIterator[Playground]:
    async with Playground.run() as running:
        yield running


@pytest.fixture
async def bot(playground: Playground, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[TinyBot]:
    async with connected(playground, monkeypatch) as client:
        yield client


@pytest.fixture
async def http(playground: Playground) -> AsyncIterator[aiohttp.ClientSession]:
    """A client with the bot's token, for paths below the playground's address."""
    headers = {"Authorization": f"Bot {playground.token}"}
    async with aiohttp.ClientSession(playground.url, headers=headers) as session:
        yield session


@dataclass(slots=True)
class World:
    """A state, the events that it published, and a clock that stands still until it is told otherwise."""

    now_s: float = 1_790_000_000.0
    events: list[Event] = field(default_factory=list[Event])
    state: State = field(init=False)

    def __post_init__(self) -> None:
        tokens = count()
        self.state = build_world(
            token=default_token(),
            now=lambda: self.now_s,
            new_id=Snowflakes(lambda: self.now_s),
            new_token=lambda: f"token{next(tokens)}",
            publish=self.events.append,
        )


@pytest.fixture
def world() -> World:
    return World()
