"""The rules of ``rules/``, read once a process.

Each file there is a category of what is refused, and ``when`` at its top or in a rule says in which requests:

- ``face``: in those with a face;
- ``adult``: in those with any photo; in others except where the operator allows adult content, in channels for adults;
- ``with_adult``: in all where an ``adult`` rule matches as well;
- ``always``.

The files of ``LANGUAGES`` have rules of all categories, each with its ``category``, word lists of their own, and what
is ``innocent`` in that language.

Each ``[[rule]]`` has the phrases ``any`` (``matcher`` says how they are written), and may have:

- ``unless``: phrases that are no harm: what stands within one is not looked at by this rule. Those of ``innocent.toml``
  are no harm to any rule;
- ``unless_anywhere``: phrases that make the rule void wherever in the text they stand;
- ``is_certain``: not even what ``innocent.toml`` names is no harm to this rule;
- ``in = "negative"``: the rule is for the negative prompt, which names what the picture is to be without;
- ``disguised``: its single words are also looked for in pieces (``na ked``), and shorter ones than of other rules with
  a slip in their spelling (see ``spelling``).
"""

import functools
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from services.policy.matcher import Grammar, Lists, Phrases
from services.policy.normaliser import words_of
from services.policy.spelling import Spelling

RULES = Path(__file__).with_name("rules")

# Of two reasons members are told the graver one.
CATEGORIES = ("minors", "sexual", "hate", "gore", "forgery")
LANGUAGES = ("russian", "chinese_japanese", "dutch", "polish", "turkish", "korean")


class When(StrEnum):
    """In which requests a rule holds; see above."""

    FACE = "face"
    ADULT = "adult"
    ALWAYS = "always"
    WITH_ADULT = "with_adult"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One entry of a rule file. ``disguised`` are the words that are also looked for in pieces."""

    category: str
    when: When
    is_negative: bool
    is_certain: bool
    phrases: tuple[str, ...]
    unless: Phrases[None]
    unless_anywhere: Phrases[None]
    disguised: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rulebook:
    """All rules. ``phrases`` are theirs, labelled with the number of the rule, by whether they are for the negative
    prompt. ``negations`` are said before what is not wanted, with ``fillers`` between.
    """

    rules: Sequence[Rule]
    phrases: Mapping[bool, Phrases[int]]
    innocent: Phrases[None]
    negations: frozenset[str]
    fillers: frozenset[str]
    spelling: Spelling


@functools.cache
def rulebook() -> Rulebook:
    """Takes about a second, and 60 MB."""
    languages = [_toml(language) for language in LANGUAGES]
    lists = _lists(languages)
    grammar = Grammar(lists)
    rules = [rule for category in CATEGORIES for rule in _rules(category, languages, grammar)]
    phrases = {
        is_negative: Phrases(
            ((phrase, n) for n, rule in enumerate(rules) if rule.is_negative is is_negative for phrase in rule.phrases),
            grammar,
            crosses=True,
        )
        for is_negative in (False, True)
    }
    innocent = _unlabelled([said for file in (_toml("innocent"), *languages) for said in file["innocent"]], grammar)
    excepted = (each for rule in rules for each in (rule.unless, rule.unless_anywhere))
    return Rulebook(
        rules=rules,
        phrases=phrases,
        innocent=innocent,
        negations=_single(lists["negation"]),
        fillers=_single(lists["filler"]),
        spelling=Spelling(
            core=(word for rule in rules for word in rule.disguised),
            others=(word for each in phrases.values() for word in each.words),
            stems=(stem for each in phrases.values() for stem in each.stems),
            never=_single(lists["spelt_so"]).union(innocent.words, *(each.words for each in excepted)),
        ),
    )


def _rules(category: str, languages: Sequence[dict[str, Any]], grammar: Grammar) -> Iterator[Rule]:
    file = _toml(category)
    in_languages = (entry for language in languages for entry in language["rule"] if entry["category"] == category)
    for entry in (*file["rule"], *in_languages):
        phrases: list[str] = entry["any"]
        unless: list[str] = entry.get("unless", [])
        unless_anywhere: list[str] = entry.get("unless_anywhere", [])
        disguised = _single(filter(str.isalpha, phrases)) if entry.get("disguised") else frozenset[str]()
        yield Rule(
            category=category,
            when=When(entry.get("when", file["when"])),
            is_negative=entry.get("in") == "negative",
            is_certain=entry.get("is_certain", False),
            phrases=tuple(phrases),
            unless=_unlabelled(unless, grammar),
            unless_anywhere=_unlabelled(unless_anywhere, grammar),
            disguised=disguised,
        )


def _unlabelled(phrases: list[str], grammar: Grammar) -> Phrases[None]:
    return Phrases([(phrase, None) for phrase in phrases], grammar, crosses=False)


def _single(words: Iterable[str]) -> frozenset[str]:
    return frozenset(said for word in words for said in words_of(word))


def _lists(languages: Sequence[dict[str, Any]]) -> Lists:
    files = (_toml("words"), *(language["lists"] for language in languages))
    return {name: tuple(words) for file in files for name, words in file.items()}


def _toml(name: str) -> dict[str, Any]:
    return tomllib.loads((RULES / f"{name}.toml").read_text(encoding="utf-8"))
