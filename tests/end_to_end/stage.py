"""The whole play on real sockets: playground, engine and bot, with a renderer that a test can hold back."""

import asyncio
import contextlib
import io
import os
import re
import sys
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Handler
from PIL import Image, PngImagePlugin

import bot
from engine.api import EngineSettings, create_app
from engine.chaos import Chaos
from engine.renderers import RenderJob
from playground.model import Interaction, Message
from playground.server import Playground
from playground.state import State
from services.collector import Retries
from services.config import Settings
from services.gate import Pauses
from services.runner import Timing
from services.submitter import Backoff
from services.tracker import Pace
from tests.photographs import astronaut, encoded

Photo = tuple[str, bytes]
# What a picture of the stage's says that it is, and its pixels: the same before and after the bot's note.
Seen = tuple[str, bytes]

ROOT = Path(__file__).parent.parent.parent
PHOTO = ("me.jpg", encoded(astronaut()))
# Every wait a hundredth or so of what it is in earnest.
FAST = Timing(
    pace=Pace(first_s=0.01, longest_s=0.05, busy_s=0.1, refused_s=0.1, unheard_s=0.2, spare_s=0.1),
    pauses=Pauses(busy_s=0.1, refused_s=0.1, refused_longest_s=0.2),
    retries=Retries(waits_s=(0.01, 0.02)),
    backoff=Backoff(first_s=0.02, longest_s=0.1, late_name_s=0.5),
    failed_s=0.02,
    show_first_s=0.02,
    expiry_s=0.05,
)


class GatedRenderer:
    """Renders small plain pictures, each job in a colour of its own, when it is let; notes every job."""

    name = "gated"
    workers = 16

    def __init__(self) -> None:
        self.jobs: list[RenderJob] = []
        self.open = asyncio.Event()
        self.open.set()
        self.error: Exception | None = None
        self.errors: list[Exception] = []  # one each for the next jobs
        self._changed = asyncio.Condition()

    async def begun(self, jobs: int) -> None:
        """Wait until so many jobs have come this far; their faces have been fetched by then."""
        async with asyncio.timeout(15), self._changed:
            await self._changed.wait_for(lambda: len(self.jobs) >= jobs)

    async def render(self, job: RenderJob) -> list[bytes]:
        async with self._changed:
            self.jobs.append(job)
            self._changed.notify_all()
        await self.open.wait()
        if self.errors:
            raise self.errors.pop(0)
        if self.error is not None:
            raise self.error
        return [self.picture(job, number) for number in range(job.parameters.samples)]

    @staticmethod
    def picture(job: RenderJob, number: int) -> bytes:
        """A picture that names its prompt, its seed and its number, so that no two requests share one."""

        info = PngImagePlugin.PngInfo()
        info.add_text("made", f"{job.parameters.prompt}|{job.parameters.seed}|{number}")
        return encoded(Image.new("RGB", (128, 128), (job.parameters.seed % 256, number * 60, 99)), "PNG", pnginfo=info)


@dataclass
class Trouble:
    """Stands before the engine: notes every request and what it orders, and holds or answers those that a test has
    named.
    """

    asked: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    orders: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    _rules: list["Rule"] = field(default_factory=list["Rule"])
    _changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    def answer(
        self,
        method: str,
        path: str,
        body: Any,
        *,
        status: int = 200,
        headers: dict[str, str] | None = None,
        times: int = 1,
    ) -> None:
        """Answer the next requests of that kind instead of the engine."""
        self._rules.append(Rule(method, path, times, body=body, status=status, headers=headers))

    def hold(self, method: str, path: str, *, times: int = 1, afterwards: bool = False) -> asyncio.Event:
        """Let the engine deal with the next requests of that kind only once the returned event is set; or let it deal
        with them at once, and hold back its answer.
        """
        rule = Rule(method, path, times, gate=asyncio.Event(), afterwards=afterwards)
        self._rules.append(rule)
        assert rule.gate is not None
        return rule.gate

    async def until_asked(self, method: str, path: str, *, times: int = 1) -> None:
        """Wait until so many requests of that kind have come."""

        def count() -> int:
            return sum(asked == method and path in at for asked, at in self.asked)

        async with asyncio.timeout(15), self._changed:
            await self._changed.wait_for(lambda: count() >= times)

    @web.middleware
    async def middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        order = await request.json() if request.content_type == "application/json" else None
        async with self._changed:
            self.asked.append((request.method, request.path))
            self.orders += [order] if order else []
            self._changed.notify_all()
        rule = next((rule for rule in self._rules if rule.matches(request)), None)
        if rule is None:
            return await handler(request)
        rule.times -= 1
        if rule.gate is not None:
            response = await handler(request) if rule.afterwards else None
            await rule.gate.wait()
            return response or await handler(request)
        return web.json_response(rule.body, status=rule.status, headers=rule.headers)

    def forget(self) -> None:
        """Count requests anew, and answer no more of them instead of the engine."""
        self.asked.clear()
        self._rules = [rule for rule in self._rules if rule.gate is not None]

    def end(self) -> None:
        for rule in self._rules:
            if rule.gate is not None:
                rule.gate.set()


@dataclass
class Rule:
    method: str
    path: str
    times: int
    body: Any = None
    status: int = 200
    headers: dict[str, str] | None = None
    gate: asyncio.Event | None = None
    afterwards: bool = False

    def matches(self, request: web.Request) -> bool:
        return self.times > 0 and request.method == self.method and self.path in request.path


@dataclass
class Stage:
    """A playground and an engine, for bots that come and go."""

    playground: Playground
    renderer: GatedRenderer
    trouble: Trouble
    engine_url: str
    folder: Path
    env: dict[str, str] = field(default_factory=dict[str, str])
    ahead: timedelta = timedelta()

    def now(self) -> datetime:
        """The bot's wall clock: the real one and what a test has put it ahead by."""
        return datetime.now(UTC) + self.ahead

    def advance(self, **by: float) -> None:
        """Put the bot's and Discord's clocks ahead, by the arguments of ``timedelta``."""
        self.ahead += timedelta(**by)
        self.playground.advance(timedelta(**by).total_seconds())

    def settings_env(self) -> dict[str, str]:
        return {
            "DISCORD_TOKEN": self.playground.token,
            "DISCORD_API_URL": self.playground.api_url,
            "DISCORD_GATEWAY_URL": self.playground.gateway_url,
            "IMAGEPIPELINE_API_KEY": "stage-key",
            "IMAGEPIPELINE_URL": self.engine_url,
            "DATABASE_URL": f"sqlite:///{(self.folder / 'facelock.db').as_posix()}",
        } | self.env

    @contextlib.asynccontextmanager
    async def bot(self, timing: Timing = FAST) -> AsyncGenerator[bot.Doorway]:
        """A bot in this process, connected and with its commands in place."""
        settings = Settings.from_env(self.settings_env())
        bot.point_at(settings)
        stop = asyncio.Event()
        async with bot.opened(settings, owner_wait_s=0.0) as house:
            life = asyncio.ensure_future(bot.live(house, stop, timing))
            try:
                await self.playground.ready("imagine", "quota")
                yield house.doorway
            finally:
                stop.set()
                await life

    @contextlib.asynccontextmanager
    async def process(self) -> AsyncGenerator[asyncio.subprocess.Process]:
        """A bot in a process of its own, connected; killed at the end where it still runs."""
        env = {name: value for name, value in os.environ.items() if not name.startswith(("DISCORD", "IMAGEP"))}
        with (self.folder / "bot.log").open("ab") as log:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "bot.py", cwd=ROOT, env=env | self.settings_env(), stdout=log, stderr=log
            )
        try:
            await self.playground.ready("imagine", "quota")
            yield process
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    def imagine(
        self,
        prompt: str = "a quiet harbour",
        *,
        photo: Photo | None = PHOTO,
        member: str = "Ben",
        channel: str = "pictures",
        **options: object,
    ) -> Interaction:
        attachments: Mapping[str, Photo] = {"face": photo} if photo else {}
        return self.playground.command(
            "imagine", member=member, channel=channel, options={"prompt": prompt, **options}, attachments=attachments
        )

    def advanced(
        self,
        prompt: str = "a quiet harbour",
        *,
        member: str = "Ben",
        photos: Mapping[str, Photo] | None = None,
        **options: object,
    ) -> Interaction:
        return self.playground.command(
            "advanced", member=member, options={"prompt": prompt, **options}, attachments=photos or {}
        )

    async def message_with(self, text: str, *, interaction: Interaction | None = None) -> Message:
        """Wait for a message whose text contains this, in answer to the interaction if one is named."""

        def find(state: State) -> Message | None:
            return next(
                (
                    message
                    for message in state.messages.values()
                    if text in message.text
                    and message.deleted_at is None
                    and (interaction is None or message.interaction_id == interaction.id)
                ),
                None,
            )

        return await self.playground.until(find)

    async def delivered(self, interaction: Interaction) -> Message:
        """Wait until the answer to a command shows pictures."""

        def find(state: State) -> Message | None:
            message = state.original(interaction)
            return message if message is not None and message.body.gallery else None

        return await self.playground.until(find)

    async def left(self, member: str = "Ben") -> int:
        """What /quota tells this member."""
        interaction = self.playground.command("quota", member=member)
        message = await self.playground.answered(interaction)
        found = re.search(r"; (\d+) left", message.text)
        assert found, message.text
        return int(found[1])

    async def until_left(self, images: int, member: str = "Ben") -> None:
        """Ask /quota until it says so many."""
        async with asyncio.timeout(15):
            while await self.left(member) != images:
                pass

    def pictures(self, message: Message) -> list[bytes]:
        return [self.playground.content(attachment) for attachment in message.body.gallery]

    def seen(self, message: Message) -> list[Seen]:
        """What the message's pictures say that they are, and their pixels."""
        return [seen(picture) for picture in self.pictures(message)]

    def made(self, *pictures: tuple[RenderJob, int]) -> list[Seen]:
        """The same of these pictures of the renderer's, each named by its job and its number."""
        return [seen(self.renderer.picture(job, number)) for job, number in pictures]


def seen(picture: bytes) -> Seen:
    with Image.open(io.BytesIO(picture), formats=["PNG"]) as image:
        return image.info["made"], image.tobytes()


@contextlib.asynccontextmanager
async def stage(folder: Path, *, chaos: Chaos | None = None) -> AsyncGenerator[Stage]:
    renderer, trouble = GatedRenderer(), Trouble()
    settings = EngineSettings(api_key="stage-key", allow_private_hosts=True, data=folder / "engine")
    app = create_app(settings, renderer=renderer, chaos=chaos)
    app.middlewares.insert(0, trouble.middleware)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        engine_url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        async with Playground.run() as playground:
            yield Stage(playground=playground, renderer=renderer, trouble=trouble, engine_url=engine_url, folder=folder)
    finally:
        trouble.end()
        renderer.open.set()
        await runner.cleanup()
