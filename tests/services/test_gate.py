import asyncio
from collections.abc import Awaitable, Callable

from services.gate import Gate, Pauses
from services.imagepipeline.answers import Misconfigured
from services.tasks import Tasks
from tests.virtual_time import run

REFUSAL = Misconfigured("POST was answered 401. Check IMAGEPIPELINE_API_KEY.")


def with_gate(script: Callable[[Gate], Awaitable[None]]) -> None:
    async def use() -> None:
        async with Tasks(grace_s=0.0) as tasks:
            await script(Gate(tasks=tasks, pauses=Pauses(busy_s=5, refused_s=30, refused_longest_s=100)))

    run(use())


def now() -> float:
    return round(asyncio.get_running_loop().time(), 3)


def test_an_open_gate_holds_nobody_up() -> None:
    async def script(gate: Gate) -> None:
        await gate.wait()
        assert now() == 0

    with_gate(script)


def test_a_429_closes_it_for_as_long_as_the_service_says_or_a_while() -> None:
    async def script(gate: Gate) -> None:
        gate.busy(12.0)
        await gate.wait()
        assert now() == 12
        gate.busy(None)
        await gate.wait()
        assert now() == 17

    with_gate(script)


def test_a_refused_account_is_probed_at_growing_intervals() -> None:
    async def script(gate: Gate) -> None:
        moments: list[float] = []
        assert gate.refused(REFUSAL)
        for _ in range(4):
            await gate.wait()
            moments.append(now())
            gate.passed()
            assert not gate.refused(REFUSAL)
        assert moments == [30, 60, 120, 220]

    with_gate(script)


def test_many_refusals_at_once_count_as_one() -> None:
    async def script(gate: Gate) -> None:
        assert [gate.refused(REFUSAL) for _ in range(5)] == [True, False, False, False, False]
        await gate.wait()
        assert now() == 30

    with_gate(script)


def test_one_accepted_request_opens_it_at_once_for_all_who_wait() -> None:
    async def script(gate: Gate) -> None:
        gate.refused(REFUSAL)
        await gate.wait()
        gate.passed()
        waiting = asyncio.ensure_future(gate.wait())
        await asyncio.sleep(1)
        assert gate.accepted()
        await waiting
        assert now() == 31
        assert gate.refusal is None
        assert not gate.accepted()

    with_gate(script)
