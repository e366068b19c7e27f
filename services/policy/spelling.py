"""Misspelt words of the rules, put right.

A word that no rule knows, and that one slip makes of a word which a rule does know, is read as that one: a letter
doubled, two neighbours swapped, or a letter left out. Short words are too near to others for that, so each slip has the
length from which it is looked for.
"""

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from services.policy.matcher import Words

_DOUBLED = re.compile(r"([^\W\d_])\1")


@dataclass(frozen=True, slots=True)
class Lengths:
    """From how many letters on a word is known with each slip."""

    doubled: int
    swapped: int
    shortened: int


CORE = Lengths(doubled=4, swapped=5, shortened=7)
OTHERS = Lengths(doubled=5, swapped=7, shortened=9)


class Spelling:
    """Knows the words of the rules. Those of ``core`` mean harm by themselves; ``never`` are words that only look like
    slips.
    """

    def __init__(self, core: Iterable[str], others: Iterable[str], stems: Iterable[str], never: Iterable[str]) -> None:
        core, others = set(core), set(others)
        self._known = frozenset(core | others)
        self._longest = max(map(len, self._known))
        self._stems = tuple(sorted({stem for stem in stems if len(stem) >= OTHERS.doubled}))
        self._single = {
            word
            for words, lengths in ((core, CORE), (others, OTHERS))
            for word in words
            if len(word) >= lengths.doubled
        }
        slips: dict[str, str | None] = {}
        for words, lengths in ((core, CORE), (others - core, OTHERS)):
            for word in sorted(filter(str.isalpha, words)):
                for slip in _slips(word, lengths):
                    slips.setdefault(slip, word)
        self._right = slips | dict.fromkeys(never)

    def corrected(self, words: Words, *, spelt: Collection[str] = ()) -> Words:
        """The same with what is misspelt put right. ``spelt`` are words that were put together from letters that stood
        apart: they may be several.
        """
        return tuple(
            right for word in words for right in (self._parted(word) if word in spelt else (self._corrected(word),))
        )

    def _parted(self, run: str) -> Words:
        """The fewest words of the rules that make up the run; the run itself where none do."""
        fewest: list[Words | None] = [()]
        for end in range(1, len(run) + 1):
            starts = range(max(0, end - self._longest), end)
            ways = [
                (*before, run[start:end])
                for start in starts
                if (before := fewest[start]) is not None and run[start:end] in self._known
            ]
            fewest.append(min(ways, key=len, default=None))
        return fewest[-1] or (self._corrected(run),)

    def _corrected(self, word: str) -> str:
        if word in self._known:
            return word
        if word in self._right:
            return self._right[word] or word
        if _DOUBLED.search(word) and not word.startswith(self._stems):
            return next((single for single in _singled(word) if self._is_known_once(single)), word)
        return word

    def _is_known_once(self, single: str) -> bool:
        return single in self._single or single.startswith(self._stems)


def _slips(word: str, lengths: Lengths) -> Iterator[str]:
    """The ways to write it with two neighbours swapped, or without a letter, beginning as it does."""
    for n in range(1, len(word) - 1):
        if len(word) >= lengths.shortened:
            yield word[:n] + word[n + 1 :]
        if len(word) >= lengths.swapped:
            yield word[:n] + word[n + 1] + word[n] + word[n + 2 :]


def _singled(word: str) -> Iterator[str]:
    """The word with one of its doubled letters once, then with all of them so."""
    for found in _DOUBLED.finditer(word):
        yield word[: found.start()] + word[found.end() - 1 :]
    yield _DOUBLED.sub(r"\1", word)
