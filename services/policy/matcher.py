"""The small language in which the rules name phrases, and finding such phrases among words.

A phrase is words in their order. In the place of a word may stand:

- ``word``: that word; ``word*`` any that begins like it, ``*word`` any that ends so;
- ``<name>``: any word or phrase of that list in ``words.toml``;
- ``one|other|<name>``: any of them, and with ``?`` at its end any of them or nothing;
- ``...``: up to four words of the same sentence part;
- ``^``: the beginning of the text; ``,``: a mark between phrases, or either end of the text.

Words are compared without case and accents. Words of Chinese and Japanese are found anywhere in a run of letters.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum, auto

from services.policy.normaliser import PHRASE_END, SENTENCE_END, UNSPACED, words_of

GAP_WORDS = 4
MARKS = (PHRASE_END, SENTENCE_END)
_UNSPACED = re.compile(f"[{UNSPACED}]")

Lists = Mapping[str, tuple[str, ...]]
Span = tuple[int, int]


class Kind(Enum):
    """What a place of a phrase is for."""

    WORD = auto()
    GAP = auto()
    MARK = auto()
    START = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One place of a phrase and the words that fit there."""

    kind: Kind = Kind.WORD
    words: frozenset[str] = frozenset()
    stems: tuple[str, ...] = ()
    ends: tuple[str, ...] = ()
    insides: tuple[str, ...] = ()
    is_optional: bool = False

    def fits(self, word: str, at: int) -> bool:
        """Whether the word with that number may stand here."""
        if self.kind is not Kind.WORD:
            return word in MARKS and (self.kind is Kind.MARK or at == 0)
        return (
            word in self.words
            or (bool(self.stems) and word.startswith(self.stems))
            or (bool(self.ends) and word.endswith(self.ends))
            or any(inside in word for inside in self.insides)
        )


_KINDS = {"^": Kind.START, ",": Kind.MARK, "...": Kind.GAP}
Phrase = tuple[Place, ...]


class Phrases:
    """Many phrases, compiled once. ``crosses`` says whether a phrase may have marks between its words."""

    def __init__(self, phrases: Iterable[str], lists: Lists, *, crosses: bool) -> None:
        self._crosses = crosses
        self._by_word: dict[str, list[Phrase]] = {}
        self._by_stem: dict[str, list[Phrase]] = {}
        self._by_end: dict[str, list[Phrase]] = {}
        self._by_inside: dict[str, list[Phrase]] = {}
        for text in phrases:
            for phrase in _expanded(text, lists):
                self._file(phrase)

    def _file(self, phrase: Phrase) -> None:
        first = phrase[0]
        if first.is_optional:
            self._file(phrase[1:])
        places = (
            (self._by_word, MARKS if first.kind is Kind.MARK else first.words),
            (self._by_word, [SENTENCE_END] if first.kind is Kind.START else []),
            (self._by_stem, first.stems),
            (self._by_end, first.ends),
            (self._by_inside, first.insides),
        )
        for index, keys in places:
            for key in keys:
                index.setdefault(key, []).append(phrase)

    def found(self, words: tuple[str, ...]) -> Iterator[Span]:
        """Where they stand: the first word and the one after the last of each."""
        for start, word in enumerate(words):
            for phrase in self._beginning(word):
                end = self._end(phrase, 0, words, start)
                if end is not None and end > start:
                    yield start, end

    def _beginning(self, word: str) -> Iterator[Phrase]:
        yield from self._by_word.get(word, ())
        if word in MARKS:
            return
        for length in range(1, len(word) + 1):
            yield from self._by_stem.get(word[:length], ())
            yield from self._by_end.get(word[-length:], ())
        for inside, phrases in self._by_inside.items() if _has_insides(word) else ():
            if inside in word:
                yield from phrases

    def _end(self, phrase: Phrase, n: int, words: tuple[str, ...], at: int) -> int | None:
        """The place after the phrase's places from ``n`` on, which begin at ``at``; None where they are not there."""
        if n == len(phrase):
            return at
        place = phrase[n]
        if place.kind is Kind.GAP:
            return self._end_after_gap(phrase, n, words, at)
        if place.is_optional:
            skipped = self._end(phrase, n + 1, words, at)
            if skipped is not None:
                return skipped
        if place.kind is Kind.WORD and n and self._crosses:
            while at < len(words) and words[at] == PHRASE_END:
                at += 1
        if at < len(words) and place.fits(words[at], at):
            return self._end(phrase, n + 1, words, at + 1)
        return None

    def _end_after_gap(self, phrase: Phrase, n: int, words: tuple[str, ...], at: int) -> int | None:
        for last in range(at, min(at + GAP_WORDS + 1, len(words))):
            end = self._end(phrase, n + 1, words, last)
            if end is not None:
                return end
            if words[last] in MARKS:
                return None
        return None


def _expanded(text: str, lists: Lists) -> Iterator[Phrase]:
    """The phrases that a text stands for: entries of a list may have more than one word, and are then put in."""
    yield from _combined([list(_choices(part, lists)) for part in text.split()])


def _combined(places: list[list[Phrase]]) -> Iterator[Phrase]:
    if not places:
        yield ()
        return
    for first in places[0]:
        for rest in _combined(places[1:]):
            yield first + rest


def _choices(part: str, lists: Lists) -> Iterator[Phrase]:
    """What may stand in one place: all single words as one choice, and each longer entry of a list as its own."""
    is_optional = part.endswith("?")
    said = part.removesuffix("?").split("|")
    entries = [entry for name in said for entry in (lists[name[1:-1]] if name.startswith("<") else (name,))]
    longer = [entry.split() for entry in entries if " " in entry]
    single = [entry for entry in entries if " " not in entry]
    if single:
        yield (_place(single, is_optional=is_optional),)
    elif is_optional:
        yield ()
    for words in longer:
        yield tuple(_place([word]) for word in words)


def _place(entries: list[str], *, is_optional: bool = False) -> Place:
    if entries[0] in _KINDS:
        return Place(kind=_KINDS[entries[0]])
    words: set[str] = set()
    stems: list[str] = []
    ends: list[str] = []
    insides: list[str] = []
    for said in entries:
        word = _word(said.strip("*"))
        if _has_insides(word):
            insides.append(word)
        elif said.startswith("*"):
            ends.append(word)
        elif said.endswith("*"):
            stems.append(word)
        else:
            words.add(word)
    return Place(
        words=frozenset(words),
        stems=tuple(stems),
        ends=tuple(ends),
        insides=tuple(insides),
        is_optional=is_optional,
    )


def _word(said: str) -> str:
    words = words_of(said)
    if len(words) != 1:
        raise ValueError(f"{said!r} is not one word")
    return words[0]


def _has_insides(word: str) -> bool:
    return _UNSPACED.search(word) is not None
