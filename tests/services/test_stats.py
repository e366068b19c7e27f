import ast
import importlib
import pkgutil
from datetime import date, timedelta
from pathlib import Path

import pytest

import services
from db.connection import Database
from services.errors import GenerationFailed, UserError
from services.generations import Generations
from services.presenter import Shown
from services.quotas import Quota
from services.stats import CAUSES, Cause, StatsReader
from tests.conftest import Clock
from tests.generations import new_generation

SCOPE = "guild:1"
ROOT = Path(__file__).parent.parent.parent


class Past:
    """Requests as they went, at moments that a test chooses."""

    def __init__(self, database: Database, clock: Clock) -> None:
        quota = Quota(images=1_000_000, window=timedelta(hours=1))
        self._generations = Generations(database, quota=quota, unfinished_max=1000, now=clock)
        self._clock = clock
        self._last_id = 0

    async def accepted(self, *, images: int = 1, scope: str = SCOPE) -> int:
        self._last_id += 1
        accepted = await self._generations.accept(
            new_generation(interaction_id=self._last_id, scope=scope, member_id=7, images=images)
        )
        assert accepted is not None
        return accepted

    async def delivered(self, *, after_s: float, images: int = 1, scope: str = SCOPE) -> None:
        """Asked for now, and in Discord so many seconds later; the clock is put back afterwards."""
        number, asked_at = await self.accepted(images=images, scope=scope), self._clock.now
        generation = await self._generations.get(number)
        assert generation is not None
        await self._generations.queue(generation, kind="any", jobs=1, shown=None)
        (job,) = await self._generations.jobs(number)
        await self._generations.start(job.id)
        await self._generations.submitted(job.id, "theirs")
        self._clock.advance(seconds=after_s)
        await self._generations.job_done(job, pictures=images, length=None)
        finished = await self._generations.get(number)
        assert finished is not None
        await self._generations.mark_shown(number, version=finished.version, shown=Shown(message_id=1))
        self._clock.now = asked_at

    async def failed(self, code: str) -> None:
        await self._generations.fail(await self.accepted(), GenerationFailed(code, "A sentence."))

    async def cancelled(self) -> None:
        await self._generations.cancel(await self.accepted())


@pytest.fixture
def past(database: Database, clock: Clock) -> Past:
    return Past(database, clock)


@pytest.fixture
def reader(database: Database, clock: Clock) -> StatsReader:
    return StatsReader(database, now=clock)


async def test_every_day_is_there_also_where_nothing_was_made(reader: StatsReader, clock: Clock) -> None:
    stats = await reader.read(SCOPE, 7)

    assert [day.day for day in stats.days] == [date(2026, 11, 15) + timedelta(days=number) for number in range(7)]
    assert all(day.settled is None for day in stats.days)
    assert stats.settled is None
    assert stats.failed == 0


async def test_images_and_waits_are_counted_on_the_day_of_the_request(
    past: Past, reader: StatsReader, clock: Clock
) -> None:
    for wait_s in range(1, 41):
        await past.delivered(after_s=wait_s, images=2)
    clock.advance(days=1)
    await past.delivered(after_s=300, images=4)

    stats = await reader.read(SCOPE, 7)

    before, today = stats.days[-2].settled, stats.days[-1].settled
    assert before is not None
    assert today is not None
    assert stats.settled is not None
    assert (before.requests, before.images) == (40, 80)
    assert (before.median_s, before.late_s) == (pytest.approx(20, abs=0.01), pytest.approx(38, abs=0.01))
    assert (today.images, today.median_s, today.late_s) == (4, pytest.approx(300), pytest.approx(300))
    assert (stats.settled.requests, stats.settled.images) == (41, 84)
    assert (stats.settled.median_s, stats.settled.late_s) == (pytest.approx(21, abs=0.01), pytest.approx(39, abs=0.01))


async def test_only_the_days_that_were_asked_for_count_and_only_this_server(
    past: Past, reader: StatsReader, clock: Clock
) -> None:
    clock.now = clock.now.replace(hour=23, minute=59)
    await past.delivered(after_s=1, images=3)
    await past.failed("photo")
    clock.advance(minutes=2)
    await past.delivered(after_s=1, images=1)
    await past.delivered(after_s=1, images=4, scope="guild:2")
    clock.advance(days=6)

    stats = await reader.read(SCOPE, 7)

    assert stats.settled is not None
    assert stats.settled.images == 1
    assert stats.failed == 0


async def test_causes_are_put_together_and_the_most_frequent_one_is_first(past: Past, reader: StatsReader) -> None:
    for code in ("photo", "download", "lost", "provider", "internal"):
        await past.failed(code)
    await past.cancelled()
    await past.cancelled()

    stats = await reader.read(SCOPE, 7)

    assert stats.failures[:2] == [(Cause.SERVICE, 3), (Cause.CANCELLED, 2)]
    assert set(stats.failures[2:]) == {(Cause.PHOTO, 1), (Cause.OTHER, 1)}
    assert stats.failed == 7


# Why something is not even accepted, so that nothing of it is to be counted here.
BEFORE = {
    "refused", "restarting", "quota", "budget", "cooldown", "not_allowed", "too_many_reports", "queue_full", "invalid",
    "policy",
}  # fmt: skip


def codes() -> set[str]:
    """Every code that any error of the bot's can have."""
    for module in pkgutil.walk_packages(services.__path__, "services."):
        importlib.import_module(module.name)
    found: set[str] = set()
    kinds: list[type[UserError]] = [UserError]
    while kinds:
        kind = kinds.pop()
        found.add(kind.code)
        kinds += kind.__subclasses__()
    for path in [*ROOT.glob("services/**/*.py"), *ROOT.glob("cogs/**/*.py")]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "GenerationFailed":
                code = node.args[0]
                assert isinstance(code, ast.Constant), f"{path}:{node.lineno}: the code is to be written out"
                found.add(str(code.value))
    return found


def test_every_code_has_a_cause_and_none_is_made_up() -> None:
    assert codes() | {"cancelled"} == BEFORE | CAUSES.keys()
    assert not BEFORE & CAUSES.keys()
    assert {*CAUSES.values(), Cause.OTHER} == set(Cause)


async def test_what_is_under_way_is_not_counted(past: Past, reader: StatsReader) -> None:
    await past.accepted()

    stats = await reader.read(SCOPE, 7)

    assert stats.settled is None
    assert stats.failed == 0


async def test_reading_at_length_keeps_nobody_waiting_and_sees_one_moment(
    past: Past, database: Database, reader: StatsReader
) -> None:
    await past.failed("photo")

    async with database.reading() as connection:
        before = await connection.execute_fetchall("SELECT count(*) FROM generations")
        await past.failed("photo")  # a write, while somebody reads
        after = await connection.execute_fetchall("SELECT count(*) FROM generations")

    assert [tuple(row) for row in before] == [tuple(row) for row in after] == [(1,)]
    assert (await reader.read(SCOPE, 7)).failed == 2
