"""What the engine's tests share: a clock to turn, renderers to hold or break, an engine on a real socket."""

import asyncio
import io
import json
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
from aiohttp import web
from aiohttp.test_utils import TestServer
from yarl import URL

from engine.api import EngineSettings, create_app
from engine.renderers import Renderer, RenderJob
from tests.engine.pictures import PIXEL

KEY = "a key for tests"
PATIENCE_S = 20.0

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Clock:
    """A time of day that passes when told to."""

    def __init__(self) -> None:
        self._now = datetime(2026, 1, 1, 12, tzinfo=UTC)

    def now(self) -> datetime:
        return self._now

    def pass_time(self, delta: timedelta) -> None:
        self._now += delta


class ManualSleep:
    """A sleep that lasts until the test ends it."""

    def __init__(self) -> None:
        self._asleep = asyncio.Semaphore(0)
        self._wake = asyncio.Semaphore(0)

    async def __call__(self, _seconds: float) -> None:
        self._asleep.release()
        await self._wake.acquire()

    async def pass_once(self) -> None:
        """End the sleep, and return when the sleeper has done its work and sleeps again."""
        await self._asleep.acquire()
        self._wake.release()
        await self._asleep.acquire()
        self._asleep.release()


class OnePixelRenderer:
    """Returns one orange pixel per picture, and remembers what it was asked for."""

    name = "one pixel"
    workers = 1

    def __init__(self) -> None:
        self.jobs: list[RenderJob] = []

    async def render(self, job: RenderJob) -> list[bytes]:
        self.jobs.append(job)
        return [PIXEL] * job.parameters.samples


class GatedRenderer(OnePixelRenderer):
    """Holds every job until the gate is opened; ``entered`` counts the jobs that have reached it."""

    def __init__(self) -> None:
        super().__init__()
        self.entered = asyncio.Semaphore(0)
        self.gate = asyncio.Event()

    async def render(self, job: RenderJob) -> list[bytes]:
        self.entered.release()
        await self.gate.wait()
        return await super().render(job)


class RaisingRenderer(OnePixelRenderer):
    """Fails every job with the error it was given."""

    def __init__(self, error: BaseException) -> None:
        super().__init__()
        self._error = error

    async def render(self, job: RenderJob) -> list[bytes]:
        raise self._error


class EmptyHandedRenderer(OnePixelRenderer):
    """Ends every job without a picture."""

    async def render(self, job: RenderJob) -> list[bytes]:
        return []


class EngineClient:
    """Talks to an engine over a socket, as the bot would."""

    def __init__(self, session: aiohttp.ClientSession, base: URL) -> None:
        self.session = session
        self.base = base

    def url(self, path: str) -> URL:
        return URL(f"{self.base.origin()}{path}", encoded=True)

    async def submit(
        self, body: Mapping[str, Any], *, family: str = "sd", headers: Mapping[str, str] | None = None
    ) -> aiohttp.ClientResponse:
        return await self.post(json.dumps(body).encode(), family=family, headers=headers)

    async def post(
        self, raw: bytes, *, family: str = "sd", headers: Mapping[str, str] | None = None
    ) -> aiohttp.ClientResponse:
        url = self.url(f"/{family}/text2image/v1")
        response = await self.session.post(url, data=io.BytesIO(raw), headers={"API-Key": KEY, **(headers or {})})
        await response.read()
        return response

    async def submitted(self, body: Mapping[str, Any], *, family: str = "sd") -> str:
        response = await self.submit(body, family=family)
        assert response.status == 202, await response.text()
        return (await response.json())["id"]

    async def status(self, job_id: str, *, family: str = "sd") -> dict[str, Any]:
        response = await self.get(f"/{family}/text2image/v1/status/{job_id}")
        assert response.status == 200, await response.text()
        return await response.json()

    async def ended(self, job_id: str) -> dict[str, Any]:
        async with asyncio.timeout(PATIENCE_S):
            while True:
                answer = await self.status(job_id)
                if answer["status"] not in {"PENDING", "PROCESSING"}:
                    return answer

    async def made(self, body: Mapping[str, Any], *, family: str = "sd") -> dict[str, Any]:
        return await self.ended(await self.submitted(body, family=family))

    async def call(self, method: str, path: str, **options: Any) -> aiohttp.ClientResponse:
        """Ask the identity API; ``headers`` replace the key."""
        options = {"headers": {"X-API-Key": KEY}, **options}
        response = await self.session.request(method, self.url(path), **options)
        await response.read()
        return response

    async def ask(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        """Ask the identity API for something that it grants."""
        response = await self.call(method, path, **options)
        assert response.status == 200, await response.text()
        return await response.json()

    async def completed(self, endpoint: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Have the identity API do a job, and return its last status."""
        job_id = (await self.ask("POST", f"/{endpoint}", json=body))["job_id"]
        async with asyncio.timeout(PATIENCE_S):
            while True:
                answer = await self.ask("GET", f"/{endpoint}/status/{job_id}")
                if answer["status"] in {"completed", "failed", "cancelled"}:
                    return answer

    async def get(self, path: str, *, headers: Mapping[str, str] | None = None) -> aiohttp.ClientResponse:
        response = await self.session.get(self.url(path), headers=headers or {"API-Key": KEY})
        await response.read()
        return response


@asynccontextmanager
async def host(handler: Handler) -> AsyncGenerator[URL, None]:
    """Serve every path of a host of its own on 127.0.0.1."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handler)
    async with TestServer(app) as server:
        yield server.make_url("/")


@asynccontextmanager
async def serving(app: web.Application) -> AsyncGenerator[EngineClient, None]:
    async with TestServer(app) as server, aiohttp.ClientSession() as session:
        yield EngineClient(session, server.make_url("/"))


@asynccontextmanager
async def engine(
    renderer: Renderer | None = None, settings: EngineSettings | None = None, **parts: Any
) -> AsyncGenerator[EngineClient, None]:
    """Run an engine on a free port of 127.0.0.1, with a sweeper that never wakes unless the test has its sleep."""
    parts = {"sleep": ManualSleep(), **parts}
    app = create_app(settings or EngineSettings(api_key=KEY), renderer=renderer or OnePixelRenderer(), **parts)
    async with serving(app) as client:
        yield client
