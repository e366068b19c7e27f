"""Makes a poster of each request with Pillow alone: no model, no weights, no GPU, and marked as a preview."""

import asyncio
import hashlib
import io
import json
from collections.abc import Awaitable, Callable
from random import Random

from PIL.PngImagePlugin import PngInfo

from engine.renderers import RenderJob
from engine.renderers.preview.poster import NOTICE, paint_poster

# zlib's levels above this one take twice as long for a few per cent.
PNG_COMPRESSION = 3


class PreviewRenderer:
    """Makes posters instead of running a model, for a first try and for tests.

    The same job gives the same bytes, whatever was rendered before.

    Args:
        seconds: How long each job is made to last, so that progress can be watched.
        workers: How many jobs may be in hand at once.
        sleep: Waits for a number of seconds.
    """

    name = "preview"

    def __init__(
        self,
        *,
        seconds: float = 0.0,
        workers: int = 2,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.workers = workers
        self._seconds = seconds
        self._sleep = sleep

    async def render(self, job: RenderJob) -> list[bytes]:
        """Return one PNG per sample."""
        if self._seconds:
            await self._sleep(self._seconds)
        return [await asyncio.to_thread(render_sample, job, seed) for seed in job.parameters.sample_seeds]


def render_sample(job: RenderJob, seed: int) -> bytes:
    """Return one picture of a job as a PNG that says in words and in its metadata what it is."""
    digest = hashlib.sha256(f"{seed}\n{job.parameters.prompt}".encode()).digest()
    poster = paint_poster(job, seed=seed, chance=Random(digest))  # noqa: S311 # a picture's dice, not a secret's
    file = io.BytesIO()
    poster.save(file, "PNG", pnginfo=_metadata(job, seed), compress_level=PNG_COMPRESSION)
    return file.getvalue()


def _metadata(job: RenderJob, seed: int) -> PngInfo:
    wanted = job.parameters
    parameters = {
        "model_id": wanted.model_id,
        "prompt": wanted.prompt,
        "negative_prompt": wanted.negative_prompt,
        "width": wanted.width,
        "height": wanted.height,
        "seed": seed,
        "num_inference_steps": wanted.num_inference_steps,
        "guidance_scale": wanted.guidance_scale,
        "strength": wanted.strength,
        "scheduler": wanted.scheduler,
        "safety_checker": wanted.safety_checker,
        "ip_adapter": [reference.adapter for reference in job.references],
        "ip_adapter_scale": [reference.scale for reference in job.references],
    }
    info = PngInfo()
    for keyword, text in (
        ("renderer", PreviewRenderer.name),
        ("comment", NOTICE),
        ("seed", str(seed)),
        ("parameters", json.dumps(parameters)),
    ):
        info.add_text(keyword, text)
    return info
