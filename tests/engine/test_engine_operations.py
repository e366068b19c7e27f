from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import InvalidRequestError, Problem
from engine.operations import FACE_LOCK, GENERATE, Operation, parse
from engine.request import Family, ImageRequest, OutputFormat, Role

PHOTO = "https://photos.example/me.jpg?signature=secret"
ANY = {"prompt": "a lake"}


def problems(body: dict[str, Any], operation: Operation = FACE_LOCK) -> list[tuple[str | int, ...]]:
    with pytest.raises(InvalidRequestError) as refusal:
        parse(body, operation)
    return [problem.loc[1:] for problem in refusal.value.problems]


def test_a_prompt_alone_gets_the_documented_defaults() -> None:
    wanted = parse(ANY, GENERATE)
    parameters = wanted.parameters

    assert (parameters.width, parameters.height, parameters.samples, parameters.seed) == (1024, 1024, 1, -1)
    assert (parameters.num_inference_steps, parameters.guidance_scale) == (8, 0.0)
    assert (wanted.output_format, wanted.endpoint, wanted.references) == (OutputFormat.WEBP, "generate/image/v1", ())
    assert wanted.warnings == ()


def test_a_face_lock_has_its_own_guidance_and_takes_no_photo_for_an_answer() -> None:
    wanted = parse({**ANY, "input_image": None}, FACE_LOCK)

    assert (wanted.parameters.guidance_scale, wanted.references) == (1.5, ())


def test_the_photo_of_a_face_lock_goes_to_a_face_adapter() -> None:
    (face,) = parse({**ANY, "input_image": PHOTO, "negative_prompt": "blurry"}, FACE_LOCK).references

    assert (face.name, face.role, face.source) == ("input_image", Role.FACE, PHOTO)
    assert face.adapter == "ip-adapter-plus-face_sdxl_vit-h"


def test_generate_has_neither_photo_nor_negative_prompt() -> None:
    wanted = parse({**ANY, "input_image": PHOTO, "negative_prompt": "blurry"}, GENERATE)

    assert (wanted.references, wanted.parameters.negative_prompt) == ((), "")
    assert wanted.parameters.family is Family.SDXL


@pytest.mark.parametrize(
    ("operation", "name", "low", "high"),
    [
        (GENERATE, "width", 1, 1024),
        (GENERATE, "height", 1, 1024),
        (GENERATE, "num_inference_steps", 1, 50),
        (GENERATE, "guidance_scale", 0, 20),
        (FACE_LOCK, "width", 1, 2048),
        (FACE_LOCK, "height", 1, 2048),
        (FACE_LOCK, "num_inference_steps", 1, 100),
        (FACE_LOCK, "guidance_scale", 1, 20),
        (FACE_LOCK, "seed", -1, 2**32 - 1),
    ],
)
def test_a_number_keeps_to_its_documented_range(operation: Operation, name: str, low: int, high: int) -> None:
    for number in (low, high):
        parse({**ANY, name: number}, operation)
    for number in (low - 1, high + 1):
        assert problems({**ANY, name: number}, operation) == [(name,)]


@pytest.mark.parametrize(
    ("field", "value", "loc"),
    [
        ("prompt", None, ("prompt",)),
        ("prompt", "  ", ("prompt",)),
        ("prompt", 5, ("prompt",)),
        ("output_format", "gif", ("output_format",)),
        ("negative_prompt", ["x"], ("negative_prompt",)),
        ("input_image", [PHOTO], ("input_image",)),
        ("callback_url", "ftp://hooks.example", ("callback_url",)),
        ("callback_url", "https://me:secret@hooks.example", ("callback_url",)),
        ("callback_url", "hooks", ("callback_url",)),
        ("logo_url", "logo.png", ("logo_url",)),
        ("palette", ["#fff", "red"], ("palette", 1)),
        ("profile_id", "prof_1", ("profile_id",)),
        ("enhance_prompt", "perhaps", ("enhance_prompt",)),
    ],
)
def test_a_wrong_field_is_named(field: str, value: object, loc: tuple[str | int, ...]) -> None:
    assert problems({**ANY, field: value}) == [loc]


def test_every_wrong_field_is_named_at_once() -> None:
    assert problems({"width": 0, "seed": -2, "output_format": "bmp"}) == [
        ("prompt",),
        ("width",),
        ("seed",),
        ("output_format",),
    ]


@pytest.mark.parametrize(("wanted", "made"), [(1, 64), (1000, 1000), (1001, 1008), (2047, 2048)])
def test_a_size_that_cannot_be_made_is_raised_with_a_warning(wanted: int, made: int) -> None:
    request = parse({**ANY, "width": wanted}, FACE_LOCK)

    assert request.parameters.width == made
    assert [f"from {wanted} to {made}" in warning for warning in request.warnings] == [True] * (wanted != made)


def test_what_the_engine_does_nothing_with_is_told() -> None:
    body = {"enhance_prompt": True, "logo_url": "https://x.example/l.png", "palette": ["#A1b2c3"], "server_id": "pod"}

    warnings = parse({**ANY, **body}, GENERATE).warnings

    assert [warning.split()[0] for warning in warnings] == list(body)


def test_a_request_shows_no_secret_when_printed() -> None:
    text = repr(parse({**ANY, "input_image": PHOTO, "callback_url": "https://hooks.example/secret"}, FACE_LOCK))

    assert "secret" not in text


FIELDS = ("prompt", "width", "guidance_scale", "seed", "output_format", "input_image", "palette", "callback_url")
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(FIELDS), JSON, max_size=8), st.sampled_from([GENERATE, FACE_LOCK]))
def test_any_json_is_understood_or_refused_with_places(body: dict[str, Any], operation: Operation) -> None:
    outcome = understood(body, operation)

    if isinstance(outcome, ImageRequest):
        assert outcome.parameters.width % 8 == 0
    else:
        assert outcome
        assert all(problem.loc[0] == "body" and problem.message for problem in outcome)


def understood(body: dict[str, Any], operation: Operation) -> ImageRequest | list[Problem]:
    try:
        return parse(body, operation)
    except InvalidRequestError as refusal:
        return list(refusal.problems)
