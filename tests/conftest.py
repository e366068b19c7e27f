"""What every test shares: nothing may be lost silently, neither an exception in a task nor a skipped test."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from db.connection import Database


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--no-skips", action="store_true", help="fail the run when any test was skipped")


@pytest.hookimpl(wrapper=True)
def pytest_sessionfinish(session: pytest.Session) -> Iterator[None]:
    yield
    reporter: Any = session.config.pluginmanager.get_plugin("terminalreporter")
    skipped: int = len(reporter.stats.get("skipped", ())) if reporter else 0
    if skipped and session.config.getoption("--no-skips"):
        reporter.write_line(f"{skipped} tests were skipped, and this run allows none", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.fixture(autouse=True)
async def lost_exceptions_fail_the_test() -> AsyncIterator[None]:
    """A task that dies unseen is reported to the loop's exception handler only; here that fails the test."""
    lost: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: lost.append(context))
    yield
    assert not lost, f"the event loop was told of lost exceptions: {lost}"


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    """A real, empty database in a file."""
    async with Database.open(tmp_path / "facelock.db", owner_wait_s=0.0) as opened:
        yield opened


class Clock:
    """A wall clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **by: float) -> None:
        """``advance(hours=1)``; any argument of ``timedelta``."""
        self.now += timedelta(**by)


@pytest.fixture
def clock() -> Clock:
    return Clock()
