# ruff: noqa: RUF001 - letters that look like others are what this is about

import pytest

from services.policy.normaliser import read, words_of


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("n4k3d", "naked"),
        ("n@ked", "naked"),
        ("p1ss", "piss"),
        ("n a k e d", "naked"),
        ("n.a.k.e.d", "naked"),
        ("na-ked", "naked"),
        ("n(a)ked", "naked"),
        ("naaaaked", "naked"),
        ("boooobs", "boobs"),
        ("nаkеd", "naked"),  # two Cyrillic letters
        ("ѕех", "sex"),  # all Cyrillic
        ("a man, ѕех, жж, in a garden", "sex"),
        ("ｎｕｄｅ", "nude"),
        ("𝓷𝓾𝓭𝓮", "nude"),
        ("ɴᴜᴅᴇ", "nude"),
        ("🅽🆄🅳🅴", "nude"),
        ("🇳🇺🇩🇪", "nude"),
        ("n​u‍d­e️", "nude"),
        ("ñüdé", "nude"),
        ("n*de", "nude"),
        ("(nude:1.3)", "nude"),
        ("<lora:nude:0.8>", "nude"),
        ("裸 体", "裸体"),
        ("a t.o.d.d.l.e.r", "toddler"),
        ("as a b a b y", "baby"),
        ("s a l u t  n a z i", "nazi"),
        ("n4ked.and.happy", "naked"),
        ("n u d 3", "nude"),
    ],
)
def test_a_disguised_word_can_be_read(text: str, word: str) -> None:
    assert any(word in reading for reading in read(text).plain)


@pytest.mark.parametrize("text", ["her, age: 8", "Alter:8", "(edad: 8)"])
def test_the_number_after_an_age_stays(text: str) -> None:
    assert all("8" in reading for reading in read(text).plain)


@pytest.mark.parametrize("text", ["кот на диване", "жирный кот"])
def test_russian_words_are_not_read_as_others_that_look_like_them(text: str) -> None:
    assert not any("kot" in reading for reading in read(text).plain)


def test_an_age_may_have_a_weight() -> None:
    assert read("middle age:1.2").plain == read("middle age,").plain


@pytest.mark.parametrize(("text", "word"), [("na ked", "naked"), ("po r no", "porno"), ("nuude", "nude")])
def test_words_in_pieces_are_put_together(text: str, word: str) -> None:
    assert word in read(text).pieces


def test_marks_stay_and_weights_go() -> None:
    assert words_of("A (red:1.3) dress, BREAK d'été.") == (
        "a",
        ",",
        "red",
        ",",
        ",",
        "dress",
        ",",
        ",",
        "d",
        "ete",
        ".",
    )


def test_words_that_marks_run_together_are_read_apart() -> None:
    assert (".", "without", "any", "clothes", ".") in read("without.any.clothes").plain


def test_the_last_mark_of_an_abbreviation_ends_no_sentence() -> None:
    assert (".", "dni", "falso", ".") in read("D.N.I. falso").plain


def test_numbers_stand_apart() -> None:
    assert words_of("4k 1girl 7yo") == ("4", "k", "1", "girl", "7", "yo")


def test_plain_text_has_one_reading() -> None:
    assert len(read("a knight on a horse in the rain").plain) == 1


def test_latin_letters_and_digits_in_cyrillic_words_are_read_as_what_they_look_like() -> None:
    assert any("школьница" in reading for reading in read("[шк0льница] в форме").plain)
