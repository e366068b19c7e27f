"""The server and a client of it, over real sockets and mostly raw: what comes from outside is rarely polite."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from services.public import PublicAddresses
from services.web import Bounds, Doors, serve
from tests.conftest import Clock

BASE = "https://bot.example"
JOB = "0f8fad5b-d9cb-469f-a165-70867728950e"
JPEG = b"\xff\xd8\xff" + b"j" * 100_000
# Short where a test waits for the end of it, and long enough to be no race where it must not come.
QUICK = Bounds(body_s=0.1, linger_s=0.1, stop_s=0.1)


@dataclass
class Outside:
    """Both sides of the wire: the addresses, what came through the doors, and a client."""

    addresses: PublicAddresses
    folder: Path
    port: int = 0
    hooks: list[tuple[str, bytes]] = field(default_factory=list)
    photos_asked: list[tuple[int, int]] = field(default_factory=list)

    def doors(self) -> Doors:
        return Doors(
            addresses=self.addresses, hooked=lambda job_id, body: self.hooks.append((job_id, body)), photo=self.photo
        )

    async def photo(self, generation_id: int, number: int) -> Path | None:
        self.photos_asked.append((generation_id, number))
        return self.folder / f"{number}.jpg" if generation_id == 7 else None

    def hook_path(self, job_id: str = JOB) -> str:
        return self.addresses.hook(job_id).removeprefix(BASE)

    def photo_path(self, clock: Clock, generation_id: int = 7, number: int = 0) -> str:
        url = self.addresses.photo(generation_id, number, clock.now + timedelta(minutes=10))
        return url.removeprefix(BASE)

    @contextlib.asynccontextmanager
    async def connected(self) -> AsyncGenerator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            yield reader, writer
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def ask(self, method: str, path: str, *, body: bytes = b"", more: str = "") -> "Answer":
        head = f"{method} {path} HTTP/1.1\r\nHost: bot\r\nContent-Length: {len(body)}\r\n{more}\r\n"
        return await self.ask_raw(head.encode() + body)

    async def ask_raw(self, request: bytes) -> "Answer":
        """Send it all and read until the other side closes."""
        async with asyncio.timeout(10), self.connected() as (reader, writer):
            writer.write(request)
            return Answer.of(await reader.read())


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @classmethod
    def of(cls, raw: bytes) -> "Answer":
        head, _, body = raw.partition(b"\r\n\r\n")
        first, *lines = head.decode("ascii").split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        return cls(int(first.split()[1]), headers, body)

    def without_date(self) -> tuple[int, dict[str, str], bytes]:
        return self.status, {name: value for name, value in self.headers.items() if name != "date"}, self.body


def head_of_post(path: str, *headers: str) -> bytes:
    return "\r\n".join([f"POST {path} HTTP/1.1", "Host: bot", *headers, "", ""]).encode()


@contextlib.asynccontextmanager
async def served(outside: Outside, bounds: Bounds = QUICK) -> AsyncGenerator[Outside]:
    async with serve(host="127.0.0.1", port=0, is_ready=lambda: True, doors=outside.doors(), bounds=bounds) as port:
        outside.port = port
        yield outside
