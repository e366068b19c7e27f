"""A member's wish for pictures: what they said, checked, and complete but for the addresses of its images."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Self

from services.errors import InvalidWish
from services.parameters import (
    ADAPTERS,
    BASE_MODELS,
    FACES_MAX,
    FAMILY_TABLES,
    IMAGES_MAX,
    PROMPT_CHARACTERS_MAX,
    SCALE,
    SCHEDULERS,
    SEED,
    STRENGTH,
    STYLES_MAX,
    Api,
    Family,
    Role,
    Shape,
    Table,
    check_range,
    default_adapter,
    faces_max,
    model_id_problem,
    one_line,
    one_of,
    size_of,
    table_of,
)
from services.prompts import in_two
from services.words import _, ngettext, translated

NEGATIVE_PROMPT = (
    "deformed, disfigured, extra limbs, extra fingers, bad anatomy, cross-eyed, duplicate, cropped, blurry, "
    "low quality, jpeg artifacts, watermark, signature, text"
)

PROMPT = "{prompt}"  # where a preset's own words leave room for the member's


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
        return table_of(self.family, has_face=bool(self.references))

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
    asked = _in_its_fields(asked)
    family, table = model.family, FAMILY_TABLES[model.family]
    problem = model_id_problem(model.model_id, family)
    if problem:
        raise InvalidWish(field="model_id", value=model.model_id, allowed=problem)
    if asked.strength is not None:
        check_range("strength", asked.strength, STRENGTH)
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
    asked = _in_its_fields(asked)
    if len(asked.references) > 1 or any(reference.role is not Role.FACE for reference in asked.references):
        raise InvalidWish(field="input_image", value=_images(len(asked.references)), allowed=_("one face"))
    table = table_of(None, has_face=bool(asked.references))
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


def _in_its_fields(asked: Asked) -> Asked:
    """With the negative part of the prompt in the negative prompt."""
    prompt, unwanted = in_two(asked.prompt)
    if not unwanted:
        return asked
    return replace(asked, prompt=prompt, negative_prompt=", ".join(filter(None, (asked.negative_prompt, unwanted))))


def _own_checkpoint() -> str:
    return _("The image service documents photos for its own SDXL model only; with this one they may count for less.")


def _images(count: int) -> str:
    return ngettext("{number} image", "{number} images", count)


def _adapters(asked: Asked, family: Family, extra: ExtraAdapter | None) -> tuple[tuple[str, ...], tuple[float, ...]]:
    """Adapter names and scales: styles before the face; one name a role, but one scale an image."""
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
        check_range("ip_adapter_scale", scale, SCALE)
    used = [role for role in (Role.STYLE, Role.FACE) if by_role[role]]
    names = _adapter_names(asked.adapter, family, used)
    adapters = [names[role] for role in used]
    scales = [scale for role in used for scale in by_role[role]]
    if extra is not None:
        adapters.append(extra.name)
        scales.append(extra.scale)
    return tuple(adapters), tuple(scales)


def _adapter_names(said: str | None, family: Family, used: Sequence[Role]) -> dict[Role, str]:
    """What reads the images of each role; ``used`` are those that there are, ``said`` is what a member named."""
    names = {role: default_adapter(family, role) for role in Role}
    if said is None:
        return names
    reads = ADAPTERS[family].get(said)
    if reads is None:
        raise InvalidWish(field="ip_adapter", value=said, allowed=one_of(ADAPTERS[family]))
    if not used:
        raise InvalidWish(field="ip_adapter", value=said, allowed=_("requests with a face or a style image"))
    if reads is Role.FACE and Role.FACE not in used:
        # It would show a person who was attached as a style, and of whom nobody was asked.
        raise InvalidWish(field="ip_adapter", value=said, allowed=_("requests with a face"))
    names[reads if len(used) > 1 else used[0]] = said
    return names


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


def _count(asked: Asked) -> int:
    check_range("count", asked.count, (1, IMAGES_MAX))
    return asked.count


def _seed(asked: Asked, otherwise: int) -> int:
    seed = otherwise if asked.seed is None else asked.seed
    check_range("seed", seed, SEED)
    return seed


def _steps(asked: Asked, table: Table) -> int:
    steps = table.default_steps if asked.steps is None else asked.steps
    check_range("num_inference_steps", steps, table.steps)
    return steps


def _guidance(asked: Asked, table: Table) -> float:
    guidance = table.default_guidance if asked.guidance is None else asked.guidance
    check_range("guidance_scale", guidance, table.guidance)
    return guidance
