import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.tokens import TOKENS_MAX, unread


@pytest.mark.parametrize(
    ("pieces", "prompt"),
    [
        (3, "a quiet harbour"),
        (2, "harbour,"),
        (4, "a, b!?"),
        (3, "it's it"),
        (5, "1999 x"),
        (2, "\u00e9t\u00e9 x"),
        (2, "e\u0301te\u0301 x"),  # the same word, its accents apart from their letters
        (1, "-_-"),
        (3, "x ^_^ x"),
        (2, "'s1"),
        (2, "snow_"),
        (1, "\N{THUMBS UP SIGN}\N{EMOJI MODIFIER FITZPATRICK TYPE-3}"),
        (0, "  "),
    ],
)
def test_a_prompt_is_counted_in_the_pieces_that_the_models_tokenizer_never_joins(pieces: int, prompt: str) -> None:
    filled = "word " * (TOKENS_MAX - pieces) + prompt

    assert unread(filled) == ""
    assert unread(f"{filled} zebra") == "zebra"


@given(st.text(max_size=400))
def test_nothing_is_said_of_a_prompt_that_may_be_read_in_whole(prompt: str) -> None:
    rest = unread(prompt)

    if len(re.sub(r"\s", "", prompt)) <= TOKENS_MAX:
        assert rest == ""
    assert unread(f"{prompt} {'word ' * (TOKENS_MAX + 1)}") != ""


@given(st.lists(st.sampled_from(["word", "7", ",", "it's", "_", "\u00e9t\u00e9"]), max_size=120))
def test_what_is_read_is_as_much_as_there_is_room_for(pieces: list[str]) -> None:
    prompt = " ".join(pieces)
    rest = unread(prompt)

    assert prompt.endswith(rest)
    assert unread(prompt[: len(prompt) - len(rest)]) == ""
