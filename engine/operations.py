"""The identity API's operations: their fields, names and ranges, as ImagePipeline's pages document them."""

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from engine.fields import FieldReader, as_list
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
    OutputFormat,
    Parameters,
    ReferenceSource,
    Role,
)

# The API names no model and no adapter; these are the engine's best for a face.
FAMILY = Family.SDXL
FACE_ADAPTER = "ip-adapter-plus-face_sdxl_vit-h"

DEFAULT_SIDE_PX = 1024
DEFAULT_STEPS = 8
MAX_GUIDANCE = 20.0

# Bounds of our own, where the pages have none. An inline image is bounded by the body it comes in.
MAX_ID_CHARS = 200
MAX_IMAGE_CHARS = 16 * 1024 * 1024

_COLOUR = re.compile(r"#?([0-9a-f]{3}|[0-9a-f]{6})", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """A way to make a picture, with the ranges that the API documents for it."""

    endpoint: str
    max_side_px: int
    max_steps: int
    min_guidance: float
    default_guidance: float
    keeps_a_face: bool


# https://www.imagepipeline.io/docs/capabilities/generate and .../identity
GENERATE = Operation(
    endpoint="generate/image/v1",
    max_side_px=1024,
    max_steps=50,
    min_guidance=0.0,
    default_guidance=0.0,
    keeps_a_face=False,
)
FACE_LOCK = Operation(
    endpoint="identity/lock/image/v1",
    max_side_px=2048,
    max_steps=100,
    min_guidance=1.0,
    default_guidance=1.5,
    keeps_a_face=True,
)
OPERATIONS = {operation.endpoint: operation for operation in (GENERATE, FACE_LOCK)}


def parse(body: Mapping[str, Any], operation: Operation) -> ImageRequest:
    """Turn a request body into a request, or say everything that is wrong with it.

    Raises:
        InvalidRequestError: At least one field breaks its rule.
    """
    reader = FieldReader(body)
    warnings: list[str] = []
    parameters = _parameters(reader, operation, warnings)
    references = _references(reader) if operation.keeps_a_face else ()
    output_format = reader.word("output_format", OutputFormat) or OutputFormat.WEBP
    callback_url = reader.address("callback_url")
    warnings.extend(_unused(reader))
    reader.check()
    return ImageRequest(
        parameters=parameters,
        references=references,
        endpoint=operation.endpoint,
        output_format=output_format,
        callback_url=callback_url,
        warnings=tuple(warnings),
    )


def _parameters(reader: FieldReader, operation: Operation, warnings: list[str]) -> Parameters:
    negative_prompt = reader.text("negative_prompt", "", max_chars=MAX_PROMPT_CHARS) if operation.keeps_a_face else ""
    return Parameters(
        family=FAMILY,
        model_id=BASE_MODEL[FAMILY],
        prompt=reader.required_text("prompt", max_chars=MAX_PROMPT_CHARS, hint="say what the picture should show"),
        negative_prompt=negative_prompt,
        width=_side(reader, "width", operation, warnings),
        height=_side(reader, "height", operation, warnings),
        samples=1,
        seed=reader.integer("seed", RANDOM_SEED, minimum=RANDOM_SEED, maximum=MAX_SEED),
        num_inference_steps=reader.integer(
            "num_inference_steps", DEFAULT_STEPS, minimum=1, maximum=operation.max_steps
        ),
        guidance_scale=reader.number(
            "guidance_scale", operation.default_guidance, minimum=operation.min_guidance, maximum=MAX_GUIDANCE
        ),
        strength=DEFAULT_STRENGTH,
        scheduler=None,
        safety_checker=True,
    )


def _side(reader: FieldReader, name: str, operation: Operation, warnings: list[str]) -> int:
    """Read a side, which may be any number of pixels here, and make it one that renderers can do."""
    wanted = reader.integer(name, DEFAULT_SIDE_PX, minimum=1, maximum=operation.max_side_px)
    side = max(MIN_SIDE_PX, math.ceil(wanted / SIDE_MULTIPLE_PX) * SIDE_MULTIPLE_PX)
    if side != wanted:
        warnings.append(f"{name} was raised from {wanted} to {side}, the next size that can be made.")
    return side


def _references(reader: FieldReader) -> tuple[ReferenceSource, ...]:
    """Read the image of a face. Its address is judged when it is fetched: a bad one fails the job, as documented."""
    source = reader.text("input_image", "", max_chars=MAX_IMAGE_CHARS)
    if not source:
        return ()
    face = ReferenceSource(
        name="input_image", role=Role.FACE, adapter=FACE_ADAPTER, scale=DEFAULT_ADAPTER_SCALE, source=source
    )
    return (face,)


def _unused(reader: FieldReader) -> Iterator[str]:
    """Check the fields that the API documents and this engine does nothing with, and say so for each that was sent."""
    if reader.text("profile_id", "", max_chars=MAX_ID_CHARS):
        reader.add("profile_id", "This engine keeps no profiles: leave the field out and send their text", "profile_id")
    _check_palette(reader)
    sent = {
        "enhance_prompt": reader.boolean("enhance_prompt", default=False),
        "logo_url": reader.address("logo_url"),
        "palette": reader.raw("palette"),
        "server_id": reader.text("server_id", "", max_chars=MAX_ID_CHARS),
    }
    return (f"{name} was ignored: this engine does nothing with it." for name, value in sent.items() if value)


def _check_palette(reader: FieldReader) -> None:
    palette = reader.raw("palette")
    if palette is None:
        return
    for index, colour in enumerate(as_list(palette)):
        if not isinstance(colour, str) or not _COLOUR.fullmatch(colour):
            reader.add("palette", "Should be a colour as #a1b2c3", "color_error", index=index, value=colour)
