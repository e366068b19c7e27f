"""ImagePipeline's adapters API: ``/sd/text2image/v1`` and ``/sdxl/text2image/v1``."""

import contextlib
import uuid
from collections.abc import Callable
from datetime import datetime
from typing import Any
from urllib.parse import quote

import aiohttp

from services.imagepipeline.answers import Answer, JobUnknown
from services.imagepipeline.calls import Calls
from services.imagepipeline.client import Order
from services.imagepipeline.wire import read_answer
from services.parameters import Api, Role
from services.wishes import Wish

SDXL = "/sdxl/text2image/v1"

_OTHER_DIALECT = "A key for today's API (X-API-Key, /identity/lock/image/v1) needs IMAGEPIPELINE_API=identity."


class AdaptersClient:
    """See ``services.imagepipeline.client.ImageClient``. This API never says what is left in the account."""

    api = Api.ADAPTERS
    account_usd: float | None = None

    def __init__(
        self, session: aiohttp.ClientSession, *, base_url: str, api_key: str, now: Callable[[], datetime]
    ) -> None:
        self._calls = Calls(
            session, base_url=base_url, key_header={"API-Key": api_key}, other_dialect=_OTHER_DIALECT, now=now
        )

    def route(self, wish: Wish) -> str:
        """See the protocol."""
        return f"/{wish.family}/text2image/v1"

    async def look(self) -> None:
        """See the protocol."""
        with contextlib.suppress(JobUnknown):
            await self.ask(SDXL, str(uuid.uuid4()))

    async def submit(self, order: Order) -> Answer:
        """See the protocol."""
        body = await self._calls.post(self.route(order.wish), json=request_body(order), key=order.idempotency_key)
        return read_answer(body)

    async def ask(self, route: str, job_id: str) -> Answer:
        """See the protocol."""
        return read_answer(await self._calls.get(f"{route}/status/{quote(job_id, safe='')}"), job_id=job_id)


def request_body(order: Order) -> dict[str, Any]:
    """The documented JSON body. Lists are always JSON arrays, also with one entry, as the vendor's own client sends."""
    wish = order.wish
    body: dict[str, Any] = {
        "model_id": wish.model_id,
        "prompt": wish.sent_prompt,
        "negative_prompt": wish.negative_prompt,
        "num_inference_steps": wish.steps,
        "samples": wish.images // wish.jobs,
        "guidance_scale": wish.guidance,
        "width": wish.width,
        "height": wish.height,
        "seed": wish.seed_of(order.n),
        "safety_checker": wish.safety_checker,
        "strength": wish.strength,
        "scheduler": wish.scheduler,
        "server_id": wish.server_id,
        "webhook": order.webhook_url,
    }
    if wish.adapters:
        body["ip_adapter"] = list(wish.adapters)
        body["ip_adapter_scale"] = list(wish.adapter_scales)
    return {name: value for name, value in body.items() if value is not None} | _images(order)


def _images(order: Order) -> dict[str, Any]:
    """One face is a single address and several are a list; styles beside a face have a list of their own."""
    by_role: dict[Role, list[str]] = {role: [] for role in Role}
    for reference, url in zip(order.wish.references, order.photo_urls, strict=True):
        by_role[reference.role].append(url)
    faces, styles = by_role[Role.FACE], by_role[Role.STYLE]
    if faces and styles:
        return {"ip_adapter_image": faces[0], "ip_adapter_style_images": styles}
    if len(faces) == 1:
        return {"ip_adapter_image": faces[0]}
    return {"ip_adapter_image": faces or styles} if faces or styles else {}
