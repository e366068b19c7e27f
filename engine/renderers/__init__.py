"""What the engine asks of whatever makes its pictures."""

from dataclasses import dataclass, field
from typing import Protocol

from PIL import Image

from engine.request import Parameters, Role


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferenceImage:
    """A reference image, decoded: RGB, upright, at most 2048 px a side. Renderers share it and must not change it.

    ``scale`` is 0 (no influence) to 1.
    """

    role: Role
    adapter: str
    scale: float
    image: Image.Image = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderJob:
    """Everything that a renderer needs for one job; ``parameters.seed`` has been chosen."""

    id: str
    parameters: Parameters
    references: tuple[ReferenceImage, ...] = ()


class Renderer(Protocol):
    """Makes pictures. ``render`` is called for at most ``workers`` jobs at the same time.

    A renderer that can hold one job at a time says 1; one that makes several jobs' pictures in one go says how many it
    would like to have in hand.
    """

    @property
    def name(self) -> str:
        """A word for the health check."""
        ...

    @property
    def workers(self) -> int:
        """How many jobs may be in hand at once, at least 1."""
        ...

    async def render(self, job: RenderJob) -> list[bytes]:
        """Return ``samples`` encoded pictures (PNG, JPEG or WebP), in the order of ``sample_seeds``.

        Heavy work belongs in a thread: the event loop must stay free. What it raises fails the job with a neutral
        error, and is logged.
        """
        ...
