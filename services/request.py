"""What a picture request may say: the tables of the ImagePipeline pages, and the checks on a wish.

Source of every range: the parameter tables of docs.imagepipeline.io, "IP-Adapters" and "Specialized Models/Adapters".
"""

import json
import re
import unicodedata
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Self

from services.errors import InvalidWish

# Our own bound: the model reads 75 tokens, which is far less; the result message has to quote the prompt.
PROMPT_CHARACTERS_MAX = 1000
IMAGES_MAX = 4
STEPS = (1, 100)
GUIDANCE = (1.0, 20.0)
SCALE = (0.0, 1.0)
SIDE_PX = (64, 1536)  # 1536: the hard maximum on the base model pages
SIDE_PX_MULTIPLE = 8  # a latent pixel is 8 image pixels wide
SEED = (0, 2**31 - 1)

NEGATIVE_PROMPT = (
    "deformed, disfigured, extra limbs, extra fingers, bad anatomy, cross-eyed, duplicate, cropped, blurry, "
    "low quality, jpeg artifacts, watermark, signature, text"
)
FACE_SCALE = 0.6

_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


class Model(StrEnum):
    """The two families that the service runs."""

    SD = "sd"
    SDXL = "sdxl"

    @property
    def label(self) -> str:
        """What a member reads."""
        return {Model.SD: "Stable Diffusion 1.5", Model.SDXL: "Stable Diffusion XL"}[self]


@dataclass(frozen=True, slots=True, kw_only=True)
class FamilyDefaults:
    """What makes good pictures with a family when nobody says otherwise."""

    model_id: str
    face_adapter: str
    side_px: int
    steps: int
    guidance: float


DEFAULTS = {
    Model.SD: FamilyDefaults(
        model_id="sd1.5", face_adapter="ip-adapter-plus-face_sd15", side_px=512, steps=30, guidance=7.5
    ),
    # Guidance 5: what the vendor's own web client sends with SDXL adapters.
    Model.SDXL: FamilyDefaults(
        model_id="sdxl", face_adapter="ip-adapter-plus-face_sdxl_vit-h", side_px=1024, steps=30, guidance=5.0
    ),
}


def model_id_problem(model_id: str, model: Model) -> str | None:
    """Say what a model id of this family should be, when this one is not."""
    if model_id == DEFAULTS[model].model_id or _UUID.fullmatch(model_id):
        return None
    return f"{DEFAULTS[model].model_id} or the UUID of a checkpoint"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """One checked request for pictures, complete but for the address of the face.

    ``width`` and ``height`` are in pixels; ``face_scale`` (0-1) is how strongly a face, if there is one, is kept.
    """

    model: Model
    model_id: str
    prompt: str
    negative_prompt: str
    images: int
    seed: int
    steps: int
    guidance: float
    width: int
    height: int
    face_scale: float

    @classmethod
    def of(cls, *, prompt: str, model: Model, model_id: str, images: int, seed: int) -> Self:
        """Fill in the family's defaults and check everything.

        Raises:
            InvalidWish: for the first field that is outside its range.
        """
        defaults = DEFAULTS[model]
        wish = cls(
            model=model,
            model_id=model_id,
            prompt=_clean(prompt),
            negative_prompt=NEGATIVE_PROMPT,
            images=images,
            seed=seed,
            steps=defaults.steps,
            guidance=defaults.guidance,
            width=defaults.side_px,
            height=defaults.side_px,
            face_scale=FACE_SCALE,
        )
        _check(wish)
        return wish

    def to_json(self) -> str:
        """As it is kept in the database."""
        return json.dumps(asdict(self), ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read back what ``to_json`` wrote."""
        fields = json.loads(text)
        return cls(**fields | {"model": Model(fields["model"])})


def _clean(text: str) -> str:
    """One line of text without control characters or halves of surrogate pairs, which no UTF-8 can carry."""
    one_line = " ".join(text.split())
    return "".join(character for character in one_line if unicodedata.category(character) not in {"Cc", "Cs"})


def _check(wish: Wish) -> None:
    if not wish.prompt or len(wish.prompt) > PROMPT_CHARACTERS_MAX:
        shown = f"{wish.prompt[:20]}…" if wish.prompt else "empty"
        raise InvalidWish(field="prompt", value=shown, allowed=f"1 to {PROMPT_CHARACTERS_MAX} characters")
    problem = model_id_problem(wish.model_id, wish.model)
    if problem:
        raise InvalidWish(field="model_id", value=wish.model_id, allowed=problem)
    _check_range("count", wish.images, (1, IMAGES_MAX))
    _check_range("num_inference_steps", wish.steps, STEPS)
    _check_range("guidance_scale", wish.guidance, GUIDANCE)
    _check_range("ip_adapter_scale", wish.face_scale, SCALE)
    _check_range("seed", wish.seed, SEED)
    for field, side_px in (("width", wish.width), ("height", wish.height)):
        _check_range(field, side_px, SIDE_PX)
        if side_px % SIDE_PX_MULTIPLE:
            raise InvalidWish(field=field, value=side_px, allowed=f"multiples of {SIDE_PX_MULTIPLE}")


def _check_range(field: str, value: float, allowed: tuple[float, float]) -> None:
    lowest, highest = allowed
    if not lowest <= value <= highest:
        raise InvalidWish(field=field, value=value, allowed=f"{lowest} to {highest}")
