import asyncio

import pytest

from services.tasks import Tasks


async def test_what_is_under_way_may_finish_and_what_only_waits_is_broken_off() -> None:
    finished: list[str] = []
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def sending() -> None:
        begun.set()
        await go_on.wait()
        finished.append("sent")

    async with Tasks(grace_s=5.0) as tasks:
        tasks.spawn(sending(), "sending")
        tasks.spawn(tasks.sleep(3600), "waiting")
        await begun.wait()
        asyncio.get_running_loop().call_soon(go_on.set)

    assert finished == ["sent"]


async def test_what_does_not_finish_in_the_grace_is_cancelled() -> None:
    cancelled = asyncio.Event()

    async def hang() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.set()
            raise

    async with Tasks(grace_s=0.01) as tasks:
        tasks.spawn(hang(), "hang")
        await asyncio.sleep(0)

    assert cancelled.is_set()


async def test_nothing_new_starts_or_begins_to_wait_once_the_end_has_come() -> None:
    reached: list[str] = []
    begun = asyncio.Event()

    async def spawn_and_wait(tasks: Tasks) -> None:
        begun.set()
        await asyncio.sleep(0)
        tasks.spawn(tasks.sleep(0), "too late")
        reached.append("spawned")
        await tasks.sleep(0)
        reached.append("slept")

    async with Tasks(grace_s=5.0) as tasks:
        tasks.spawn(spawn_and_wait(tasks), "task")
        await begun.wait()

    assert reached == ["spawned"]


async def test_a_task_that_dies_is_logged_and_told(caplog: pytest.LogCaptureFixture) -> None:
    async def die() -> None:
        raise ZeroDivisionError

    async with Tasks(grace_s=0.0) as tasks:
        tasks.spawn(die(), "die")
        with pytest.raises(ZeroDivisionError):
            await tasks.failure

    assert "task die died" in caplog.text
