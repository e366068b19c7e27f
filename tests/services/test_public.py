from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from db.connection import Database
from services.public import Hook, Photo, PublicAddresses
from tests.conftest import Clock

JOB = "0f8fad5b-d9cb-469f-a165-70867728950e"
BASE = "https://bot.example/facelock"


@pytest.fixture
async def addresses(database: Database, clock: Clock) -> PublicAddresses:
    return await PublicAddresses.of(database, f"{BASE}/", now=clock)


def path_of(url: str) -> str:
    """As the bot's own server sees it, behind a proxy that takes the prefix away."""
    return url.removeprefix(BASE)


def test_a_hook_is_below_the_public_url_and_leads_to_its_job(addresses: PublicAddresses) -> None:
    url = addresses.hook(JOB)

    assert url.startswith(f"{BASE}/hooks/{JOB}/")
    assert addresses.read(path_of(url)) == Hook(JOB)


def test_a_hook_is_the_same_every_time_and_never_gets_too_old(addresses: PublicAddresses, clock: Clock) -> None:
    url = addresses.hook(JOB)
    clock.advance(days=1000)

    assert addresses.hook(JOB) == url
    assert addresses.read(path_of(url)) == Hook(JOB)


def test_a_photo_is_a_jpeg_by_its_name_and_has_no_query(addresses: PublicAddresses, clock: Clock) -> None:
    url = addresses.photo(7, 1, clock.now + timedelta(minutes=5))

    assert url.startswith(f"{BASE}/photos/7/1/")
    assert url.endswith(".jpg")
    assert not urlsplit(url).query
    assert addresses.read(path_of(url)) == Photo(7, 1)


def test_a_photo_is_over_at_the_end_of_its_minute(addresses: PublicAddresses, clock: Clock) -> None:
    path = path_of(addresses.photo(7, 1, clock.now + timedelta(minutes=4, microseconds=1)))

    clock.advance(minutes=4, seconds=59.999)
    in_time = addresses.read(path)
    clock.advance(seconds=0.001)
    late = addresses.read(path)

    assert (in_time, late) == (Photo(7, 1), None)


def test_a_photo_until_a_full_minute_is_not_given_another(addresses: PublicAddresses, clock: Clock) -> None:
    path = path_of(addresses.photo(7, 1, clock.now + timedelta(minutes=1)))

    clock.advance(minutes=1)

    assert addresses.read(path) is None


def test_a_moment_before_1970_is_over_too(addresses: PublicAddresses) -> None:
    assert addresses.read(path_of(addresses.photo(7, 1, datetime(1969, 1, 1, tzinfo=UTC)))) is None


@pytest.mark.parametrize("number", [0, 2])
def test_a_signature_is_for_one_photo(addresses: PublicAddresses, clock: Clock, number: int) -> None:
    path = path_of(addresses.photo(7, 1, clock.now + timedelta(minutes=5)))

    assert addresses.read(path.replace("/7/1/", f"/7/{number}/")) is None


def test_an_expiry_cannot_be_put_off(addresses: PublicAddresses, clock: Clock) -> None:
    path = path_of(addresses.photo(7, 1, clock.now + timedelta(minutes=5)))
    minutes = path.split("/")[4]

    assert addresses.read(path.replace(minutes, f"{int(minutes) + 1}")) is None
    assert addresses.read(path.replace(minutes, f"0{minutes}")) is None


def test_the_signature_of_a_hook_opens_no_photo(addresses: PublicAddresses) -> None:
    signature = addresses.hook("7").rpartition("/")[2]

    assert addresses.read(f"/photos/7/1/99999999/{signature}.jpg") is None


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/",
        "*",
        "/hooks",
        f"/hooks/{JOB}",
        f"/hooks/{JOB}/",
        f"/hooks/{JOB}/{'A' * 43}",
        f"/hooks/{JOB}/{'é' * 43}",
        f"/hooks/../{JOB}/{'A' * 43}",
        "/hooks//",
        "/photos/1/1/99999999/.jpg",
        f"/photos/{'9' * 5000}/1/99999999/{'A' * 43}.jpg",
        f"/photos/x/y/z/{'A' * 43}.jpg",
        "/photos/../../../../etc/passwd",
        "/photos/..%2f..%2f..%2fetc%2fpasswd",
    ],
)
def test_everything_else_leads_nowhere(addresses: PublicAddresses, path: str) -> None:
    assert addresses.read(path) is None


@pytest.mark.parametrize("tail", ["/", "x", "?a=1", ".jpg", "%00"])
def test_a_genuine_path_with_something_added_leads_nowhere(addresses: PublicAddresses, clock: Clock, tail: str) -> None:
    photo = addresses.photo(7, 1, clock.now + timedelta(minutes=5))

    assert addresses.read(path_of(addresses.hook(JOB)) + tail) is None
    assert addresses.read(path_of(photo) + tail) is None
    assert addresses.read(path_of(photo).removesuffix(".jpg")) is None


async def test_a_restart_with_the_same_database_keeps_all_addresses(tmp_path: Path, clock: Clock) -> None:
    until = clock.now + timedelta(minutes=5)
    async with Database.open(tmp_path / "facelock.db") as database:
        before = await PublicAddresses.of(database, BASE, now=clock)
        hook, photo = before.hook(JOB), before.photo(7, 1, until)

    async with Database.open(tmp_path / "facelock.db") as database:
        after = await PublicAddresses.of(database, BASE, now=clock)

    assert after.read(path_of(hook)) == Hook(JOB)
    assert after.read(path_of(photo)) == Photo(7, 1)
    assert (after.hook(JOB), after.photo(7, 1, until)) == (hook, photo)
