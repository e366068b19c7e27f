"""What this bot makes no pictures of: the rules in ``rules/`` applied to a wish.

Each file there is a category of what is refused, and ``when`` at its top or in a rule says in which requests:

- ``face``: in those with a face;
- ``adult``: in those with any photo; in others except where the operator allows adult content, in channels for adults;
- ``with_adult``: in all where an ``adult`` rule matches as well;
- ``always``.

Each ``[[rule]]`` has the phrases ``any`` (``matcher`` says how they are written), and may have:

- ``unless``: phrases that are no harm: what stands within one is not looked at by this rule. Those of ``innocent.toml``
  are no harm to any rule;
- ``unless_anywhere``: phrases that make the rule void wherever in the text they stand;
- ``is_certain``: not even what ``innocent.toml`` names is no harm to this rule;
- ``in = "negative"``: the rule is for the negative prompt, which names what the picture is to be without;
- ``disguised``: its single words are also looked for in pieces (``na ked``), and shorter ones than of other rules with
  a slip in their spelling (see ``spelling``).
"""

import re
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from services.errors import PromptRefused
from services.parameters import Role
from services.policy.matcher import Found, Lists, Phrases, Text, Words
from services.policy.normaliser import Readings, read, words_of
from services.policy.spelling import Spelling
from services.wishes import Wish

RULES = Path(__file__).with_name("rules")

# Of two reasons members are told the graver one.
CATEGORIES = ("minors", "sexual", "hate", "gore", "forgery")

# Less than nothing of it: in a prompt the picture is to be without, in a negative prompt it is to have.
_TURNED_ROUND = re.compile(r":\s*-\s*\d*\.?\d")


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


class Policy:
    """The rules, read once; a check takes a few milliseconds."""

    def __init__(self, *, allows_adult: bool) -> None:
        self._allows_adult = allows_adult
        lists = _lists()
        self._negations = _single(lists["negation"])
        self._fillers = _single(lists["filler"])
        self._innocent = _unlabelled(_toml("innocent")["phrases"], lists)
        self._rules = [rule for category in CATEGORIES for rule in _rules(category, lists)]
        self._phrases = {
            is_negative: Phrases(
                (
                    (phrase, n)
                    for n, rule in enumerate(self._rules)
                    if rule.is_negative is is_negative
                    for phrase in rule.phrases
                ),
                lists,
                crosses=True,
            )
            for is_negative in (False, True)
        }

        self._spelling = Spelling(
            core=(word for rule in self._rules for word in rule.disguised),
            others=(word for phrases in self._phrases.values() for word in phrases.words),
            stems=(stem for phrases in self._phrases.values() for stem in phrases.stems),
            never=_single(lists["spelt_so"]),
        )

    def check(self, wish: Wish, *, is_age_restricted: bool) -> bool:
        """Whether the pictures are to be posted as spoilers, because they are for adults.

        Raises:
            PromptRefused: pictures of that are not made here, or not in this channel.
        """
        has_face, has_photo = wish.count_of(Role.FACE) > 0, bool(wish.references)
        matched = self._matched(wish)
        is_adult = any(rule.when is When.ADULT for rule in matched)
        for rule in matched:
            if (
                rule.when is When.ALWAYS
                or (rule.when is When.FACE and has_face)
                or (rule.when is When.ADULT and has_photo)  # whatever it is attached as, it may show somebody
                or (rule.when is When.WITH_ADULT and is_adult)
            ):
                is_about_them = has_photo and rule.when is not When.WITH_ADULT
                raise PromptRefused(rule.category, has_photo=is_about_them)
        if is_adult and not (self._allows_adult and is_age_restricted):
            raise PromptRefused("sexual", has_photo=False, is_place=self._allows_adult)
        return is_adult

    def _matched(self, wish: Wish) -> list[Rule]:
        """Gravest first. The member's words count by themselves, too: those of a preset could make them innocent."""
        prompts = {wish.prompt, wish.sent_prompt}
        negative = wish.negative_prompt or ""
        positives = [*prompts, *([negative] if _TURNED_ROUND.search(negative) else [])]
        negatives = [negative, *(prompt for prompt in prompts if _TURNED_ROUND.search(prompt))]
        found: set[int] = set()
        for is_negative, texts in ((False, positives), (True, negatives)):
            found.update(*(self._found(text, is_negative=is_negative) for text in texts))
        return [self._rules[n] for n in sorted(found)]

    def _found(self, said: str, *, is_negative: bool) -> set[int]:
        """The numbers of the rules that match."""
        readings = read(said)
        found = {n for n, rule in enumerate(self._rules) if not is_negative and _is_disguised(rule, readings)}
        plain = dict.fromkeys(
            (*readings.plain, *(self._spelling.corrected(words, spelt=readings.spelt) for words in readings.plain))
        )
        for text in map(Text, plain):
            matches: dict[int, list[Found[int]]] = {}
            for match in self._phrases[is_negative].found(text):
                if match.label not in found:
                    matches.setdefault(match.label, []).append(match)
            if matches:
                innocent = _covered(self._innocent, text)
                found.update(
                    n
                    for n, of_rule in matches.items()
                    if self._is_meant(
                        self._rules[n],
                        [
                            match.span
                            for match in of_rule
                            if (self._rules[n].is_certain or innocent.isdisjoint(match.span))
                            and (is_negative or not self._is_negated(text.words, match.start))
                        ],
                        text,
                    )
                )
        return found

    def _is_meant(self, rule: Rule, spans: Sequence[range], text: Text) -> bool:
        if not spans or any(rule.unless_anywhere.found(text)):
            return False
        harmless = _covered(rule.unless, text)
        return any(harmless.isdisjoint(span) for span in spans)

    def _is_negated(self, words: Words, start: int) -> bool:
        """Whether what begins there is named to say that it is not wanted."""
        while words[start - 1] in self._fillers:
            start -= 1
        return words[start - 1] in self._negations


def _is_disguised(rule: Rule, readings: Readings) -> bool:
    return not rule.disguised.isdisjoint(readings.pieces) or any(
        word in run for run in readings.spelt for word in rule.disguised
    )


def _covered(phrases: Phrases[None], text: Text) -> set[int]:
    return {at for match in phrases.found(text) for at in match.span}


def _rules(category: str, lists: Lists) -> Iterator[Rule]:
    file = _toml(category)
    for entry in file["rule"]:
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
            unless=_unlabelled(unless, lists),
            unless_anywhere=_unlabelled(unless_anywhere, lists),
            disguised=disguised,
        )


def _unlabelled(phrases: list[str], lists: Lists) -> Phrases[None]:
    return Phrases([(phrase, None) for phrase in phrases], lists, crosses=False)


def _single(words: Iterable[str]) -> frozenset[str]:
    return frozenset(said for word in words for said in words_of(word))


def _lists() -> Lists:
    return {name: tuple(words) for name, words in _toml("words").items()}


def _toml(name: str) -> dict[str, Any]:
    return tomllib.loads((RULES / f"{name}.toml").read_text(encoding="utf-8"))
