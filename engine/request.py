"""What one job asks for, whichever way it was sent: plain data that every part of the engine shares."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

MAX_SEED = 2**32 - 1
RANDOM_SEED = -1
DEFAULT_STRENGTH = 0.8

# What the vendor's own web client sends for every image.
DEFAULT_ADAPTER_SCALE = 0.6

# Stable Diffusion's autoencoder shrinks each side eight times; the pages name no smallest size, so this one is ours.
SIDE_MULTIPLE_PX = 8
MIN_SIDE_PX = 64

# A bound of our own, where the pages have none: far above any use, low enough to keep a job small.
MAX_PROMPT_CHARS = 10_000


class Family(StrEnum):
    """A family of models, by the word that stands for it in the API's paths."""

    SD = "sd"
    SDXL = "sdxl"


BASE_MODEL: Mapping[Family, str] = {Family.SD: "sd1.5", Family.SDXL: "sdxl"}


class Role(StrEnum):
    """What a reference image is for: to keep a person's face, or to borrow a look."""

    FACE = "face"
    STYLE = "style"


class Scheduler(StrEnum):
    """The noise schedulers that ImagePipeline's pages and its own web client name."""

    EULER = "EulerDiscreteScheduler"
    DDIM = "DDIMScheduler"
    DDPM = "DDPMScheduler"
    HEUN = "HeunDiscreteScheduler"
    UNIPC = "UniPCMultistepScheduler"
    DPM_MULTISTEP = "DPMSolverMultistepScheduler"
    DPM_MULTISTEP_SDE = "DPMSolverMultistepSchedulerSDE"


class OutputFormat(StrEnum):
    """How a picture can be encoded; the words are Pillow's too."""

    WEBP = "webp"
    JPEG = "jpeg"
    PNG = "png"


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameters:
    """Everything about the wanted pictures except the reference images. Sizes are pixels.

    ``seed`` is 0 to 2**32 - 1, or -1 until the engine has chosen one.
    ``scheduler`` is None where the renderer may choose.
    """

    family: Family
    model_id: str
    prompt: str = field(repr=False)
    negative_prompt: str = field(repr=False)
    width: int
    height: int
    samples: int
    seed: int
    num_inference_steps: int
    guidance_scale: float
    strength: float
    scheduler: Scheduler | None
    safety_checker: bool

    def with_seed(self, seed: int) -> "Parameters":
        """Return these parameters with a seed that the engine chose, if the request left it open."""
        return replace(self, seed=seed) if self.seed == RANDOM_SEED else self

    @property
    def sample_seeds(self) -> tuple[int, ...]:
        """One seed per picture, counted up from ``seed``: any one picture can be had again alone by its own seed."""
        return tuple((self.seed + index) % (MAX_SEED + 1) for index in range(self.samples))


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferenceSource:
    """A reference image as it was sent: an http(s) address or a ``data:`` URI, never shown in logs.

    ``name`` is the request's field, for errors. ``scale`` is 0 (no influence) to 1.
    """

    name: str
    role: Role
    adapter: str
    scale: float
    source: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageRequest:
    """One accepted request: what it wants, and where the reference images and the news of its end are to be had.

    ``endpoint`` is the path that it came by, ``output_format`` None keeps the renderer's own encoding, and
    ``callback_url`` is a secret. ``warnings`` are sentences for the caller.
    """

    parameters: Parameters
    references: tuple[ReferenceSource, ...] = ()
    endpoint: str = ""
    output_format: OutputFormat | None = None
    callback_url: str | None = field(default=None, repr=False)
    warnings: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        """How many characters the reference images hold while the request waits (inline images are large)."""
        return sum(len(reference.source) for reference in self.references)
