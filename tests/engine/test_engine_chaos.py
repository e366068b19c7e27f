import asyncio
import json
from datetime import UTC, datetime
from random import Random
from typing import Any

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from engine.api import EngineSettings
from engine.chaos import (
    ANSWER_HANG_S,
    EXPLANATIONS,
    JOB_HANG_S,
    MAX_HANGING_JOBS,
    SLOW_S,
    Chaos,
    Fault,
    parse_faults,
    respell,
)
from services.imagepipeline.answers import Done, Failed, Pending
from services.imagepipeline.wire import read_answer, retry_after_s
from tests.engine.support import KEY, PATIENCE_S, GatedRenderer, OnePixelRenderer, engine, host

LAKE = {"prompt": "a lake"}
GENERATE = "generate/image/v1"
URL = "https://results.example/1.webp"
MOMENT = "2026-01-01T12:00:00+00:00"


class RecordingSleep:
    """A sleep that is over at once, and remembered."""

    def __init__(self) -> None:
        self.slept_s: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.slept_s.append(seconds)


def always(*faults: Fault, sleep: Any = None, seed: int = 1) -> Chaos:
    return Chaos(faults, seed=seed, probability=1, sleep=sleep or RecordingSleep())


@pytest.mark.parametrize(
    ("text", "faults"),
    [
        ("slow", {Fault.SLOW}),
        (" SLOW, 429 ,", {Fault.SLOW, Fault.RATE_LIMIT}),
        ("all", set(Fault)),
        ("slow,all", set(Fault)),
    ],
)
def test_faults_are_selected_by_name(text: str, faults: set[Fault]) -> None:
    assert parse_faults(text) == faults


@pytest.mark.parametrize("text", ["", ",", "fast", "slow,fast"])
def test_a_wrong_name_is_answered_with_all_that_there_are(text: str) -> None:
    with pytest.raises(ValueError, match=r"choose from slow, 429, 5xx, .*, or all"):
        parse_faults(text)


def test_every_fault_is_explained() -> None:
    assert list(EXPLANATIONS) == list(Fault)


def lost(chaos: Chaos) -> list[bool]:
    return [not list(chaos.copies({})) for _ in range(200)]


def test_the_same_seed_has_the_same_faults_whatever_else_is_selected() -> None:
    alone = Chaos([Fault.WEBHOOK_LOST], seed=5, probability=0.3)
    among_all = Chaos(list(Fault), seed=5, probability=0.3)
    other = Chaos([Fault.WEBHOOK_LOST], seed=6, probability=0.3)
    first = lost(alone)

    assert lost(among_all) == first
    assert lost(other) != first
    assert 30 < sum(first) < 90


def test_faults_do_not_strike_together() -> None:
    loses = Chaos([Fault.WEBHOOK_LOST], seed=5, probability=0.5)
    doubles = Chaos([Fault.WEBHOOK_TWICE], seed=5, probability=0.5)

    assert lost(loses) != [len(list(doubles.copies({}))) == 2 for _ in range(200)]


@pytest.mark.parametrize("probability", [0, 1])
def test_a_probability_of_nothing_or_all_is_just_that(probability: int) -> None:
    assert set(lost(Chaos([Fault.WEBHOOK_LOST], seed=5, probability=probability))) == {probability == 1}


async def test_without_a_fault_everything_is_as_ever() -> None:
    async with engine(chaos=always()) as client:
        assert (await client.completed(GENERATE, LAKE))["status"] == "completed"
        assert (await client.made(LAKE))["status"] == "SUCCESS"


async def test_health_is_left_in_peace() -> None:
    sleep = RecordingSleep()
    async with engine(chaos=always(*Fault, sleep=sleep)) as client:
        assert (await client.get("/health")).status == 200

    assert sleep.slept_s == []


async def test_slow_answers_are_late() -> None:
    sleep = RecordingSleep()
    async with engine(chaos=always(Fault.SLOW, sleep=sleep)) as client:
        assert (await client.submit(LAKE)).status == 202

    assert SLOW_S[0] <= sleep.slept_s[0] <= SLOW_S[1]


async def test_429_says_when_to_come_back_and_does_nothing() -> None:
    renderer = OnePixelRenderer()
    async with engine(renderer, chaos=always(Fault.RATE_LIMIT)) as client:
        refusal = await client.submit(LAKE)

        assert (refusal.status, (await refusal.json())["error_code"]) == (429, "RATE_LIMIT_EXCEEDED")
        assert 1 <= int(refusal.headers["Retry-After"]) <= 5
    assert renderer.jobs == []


async def test_a_misspelt_retry_after_is_still_understood_by_a_tolerant_client() -> None:
    async with engine(chaos=always(Fault.RATE_LIMIT, Fault.SPELLING)) as client:
        waits = [(await client.submit(LAKE)).headers["Retry-After"] for _ in range(12)]

    assert not [wait for wait in waits if wait.isdigit()]
    assert {retry_after_s(wait, datetime.now(UTC)) is None for wait in waits} == {False}


async def test_5xx_may_or_may_not_have_done_what_was_asked() -> None:
    renderer = GatedRenderer()
    async with engine(renderer, chaos=always(Fault.SERVER_ERROR)) as client, asyncio.timeout(PATIENCE_S):
        answers = [await client.submit(LAKE) for _ in range(30)]
        health = await (await client.get("/health")).json()

    assert {answer.status for answer in answers} == {500, 502, 503, 504}
    assert {answer.content_type for answer in answers} == {"text/html", "application/json"}
    assert 0 < health["queued"] + health["running"] < 30


async def test_a_hanging_answer_was_carried_out() -> None:
    sleep, renderer = RecordingSleep(), OnePixelRenderer()
    async with engine(renderer, chaos=always(Fault.HANG, sleep=sleep)) as client:
        job_id = await client.submitted(LAKE)
        await client.ended(job_id)

    assert set(sleep.slept_s) == {ANSWER_HANG_S}
    assert [job.id for job in renderer.jobs] == [job_id]


async def test_jobs_fail_for_documented_reasons() -> None:
    async with engine(chaos=always(Fault.JOB_FAILURE)) as client:
        statuses = [await client.completed(GENERATE, LAKE) for _ in range(12)]

    assert {status["status"] for status in statuses} == {"failed"}
    assert len({status["failure_reason_code"] for status in statuses}) > 3
    assert {status["balance_remaining_usd"] for status in statuses} == {1000}


async def test_jobs_end_as_cancelled() -> None:
    async with engine(chaos=always(Fault.JOB_CANCELLED)) as client:
        status = await client.completed(GENERATE, LAKE)

    assert (status["status"], status["retryable"]) == ("cancelled", False)


async def test_hanging_jobs_hold_up_nobody_else() -> None:
    asleep, wake = asyncio.Event(), asyncio.Event()

    async def sleep(seconds: float) -> None:
        assert seconds == JOB_HANG_S
        asleep.set()
        await wake.wait()

    chaos = always(Fault.JOB_HANG, sleep=sleep)
    async with engine(chaos=chaos) as client, asyncio.timeout(PATIENCE_S):
        hanging = [await client.submitted(LAKE) for _ in range(MAX_HANGING_JOBS)]
        await asleep.wait()
        other = await client.made(LAKE)
        statuses = [(await client.status(job))["status"] for job in hanging]
        wake.set()
        ends = [(await client.ended(job))["status"] for job in hanging]

    assert other["status"] == "SUCCESS", "one more than can hang is done"
    assert statuses == ["PROCESSING"] * MAX_HANGING_JOBS
    assert ends == ["FAILURE"] * MAX_HANGING_JOBS


async def test_a_renderer_still_gets_no_more_jobs_at_once_than_it_takes() -> None:
    renderer, at_once, most = GatedRenderer(), 0, 0
    render = renderer.render

    async def counted(job: Any) -> list[bytes]:
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        try:
            return await render(job)
        finally:
            at_once -= 1

    renderer.render = counted
    chaos = Chaos([Fault.JOB_HANG], seed=1, probability=0)
    async with engine(renderer, chaos=chaos) as client, asyncio.timeout(PATIENCE_S):
        jobs = [await client.submitted(LAKE) for _ in range(4)]
        await renderer.entered.acquire()
        renderer.gate.set()
        assert {(await client.ended(job))["status"] for job in jobs} == {"SUCCESS"}

    assert most == renderer.workers == 1


@pytest.mark.parametrize(("fault", "copies"), [(Fault.WEBHOOK_TWICE, 2), (Fault.WEBHOOK_LOST, 0)])
async def test_webhooks_come_twice_or_never(fault: Fault, copies: int) -> None:
    asked: asyncio.Queue[Any] = asyncio.Queue()

    async def take(request: web.Request) -> web.Response:
        await asked.put(await request.json())
        return web.Response()

    settings = EngineSettings(api_key=KEY, allow_private_hosts=True)
    async with host(take) as url, engine(settings=settings, chaos=always(fault)) as client:
        status = await client.made({**LAKE, "webhook": str(url)})
        async with asyncio.timeout(PATIENCE_S):
            assert [await asked.get() for _ in range(copies)] == [status] * copies

    assert asked.empty()


async def test_spellings_vary_but_uploads_and_refusals_stay_as_they_are() -> None:
    async with engine(chaos=always(Fault.SPELLING)) as client:
        answers = [await (await client.submit(LAKE)).json() for _ in range(30)]
        refusal = await client.submit({"samples": 9})

    assert len({str(sorted(answer)) for answer in answers}) > 3
    assert (refusal.status, (await refusal.json())["detail"][0]["loc"]) == (422, ["body", "prompt"])


def dice(seed: int) -> Random:
    return Random(seed)  # noqa: S311 # dice, not secrets


WAITING: list[dict[str, Any]] = [
    {"id": "7", "status": "PENDING", "seed": 1},
    {"id": "7", "status": "PROCESSING", "seed": 1},
    {"job_id": "7", "status": "queued", "queued_at": MOMENT, "progress": 0, "error": None},
    {"job_id": "7", "status": "pending"},
    {"job_id": "7", "status": "processing", "progress": 40, "result_url": None},
]
DONE: list[dict[str, Any]] = [
    {"id": "7", "status": "SUCCESS", "seed": 1, "download_urls": [URL]},
    {"id": "7", "status": "SUCCESS", "seed": 1, "download_urls": [URL, URL + "?2"]},
    {"job_id": "7", "status": "completed", "result_url": URL, "cost_usd": 0.01, "retryable": None, "warnings": []},
]
FAILED: list[dict[str, Any]] = [
    {"id": "7", "status": "FAILURE", "error": "No face."},
    {
        "job_id": "7",
        "status": "failed",
        "error": "No face.",
        "failure_reason_code": "INPUT_INVALID",
        "retryable": False,
    },
    {"job_id": "7", "status": "cancelled", "error": "No face."},
]


@given(st.sampled_from(WAITING), st.integers())
def test_a_waiting_job_waits_in_every_spelling(answer: dict[str, Any], seed: int) -> None:
    read = read_answer(respell(answer, dice(seed)))

    assert isinstance(read, Pending)
    assert read.job_id == "7"


@given(st.sampled_from(DONE), st.integers())
def test_a_finished_job_has_its_pictures_in_every_spelling(answer: dict[str, Any], seed: int) -> None:
    urls = answer.get("download_urls") or [answer["result_url"]]

    assert read_answer(respell(answer, dice(seed))) == Done(sources=tuple(urls))


@given(st.sampled_from(FAILED), st.integers())
def test_a_failed_job_says_why_in_every_spelling(answer: dict[str, Any], seed: int) -> None:
    assert read_answer(respell(answer, dice(seed))) == Failed(message="No face.")


@given(st.sampled_from([*WAITING, *DONE, *FAILED]), st.integers())
def test_every_spelling_is_json_and_can_be_had_again(answer: dict[str, Any], seed: int) -> None:
    before = json.dumps(answer)

    assert json.dumps(respell(answer, dice(seed))) == json.dumps(respell(answer, dice(seed)))
    assert json.dumps(answer) == before
