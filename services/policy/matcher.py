"""The small language in which the rules name phrases, and finding such phrases among words.

A phrase is words in their order. In the place of a word may stand:

- ``word``: that word; ``word*`` any that begins like it, ``*word`` any that ends so;
- ``<name>``: any word or phrase of that list in ``words.toml``;
- ``one|other|<name>``: any of them, and with ``?`` at its end any of them or nothing;
- ``...``: up to four words of the same sentence part;
- ``^``: the beginning of the text; ``,``, alone or among words: a mark between phrases, or either end of the text.

A space always ends a place: ``mug shot|mugshot`` is ``mug`` and then one of two, which cannot be meant and is an error;
entries of a list may have spaces.
Words are compared without case and accents. Chinese and Japanese have no spaces: each letter counts as a word, one of
several letters may stand in any place all the same, and ``...`` is up to eight of them.
"""

import functools
import itertools
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import Generic, TypeVar

from services.policy.normaliser import PHRASE_END, SENTENCE_END, UNSPACED, words_of

GAP_WORDS = 4
LETTER = 0.5  # of a word in a gap, where letters count as words
MARKS = (PHRASE_END, SENTENCE_END)
_UNSPACED = re.compile(f"[{UNSPACED}]")

Lists = Mapping[str, tuple[str, ...]]
Words = tuple[str, ...]


class Kind(Enum):
    """What a place of a phrase is for."""

    WORD = auto()
    GAP = auto()
    START = auto()


@dataclass(frozen=True, kw_only=True, eq=False)  # equal ones are the same
class Place:
    """One place of a phrase and what fits there: words, ``runs`` of letters that each count as a word, and marks where
    it ``takes_marks``.
    """

    kind: Kind = Kind.WORD
    words: frozenset[str] = frozenset()
    stems: tuple[str, ...] = ()
    ends: tuple[str, ...] = ()
    runs: tuple[Words, ...] = ()
    takes_marks: bool = False
    is_optional: bool = False

    @functools.cached_property
    def keys(self) -> tuple[str, ...]:
        """All words that it names."""
        return (*self.words, *self.stems, *self.ends, *map(_beginning, self.runs))

    def fits(self, word: str, at: int) -> bool:
        """Whether the word with that number may stand here."""
        if word in MARKS:
            return self.takes_marks or (self.kind is Kind.START and at == 0)
        return (
            word in self.words
            or (bool(self.stems) and word.startswith(self.stems))
            or (bool(self.ends) and word.endswith(self.ends))
        )


_KINDS = {"^": Kind.START, "...": Kind.GAP}
Phrase = tuple[Place, ...]
Label = TypeVar("Label")
_Filed = tuple[Phrase, Label]


@dataclass(frozen=True, slots=True)
class Found(Generic[Label]):
    """A phrase among words: what it is labelled with, its first word, and the word after its last."""

    label: Label
    start: int
    end: int

    @property
    def span(self) -> range:
        """The words that it covers."""
        return range(self.start, self.end)


class Text:
    """The words of a text, where each stands, and each beginning of a run, and what is known of where places fit."""

    def __init__(self, words: Words) -> None:
        self.words = words
        self.places: dict[str, list[int]] = {}
        for at, word in enumerate(words):
            self.places.setdefault(word, []).append(at)
            if (following := words[at + 1 : at + 2]) and (_is_letter(word) or _is_letter(following[0])):
                self.places.setdefault(word + following[0], []).append(at)
        self._distinct = frozenset(self.places)
        self._fitting: dict[int, frozenset[int]] = {}  # by the identity of a place: equal ones are the same

    def starts(self, phrase: Phrase) -> Iterable[int]:
        """Where a phrase could begin."""
        if not phrase[0].is_optional:
            return self._where(phrase[0])
        first = list(itertools.takewhile(lambda place: place.is_optional, phrase))
        return frozenset[int]().union(*(self._where(place) for place in (*first, phrase[len(first)])))

    def _where(self, place: Place) -> frozenset[int]:
        found = self._fitting.get(id(place))
        if found is None:
            fitting = {*self._fitting_words(place), *(self._distinct.intersection(map(_beginning, place.runs)))}
            found = frozenset(at for word in fitting for at in self.places[word])
            self._fitting[id(place)] = found
        return found

    def _fitting_words(self, place: Place) -> Iterable[str]:
        if not (place.stems or place.ends or place.takes_marks or place.kind is Kind.START):
            return place.words & self._distinct
        return [word for word, at in self.places.items() if place.fits(word, at[0])]


class Grammar:
    """Reads phrases. ``lists`` are what they may name."""

    def __init__(self, lists: Lists) -> None:
        self._lists = lists
        self._choices = functools.cache(self._read_choices)  # many phrases have the same places

    def read(self, text: str) -> Iterator[Phrase]:
        """The phrases that a text stands for: entries of a list may have more than one word, and are then put in.

        Raises:
            ValueError: it stands for none.
        """
        parts = text.split()
        _check_choices(text, parts)
        yield from _combined([self._choices(part) for part in parts])

    def _read_choices(self, part: str) -> tuple[Phrase, ...]:
        """What may stand in one place: all single words as one choice, and each longer entry of a list as its own."""
        is_optional = part.endswith("?")
        said = part.removesuffix("?").split("|")
        entries = [entry for name in said for entry in (self._lists[name[1:-1]] if name.startswith("<") else (name,))]
        longer = tuple(tuple(_place((word,)) for word in entry.split()) for entry in entries if " " in entry)
        single = tuple(entry for entry in entries if " " not in entry)
        if single:
            return ((_place(single, is_optional=is_optional),), *longer)
        return ((), *longer) if is_optional else longer


class Phrases(Generic[Label]):
    """Many phrases, each with a label, compiled once. ``crosses`` says whether a phrase may have marks between its
    words.

    Each is filed under its rarest place, so that few have to be tried on a text that has none of them. ``words`` and
    ``stems`` are those that the phrases name.
    """

    def __init__(self, phrases: Iterable[tuple[str, Label]], grammar: Grammar, *, crosses: bool) -> None:
        self._crosses = crosses
        self._by_word: dict[str, list[_Filed[Label]]] = {}
        self._by_stem: dict[str, list[_Filed[Label]]] = {}
        self._by_end: dict[str, list[_Filed[Label]]] = {}
        compiled = [(phrase, label) for text, label in phrases for phrase in grammar.read(text)]
        uses = Counter(place for phrase, _ in compiled for place in phrase)
        self.words = frozenset(word for place in uses for word in place.words)
        self.stems = frozenset(stem for place in uses for stem in place.stems)
        named = Counter[str]()
        for place, times in uses.items():
            named.update(dict.fromkeys(place.keys, times))
        commonness = {place: max((named[key] for key in place.keys), default=0) for place in uses}
        for phrase, label in compiled:
            self._file(phrase, label, commonness)

    def _file(self, phrase: Phrase, label: Label, commonness: Mapping[Place, int]) -> None:
        needed = [place for place in phrase if place.keys and not (place.takes_marks or place.is_optional)]
        rarest = min(needed, key=commonness.__getitem__)
        filed = (phrase, label)
        for index, keys in (
            (self._by_word, {*rarest.words, *map(_beginning, rarest.runs)}),
            (self._by_stem, rarest.stems),
            (self._by_end, rarest.ends),
        ):
            for key in keys:
                index.setdefault(key, []).append(filed)

    def found(self, text: Text) -> Iterator[Found[Label]]:
        """All of them in the text."""
        candidates = {id(filed): filed for word in text.places for filed in self._possible(word)}
        for phrase, label in candidates.values():
            for start in text.starts(phrase):
                end = self._end(phrase, 0, text.words, start)
                if end is not None:
                    yield Found(label, start, end)

    def _possible(self, word: str) -> Iterator["_Filed[Label]"]:
        yield from self._by_word.get(word, ())
        for length in range(1, len(word) + 1):
            yield from self._by_stem.get(word[:length], ())
            yield from self._by_end.get(word[-length:], ())

    def _end(self, phrase: Phrase, n: int, words: Words, at: int) -> int | None:
        """The place after the phrase's places from ``n`` on, which begin at ``at``; None where they are not there."""
        if n == len(phrase):
            return at
        place = phrase[n]
        if place.kind is Kind.GAP:
            return self._end_after_gap(phrase, n, words, at)
        for after in self._after(place, n, words, at):
            end = self._end(phrase, n + 1, words, after)
            if end is not None:
                return end
        return None

    def _after(self, place: Place, n: int, words: Words, at: int) -> Iterator[int]:
        """Where what follows the place with the number ``n`` may begin, if that one begins at ``at``."""
        if place.is_optional:
            yield at
        if place.takes_marks and at < len(words) and words[at] in MARKS:
            yield at + 1
        if n and self._crosses:
            while at < len(words) and words[at] == PHRASE_END:
                at += 1
        if at < len(words) and place.fits(words[at], at):
            yield at + 1
        for run in place.runs:
            if words[at : at + len(run)] == run:
                yield at + len(run)

    def _end_after_gap(self, phrase: Phrase, n: int, words: Words, at: int) -> int | None:
        room = GAP_WORDS
        for last in range(at, len(words)):
            if room < 0 or (words[last] in MARKS and not phrase[n + 1].takes_marks):
                return None
            end = self._end(phrase, n + 1, words, last)
            if end is not None:
                return end
            room -= LETTER if _is_letter(words[last]) else 1
        return None


def _check_choices(text: str, parts: list[str]) -> None:
    """That no choice was meant to be of two words, as far as that shows.

    Raises:
        ValueError: the phrase would never be found as it was meant.
    """
    places = [part.removesuffix("?").split("|") for part in parts]
    for choices in places:
        if "" in choices:
            raise ValueError(f"{text!r}: nothing stands on one side of a |; put no space beside it")
        if len(choices) > 1 and not _KINDS.keys().isdisjoint(choices):
            raise ValueError(f"{text!r}: ^ and ... stand alone in a place")
        twice = [choice for choice in choices if choices.count(choice) > 1]
        if twice:
            raise ValueError(f"{text!r}: {twice[0]!r} stands twice in one place; a choice cannot have two words")
    for before, after in itertools.pairwise(places):
        if (len(before) == 1 and f"{before[0]}{after[0]}" in after) or (
            len(after) == 1 and f"{before[-1]}{after[0]}" in before
        ):
            raise ValueError(f"{text!r}: a space ends a place; write the two spellings as two phrases")


def _combined(places: Sequence[Sequence[Phrase]]) -> Iterator[Phrase]:
    if not places:
        yield ()
        return
    for first in places[0]:
        for rest in _combined(places[1:]):
            yield first + rest


@functools.cache
def _place(entries: tuple[str, ...], *, is_optional: bool = False) -> Place:
    if entries[0] in _KINDS:
        return Place(kind=_KINDS[entries[0]])
    words: set[str] = set()
    stems: list[str] = []
    ends: list[str] = []
    runs: list[Words] = []
    for said in entries:
        if said == PHRASE_END:
            continue
        word, *more = _letters(said.strip("*"))
        if more:
            runs.append((word, *more))
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
        runs=tuple(runs),
        takes_marks=PHRASE_END in entries,
        is_optional=is_optional,
    )


@functools.cache
def _letters(said: str) -> Words:
    """A word, or the letters of one without spaces, each of which counts as a word."""
    if said.isascii() and said.isalpha():
        return (said.lower(),)  # as it would come out below, but most words are such and there are many
    words = words_of(said)
    if len(words) != 1 and not any(map(_is_letter, words)):
        raise ValueError(f"{said!r} is not one word")
    return words


def _is_letter(word: str) -> bool:
    """Whether it counts as a word because it is of a script without spaces."""
    return word >= UNSPACED[0] and _UNSPACED.match(word) is not None


def _beginning(run: Words) -> str:
    return "".join(run[:2])
