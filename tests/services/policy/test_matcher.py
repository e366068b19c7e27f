import pytest

from services.policy.matcher import Grammar, Phrases, Text
from services.policy.normaliser import read

GRAMMAR = Grammar({"garment": ("shirt", "t shirt", "kleid")})


def found(phrase: str, text: str, *, crosses: bool = True) -> bool:
    phrases = Phrases([(phrase, None)], GRAMMAR, crosses=crosses)
    return any(phrases.found(Text(read(text).plain[0])))


@pytest.mark.parametrize(
    ("phrase", "matching", "other"),
    [
        ("nude", "a nude man", "a denuded hill"),
        ("undress*", "she undresses", "a dress"),
        ("*nackt", "er ist halbnackt", "nackten"),
        ("big|huge house", "a huge house", "a small house"),
        ("big red? house", "a big house", "a big blue house"),
        ("without <garment>", "without t-shirt", "without hat"),
        ("take <garment>|hat off", "take shirt off", "take coat off"),
        ("take ... off", "take the very old hat off", "take one two three four five off"),
        ("take ... off", "take it off", "take it, off"),
        ("^ a child", "a child", "with a child"),
        (", child ,", "red, child, green", "red child, green"),
        (", child ,", "child", "children"),
        ("child with|,", "child, red", "child red"),
        ("child with|,", "a child", "child red"),
        ("child ,|with", "child with", "child red"),
        ("vêtements", "VETEMENTS", "vetement"),
        ("裸体", "一个裸体的人", "一个人"),
        ("裸体", "裸 体写真", "赤裸,体型"),
        ("av女优", "看AV女优", "看女优"),
        ("脱|扔 ... 衣服|裙子", "脱掉她的旧裙子", "脱掉帽子,裙子"),
        ("알몸*", "알몸으로", "맨몸으로"),
    ],
)
def test_a_phrase_is_found_where_it_is_meant(phrase: str, matching: str, other: str) -> None:
    assert found(phrase, matching)
    assert not found(phrase, other)


def test_only_phrases_that_cross_may_have_a_mark_between_their_words() -> None:
    assert found("see through", "see, through")
    assert not found("see through", "see, through", crosses=False)
    assert found("child with|,", "a child, red", crosses=False)


def test_what_is_no_word_is_an_error() -> None:
    with pytest.raises(ValueError, match="not one word"):
        Phrases([("d'un", None)], GRAMMAR, crosses=True)


@pytest.mark.parametrize(
    ("phrase", "said"),
    [
        ("mug| shot", "no space beside"),
        ("mug |shot", "no space beside"),
        ("mug | shot", "no space beside"),
        ("a ...|with child", "stand alone"),
        ("mug shot|mugshot", "two spellings"),
        ("mugshot|mug shot", "two spellings"),
        ("a knife|fork or knife|spoon|knife", "'knife' stands twice"),
    ],
)
def test_a_phrase_that_takes_a_bar_to_bind_less_than_a_space_is_an_error(phrase: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Phrases([(phrase, None)], GRAMMAR, crosses=True)


def test_a_word_that_may_be_left_out_is_no_part_of_another() -> None:
    assert found("driver|drivers s? licence", "drivers licence")
