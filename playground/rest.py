"""The thin shell around the routes: bodies in, faults, rate limits, the bot's token, capture, answers out."""

import hmac
import time
from collections.abc import Mapping

from aiohttp import web

from playground.answers import json_response
from playground.capture import Capture, stand_in
from playground.errors import ApiError, Json, Refusal
from playground.faults import Faults, apply_fault
from playground.multipart import Body, read_body
from playground.rate_limits import Bucket, RateLimiter, Verdict
from playground.routes import Answer, Call, Route, find_route
from playground.state import State
from playground.wire import Wire

PREFIX = "/api/v10"

# https://discord.com/developers/docs/reference#uploading-files
MAX_REQUEST_BYTES = 25 * 1024 * 1024
# A body that is too large is still read to its end, or the client would see a broken connection and no answer.
MAX_DISCARDED_BYTES = 8 * MAX_REQUEST_BYTES


class Rest:
    """Everything below /api/v10."""

    def __init__(
        self, state: State, wire: Wire, *, token: str, capture: Capture, faults: Faults, limiter: RateLimiter
    ) -> None:
        self.gateway_url = ""
        self._state = state
        self._wire = wire
        self._token = token
        self._capture = capture
        self._faults = faults
        self._limiter = limiter

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Answer one request, as arranged if a fault is meant for it."""
        row: Json = {
            "at": time.time(),
            "method": request.method,
            "path": request.path,
            "query": dict(request.query),
            "authorization": stand_in(request.headers.get("Authorization", "")),
            "status": None,
        }
        read = await _read(request)
        if isinstance(read, Body):
            row["json"] = read.payload
            row["files"] = [[upload.field, upload.filename, len(upload.content)] for upload in read.files.values()]
        fault = self._faults.match(request.method, request.path)
        if fault is not None:
            row |= fault.row()

        async def proceed() -> web.StreamResponse:
            return self._answer(request, read, row)

        try:
            return await apply_fault(fault, request, proceed)
        finally:
            self._capture.add(row)

    def _answer(self, request: web.Request, read: Body | ApiError, row: Json) -> web.Response:
        headers: dict[str, str] = {}
        try:
            if isinstance(read, ApiError):
                raise read
            answer = self._handle(request, read, headers)
        except ApiError as error:
            answer = Answer(error.status, error.body())
        row["status"], row["response"] = answer.status, answer.body
        if answer.body is None:
            return web.Response(status=answer.status, headers=headers)
        return json_response(answer.body, status=answer.status, headers=headers)

    def _handle(self, request: web.Request, body: Body, headers: dict[str, str]) -> Answer:
        """Find the route, check token and rate, and do it. Raises ApiError."""
        route, parameters = find_route(request.method, request.path.removeprefix(PREFIX))
        if route.needs_bot:
            self._check_token(request)
        verdict = self._check_rate(route, parameters)
        headers |= verdict.headers
        if verdict.retry_after_s is not None:
            return Answer(429, verdict.body())
        call = Call(
            state=self._state,
            wire=self._wire,
            gateway_url=self.gateway_url,
            parameters=parameters,
            query=request.query,
            body=body,
        )
        return route.handle(call)

    def _check_token(self, request: web.Request) -> None:
        given = request.headers.get("Authorization", "")
        if not hmac.compare_digest(given.encode(), f"Bot {self._token}".encode()):
            raise ApiError(Refusal.UNAUTHORIZED)

    def _check_rate(self, route: Route, parameters: Mapping[str, str]) -> Verdict:
        """Interaction endpoints are exempt from the global limit, but fill their channel's hidden bucket."""
        hidden = self._channel_of(parameters["token"]) if route.bucket is Bucket.FOLLOWUP else None
        return self._limiter.check(
            route.bucket, route.rate_key(parameters), hidden=hidden, counts_globally=route.needs_bot
        )

    def _channel_of(self, token: str) -> str | None:
        interaction = self._state.interactions.get(self._state.tokens.get(token, 0))
        return None if interaction is None else str(interaction.channel_id)


async def _read(request: web.Request) -> Body | ApiError:
    """The body, parsed, or what is wrong with it."""
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.content.iter_any():
        size += len(chunk)
        if size <= MAX_REQUEST_BYTES:
            chunks.append(chunk)
        elif size > MAX_DISCARDED_BYTES:
            break
    if size > MAX_REQUEST_BYTES:
        return ApiError(Refusal.TOO_LARGE)
    try:
        return read_body(b"".join(chunks), request.headers.get("Content-Type", "application/json"))
    except ApiError as error:
        return error
