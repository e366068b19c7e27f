import contextlib
import sqlite3
import sys
from collections.abc import AsyncGenerator, AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
import pytest

from db.connection import Database
from services import doctor
from services.config import Settings
from services.doctor import Finding, Findings
from services.image_check import ImageCheck
from services.metrics import Metrics
from services.public import PublicAddresses
from services.web import Doors, serve
from tests.conftest import Clock
from tests.photographs import astronaut
from tests.saved_faces import KEY, attached, faces_on
from tests.servers import recording_server

PORT_OF_NOBODY = 1
OTHER_KEY = b"o" * 32


def the_problem(findings: Findings) -> str:
    (finding,) = findings
    assert finding.is_problem
    return finding.text


def all_is_well(findings: Findings) -> str:
    (finding,) = findings
    assert not finding.is_problem
    return finding.text


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as opened:
        yield opened


@pytest.fixture
async def path(tmp_path: Path) -> Path:
    """A database that a bot has made and left."""
    async with Database.open(tmp_path / "bot.db") as database, database.transaction() as connection:
        for number in range(300):
            await connection.execute("INSERT INTO command_guilds VALUES (?)", (number,))
    return tmp_path / "bot.db"


def test_a_finding_is_a_line_that_begins_with_its_worth() -> None:
    assert str(Finding(subject="disk", text="it is full.", is_problem=True)) == "FIX disk: it is full."
    assert str(Finding(subject="disk", text="all is well.", is_problem=False)) == "OK  disk: all is well."


async def test_a_check_that_fails_itself_is_a_problem_and_ends_nothing() -> None:
    async def check() -> Findings:
        raise ZeroDivisionError("seven")

    assert "ZeroDivisionError: seven" in the_problem(await doctor.checked("anything", check()))


# The database


async def test_a_database_says_whether_a_bot_runs_on_it(path: Path) -> None:
    left = all_is_well(await doctor.check_database(path))
    async with Database.open(path, owner_wait_s=0.0):
        owned = all_is_well(await doctor.check_database(path))

    assert left.endswith("is whole, no bot runs on it.")
    assert owned.endswith("is whole, a bot runs on it.")


def names(folder: Path) -> set[str]:
    return {each.name for each in folder.iterdir()}


async def test_looking_at_a_database_leaves_no_files(path: Path) -> None:
    before = names(path.parent)
    await doctor.check_database(path)

    assert names(path.parent) == before


async def test_a_database_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    assert "not there yet" in all_is_well(await doctor.check_database(tmp_path / "data" / "bot.db"))
    assert not names(tmp_path)


async def test_a_file_that_is_no_database_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "bot.db").write_bytes(b"no database at all" * 100)

    assert "put a backup in its place" in the_problem(await doctor.check_database(tmp_path / "bot.db"))


def damage(path: Path) -> None:
    """Spoil the page where a table begins."""
    with contextlib.closing(sqlite3.connect(path)) as connection:
        (size,) = connection.execute("PRAGMA page_size").fetchone()
        (root,) = connection.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'command_guilds'").fetchone()
    pages = bytearray(path.read_bytes())
    pages[(root - 1) * size : root * size] = b"\x0d" + b"\xff" * (size - 1)
    path.write_bytes(pages)


async def test_a_damaged_page_is_a_problem(path: Path) -> None:
    damage(path)

    assert "is damaged" in the_problem(await doctor.check_database(path))


async def test_another_schema_is_told(path: Path) -> None:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 99")
    newer = the_problem(await doctor.check_database(path))
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 0")
    older = all_is_well(await doctor.check_database(path))

    assert "Install that version" in newer
    assert "upgrades it from schema 0" in older


# The machine


async def test_too_little_room_is_a_problem(tmp_path: Path) -> None:
    path = tmp_path / "not" / "there" / "bot.db"

    assert "are free" in all_is_well(await doctor.check_disk(path, free_bytes_min=1))
    assert "Make room" in the_problem(await doctor.check_disk(path, free_bytes_min=2**60))


async def test_the_detector_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    works = all_is_well(await doctor.check_detector(detect=True))
    off = all_is_well(await doctor.check_detector(detect=False))
    monkeypatch.setitem(sys.modules, "dlib", None)
    missing = the_problem(await doctor.check_detector(detect=True))

    assert "no face in an empty picture" in works
    assert "FACE_DETECTION is off" in off
    assert "FACE_DETECTION=off" in missing


async def test_the_keys_of_saved_faces_are_tried(tmp_path: Path, clock: Clock) -> None:
    path, key_file = tmp_path / "faces.db", tmp_path / "faces.key"
    none_yet = all_is_well(await doctor.check_faces(path, ()))
    async with Database.open(path) as database, faces_on(database, clock) as faces:
        for name, keys in (("Ada", (KEY, OTHER_KEY)), ("Eva", (KEY,)), ("Ida", (OTHER_KEY,))):
            await faces(*keys).save(5, name, [attached(astronaut())])
    both = all_is_well(await doctor.check_faces(path, (KEY, OTHER_KEY)))
    one = the_problem(await doctor.check_faces(path, (OTHER_KEY,)))
    neither = the_problem(await doctor.check_faces(path, ()))
    key_file.write_bytes(b"no key")
    spoilt = the_problem(await doctor.check_faces(path, ()))

    assert none_yet == "there are none yet."
    assert both == "their key opens them."
    assert one.startswith("2 of their photos cannot be opened. Put their key back")
    assert neither.startswith("3 of their photos cannot be opened.")
    assert "faces.key cannot be used" in spoilt


async def test_a_checker_of_the_operators_is_asked_once(session: aiohttp.ClientSession, clock: Clock) -> None:
    async def never(_seconds: float) -> None:
        raise AssertionError("nobody waits here")

    async with recording_server() as server:
        check = ImageCheck(
            session, url=f"{server.url}/check", key="k-1", waits_s=(1.0,), sleep=never, metrics=Metrics(now=clock)
        )
        server.answer({"ok": True})
        server.answer({"ok": False, "reason": "empty"})
        server.answer({"verdict": "fine"})
        server.answer({}, status=401)
        passes = all_is_well(await doctor.check_image_check(check))
        refuses = all_is_well(await doctor.check_image_check(check))
        unclear = the_problem(await doctor.check_image_check(check))
        closed = the_problem(await doctor.check_image_check(check))

    assert "unchecked" in all_is_well(await doctor.check_image_check(None))
    assert (passes, refuses) == (
        "it answers, and passes an empty picture.",
        "it answers, and refuses an empty picture.",
    )
    assert "docs/safety.md" in unclear
    assert "answered 401" in closed
    assert len(server.asked) == 4


@pytest.mark.parametrize(("off_s", "way"), [(3600, "ahead of"), (-3600, "behind")])
async def test_a_clock_that_is_wrong_is_told_with_its_way(
    session: aiohttp.ClientSession, off_s: float, way: str
) -> None:
    async with recording_server() as discord:
        discord.answer({})
        right = all_is_well(await doctor.check_clock(session, discord.url, lambda: datetime.now(UTC)))
        wrong = the_problem(
            await doctor.check_clock(session, discord.url, lambda: datetime.now(UTC) + timedelta(seconds=off_s))
        )

    assert "agrees" in right
    assert f"{way} Discord's" in wrong


async def test_a_time_that_cannot_be_read_is_told(session: aiohttp.ClientSession, clock: Clock) -> None:
    async with recording_server() as discord:
        discord.answer({}, headers={"Date": "yesterday"})
        unreadable = the_problem(await doctor.check_clock(session, discord.url, clock))
    unreachable = the_problem(await doctor.check_clock(session, f"http://127.0.0.1:{PORT_OF_NOBODY}", clock))

    assert "ValueError" in unreadable
    assert "Check the network" in unreachable


# PUBLIC_URL


def settings(path: Path, public_url: str, port: int = PORT_OF_NOBODY) -> Settings:
    return Settings.from_env(
        {
            "DISCORD_TOKEN": "token",
            "IMAGEPIPELINE_API_KEY": "key",
            "DATABASE_URL": f"sqlite:///{path}",
            "PUBLIC_URL": public_url,
            "HTTP_PORT": str(port),
        }
    )


@contextlib.asynccontextmanager
async def running(path: Path, clock: Clock, *, metrics: bytes | None = None) -> AsyncGenerator[int]:
    """A bot's database and its small server; yields the port."""

    async def no_photo(_generation_id: int, _number: int) -> None:
        return None

    async def page() -> bytes:
        return metrics or b""

    async with Database.open(path) as database:
        addresses = await PublicAddresses.of(database, "https://bot.example", now=clock)
        doors = Doors(addresses=addresses, hooked=lambda _job_id, _body: None, photo=no_photo)
        async with serve(
            host="127.0.0.1", port=0, is_ready=lambda: True, doors=doors, metrics=page if metrics else None
        ) as port:
            yield port


async def test_an_address_that_leads_to_this_bot_is_recognised(
    session: aiohttp.ClientSession, path: Path, clock: Clock
) -> None:
    async with running(path, clock) as port:
        url = f"http://127.0.0.1:{port}"
        found = all_is_well(await doctor.check_public(session, settings(path, url), now=clock))

    assert found == f"{url} leads to this bot."


async def test_an_address_that_leads_to_another_bot_is_not_taken_for_this_one(
    session: aiohttp.ClientSession, path: Path, clock: Clock, tmp_path: Path
) -> None:
    async with running(tmp_path / "other.db", clock) as port, Database.open(path):
        found = the_problem(await doctor.check_public(session, settings(path, f"http://127.0.0.1:{port}"), now=clock))

    assert "something else than this bot (it answers 404)" in found


@pytest.mark.parametrize(
    ("status", "advice"),
    [
        (200, "See docs/webhooks.md"),
        (405, "See docs/webhooks.md"),
        (301, "the address that it redirects to"),
        (502, "does not reach the bot at HTTP_HOST and HTTP_PORT"),
    ],
)
async def test_what_else_may_answer_is_told_with_what_to_do(
    session: aiohttp.ClientSession, path: Path, clock: Clock, status: int, advice: str
) -> None:
    async with recording_server() as other, Database.open(path):
        other.answer("", status=status, headers={"Location": "https://elsewhere.example/"})
        found = the_problem(await doctor.check_public(session, settings(path, other.url), now=clock))

    assert advice in found


async def test_nothing_that_answers_is_told(session: aiohttp.ClientSession, path: Path, clock: Clock) -> None:
    async with Database.open(path):
        url = f"http://127.0.0.1:{PORT_OF_NOBODY}"
        found = the_problem(await doctor.check_public(session, settings(path, url), now=clock))

    assert "does not answer from here" in found
    assert f"curl -i {url}/hooks/a/b" in found


async def test_metrics_that_everybody_can_read_are_a_problem(
    session: aiohttp.ClientSession, path: Path, clock: Clock
) -> None:
    async with running(path, clock, metrics=b"facelock_build_info 1") as port:
        found = the_problem(await doctor.check_public(session, settings(path, f"http://127.0.0.1:{port}"), now=clock))

    assert "Let the proxy forward /hooks and /photos alone" in found


async def test_a_port_that_another_program_has_is_told(
    session: aiohttp.ClientSession, path: Path, clock: Clock
) -> None:
    async with recording_server() as other:
        port = int(other.url.rpartition(":")[2])
        found = the_problem(await doctor.check_public(session, settings(path, other.url, port), now=clock))

    assert "Another program has this port" in found
