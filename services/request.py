"""What a picture request may say: the tables of the ImagePipeline pages, and the checks on a wish.

Sources of every range: for the adapters API the parameter tables of docs.imagepipeline.io, "IP-Adapters" and
"Specialized Models/Adapters", with "Custom-Checkpoint" for seed, scheduler and safety_checker; for the identity API the
OpenAPI document of www.imagepipeline.io. Which adapters go with which lists is what the vendor's own web client sends.
"""

import json
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any, Self

from services.errors import InvalidWish
from services.words import _, ngettext, translated

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
# Enough for the adapters API's models to show what a seed will be; those of the identity API are distilled already.
DRAFT_STEPS = 8

NEGATIVE_PROMPT = (
    "deformed, disfigured, extra limbs, extra fingers, bad anatomy, cross-eyed, duplicate, cropped, blurry, "
    "low quality, jpeg artifacts, watermark, signature, text"
)
SCHEDULERS = (
    "EulerDiscreteScheduler",
    "DDIMScheduler",
    "DDPMScheduler",
    "HeunDiscreteScheduler",
    "UniPCMultistepScheduler",
    "DPMSolverMultistepScheduler",
    "DPMSolverMultistepSchedulerSDE",  # what the vendor's own web client always sends
)

PROMPT = "{prompt}"  # where a preset's own words leave room for the member's

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


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelChoice:
    """A model that members may choose: ``key`` is what they send, ``model_id`` what the service is sent."""

    key: str
    label: str
    family: Family
    model_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtraAdapter:
    """An adapter beside those that read photos, which the operator's account offers; ``scale`` is 0 to 1."""

    name: str
    label: str
    family: Family
    scale: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    """A style of pictures that members choose by name. ``prompt`` is what is sent, with ``{prompt}`` for the
    member's own words; None leaves a field to the model, the member or the bot. ``extra`` names an extra adapter.
    """

    name: str
    description: str
    prompt: str
    negative_prompt: str | None = None
    model: str | None = None
    steps: int | None = None
    guidance: float | None = None
    extra: str | None = None

    @property
    def told(self) -> str:
        """The description as a member reads it."""
        return translated(self.description)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """An attached image, as far as the request needs it; ``scale`` (0 to 1) is how strongly it is followed."""

    role: Role
    scale: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a member said; None stands for what they left open. ``references`` are in the order of their images: faces,
    then styles. ``size`` is a shape's name or ``768x512``. ``template`` is what a preset makes of the prompt.
    """

    prompt: str
    preset: str | None = None
    template: str = PROMPT
    references: tuple[Reference, ...] = ()
    count: int = 1
    size: str | None = None
    negative_prompt: str | None = None
    steps: int | None = None
    guidance: float | None = None
    strength: float | None = None
    seed: int | None = None
    scheduler: str | None = None
    adapter: str | None = None
    enhance_prompt: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """One checked request for pictures, complete but for the addresses of its images.

    ``references`` are in the order of the images: faces, then styles. ``jobs`` jobs at the service make the ``images``
    pictures, each an equal share. ``adapters`` and ``adapter_scales`` are the lists as the service is sent them.
    ``prompt`` is in the member's own words. ``caption`` is a line for the result that says what became of an earlier
    one. ``full_steps`` is for drafts alone: the steps of the full picture. ``is_spoiler`` says that its pictures are
    for adults.
    """

    api: Api
    prompt: str
    preset: str | None = None
    template: str = PROMPT
    negative_prompt: str | None
    images: int
    jobs: int
    seed: int
    steps: int
    guidance: float
    width: int
    height: int
    references: tuple[Reference, ...] = ()
    family: Family | None = None
    model_id: str | None = None
    model_label: str | None = None
    strength: float | None = None
    scheduler: str | None = None
    safety_checker: bool | None = None
    server_id: str | None = None
    adapters: tuple[str, ...] = ()
    adapter_scales: tuple[float, ...] = ()
    enhance_prompt: bool = False
    notes: tuple[str, ...] = ()
    caption: str | None = None
    full_steps: int | None = None
    is_spoiler: bool = False

    @property
    def is_draft(self) -> bool:
        """Whether its pictures are there to choose one that is then made in full."""
        return self.full_steps is not None

    @property
    def sent_prompt(self) -> str:
        """The prompt as the service is sent it."""
        return self.template.replace(PROMPT, self.prompt)

    @property
    def table(self) -> Table:
        """What the endpoint that it goes to takes."""
        if self.family is not None:
            return FAMILY_TABLES[self.family]
        return LOCK_TABLE if self.references else GENERATE_TABLE

    @property
    def shape(self) -> Shape | None:
        """The name of its size, where that has one."""
        size = (self.width, self.height)
        return next((shape for shape, pixels in self.table.sizes.items() if pixels == size), None)

    @property
    def kind(self) -> str:
        """Jobs of one kind take about as long as each other."""
        what = self.family or ("lock" if self.references else "generate")
        return f"{self.api}/{what}/{self.images // self.jobs}x{self.steps}/{self.width * self.height // 2**16}"

    def seed_of(self, n: int) -> int:
        """The seed of its job of that number, from 0: each has its own."""
        return (self.seed + n) % (SEED[1] + 1)

    @property
    def asked(self) -> Asked:
        """The way back: what a member has to say to get the same, but for the seed, the model and an extra adapter.
        What is the default here stays open, so that it is the default again where something else is changed. Of a draft
        it is one full picture.
        """
        table = self.table
        steps = self.full_steps or self.steps
        return Asked(
            prompt=self.prompt,
            preset=self.preset,
            template=self.template,
            references=self.references,
            count=1 if self.is_draft else self.images,
            size=self.shape or f"{self.width}x{self.height}",
            negative_prompt=None if self.family and self.negative_prompt == NEGATIVE_PROMPT else self.negative_prompt,
            steps=None if steps == table.default_steps else steps,
            guidance=None if self.guidance == table.default_guidance else self.guidance,
            strength=self.strength,
            scheduler=self.scheduler,
            adapter=self._chosen_adapter(),
            enhance_prompt=self.enhance_prompt,
        )

    @property
    def extra(self) -> str | None:
        """The name of the adapter beside those that read images."""
        roles = len({reference.role for reference in self.references})
        return self.adapters[roles] if len(self.adapters) > roles else None

    def _chosen_adapter(self) -> str | None:
        if self.family is None:
            return None
        used = [role for role in (Role.STYLE, Role.FACE) if self.count_of(role)]
        named = zip(used, self.adapters, strict=False)  # an extra one is beyond the roles
        return next((name for role, name in named if name != default_adapter(self.family, role)), None)

    def count_of(self, role: Role) -> int:
        """How many of the references have that role."""
        return sum(reference.role is role for reference in self.references)

    def to_json(self) -> str:
        """As it is kept in the database."""
        return json.dumps(asdict(self), ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read back what ``to_json`` wrote."""
        fields: dict[str, Any] = json.loads(text)
        fields["api"] = Api(fields["api"])
        fields["family"] = Family(fields["family"]) if fields["family"] else None
        fields["references"] = tuple(
            Reference(role=Role(reference["role"]), scale=reference["scale"]) for reference in fields["references"]
        )
        for name in ("adapters", "adapter_scales", "notes"):
            fields[name] = tuple(fields[name])
        return cls(**fields)


def default_adapter(family: Family, role: Role) -> str:
    """The adapter that reads images of a role where a member names none."""
    return next(name for name, reads in ADAPTERS[family].items() if reads is role)


def model_id_problem(model_id: str, family: Family) -> str | None:
    """Say what a model id of this family should be, when this one is not."""
    if model_id == BASE_MODELS[family] or _UUID.fullmatch(model_id):
        return None
    return _("{model} or the UUID of a checkpoint", model=BASE_MODELS[family])


def styled(asked: Asked, preset: Preset | None, *, api: Api) -> Asked:
    """What a member asked for, in the style of a preset, which fills in what they left open. The models of the identity
    API are others, so there a preset is its words alone.
    """
    if preset is None:
        return asked
    worded = replace(asked, preset=preset.name, template=preset.prompt)
    if api is Api.IDENTITY:
        takes_negative = asked.negative_prompt is None and asked.references
        return replace(worded, negative_prompt=preset.negative_prompt) if takes_negative else worded
    return replace(
        worded,
        negative_prompt=preset.negative_prompt if asked.negative_prompt is None else asked.negative_prompt,
        steps=preset.steps if asked.steps is None else asked.steps,
        guidance=preset.guidance if asked.guidance is None else asked.guidance,
    )


def adapters_wish(
    asked: Asked,
    *,
    model: ModelChoice,
    seed: int,
    extra: ExtraAdapter | None = None,
    safety_checker: bool = True,
    server_id: str | None = None,
) -> Wish:
    """A wish for the adapters API; ``seed`` is used where the member named none. With a face the service's safety
    checker is always on.

    Raises:
        InvalidWish: for the first field that is outside its range.
    """
    family, table = model.family, FAMILY_TABLES[model.family]
    problem = model_id_problem(model.model_id, family)
    if problem:
        raise InvalidWish(field="model_id", value=model.model_id, allowed=problem)
    if asked.strength is not None:
        _check_range("strength", asked.strength, STRENGTH)
    if asked.scheduler is not None and asked.scheduler not in SCHEDULERS:
        raise InvalidWish(field="scheduler", value=asked.scheduler, allowed=one_of(SCHEDULERS))
    if extra is not None and extra.family is not family:
        allowed = _("adapters for {family}", family=family.label)
        raise InvalidWish(field="extra", value=extra.label, allowed=allowed)
    adapters, scales = _adapters(asked, family, extra)
    width, height = size_of(asked.size, table)
    is_own_checkpoint = model.model_id != BASE_MODELS[family]
    notes = [_own_checkpoint()] if family is Family.SDXL and is_own_checkpoint and asked.references else []
    if any(side > max(table.sizes[Shape.SQUARE]) for side in (width, height)):
        pixels = table.sizes[Shape.SQUARE][0]
        notes.append(_("{family} is at its best up to {pixels} pixels a side.", family=family.label, pixels=pixels))
    return Wish(
        api=Api.ADAPTERS,
        prompt=_prompt(asked),
        preset=asked.preset,
        template=asked.template,
        negative_prompt=_negative_prompt(asked, default=NEGATIVE_PROMPT),
        images=_count(asked),
        jobs=1,
        seed=_seed(asked, seed),
        steps=_steps(asked, table),
        guidance=_guidance(asked, table),
        width=width,
        height=height,
        references=asked.references,
        family=family,
        model_id=model.model_id,
        model_label=model.label,
        strength=asked.strength,
        scheduler=asked.scheduler,
        safety_checker=safety_checker or any(reference.role is Role.FACE for reference in asked.references),
        server_id=server_id,
        adapters=adapters,
        adapter_scales=scales,
        notes=tuple(notes),
    )


def identity_wish(asked: Asked, *, seed: int, server_id: str | None = None) -> Wish:
    """A wish for the identity API: a face at most, one job a picture, no choice of model, adapter or scheduler.

    Raises:
        InvalidWish: for the first field that is outside its range.
    """
    if len(asked.references) > 1 or any(reference.role is not Role.FACE for reference in asked.references):
        raise InvalidWish(field="input_image", value=_images(len(asked.references)), allowed=_("one face"))
    table = LOCK_TABLE if asked.references else GENERATE_TABLE
    width, height = size_of(asked.size, table)
    notes: list[str] = []
    if asked.negative_prompt and not asked.references:
        notes.append(_("Without a face the image service takes no negative prompt, so yours was left out."))
    if asked.enhance_prompt and asked.references:
        notes.append(_("With a face the image service does not enrich prompts, so yours was sent as it is."))
    count = _count(asked)
    return Wish(
        api=Api.IDENTITY,
        prompt=_prompt(asked),
        preset=asked.preset,
        template=asked.template,
        # An empty one would still switch the guidance on there.
        negative_prompt=(_negative_prompt(asked, default=None) or None) if asked.references else None,
        images=count,
        jobs=count,
        seed=_seed(asked, seed),
        steps=_steps(asked, table),
        guidance=_guidance(asked, table),
        width=width,
        height=height,
        references=asked.references,
        server_id=server_id,
        enhance_prompt=asked.enhance_prompt and not asked.references,
        notes=tuple(notes),
    )


def faces_max(family: Family, *, with_style: bool) -> int:
    """How many face images the adapters API takes in one request."""
    return 1 if family is Family.SD or with_style else FACES_MAX


def drafted(wish: Wish) -> Wish:
    """The wish as a draft: four pictures of few steps, each a job, and so with a seed of its own."""
    few = DRAFT_STEPS if wish.api is Api.ADAPTERS else max(1, wish.steps // 2)
    return replace(
        wish,
        images=IMAGES_MAX,
        jobs=IMAGES_MAX,
        steps=min(few, wish.steps),
        full_steps=wish.steps,
        caption=_("A draft, quickly made in few steps. Press a number for that picture in full."),
    )


def remade(
    wish: Wish,
    asked: Asked,
    *,
    seed: int,
    model: ModelChoice | None = None,
    extra: ExtraAdapter | None = None,
    safety_checker: bool = True,
    server_id: str | None = None,
) -> Wish:
    """A new wish in the dialect of an earlier one: what is asked now, checked as anew. The adapters API needs a model.

    Raises:
        InvalidWish: for the first field that is outside its range.
    """
    if wish.api is Api.IDENTITY:
        return identity_wish(asked, seed=seed, server_id=server_id)
    if model is None:
        raise InvalidWish(field="model", value=wish.model_label, allowed=_("a model that is offered"))
    return adapters_wish(asked, model=model, seed=seed, extra=extra, safety_checker=safety_checker, server_id=server_id)


# A larger picture has sides of at most so many times the length, as far as the endpoint takes that.
LARGER = 2.0


def larger_size(wish: Wish) -> tuple[int, int] | None:
    """Width and height in pixels of the larger version of a wish; None where there is none, as of a draft. Stable
    Diffusion 1.5 makes two heads of one in large pictures, so its larger version is one of Stable Diffusion XL.
    """
    if wish.is_draft:
        return None
    table = FAMILY_TABLES[Family.SDXL] if wish.family is Family.SD else wish.table
    if wish.family is Family.SD and wish.shape is not None:
        return table.sizes[wish.shape]
    factor = min(LARGER, table.side_px[1] / max(wish.width, wish.height))
    if factor <= 1:
        return None
    width, height = (int(side * factor) // SIDE_PX_MULTIPLE * SIDE_PX_MULTIPLE for side in (wish.width, wish.height))
    return width, height


def can_vary(wish: Wish) -> bool:
    """Whether one of its pictures can be a style image beside its face; a draft's is chosen first."""
    return not wish.is_draft and wish.api is Api.ADAPTERS and wish.count_of(Role.FACE) <= 1


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
        _check_range(name, side_px, table.side_px)
        if side_px % SIDE_PX_MULTIPLE:
            raise InvalidWish(field=name, value=side_px, allowed=_("multiples of {number}", number=SIDE_PX_MULTIPLE))
    return width, height


def _own_checkpoint() -> str:
    return _("The image service documents photos for its own SDXL model only; with this one they may count for less.")


def _images(count: int) -> str:
    return ngettext("{number} image", "{number} images", count)


def _adapters(asked: Asked, family: Family, extra: ExtraAdapter | None) -> tuple[tuple[str, ...], tuple[float, ...]]:
    """Adapter names and scales: styles before the face; one name a role, but one scale an image."""
    names = {role: default_adapter(family, role) for role in Role}
    by_role = {role: [each.scale for each in asked.references if each.role is role] for role in Role}
    for role, most in ((Role.FACE, FACES_MAX), (Role.STYLE, STYLES_MAX)):
        if len(by_role[role]) > most:
            raise InvalidWish(field=role, value=_images(len(by_role[role])), allowed=_("at most {number}", number=most))
    if len(by_role[Role.FACE]) > faces_max(family, with_style=bool(by_role[Role.STYLE])):
        if family is Family.SD:
            alone = _("one face with {family}", family=family.label)
        else:
            alone = _("one face where there is a style image")
        faces = ngettext("{number} face", "{number} faces", len(by_role[Role.FACE]))
        raise InvalidWish(field="ip_adapter_image", value=faces, allowed=alone)
    for scale in (*by_role[Role.STYLE], *by_role[Role.FACE]):
        _check_range("ip_adapter_scale", scale, SCALE)
    used = [role for role in (Role.STYLE, Role.FACE) if by_role[role]]
    if asked.adapter is not None:
        reads = ADAPTERS[family].get(asked.adapter)
        if reads is None:
            raise InvalidWish(field="ip_adapter", value=asked.adapter, allowed=one_of(ADAPTERS[family]))
        if not used:
            allowed = _("requests with a face or a style image")
            raise InvalidWish(field="ip_adapter", value=asked.adapter, allowed=allowed)
        names[reads if len(used) > 1 else used[0]] = asked.adapter
    adapters = [names[role] for role in used]
    scales = [scale for role in used for scale in by_role[role]]
    if extra is not None:
        adapters.append(extra.name)
        scales.append(extra.scale)
    return tuple(adapters), tuple(scales)


def _prompt(asked: Asked) -> str:
    prompt = one_line(asked.prompt)
    if not prompt:
        raise InvalidWish(field="prompt", value=_("empty"), allowed=_characters(PROMPT_CHARACTERS_MAX))
    return _short_enough("prompt", prompt)


def _negative_prompt(asked: Asked, *, default: str | None) -> str | None:
    if asked.negative_prompt is None:
        return default
    return _short_enough("negative_prompt", one_line(asked.negative_prompt))


def _short_enough(name: str, text: str) -> str:
    if len(text) > PROMPT_CHARACTERS_MAX:
        raise InvalidWish(field=name, value=f"{text[:20]}…", allowed=_characters(PROMPT_CHARACTERS_MAX))
    return text


def _characters(most: int) -> str:
    return _("1 to {number} characters", number=most)


def one_line(text: str) -> str:
    """One line of text without control characters or halves of surrogate pairs, which no UTF-8 can carry."""
    kept = (each for each in text if each.isspace() or unicodedata.category(each) not in {"Cc", "Cs"})
    return " ".join("".join(kept).split())


def _count(asked: Asked) -> int:
    _check_range("count", asked.count, (1, IMAGES_MAX))
    return asked.count


def _seed(asked: Asked, otherwise: int) -> int:
    seed = otherwise if asked.seed is None else asked.seed
    _check_range("seed", seed, SEED)
    return seed


def _steps(asked: Asked, table: Table) -> int:
    steps = table.default_steps if asked.steps is None else asked.steps
    _check_range("num_inference_steps", steps, table.steps)
    return steps


def _guidance(asked: Asked, table: Table) -> float:
    guidance = table.default_guidance if asked.guidance is None else asked.guidance
    _check_range("guidance_scale", guidance, table.guidance)
    return guidance


def _check_range(name: str, value: float, allowed: tuple[float, float]) -> None:
    lowest, highest = allowed
    if not lowest <= value <= highest:
        raise InvalidWish(field=name, value=value, allowed=_("{lowest} to {highest}", lowest=lowest, highest=highest))


def one_of(names: Iterable[str]) -> str:
    """What a field takes that is chosen by name."""
    return _("one of {names}", names=", ".join(names))
