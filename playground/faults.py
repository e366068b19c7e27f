"""Going wrong on purpose: answers, delays, hangs and broken connections for the requests that match."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from aiohttp import web

from playground.answers import json_response
from playground.errors import Json


class FaultKind(StrEnum):
    """What happens to a matching request."""

    RESPOND = "respond"
    DELAY = "delay"
    HANG = "hang"
    DROP_BEFORE = "drop-before"
    DROP_AFTER = "drop-after"


@dataclass(slots=True, kw_only=True)
class Fault:
    """One arrangement: which requests, how often, and what then. `hits` counts the requests it has met."""

    id: int
    kind: FaultKind
    method: str
    path: re.Pattern[str]
    times: int | None
    status: int = 500
    body: object = None
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    delay_s: float = 0.0
    hits: int = 0
    _released: asyncio.Event = field(default_factory=asyncio.Event)

    def matches(self, method: str, path: str) -> bool:
        """Whether a request is meant, and this arrangement not used up."""
        used_up = self.times is not None and self.hits >= self.times
        return not used_up and self.method in ("*", method) and self.path.search(path) is not None

    def release(self) -> None:
        """Let the requests that hang here go on; later ones pass as well."""
        self._released.set()

    async def hang(self) -> None:
        """Wait for release."""
        await self._released.wait()

    def row(self) -> Json:
        """What the capture notes of it."""
        answered = {"status": self.status, "response": self.body} if self.kind is FaultKind.RESPOND else {}
        return {"fault": self.kind, **answered}

    def to_json(self) -> Json:
        """What the control plane shows of it."""
        left = None if self.times is None else self.times - self.hits
        return {
            "id": self.id,
            "kind": self.kind,
            "method": self.method,
            "path": self.path.pattern,
            "hits": self.hits,
            "left": left,
        }


class Faults:
    """The arrangements in force; the first that matches a request is applied to it."""

    def __init__(self, changed: Callable[[], None]) -> None:
        self.active: list[Fault] = []
        self._changed = changed
        self._next_id = 1

    def respond(
        self,
        method: str,
        path: str,
        *,
        status: int,
        body: object = None,
        headers: Mapping[str, str] | None = None,
        times: int | None = 1,
    ) -> Fault:
        """Answer instead of doing it. A str body is sent as text, bytes as they are, anything else as JSON."""
        return self._add(FaultKind.RESPOND, method, path, times, status=status, body=body, headers=headers or {})

    def delay(self, method: str, path: str, *, seconds: float, times: int | None = 1) -> Fault:
        """Do it that much later."""
        return self._add(FaultKind.DELAY, method, path, times, delay_s=seconds)

    def hang(self, method: str, path: str, *, times: int | None = 1) -> Fault:
        """Do nothing until `release()` is called on the fault, then do it, if whoever sent it still waits."""
        return self._add(FaultKind.HANG, method, path, times)

    def drop_before(self, method: str, path: str, *, times: int | None = 1) -> Fault:
        """Break the connection and do nothing."""
        return self._add(FaultKind.DROP_BEFORE, method, path, times)

    def drop_after(self, method: str, path: str, *, times: int | None = 1) -> Fault:
        """Do it, then break the connection instead of answering."""
        return self._add(FaultKind.DROP_AFTER, method, path, times)

    def clear(self) -> None:
        """End all arrangements; what hangs goes on."""
        for fault in self.active:
            fault.release()
        self.active.clear()

    def _add(
        self,
        kind: FaultKind,
        method: str,
        path: str,
        times: int | None,
        *,
        status: int = 500,
        body: object = None,
        headers: Mapping[str, str] | None = None,
        delay_s: float = 0.0,
    ) -> Fault:
        fault = Fault(
            id=self._next_id,
            kind=kind,
            method=method.upper(),
            path=re.compile(path),
            times=times,
            status=status,
            body=body,
            headers=headers or {},
            delay_s=delay_s,
        )
        self._next_id += 1
        self.active.append(fault)
        return fault

    def match(self, method: str, path: str) -> Fault | None:
        """The fault for a request, counted as hit."""
        fault = next((fault for fault in self.active if fault.matches(method, path)), None)
        if fault is not None:
            fault.hits += 1
            self._changed()
        return fault


async def apply_fault(
    fault: Fault | None, request: web.Request, proceed: Callable[[], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Serve a request the way its fault says; without one simply serve it."""
    if fault is None:
        return await proceed()
    if fault.kind is FaultKind.RESPOND:
        return _arranged(fault)
    if fault.kind is FaultKind.DROP_BEFORE:
        return _drop(request, web.Response(status=500))
    if fault.kind is FaultKind.DROP_AFTER:
        return _drop(request, await proceed())
    if fault.kind is FaultKind.DELAY:
        await asyncio.sleep(fault.delay_s)
    else:
        await fault.hang()
        if request.transport is None or request.transport.is_closing():
            return web.Response(status=499)  # whoever sent it is gone, killed perhaps, and the request with them
    return await proceed()


def _arranged(fault: Fault) -> web.Response:
    headers = dict(fault.headers)
    if isinstance(fault.body, bytes | str):
        return web.Response(status=fault.status, body=fault.body, headers=headers)
    return json_response(fault.body, status=fault.status, headers=headers)


def _drop(request: web.Request, unsent: web.StreamResponse) -> web.StreamResponse:
    """Break the connection; the response goes nowhere, but the server wants one."""
    if request.transport is not None:
        request.transport.abort()
    return unsent
