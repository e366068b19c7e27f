"""What a text says, however it is written: the spellings under which a disguised word can be read plainly.

Nothing here decides anything. A prompt becomes a few readings, each a sequence of words in lower case without accents
and of simplified Chinese letters; the marks between phrases stay as ``,``, those between sentences as ``.``, which also
stands at both ends.
"""

import itertools
import re
import tomllib
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_FOLDER = Path(__file__).parent

PHRASE_END, SENTENCE_END = ",", "."
# Letters of Chinese and Japanese, which are written without spaces: each is a word by itself.
UNSPACED = "\u3005\u3040-\u30fa\u30fc-\u30ff\u3400-\u4dbf\u4e00-\u9fff"

_SEPARATOR = r"[\s.,;:/|~+*_\-\u00b7\u2022'\"()\[\]{}]"
_SPELT = re.compile(rf"(?<![^\W_])(?:[^\W_]{_SEPARATOR}{{1,2}}){{2,}}[^\W_](?![^\W_])")
# The same between all letters of a word: of words that are spelt one after another each by itself, and "D.N.I." whole.
_SPELT_ALIKE = re.compile(
    rf"(?<![^\W_])[^\W_](?P<by>{_SEPARATOR}{{1,2}})(?:[^\W_](?P=by))+[^\W_](?![^\W_])(?:(?<=\.\w)\.(?=\s))?"
)
# A word of one letter before one that is spelt with spaces.
_BEFORE_SPELT = re.compile(r"(?<!\S)([aeioy]) (?=(?:[^\W_] ){2,}[^\W_](?!\S))")
_INSIDE = re.compile(r"(?<=[^\W_])[-._*~+|/\\^\"()\[\]{}:=\u00b7\u2022]{1,3}(?=[^\W_])")
_BETWEEN_WORDS = re.compile(r"(?<=[^\W_]{2})[._~+|/\\*]+(?=[^\W_]{2})")
_UNSPACED_GAP = re.compile(rf"(?<=[{UNSPACED}])(?:(?![,;!?\n\u3001\u3002])[\W_]){{1,3}}(?=[{UNSPACED}])")
# A whole number after "age:" is no weight.
_AGE = "".join(rf"(?<!\b{word})" for word in ("age", "aged", "âge", "alter", "edad", "idade", "età"))
_WEIGHT = re.compile(rf":{{1,2}}\s*-?\d*\.\d+|{_AGE}:{{1,2}}\s*-?\d+", re.IGNORECASE)
_OPERATOR = re.compile(r"\b(?:BREAK|AND)\b")
_LONG_RUN = re.compile(r"([^\W\d_])\1{2,}")
_DOUBLED = re.compile(r"([^\W\d_])\1")
_DISGUISED = re.compile(r"[\w@$!\u20ac]+")
_STARRED = re.compile(r"(?<![\w*])[^\W\d_]+(?:[*#]+[^\W\d_]+)+(?![\w*])")
_STARS_MAX = 2
_STARRED_MAX = 20
_VOWELS = "aeiou"
_TOKEN = re.compile(rf"[{UNSPACED}]|(?:(?![{UNSPACED}])[^\W\d_])+|\d+|[,;:()\[\]{{}}<>|/]|[.!?\n]|[^\w\s]")
# Words of French and Spanish that are no parts of one: "mise à nu des poutres", "por no llegar tarde".
_NO_PARTS = re.compile(r"nu des?\b|por no (?!star\b)\w*[aei]r(?:[lmnst]\w{1,3})?\b")
_PHRASE_MARKS = frozenset(",;:()[]{}<>|/\u3001\uff0c")
_SENTENCE_MARKS = frozenset(".!?\n\u3002")
_SILENT = frozenset("-_'\"\u2019`*#\u30fb")
_LEET = str.maketrans("0345789@$\u20ac", "oeastbgase")
_LEET_ONE = (str.maketrans("1!", "ii"), str.maketrans("1!", "ll"))
# The letters of flags, and letters in filled circles and squares, which NFKC leaves as they are.
_DRESSED_LETTERS = {
    first + n: chr(ord("a") + n) for first in (0x1F150, 0x1F170, 0x1F1E6) for n in range(26)
}  # fmt: skip
# Words of Russian with other signs among their letters, and letters of Chinese among those of Japanese.
_CYRILLIC = re.compile(r"[\u0400-\u04ff]")
_WITH_CYRILLIC = re.compile(rf"[\w@$]*{_CYRILLIC.pattern}[\w@$]*")
_AMONG_KATAKANA = re.compile(r"(?<=[\u30a1-\u30fc])[卜口力工二八夕]+|[卜口力工二八夕]+(?=[\u30a1-\u30fc])")
# Letters that show as nothing: the Hangul fillers and the empty Braille pattern.
_BLANK: dict[int, None] = dict.fromkeys((0x115F, 0x1160, 0x3164, 0xFFA0, 0x2800, 0x034F), None)


def _confusables(script: str) -> dict[int, str]:
    table = tomllib.loads((_FOLDER / "confusables.toml").read_text(encoding="utf-8"))
    return {ord(alike): letter for letter, looks in table[script].items() for alike in looks}


def _simplified() -> dict[int, str]:
    pairs = "".join(tomllib.loads((_FOLDER / "traditional.toml").read_text(encoding="utf-8"))["pairs"])
    return {ord(traditional): simple for traditional, simple in zip(pairs[::2], pairs[1::2], strict=True)}


_CONFUSABLES = _confusables("letters")
_IN_CYRILLIC = _confusables("cyrillic")
_IN_CYRILLIC_TOO = _IN_CYRILLIC | _confusables("cyrillic_too")
_IN_KATAKANA = _confusables("katakana")
_JOINED_LETTERS = {0x0153: "oe", 0x00E6: "ae"} | _simplified()
# Letters that nobody takes for Latin ones, and how many of a text's letters they are at least where it is Russian: in a
# disguise a few may stand as well.
_RUSSIAN = frozenset("бгджзийлфцчшщъыьэюя")
RUSSIAN_SHARE_MIN = 0.15


@dataclass(frozen=True, slots=True)
class Readings:
    """What a text can be read as.

    ``plain`` are whole readings, the one nearest to the text first. ``pieces`` are words put together from neighbours
    that may be parts of one, and words with doubled letters made single: too bold to look for everything in them.
    ``spelt`` are runs of letters that stood apart.
    """

    plain: tuple[tuple[str, ...], ...]
    pieces: frozenset[str]
    spelt: frozenset[str]


def read(text: str) -> Readings:
    """All readings of a text that differ."""
    unaccented = _without_dress(text)
    clean = _in_one_script(unaccented)
    joined = _joined(clean)
    plain = dict.fromkeys(_tokens(variant) for variant in (*_variants(clean, joined), *_not_latin(unaccented)))
    pieces = {
        _DOUBLED.sub(r"\1", word)
        for reading in plain
        for word in reading
        if _DOUBLED.search(word) and len(set(word)) > 1
    }
    pieces.update("".join(pair) for words in plain for length in (2, 3) for pair in _neighbours(words, length))
    spelt = {re.sub(r"[\W_]", "", found.group()) for found in _SPELT.finditer(clean)}
    return Readings(tuple(plain), frozenset(pieces), frozenset(spelt))


def words_of(text: str) -> tuple[str, ...]:
    """A text's words in the one reading that takes it as it stands."""
    return _tokens(_in_one_script(_without_dress(text)))[1:-1]


def _without_dress(text: str) -> str:
    text = "".join(letter for letter in text.translate(_DRESSED_LETTERS) if not _is_invisible(letter))
    text = unicodedata.normalize("NFKC", text).translate(_BLANK)
    text = _OPERATOR.sub(",", _WEIGHT.sub(" , ", text)).casefold().translate(_JOINED_LETTERS)
    return _unaccented(text)


def _in_one_script(text: str) -> str:
    return re.sub(r"[^\W\d_]+", lambda word: _unmixed(word.group()), text)


def _is_invisible(letter: str) -> bool:
    return unicodedata.category(letter) == "Cf" or 0xFE00 <= ord(letter) <= 0xFE0F or 0xE0100 <= ord(letter) <= 0xE01EF


def _unaccented(text: str) -> str:
    """Without the marks on letters; those of Japanese make other letters and stay."""
    spread = unicodedata.normalize("NFD", text)
    kept = "".join(letter for letter in spread if not unicodedata.combining(letter) or letter in "\u3099\u309a")
    return unicodedata.normalize("NFC", kept)


def _unmixed(word: str) -> str:
    """A word that mixes Latin letters with others that look like them, in Latin letters."""
    return word.translate(_CONFUSABLES) if not word.isascii() and re.search("[a-z]", word) else word


def _variants(clean: str, joined: str) -> Iterator[str]:
    yield clean
    yield joined
    apart = _BETWEEN_WORDS.sub(" ", clean)
    yield _joined(_BEFORE_SPELT.sub(r"\1 , ", clean))
    yield _LONG_RUN.sub(r"\1", joined)
    yield _LONG_RUN.sub(r"\1\1", joined)
    for one in _LEET_ONE:
        yield _unleeted(apart, one)
        yield _LONG_RUN.sub(r"\1", _joined(_unleeted(_spelt_joined(apart), one)))
    if not _is_russian(joined):
        yield _LONG_RUN.sub(r"\1", joined.translate(_CONFUSABLES))
    starred = list(dict.fromkeys(_STARRED.findall(clean)))[:_STARRED_MAX]
    if starred:
        yield " , ".join(guess for word in starred for guess in _guesses(word))


def _not_latin(text: str) -> Iterator[str]:
    """The readings in which what stands among letters of another script is of that script as well."""
    tables = [(_AMONG_KATAKANA, _IN_KATAKANA)] if _AMONG_KATAKANA.search(text) else []
    if _CYRILLIC.search(text):
        tables += [(_WITH_CYRILLIC, letters) for letters in (_IN_CYRILLIC, _IN_CYRILLIC_TOO)]
    for mixed, letters in tables:
        yield _LONG_RUN.sub(r"\1", _joined(mixed.sub(lambda word, by=letters: word.group().translate(by), text)))


def _is_russian(text: str) -> bool:
    letters = [letter for letter in text if letter.isalpha()]
    return sum(letter in _RUSSIAN for letter in letters) > RUSSIAN_SHARE_MIN * len(letters)


def _joined(text: str) -> str:
    return _UNSPACED_GAP.sub("", _INSIDE.sub("", _spelt_joined(text)))


def _spelt_joined(text: str) -> str:
    for spelt in (_SPELT_ALIKE, _SPELT):
        text = spelt.sub(lambda found: re.sub(r"[\W_]", "", found.group()), text)
    return text


def _unleeted(text: str, one: dict[int, int]) -> str:
    """With the digits and signs in words as letters; numbers stay numbers."""

    def plain(found: re.Match[str]) -> str:
        word = found.group()
        has_letters = any(letter.isalpha() for letter in word)
        return word.translate(_LEET).translate(one) if has_letters else word

    return _DISGUISED.sub(plain, text)


def _guesses(starred: str) -> Iterator[str]:
    """What the stars in a word may stand for: a vowel each."""
    parts = re.split(r"[*#]", starred)
    if len(parts) - 1 > _STARS_MAX:
        return
    for vowels in itertools.product(_VOWELS, repeat=len(parts) - 1):
        yield parts[0] + "".join(vowel + part for vowel, part in zip(vowels, parts[1:], strict=True))


def _tokens(text: str) -> tuple[str, ...]:
    words = (_token(found) for found in _TOKEN.findall(text) if found not in _SILENT)
    return (SENTENCE_END, *words, SENTENCE_END)


def _token(found: str) -> str:
    if found in _PHRASE_MARKS:
        return PHRASE_END
    return SENTENCE_END if found in _SENTENCE_MARKS else found


def _neighbours(words: tuple[str, ...], length: int) -> Iterator[tuple[str, ...]]:
    for first in range(len(words) - length + 1):
        pair = words[first : first + length]
        if all(word.isalpha() for word in pair) and not _NO_PARTS.match(" ".join(words[first : first + 3])):
            yield pair
