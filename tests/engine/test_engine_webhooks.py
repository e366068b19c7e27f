import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web

from engine.api import EngineSettings
from engine.errors import FailureReason, JobError
from engine.network import AddressRule, is_any, is_public
from engine.renderers import Renderer
from engine.webhooks import Event, Webhooks
from tests.engine.support import KEY, PATIENCE_S, EngineClient, GatedRenderer, RaisingRenderer, engine, host

LAKE = {"prompt": "a lake", "seed": 7}
EVENT = {"job_id": "1", "status": "completed"}
GENERATE = "generate/image/v1"


class Receiver:
    """A host that takes webhooks; it answers with the given statuses, and with the last one from then on."""

    def __init__(self, *statuses: int) -> None:
        self.asked: asyncio.Queue[tuple[str, Any]] = asyncio.Queue()
        self._statuses = list(statuses or (200,))

    async def answer(self, request: web.Request) -> web.Response:
        body = await request.json() if request.can_read_body else None
        await self.asked.put((f"{request.method} {request.path}", body))
        status = self._statuses.pop(0) if len(self._statuses) > 1 else self._statuses[0]
        return web.Response(status=status, headers={"Location": "/elsewhere"})

    async def next(self) -> Any:
        async with asyncio.timeout(PATIENCE_S):
            return (await self.asked.get())[1]


class RecordingSleep:
    """A sleep that is over at once, and remembered."""

    def __init__(self) -> None:
        self.slept_s: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.slept_s.append(seconds)


class LogLines(logging.Handler):
    """What the engine has logged so far, to wait for more of it."""

    def __init__(self) -> None:
        super().__init__()
        self.text = ""
        self._changed = asyncio.Event()

    def emit(self, record: logging.LogRecord) -> None:
        self.text += self.format(record) + "\n"
        self._changed.set()

    async def until(self, end: str) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while end not in self.text:
                self._changed.clear()
                await self._changed.wait()


@pytest.fixture
def log() -> Iterator[LogLines]:
    lines, logger = LogLines(), logging.getLogger("engine")
    logger.addHandler(lines)
    logger.setLevel(logging.DEBUG)
    yield lines
    logger.setLevel(logging.NOTSET)
    logger.removeHandler(lines)


@asynccontextmanager
async def sending(
    *, allowed: AddressRule = is_any, sleep: RecordingSleep | None = None, timeout_s: float = PATIENCE_S
) -> AsyncGenerator[Callable[[str, Event], None], None]:
    async with Webhooks(allowed=allowed, sleep=sleep or RecordingSleep(), timeout_s=timeout_s) as webhooks:
        yield lambda url, event: webhooks.send(url, event, job_id="1")


@asynccontextmanager
async def engine_near(renderer: Renderer | None = None) -> AsyncGenerator[EngineClient, None]:
    """Run an engine that may call private hosts."""
    async with engine(renderer, EngineSettings(api_key=KEY, allow_private_hosts=True)) as client:
        yield client


@pytest.mark.parametrize("status", [200, 202, 204, 299])
async def test_any_2xx_acknowledges(status: int, log: LogLines) -> None:
    receiver, sleep = Receiver(status), RecordingSleep()
    async with host(receiver.answer) as url, sending(sleep=sleep) as send:
        send(str(url), EVENT)
        assert await receiver.next() == EVENT
        await log.until("taken at attempt 1")

    assert sleep.slept_s == []


@pytest.mark.parametrize("status", [302, 404, 500])
async def test_anything_else_is_tried_three_times_with_longer_waits(status: int, log: LogLines) -> None:
    receiver, sleep = Receiver(status), RecordingSleep()
    async with host(receiver.answer) as url, sending(sleep=sleep) as send:
        send(str(url / "hook"), EVENT)
        await log.until("given up")

    assert [receiver.asked.get_nowait() for _ in range(3)] == [("POST /hook", EVENT)] * 3
    assert receiver.asked.empty()
    assert sleep.slept_s == [1.0, 2.0]


async def test_a_later_attempt_may_be_taken(log: LogLines) -> None:
    receiver, sleep = Receiver(503, 200), RecordingSleep()
    async with host(receiver.answer) as url, sending(sleep=sleep) as send:
        send(str(url), EVENT)
        await log.until("taken at attempt 2")

    assert sleep.slept_s == [1.0]


async def test_a_receiver_that_is_too_slow_is_tried_again(log: LogLines) -> None:
    async def never(_request: web.Request) -> web.Response:
        raise AssertionError("the time was over before")

    async with host(never) as url, sending(timeout_s=0) as send:
        send(str(url), EVENT)
        await log.until("given up")

    assert log.text.count("no answer within 0 s") == 3


async def test_a_receiver_that_is_not_there_is_tried_three_times(log: LogLines) -> None:
    async with host(Receiver().answer) as url:
        gone = url
    async with sending() as send:
        send(str(gone), EVENT)
        await log.until("given up")

    assert log.text.count("was not taken") == 3


async def test_a_private_host_is_not_called(log: LogLines) -> None:
    receiver = Receiver()
    async with host(receiver.answer) as url, sending(allowed=is_public) as send:
        send(str(url), EVENT)
        await log.until("--allow-private-hosts")

    assert receiver.asked.empty()
    assert "given up" not in log.text, "trying again would change nothing"


async def test_leaving_drops_what_has_not_arrived() -> None:
    asked, gate = asyncio.Event(), asyncio.Event()

    async def hold(_request: web.Request) -> web.Response:
        asked.set()
        await gate.wait()
        return web.Response()

    async with host(hold) as url, asyncio.timeout(PATIENCE_S):
        async with sending() as send:
            send(str(url), EVENT)
            await asked.wait()
        gate.set()

    others = asyncio.all_tasks() - {asyncio.current_task()}
    assert not [task for task in others if "Webhooks" in repr(task)]


async def test_the_address_is_a_secret(log: LogLines) -> None:
    receiver = Receiver(500)
    async with host(receiver.answer) as url, sending() as send:
        send(str(url / "secret-path"), EVENT)
        await log.until("given up")
        send(str(url.with_port(1) / "secret-path"), EVENT)
        await log.until("ClientConnectorError")

    assert "secret-path" not in log.text


async def test_the_identity_api_tells_of_a_finished_picture() -> None:
    receiver = Receiver()
    async with host(receiver.answer) as url, engine_near() as client:
        status = await client.completed(GENERATE, {**LAKE, "width": 512, "callback_url": str(url / "hook")})
        event = await receiver.next()
        size = len(await (await client.session.get(event["result_url"])).read())

    assert event.pop("timestamp") > 1_700_000_000
    assert event.pop("time_taken_s") >= 0
    assert event == {
        "job_id": status["job_id"],
        "user_id": "engine",
        "status": "completed",
        "result_url": status["result_url"],
        "result_mime_type": "image/webp",
        "result_size_bytes": size,
        "input": {
            "prompt": "a lake",
            "width": 512,
            "height": 1024,
            "steps": 8,
            "output_format": "webp",
            "seed": 7,
        },
        "warnings": [],
    }


async def test_the_identity_api_tells_of_a_failure_and_why() -> None:
    receiver = Receiver()
    async with host(receiver.answer) as url, engine_near(RaisingRenderer(RuntimeError("secret detail"))) as client:
        await client.completed(GENERATE, {**LAKE, "callback_url": str(url)})
        event = await receiver.next()

    assert (event["status"], event["failure_reason_code"], event["retryable"]) == ("failed", "MODEL_ERROR", True)
    assert "result_url" not in event
    assert "secret" not in str(event)


async def test_the_identity_api_keeps_quiet_about_a_cancelled_job() -> None:
    receiver = Receiver()
    renderer = RaisingRenderer(JobError("Called off.", FailureReason.CANCELLED))
    async with host(receiver.answer) as url, engine_near(renderer) as client:
        await client.completed(GENERATE, {**LAKE, "callback_url": str(url)})
        await client.made({**LAKE, "webhook": str(url)})
        first = await receiver.next()

    assert first["status"] == "FAILURE", "the older API has no other word for it"


async def test_the_adapters_api_sends_what_its_status_says() -> None:
    receiver = Receiver()
    async with host(receiver.answer) as url, engine_near() as client:
        status = await client.made({**LAKE, "samples": 2, "webhook": str(url / "hook")})

        assert await receiver.next() == status
    assert len(status["download_urls"]) == 2


async def test_addresses_in_a_webhook_are_those_that_the_sender_of_the_request_can_reach() -> None:
    receiver = Receiver()
    async with host(receiver.answer) as url, engine_near() as client:
        headers = {"API-Key": KEY, "Host": "pictures.example"}
        await client.submit({**LAKE, "webhook": str(url)}, headers=headers)
        (address,) = (await receiver.next())["download_urls"]

    assert address.startswith("http://pictures.example/files/")


async def test_a_repeated_submit_does_not_repeat_the_webhook() -> None:
    receiver, renderer = Receiver(), GatedRenderer()
    async with host(receiver.answer) as url, engine_near(renderer) as client, asyncio.timeout(PATIENCE_S):
        body = {**LAKE, "webhook": str(url)}
        headers = {"Idempotency-Key": "generation 5"}
        first, again = [await (await client.submit(body, headers=headers)).json() for _ in range(2)]
        last = await client.submitted({"prompt": "last", "webhook": str(url)})
        renderer.gate.set()
        events = [await receiver.next() for _ in range(2)]

    assert [event["id"] for event in events] == [first["id"], last]
    assert again["id"] == first["id"]


@pytest.mark.parametrize("webhook", ["hooks", "ftp://hooks.example", "https://me:secret@hooks.example", 5])
async def test_a_wrong_address_is_refused_at_once(webhook: object) -> None:
    async with engine() as client:
        refusal = await client.submit({**LAKE, "webhook": webhook})

        assert refusal.status == 422
        assert (await refusal.json())["detail"][0]["loc"] == ["body", "webhook"]
        assert "secret" not in await refusal.text()


async def test_a_private_webhook_is_not_called_by_default(log: LogLines) -> None:
    receiver = Receiver()
    async with host(receiver.answer) as url, engine() as client:
        assert (await client.made({**LAKE, "webhook": str(url)}))["status"] == "SUCCESS"
        await log.until("--allow-private-hosts")

    assert receiver.asked.empty()
