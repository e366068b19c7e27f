"""Builds the engine's web application: its parts, its routes, and one place where errors become answers."""

import asyncio
import logging
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from http import HTTPStatus
from pathlib import Path
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Handler

from engine.account import Account
from engine.adapters import AdaptersApi
from engine.chaos import Chaos
from engine.errors import InvalidRequestError, Problem, QueueFullError, RequestError
from engine.fetch import ImageFetcher
from engine.identity import IdentityApi
from engine.jobs import JobRunner
from engine.network import is_any, is_public
from engine.renderers import Renderer
from engine.request import MAX_SEED
from engine.store import FileStore
from engine.webhooks import Webhooks, once

log = logging.getLogger(__name__)

# Room for an inline image of 10 MiB, which base64 makes a third larger, and some.
MAX_BODY_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineSettings:
    """What an operator may set.

    Attributes:
        api_key: The key that callers must send; None takes any key that is not empty.
        public_url: Where callers reach the engine, without a slash at the end; None takes each request's own host.
        allow_private_hosts: Whether reference images may be fetched from private addresses, and webhooks sent there.
        data: A folder for results that outlives the engine; None takes a temporary one.
        file_ttl: How long results and ended jobs are kept.
        queue_limit: How many jobs may wait.
        balance_usd: What the account holds at the start.
    """

    api_key: str | None = field(default=None, repr=False)
    public_url: str | None = None
    allow_private_hosts: bool = False
    data: Path | None = None
    file_ttl: timedelta = timedelta(hours=1)
    queue_limit: int = 100
    balance_usd: Decimal = Decimal(1000)


def utc_now() -> datetime:
    """Return the time of day."""
    return datetime.now(UTC)


def random_seed() -> int:
    """Return a seed nobody chose."""
    return secrets.randbelow(MAX_SEED + 1)


def create_app(
    settings: EngineSettings,
    *,
    renderer: Renderer,
    now: Callable[[], datetime] = utc_now,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    choose_seed: Callable[[], int] = random_seed,
    chaos: Chaos | None = None,
) -> web.Application:
    """Build the application; its workers run from start-up to clean-up.

    ``now`` decides what has expired, ``sleep`` paces the sweeper and the attempts of webhooks, ``choose_seed`` serves
    requests that leave it open, ``chaos`` lets things go wrong.

    Raises (at start-up):
        StartError: The data folder cannot be used.
    """
    files = FileStore(settings.data, ttl=settings.file_ttl, now=now)
    allowed = is_any if settings.allow_private_hosts else is_public
    fetcher = ImageFetcher(allowed=allowed, files=files)
    account = Account(settings.balance_usd)
    webhooks = Webhooks(allowed=allowed, copies=chaos.copies if chaos else once, sleep=sleep)
    jobs = JobRunner(
        renderer=chaos.renderer(renderer) if chaos else renderer,
        fetcher=fetcher,
        files=files,
        account=account,
        queue_limit=settings.queue_limit,
        ttl=settings.file_ttl,
        choose_seed=choose_seed,
        now=now,
        sleep=sleep,
    )

    async def run_parts(_app: web.Application) -> AsyncIterator[None]:
        with files:
            async with fetcher, webhooks, jobs:
                yield

    middlewares = [errors_as_json, chaos.middleware] if chaos else [errors_as_json]
    app = web.Application(middlewares=middlewares, client_max_size=MAX_BODY_BYTES)
    app.cleanup_ctx.append(run_parts)
    common = CommonApi(jobs, files, public_url=settings.public_url, renderer_name=renderer.name)
    adapters = AdaptersApi(jobs, webhooks, api_key=settings.api_key, files_url=common.files_url)
    identity = IdentityApi(
        jobs, webhooks, files=files, account=account, api_key=settings.api_key, files_url=common.files_url
    )
    app.add_routes([*common.routes(), *adapters.routes(), *identity.routes()])
    return app


class CommonApi:
    """The routes that belong to no dialect: result files, and how the engine is."""

    def __init__(self, jobs: JobRunner, files: FileStore, *, public_url: str | None, renderer_name: str) -> None:
        self._jobs = jobs
        self._files = files
        self._public_url = public_url
        self._renderer_name = renderer_name

    def routes(self) -> list[web.RouteDef]:
        """List the routes."""
        return [web.get("/files/{name}", self.file), web.get("/health", self.health)]

    def files_url(self, request: web.Request) -> str:
        """Return the address of the folder of results as the sender of this request can reach it."""
        base = self._public_url or f"{request.scheme}://{request.host}"
        return f"{base}/files/"

    async def file(self, request: web.Request) -> web.Response:
        """Answer a result. Whoever knows its name may have it, so it is not for shared caches."""
        stored = await asyncio.to_thread(self._files.read, request.match_info["name"])
        headers = {"Cache-Control": "private", "X-Content-Type-Options": "nosniff"}
        return web.Response(body=stored.data, content_type=stored.content_type, headers=headers)

    async def health(self, _request: web.Request) -> web.Response:
        """Answer how busy the engine is; no key is needed."""
        counts = {"queued": self._jobs.queued, "running": self._jobs.running}
        return web.json_response({"status": "ok", "renderer": self._renderer_name, **counts})


@web.middleware
async def errors_as_json(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn every error into a JSON answer."""
    try:
        return await handler(request)
    except InvalidRequestError as error:
        return _answer(error.status, str(error), code=error.code, detail=[_json(each) for each in error.problems])
    except QueueFullError as error:
        return _answer(error.status, str(error), code=error.code, headers={"Retry-After": str(error.retry_after_s)})
    except RequestError as error:
        return _answer(error.status, str(error), code=error.code)
    except web.HTTPException as error:
        return _http_answer(error)
    except web.RequestPayloadError:
        return _answer(400, "The body could not be read. Send it again as plain, unbroken JSON.")
    except Exception:
        resource = request.match_info.route.resource
        log.exception("%s %s failed", request.method, resource and resource.canonical)  # a file's name is a secret
        return _answer(500, "The engine has a fault; its log says more. Try again.")


_HTTP_TEXTS = {
    404: "There is nothing at this address. Submit with POST /identity/lock/image/v1, /generate/image/v1, "
    "/sd/text2image/v1 or /sdxl/text2image/v1.",
    405: "This address does not take that method. The header Allow names those that it takes.",
    413: f"The body is larger than {MAX_BODY_BYTES // 2**20} MiB. Send images by address or smaller.",
}


def _http_answer(error: web.HTTPException) -> web.Response:
    headers = {"Allow": error.headers["Allow"]} if "Allow" in error.headers else {}
    return _answer(error.status, _HTTP_TEXTS.get(error.status, error.reason), headers=headers)


def _answer(
    status: int,
    message: str,
    *,
    code: str | None = None,
    detail: object = None,
    headers: Mapping[str, str] | None = None,
) -> web.Response:
    """Answer in both of ImagePipeline's shapes: older clients read ``detail``, newer ones ``message`` and the code."""
    code = code or HTTPStatus(status).name
    body = {"detail": detail or message, "error": message, "error_code": code, "message": message}
    return web.json_response(body, status=status, headers=headers)


def _json(problem: Problem) -> dict[str, Any]:
    answer: dict[str, Any] = {"loc": list(problem.loc), "msg": problem.message, "type": problem.kind}
    if problem.value is not None:
        answer["input"] = problem.value
    return answer
