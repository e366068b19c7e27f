import pytest

from services.policy.spelling import Spelling

SPELLING = Spelling(
    core=["nude", "topless"],
    others=["child", "swastika", "schoolgirl", "little", "girl", "a"],
    stems=["decapitat"],
    never=["toples"],
)


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("nudde", "nude"),  # a letter doubled
        ("topelss", "topless"),  # two neighbours swapped
        ("tpless", "topless"),  # a letter left out
        ("toples", "toples"),  # a word of its own
        ("chiild", "child"),
        ("chhiild", "child"),
        ("chidl", "chidl"),  # too short to be known by that
        ("swsatika", "swastika"),
        ("swstika", "swstika"),
        ("schoolgrl", "schoolgirl"),
        ("decappitated", "decapitated"),
        ("decapitatted", "decapitatted"),  # begins rightly
        ("harbour", "harbour"),
    ],
)
def test_a_slip_in_a_word_of_the_rules_is_put_right(wrong: str, right: str) -> None:
    assert SPELLING.corrected(("a", wrong)) == ("a", right)


def test_letters_that_stood_apart_may_be_several_words() -> None:
    assert SPELLING.corrected(("alittlegirl", "girl"), spelt={"alittlegirl"}) == ("a", "little", "girl", "girl")
    assert SPELLING.corrected(("alittlegirl",)) == ("alittlegirl",)
    assert SPELLING.corrected(("littlegirls",), spelt={"littlegirls"}) == ("littlegirls",)
