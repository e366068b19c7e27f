"""What the image service takes: the tables of the ImagePipeline pages, and how their values are written.

Sources of every range: for the adapters API the parameter tables of docs.imagepipeline.io, "IP-Adapters" and
"Specialized Models/Adapters", with "Custom-Checkpoint" for seed, scheduler and safety_checker; for the identity API the
OpenAPI document of www.imagepipeline.io. Which adapters go with which lists is what the vendor's own web client sends.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from services.errors import InvalidWish
from services.words import _

# Our own bound: the model reads 75 tokens, which is far less; the result message has to quote the prompt.
PROMPT_CHARACTERS_MAX = 1000
IMAGES_MAX = 4
FACES_MAX = 3
STYLES_MAX = 3
SEED = (0, 2**31 - 1)
STEPS = (1, 100)
GUIDANCE = (1.0, 20.0)
SCALE = (0.0, 1.0)
STRENGTH = (0.0, 1.0)
SIDE_PX_MULTIPLE = 8  # a latent pixel is 8 image pixels wide
SCALE_DEFAULT = 0.6
SCHEDULERS = (
    "EulerDiscreteScheduler",
    "DDIMScheduler",
    "DDPMScheduler",
    "HeunDiscreteScheduler",
    "UniPCMultistepScheduler",
    "DPMSolverMultistepScheduler",
    "DPMSolverMultistepSchedulerSDE",  # what the vendor's own web client always sends
)

_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_SIZE = re.compile(r"(\d{1,5})\s*[x\u00d7*]\s*(\d{1,5})")


class Api(StrEnum):
    """The two dialects of the service."""

    ADAPTERS = "adapters"
    IDENTITY = "identity"


class Family(StrEnum):
    """The two families of models that the adapters API runs."""

    SD = "sd"
    SDXL = "sdxl"

    @property
    def label(self) -> str:
        """What a member reads."""
        return {Family.SD: "Stable Diffusion 1.5", Family.SDXL: "Stable Diffusion XL"}[self]


class Role(StrEnum):
    """What an attached image is for."""

    FACE = "face"
    STYLE = "style"

    @property
    def label(self) -> str:
        """What a member reads, inside a sentence."""
        return {Role.FACE: _("face"), Role.STYLE: _("style")}[self]


class Shape(StrEnum):
    """The sizes that members choose by name."""

    SQUARE = "square"
    PORTRAIT = "portrait"
    LANDSCAPE = "landscape"
    WIDE = "wide"

    @property
    def label(self) -> str:
        """What a member reads."""
        return {
            Shape.SQUARE: _("Square"),
            Shape.PORTRAIT: _("Portrait"),
            Shape.LANDSCAPE: _("Landscape"),
            Shape.WIDE: _("Wide"),
        }[self]


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """What one endpoint takes, and what makes good pictures there when nobody says otherwise."""

    steps: tuple[int, int]
    guidance: tuple[float, float]
    side_px: tuple[int, int]
    sizes: Mapping[Shape, tuple[int, int]]
    default_steps: int
    default_guidance: float


_LARGE = {
    Shape.SQUARE: (1024, 1024),
    Shape.PORTRAIT: (768, 1024),
    Shape.LANDSCAPE: (1024, 768),
    Shape.WIDE: (1024, 576),
}
_SMALL = {Shape.SQUARE: (512, 512), Shape.PORTRAIT: (384, 512), Shape.LANDSCAPE: (512, 384), Shape.WIDE: (512, 288)}

# 1536: the hard maximum on the base model pages. Guidance 5 is what the vendor's own client sends with SDXL adapters.
FAMILY_TABLES = {
    Family.SD: Table(
        steps=STEPS, guidance=GUIDANCE, side_px=(64, 1536), sizes=_SMALL, default_steps=30, default_guidance=7.5
    ),
    Family.SDXL: Table(
        steps=STEPS, guidance=GUIDANCE, side_px=(64, 1536), sizes=_LARGE, default_steps=30, default_guidance=5.0
    ),
}
# The defaults are the service's own: its models there are distilled, and 30 steps would only be slower.
LOCK_TABLE = Table(
    steps=STEPS, guidance=GUIDANCE, side_px=(64, 2048), sizes=_LARGE, default_steps=8, default_guidance=1.5
)
GENERATE_TABLE = Table(
    steps=(1, 50), guidance=(0.0, 20.0), side_px=(64, 1024), sizes=_LARGE, default_steps=8, default_guidance=0.0
)

BASE_MODELS = {Family.SD: "sd1.5", Family.SDXL: "sdxl"}
ADAPTERS: Mapping[Family, Mapping[str, Role]] = {
    Family.SD: {"ip-adapter-plus-face_sd15": Role.FACE, "ip-adapter-plus_sd15": Role.STYLE},
    Family.SDXL: {
        "ip-adapter-plus-face_sdxl_vit-h": Role.FACE,
        "ip-adapter-plus_sdxl_vit-h": Role.STYLE,
        "ip-adapter_sdxl": Role.STYLE,
        "ip-adapter_sdxl_vit-h": Role.STYLE,
    },
}


def table_of(family: Family | None, *, has_face: bool) -> Table:
    """The table of an endpoint: the adapters API has one a family, the identity API, without any, one for faces."""
    if family is not None:
        return FAMILY_TABLES[family]
    return LOCK_TABLE if has_face else GENERATE_TABLE


def default_adapter(family: Family, role: Role) -> str:
    """The adapter that reads images of a role where a member names none."""
    return next(name for name, reads in ADAPTERS[family].items() if reads is role)


def model_id_problem(model_id: str, family: Family) -> str | None:
    """Say what a model id of this family should be, when this one is not."""
    if model_id == BASE_MODELS[family] or _UUID.fullmatch(model_id):
        return None
    return _("{model} or the UUID of a checkpoint", model=BASE_MODELS[family])


def faces_max(family: Family, *, with_style: bool) -> int:
    """How many face images the adapters API takes in one request."""
    return 1 if family is Family.SD or with_style else FACES_MAX


def size_of(said: str | None, table: Table) -> tuple[int, int]:
    """Width and height in pixels of a shape's name or of ``768x512``; of a square where nothing was said.

    Raises:
        InvalidWish: it is neither, or not what the endpoint takes.
    """
    text = (said or Shape.SQUARE).strip().lower()
    if text in tuple(Shape):
        return table.sizes[Shape(text)]
    found = _SIZE.fullmatch(text)
    if found is None:
        allowed = _("one of {names}, or width and height in pixels such as 768x512", names=", ".join(Shape))
        raise InvalidWish(field="size", value=text[:20], allowed=allowed)
    width, height = int(found[1]), int(found[2])
    for name, side_px in (("width", width), ("height", height)):
        check_range(name, side_px, table.side_px)
        if side_px % SIDE_PX_MULTIPLE:
            raise InvalidWish(field=name, value=side_px, allowed=_("multiples of {number}", number=SIDE_PX_MULTIPLE))
    return width, height


def one_line(text: str) -> str:
    """One line of text without control characters or halves of surrogate pairs, which no UTF-8 can carry."""
    kept = (each for each in text if each.isspace() or unicodedata.category(each) not in {"Cc", "Cs"})
    return " ".join("".join(kept).split())


def check_range(name: str, value: float, allowed: tuple[float, float]) -> None:
    """Make sure that a field's value is not beyond the ends of its range.

    Raises:
        InvalidWish
    """
    lowest, highest = allowed
    if not lowest <= value <= highest:
        raise InvalidWish(field=name, value=value, allowed=_("{lowest} to {highest}", lowest=lowest, highest=highest))


def one_of(names: Iterable[str]) -> str:
    """What a field takes that is chosen by name."""
    return _("one of {names}", names=", ".join(names))
