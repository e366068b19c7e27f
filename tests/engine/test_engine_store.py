import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from engine.errors import NotFoundError, StartError
from engine.store import FileStore
from tests.engine.pictures import PIXEL
from tests.engine.support import Clock

TTL = timedelta(minutes=60)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(tmp_path: Path, clock: Clock) -> Iterator[FileStore]:
    with FileStore(tmp_path, ttl=TTL, now=clock.now) as store:
        yield store


def test_a_result_is_read_by_its_name_with_its_type(store: FileStore) -> None:
    name = store.add(PIXEL)

    assert (store.read(name).data, store.read(name).content_type) == (PIXEL, "image/png")


def test_names_are_long_and_never_the_same(store: FileStore) -> None:
    names = {store.add(PIXEL) for _ in range(50)}

    assert len(names) == 50
    assert all(len(name) == 64 for name in names)


def test_a_result_expires_to_the_second(store: FileStore, clock: Clock) -> None:
    name = store.add(PIXEL)
    clock.pass_time(TTL - timedelta(seconds=1))
    assert store.read(name).data == PIXEL

    clock.pass_time(timedelta(seconds=1))

    with pytest.raises(NotFoundError):
        store.read(name)


def test_a_sweep_deletes_what_has_expired_and_nothing_else(store: FileStore, clock: Clock, tmp_path: Path) -> None:
    mine = tmp_path / "files" / "holiday.png"
    mine.write_bytes(PIXEL)
    os.utime(mine, (0, 0))
    old = store.add(PIXEL)
    clock.pass_time(TTL)
    young = store.add(PIXEL)

    assert store.sweep() == 1

    assert {path.name for path in (tmp_path / "files").iterdir()} == {mine.name, young}
    assert old != young


def test_a_restart_on_the_same_folder_still_has_the_results(store: FileStore, clock: Clock, tmp_path: Path) -> None:
    name = store.add(PIXEL)

    with FileStore(tmp_path, ttl=TTL, now=clock.now) as restarted:
        assert restarted.read(name).data == PIXEL


@pytest.mark.parametrize("name", ["", "x", "../store.py", "A" * 64, "a" * 64, "a" * 65, "a" * 63 + "/", "\0" * 64])
def test_a_name_that_was_never_given_is_not_found(store: FileStore, name: str) -> None:
    with pytest.raises(NotFoundError):
        store.read(name)


def test_a_temporary_folder_goes_with_the_store(clock: Clock) -> None:
    with FileStore(None, ttl=TTL, now=clock.now) as store:
        name = store.add(PIXEL)
        assert store.read(name).data == PIXEL

    with pytest.raises(NotFoundError):
        store.read(name)


def test_a_folder_of_ones_own_stays(clock: Clock, tmp_path: Path) -> None:
    with FileStore(tmp_path / "new" / "data", ttl=TTL, now=clock.now) as store:
        name = store.add(PIXEL)

    assert (tmp_path / "new" / "data" / "files" / name).read_bytes() == PIXEL


def test_a_file_in_the_way_of_the_folder_is_told(clock: Clock, tmp_path: Path) -> None:
    (tmp_path / "data").write_text("I am a file")

    with (
        pytest.raises(StartError, match="cannot be used for results"),
        FileStore(tmp_path / "data", ttl=TTL, now=clock.now),
    ):
        pass
