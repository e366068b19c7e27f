"""The adapters API's request fields: their names, ranges and spellings, as ImagePipeline's pages document them."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from engine.fields import FieldReader, address_problem, as_items, as_list, as_number, is_absent, is_unicode
from engine.request import (
    BASE_MODEL,
    DEFAULT_ADAPTER_SCALE,
    DEFAULT_STRENGTH,
    MAX_PROMPT_CHARS,
    MAX_SEED,
    MIN_SIDE_PX,
    RANDOM_SEED,
    SIDE_MULTIPLE_PX,
    Family,
    ImageRequest,
    Parameters,
    ReferenceSource,
    Role,
    Scheduler,
)

# The ranges and defaults of ImagePipeline's pages for text2image and for its optimised base models.
STEPS = (1, 100)
SAMPLES = (1, 4)
GUIDANCE = (1.0, 20.0)
UNIT = (0.0, 1.0)
MAX_SIDE_PX = 1536
DEFAULT_STEPS = 20
DEFAULT_GUIDANCE = 7.5
DEFAULT_SIDE_PX: Mapping[Family, int] = {Family.SD: 512, Family.SDXL: 1024}

# A bound of our own, where the pages have none: far above any use, low enough to keep a job small.
MAX_REFERENCES = 8

ADAPTERS: Mapping[Family, tuple[str, ...]] = {
    Family.SD: ("ip-adapter_sd15", "ip-adapter-plus_sd15", "ip-adapter-plus-face_sd15"),
    Family.SDXL: (
        "ip-adapter_sdxl",
        "ip-adapter_sdxl_vit-h",
        "ip-adapter-plus_sdxl_vit-h",
        "ip-adapter-plus-face_sdxl_vit-h",
    ),
}

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_MAIN_FIELD = "ip_adapter_image"
_STYLE_FIELD = "ip_adapter_style_images"


def parse(body: Mapping[str, Any], family: Family) -> ImageRequest:
    """Turn a request body into a request, or say everything that is wrong with it.

    Raises:
        InvalidRequestError: At least one field breaks its rule.
    """
    reader = FieldReader(body)
    parameters = _parameters(reader, family)
    references = _references(reader, family)
    callback_url = reader.address("webhook")
    reader.check()
    return ImageRequest(parameters=parameters, references=tuple(references), callback_url=callback_url)


def spread_scales(scales: Sequence[float], owners: Sequence[int], *, adapters: int) -> list[float]:
    """Give each image a scale; ``owners`` has the index of each image's adapter, in the images' order.

    The pages leave open whether the list goes by images or by adapters, and the vendor's own client sends one per
    image. So: one scale per image goes by images; otherwise one per adapter goes by adapters (both images of a style
    adapter get its scale); otherwise the list goes by images, its last entry serves the images that are left, and
    entries without an image are ignored. No scale at all means the usual 0.6 for each.
    """
    if not scales:
        return [DEFAULT_ADAPTER_SCALE] * len(owners)
    if len(scales) == adapters != len(owners):
        return [scales[owner] for owner in owners]
    return [scales[min(index, len(scales) - 1)] for index in range(len(owners))]


def _parameters(reader: FieldReader, family: Family) -> Parameters:
    side = DEFAULT_SIDE_PX[family]
    return Parameters(
        family=family,
        model_id=_model_id(reader, family),
        prompt=reader.required_text("prompt", max_chars=MAX_PROMPT_CHARS, hint="say what the picture should show"),
        negative_prompt=reader.text("negative_prompt", "", max_chars=MAX_PROMPT_CHARS),
        width=_side(reader, "width", side),
        height=_side(reader, "height", side),
        samples=reader.integer("samples", 1, minimum=SAMPLES[0], maximum=SAMPLES[1]),
        seed=reader.integer("seed", RANDOM_SEED, minimum=RANDOM_SEED, maximum=MAX_SEED),
        num_inference_steps=reader.integer("num_inference_steps", DEFAULT_STEPS, minimum=STEPS[0], maximum=STEPS[1]),
        guidance_scale=reader.number("guidance_scale", DEFAULT_GUIDANCE, minimum=GUIDANCE[0], maximum=GUIDANCE[1]),
        strength=reader.number("strength", DEFAULT_STRENGTH, minimum=UNIT[0], maximum=UNIT[1]),
        scheduler=reader.word("scheduler", Scheduler),
        safety_checker=reader.boolean("safety_checker", default=True),
    )


def _side(reader: FieldReader, name: str, default: int) -> int:
    return reader.integer(name, default, minimum=MIN_SIDE_PX, maximum=MAX_SIDE_PX, multiple_of=SIDE_MULTIPLE_PX)


def _model_id(reader: FieldReader, family: Family) -> str:
    value = reader.raw("model_id")
    base = BASE_MODEL[family]
    if value is None:
        return base
    if isinstance(value, str) and (value == base or _UUID.fullmatch(value)):
        return value
    reader.add("model_id", f"Should be {base} or a checkpoint's UUID", "model_id", value=value)
    return base


@dataclass(frozen=True, slots=True, kw_only=True)
class _Image:
    field: str
    name: str
    source: str


def _references(reader: FieldReader, family: Family) -> list[ReferenceSource]:
    adapters = _adapters(reader, family)
    scales = _scales(reader)
    main = list(_images(reader, _MAIN_FIELD))
    style = list(_images(reader, _STYLE_FIELD))
    _check_company(reader, family)
    if len(main) + len(style) > MAX_REFERENCES:
        reader.add(_STYLE_FIELD, f"At most {MAX_REFERENCES} images are taken, both fields together", "too_long")
    if reader.problems or not adapters:
        return []
    placed = _place(adapters, main, style)
    spread = spread_scales(scales, [owner for owner, _ in placed], adapters=len(adapters))
    return [_reference(adapters[owner], image, scale) for (owner, image), scale in zip(placed, spread, strict=True)]


def _check_company(reader: FieldReader, family: Family) -> None:
    """An adapter without an image has nothing to show it, and an image without an adapter would be ignored."""
    adapters = as_items(reader.raw("ip_adapter"))
    images = [source for field in (_MAIN_FIELD, _STYLE_FIELD) for source in as_list(reader.raw(field))]
    has_image = not all(is_absent(source) for source in images)
    if has_image and not adapters:
        reader.add("ip_adapter", f"Name an adapter for the images: {', '.join(ADAPTERS[family])}", "missing")
    if adapters and not has_image:
        reader.add(_MAIN_FIELD, f"An adapter needs an image: send {_MAIN_FIELD} or {_STYLE_FIELD}", "missing")


def _adapters(reader: FieldReader, family: Family) -> list[str]:
    names: list[str] = []
    for index, name in enumerate(as_items(reader.raw("ip_adapter"))):
        if isinstance(name, str) and name in ADAPTERS[family]:
            names.append(name)
        else:
            message = f"Should be one of {', '.join(ADAPTERS[family])}"
            reader.add("ip_adapter", message, "enum", index=index, value=name)
    return names


def _scales(reader: FieldReader) -> list[float]:
    scales: list[float] = []
    for index, value in enumerate(as_items(reader.raw("ip_adapter_scale"))):
        number = as_number(value)
        if number is not None and UNIT[0] <= number <= UNIT[1]:
            scales.append(float(number))
        else:
            kind = "float_type" if number is None else "out_of_range"
            reader.add("ip_adapter_scale", "Should be a number from 0 to 1", kind, index=index, value=value)
    return scales


def _images(reader: FieldReader, field: str) -> Iterator[_Image]:
    value = reader.raw(field)
    sources = as_list(value)
    for index, source in enumerate(sources):
        if is_absent(source):
            continue
        problem = _source_problem(source)
        if problem:
            reader.add(field, problem, "url_parsing", index=index if isinstance(value, list) else None)
        else:
            yield _Image(field=field, name=f"{field}[{index}]" if len(sources) > 1 else field, source=source)


def _source_problem(source: Any) -> str | None:
    if isinstance(source, str) and source[:5].lower() == "data:" and is_unicode(source):
        return None
    return address_problem(source)


def _place(adapters: Sequence[str], main: Sequence[_Image], style: Sequence[_Image]) -> list[tuple[int, _Image]]:
    """Give every image to an adapter, and order them by adapter: that is the order of the list of scales.

    The vendor's client names the style adapter first and sends style scales first. As many images in the main field
    as there are adapters, and no style images, go one to each.
    """
    if not style and len(main) == len(adapters):
        return list(enumerate(main))
    face = next((index for index, name in enumerate(adapters) if _keeps_faces(name)), 0)
    look = next((index for index, name in enumerate(adapters) if not _keeps_faces(name)), 0)
    owned = [(face, image) for image in main] + [(look, image) for image in style]
    return sorted(owned, key=lambda pair: pair[0])


def _reference(adapter: str, image: _Image, scale: float) -> ReferenceSource:
    role = Role.FACE if image.field == _MAIN_FIELD and _keeps_faces(adapter) else Role.STYLE
    return ReferenceSource(name=image.name, role=role, adapter=adapter, scale=scale, source=image.source)


def _keeps_faces(adapter: str) -> bool:
    return "-face_" in adapter
