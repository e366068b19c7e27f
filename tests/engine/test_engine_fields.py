import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import InvalidRequestError
from engine.fields import FieldReader, as_items, as_number, read_object


@pytest.mark.parametrize(
    ("value", "items"),
    [
        (None, []),
        ("", []),
        ("[]", []),
        ("a", ["a"]),
        ("a, b", ["a", "b"]),
        ("[a,b]", ["a", "b"]),
        ("['a', \"b\"]", ["a", "b"]),
        (["a", None, "", "b"], ["a", "b"]),
        (0.5, [0.5]),
        ([0.5, "0.7"], [0.5, "0.7"]),
    ],
)
def test_a_list_is_read_from_every_spelling(value: object, items: list[object]) -> None:
    assert as_items(value) == items


@pytest.mark.parametrize(
    ("value", "number"),
    [(25, 25), (25.5, 25.5), ("25", 25), (" 2.5 ", 2.5), (".5", 0.5), ("-1", -1), ("1e1", 10)],
    ids=repr,
)
def test_a_number_is_read_from_a_string_too(value: object, number: float) -> None:
    assert as_number(value) == number


@pytest.mark.parametrize(
    "value",
    [True, None, "", "twenty", "0x10", "1_0", "nan", "inf", "1e999", [1], {}, "9" * 5000],
    ids=lambda value: repr(value)[:12],
)
def test_what_is_no_finite_number_is_none(value: object) -> None:
    assert as_number(value) is None


@pytest.mark.parametrize("value", [True, "true", "TRUE", "1", 1, "yes"], ids=repr)
def test_a_truth_value_is_read_from_common_spellings(value: object) -> None:
    assert FieldReader({"flag": value}).boolean("flag", default=False)


@pytest.mark.parametrize(
    "raw",
    [b"", b"{", b"\xff\xfe\x00", b'{"a": NaN}', b"[" * 100_000, b'{"a": ' + b"9" * 5000 + b"}"],
    ids=["empty", "cut off", "bad encoding", "NaN", "very deep", "very long number"],
)
def test_a_body_that_is_no_json_is_refused_as_such(raw: bytes) -> None:
    with pytest.raises(InvalidRequestError) as refusal:
        read_object(raw)

    assert [problem.kind for problem in refusal.value.problems] == ["json_invalid"]


@pytest.mark.parametrize("raw", [b"[]", b'"prompt"', b"3", b"null"])
def test_a_body_that_is_no_object_is_refused_as_such(raw: bytes) -> None:
    with pytest.raises(InvalidRequestError) as refusal:
        read_object(raw)

    assert [problem.kind for problem in refusal.value.problems] == ["dict_type"]


@given(st.binary(max_size=60) | st.text(max_size=60).map(str.encode))
def test_any_bytes_are_read_or_refused(raw: bytes) -> None:
    with suppress(InvalidRequestError):
        assert read_object(raw) == json.loads(raw)
