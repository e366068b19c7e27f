import json
from dataclasses import astuple
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import InvalidRequestError, Problem
from engine.parameters import ADAPTERS, parse, spread_scales
from engine.request import Family, ImageRequest, Role

FACE = "ip-adapter-plus-face_sd15"
LOOK = "ip-adapter-plus_sd15"
PHOTO = "https://photos.example/face.png"
STYLE = "https://photos.example/style.png"

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
FIELDS = st.sampled_from(
    [
        *("prompt", "negative_prompt", "model_id", "num_inference_steps", "samples", "guidance_scale", "strength"),
        *("width", "height", "seed", "scheduler", "safety_checker", "server_id", "ip_adapter", "ip_adapter_scale"),
        *("ip_adapter_image", "ip_adapter_style_images"),
    ]
)


def problems(body: dict[str, Any], family: Family = Family.SD) -> list[Problem]:
    with pytest.raises(InvalidRequestError) as refusal:
        parse({"prompt": "a lake", **body}, family)
    return list(refusal.value.problems)


def test_a_prompt_alone_gets_the_documented_defaults() -> None:
    wanted = parse({"prompt": "a lake"}, Family.SDXL).parameters

    assert (wanted.width, wanted.height, wanted.samples, wanted.seed) == (1024, 1024, 1, -1)
    assert (wanted.num_inference_steps, wanted.guidance_scale, wanted.strength) == (20, 7.5, 0.8)
    assert (wanted.model_id, wanted.negative_prompt, wanted.scheduler) == ("sdxl", "", None)


@pytest.mark.parametrize(
    ("field", "low", "high", "too_low", "too_high"),
    [
        ("num_inference_steps", 1, 100, 0, 101),
        ("samples", 1, 4, 0, 5),
        ("guidance_scale", 1, 20, 0.99, 20.01),
        ("strength", 0, 1, -0.01, 1.01),
        ("width", 64, 1536, 56, 1544),
        ("height", 64, 1536, 56, 1544),
        ("seed", -1, 2**32 - 1, -2, 2**32),
    ],
)
def test_a_number_is_taken_within_its_range_and_refused_beyond(
    field: str, low: float, high: float, too_low: float, too_high: float
) -> None:
    for value in (low, high):
        assert getattr(parse({"prompt": "a lake", field: value}, Family.SD).parameters, field) == value
    for value in (too_low, too_high):
        (problem,) = problems({field: value})
        assert (problem.loc, problem.kind, problem.value) == (("body", field), "out_of_range", value)


def test_numbers_as_strings_are_numbers() -> None:
    body = {"prompt": "a lake", "num_inference_steps": "25", "width": "768", "guidance_scale": "7.5", "seed": "-1"}

    wanted = parse(body, Family.SD).parameters

    assert (wanted.num_inference_steps, wanted.width, wanted.guidance_scale, wanted.seed) == (25, 768, 7.5, -1)


@pytest.mark.parametrize("value", [25.5, "25.5", True, "many", [25], {}, 1e300], ids=repr)
def test_what_is_no_whole_number_is_no_step_count(value: object) -> None:
    (problem,) = problems({"num_inference_steps": value})

    assert problem.loc == ("body", "num_inference_steps")
    assert "1 to 100" in problem.message or "from 1" in problem.message


def test_a_side_that_is_no_multiple_of_eight_is_refused() -> None:
    (problem,) = problems({"width": 500})

    assert (problem.loc, problem.kind) == (("body", "width"), "multiple_of")


@pytest.mark.parametrize("prompt", [None, "", "   ", 7, ["a lake"], "x" * 10_001, "half \ud83d a pair"])
def test_a_prompt_must_be_readable_text(prompt: object) -> None:
    (problem,) = problems({"prompt": prompt})

    assert problem.loc == ("body", "prompt")


def test_every_problem_is_told_at_once() -> None:
    found = problems({"prompt": "", "samples": 9, "width": 1, "scheduler": "Fast", "ip_adapter_scale": [0.5, 2]})

    assert [problem.loc[1:] for problem in found] == [
        ("prompt",),
        ("width",),
        ("samples",),
        ("scheduler",),
        ("ip_adapter_scale", 1),
    ]


@pytest.mark.parametrize(
    ("family", "model_id"),
    [(Family.SD, "sd1.5"), (Family.SDXL, "sdxl"), (Family.SD, "0f3a9c52-1111-4222-8333-ABCDEF012345")],
)
def test_a_base_model_or_a_checkpoint_id_is_a_model(family: Family, model_id: str) -> None:
    assert parse({"prompt": "a lake", "model_id": model_id}, family).parameters.model_id == model_id


@pytest.mark.parametrize("model_id", ["sdxl", "", "my-model", 15])
def test_another_model_is_refused(model_id: object) -> None:
    (problem,) = problems({"model_id": model_id})

    assert problem.loc == ("body", "model_id")


def test_unknown_fields_and_server_id_are_ignored() -> None:
    known = parse({"prompt": "a lake"}, Family.SD)

    assert parse({"prompt": "a lake", "server_id": 5, "num_inference_step": "x", "lora": []}, Family.SD) == known


def test_null_is_as_good_as_absent() -> None:
    body = dict.fromkeys(("width", "seed", "scheduler", "safety_checker", "ip_adapter", "ip_adapter_image"))

    assert parse({"prompt": "a lake", **body}, Family.SD) == parse({"prompt": "a lake"}, Family.SD)


@pytest.mark.parametrize("spelling", [[FACE], FACE, f"[{FACE}]", f"'{FACE}'", f" {FACE} ,"])
def test_an_adapter_is_read_from_every_spelling(spelling: object) -> None:
    request = parse({"prompt": "a lake", "ip_adapter": spelling, "ip_adapter_image": PHOTO}, Family.SD)

    assert [reference.adapter for reference in request.references] == [FACE]


@pytest.mark.parametrize("family", list(Family))
def test_an_adapter_of_the_other_family_is_refused(family: Family) -> None:
    other = Family.SDXL if family is Family.SD else Family.SD

    (problem,) = problems({"ip_adapter": [ADAPTERS[other][0]], "ip_adapter_image": PHOTO}, family)

    assert problem.loc == ("body", "ip_adapter", 0)
    assert ADAPTERS[family][0] in problem.message


def test_an_adapter_without_an_image_is_refused() -> None:
    (problem,) = problems({"ip_adapter": [FACE], "ip_adapter_style_images": []})

    assert (problem.loc, problem.kind) == (("body", "ip_adapter_image"), "missing")


def test_an_image_without_an_adapter_is_refused() -> None:
    (problem,) = problems({"ip_adapter_image": PHOTO})

    assert (problem.loc, problem.kind) == (("body", "ip_adapter"), "missing")


@pytest.mark.parametrize(
    "source",
    ["ftp://photos.example/a.png", "photos.example/a.png", "file:///etc/passwd", "https://", 7, "http://[", "\ud83d"],
)
def test_an_image_must_be_an_address_and_is_never_repeated(source: object) -> None:
    (problem,) = problems({"ip_adapter": FACE, "ip_adapter_image": source})

    assert (problem.loc, problem.value) == (("body", "ip_adapter_image"), None)
    assert str(source) not in problem.message


def test_an_address_with_credentials_is_refused() -> None:
    (problem,) = problems({"ip_adapter": FACE, "ip_adapter_image": "https://me:secret@photos.example/a.png"})

    assert "credentials" in problem.message
    assert "secret" not in problem.message


def test_more_images_than_a_job_can_use_are_refused() -> None:
    (problem,) = problems({"ip_adapter": FACE, "ip_adapter_image": [PHOTO] * 5, "ip_adapter_style_images": [STYLE] * 4})

    assert "8 images" in problem.message


def test_the_role_of_an_image_follows_its_field_and_its_adapter() -> None:
    body = {"prompt": "x", "ip_adapter": [LOOK, FACE], "ip_adapter_image": PHOTO, "ip_adapter_style_images": [STYLE]}

    style, face = parse(body, Family.SD).references

    assert astuple(style) == ("ip_adapter_style_images", Role.STYLE, LOOK, 0.6, STYLE)
    assert astuple(face) == ("ip_adapter_image", Role.FACE, FACE, 0.6, PHOTO)


def test_an_image_for_an_adapter_that_keeps_no_faces_is_a_style() -> None:
    (reference,) = parse({"prompt": "x", "ip_adapter": LOOK, "ip_adapter_image": PHOTO}, Family.SD).references

    assert reference.role is Role.STYLE


def test_as_many_images_as_adapters_go_one_to_each() -> None:
    body = {
        "prompt": "x",
        "ip_adapter": [FACE, LOOK],
        "ip_adapter_image": [PHOTO, STYLE],
        "ip_adapter_scale": [0.7, 0.2],
    }

    references = parse(body, Family.SD).references

    assert [(each.role, each.scale, each.source) for each in references] == [
        (Role.FACE, 0.7, PHOTO),
        (Role.STYLE, 0.2, STYLE),
    ]


def test_three_faces_for_one_adapter_have_a_scale_each() -> None:
    body = {"prompt": "x", "ip_adapter": [FACE], "ip_adapter_image": [PHOTO] * 3, "ip_adapter_scale": [0.2, 0.4, 0.6]}

    references = parse(body, Family.SD).references

    assert [(each.name, each.scale) for each in references] == [
        ("ip_adapter_image[0]", 0.2),
        ("ip_adapter_image[1]", 0.4),
        ("ip_adapter_image[2]", 0.6),
    ]


@pytest.mark.parametrize(
    ("scales", "owners", "adapters", "spread"),
    [
        ([], [0, 0], 1, [0.6, 0.6]),
        ([0.3], [0, 0, 0], 1, [0.3, 0.3, 0.3]),
        ([0.1, 0.2, 0.3], [0, 0, 1], 2, [0.1, 0.2, 0.3]),
        ([0.1, 0.9], [0, 0, 1], 2, [0.1, 0.1, 0.9]),
        ([0.1, 0.9], [0, 0, 0], 1, [0.1, 0.9, 0.9]),
        ([0.1, 0.9, 0.5], [0], 1, [0.1]),
        ([0.1, 0.9], [0], 2, [0.1]),
    ],
    ids=["none", "one for all", "one an image", "one an adapter", "too few", "too many", "an adapter without image"],
)
def test_scales_are_spread_over_the_images(
    scales: list[float], owners: list[int], adapters: int, spread: list[float]
) -> None:
    assert spread_scales(scales, owners, adapters=adapters) == spread


@pytest.mark.parametrize("scale", [0.5, "0.5", [0.5], ["0.5"], "[0.5]"], ids=repr)
def test_a_scale_is_read_from_every_spelling(scale: object) -> None:
    body = {"prompt": "x", "ip_adapter": FACE, "ip_adapter_image": PHOTO, "ip_adapter_scale": scale}

    assert [each.scale for each in parse(body, Family.SD).references] == [0.5]


def test_sample_seeds_count_up_and_wrap() -> None:
    wanted = parse({"prompt": "x", "samples": 3, "seed": 2**32 - 2}, Family.SD).parameters

    assert wanted.sample_seeds == (2**32 - 2, 2**32 - 1, 0)


def test_a_request_shows_neither_prompt_nor_images_when_printed() -> None:
    request = parse({"prompt": "my secret", "ip_adapter": FACE, "ip_adapter_image": PHOTO}, Family.SD)

    assert "secret" not in repr(request)
    assert "photos.example" not in repr(request)


@given(st.dictionaries(FIELDS, JSON, max_size=8), st.sampled_from(list(Family)))
def test_any_json_is_understood_or_refused_with_places(body: dict[str, Any], family: Family) -> None:
    request, found = outcome(body, family)

    assert (request is None) != (not found)
    assert all(problem.loc[0] == "body" and problem.message for problem in found)
    json.dumps([problem.value for problem in found], allow_nan=False)


def outcome(body: dict[str, Any], family: Family) -> tuple[ImageRequest | None, list[Problem]]:
    try:
        return parse(body, family), []
    except InvalidRequestError as refusal:
        return None, list(refusal.problems)
