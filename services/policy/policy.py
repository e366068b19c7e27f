"""What this bot makes no pictures of: the rules applied to a wish."""

import re
from collections.abc import Sequence

from services.errors import PromptRefused
from services.parameters import Role
from services.policy.matcher import Found, Phrases, Text, Words
from services.policy.normaliser import Readings, read
from services.policy.rulebook import Rule, When, rulebook
from services.wishes import Wish

# Less than nothing of it: in a prompt the picture is to be without, in a negative prompt it is to have.
_TURNED_ROUND = re.compile(r":\s*-\s*\d*\.?\d")


class Policy:
    """The rules; reading them for the first time takes about a second, a check a few milliseconds."""

    def __init__(self, *, allows_adult: bool) -> None:
        self._allows_adult = allows_adult
        self._book = rulebook()

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
        return [self._book.rules[n] for n in sorted(found)]

    def _found(self, said: str, *, is_negative: bool) -> set[int]:
        """The numbers of the rules that match."""
        readings = read(said)
        found = {n for n, rule in enumerate(self._book.rules) if not is_negative and _is_disguised(rule, readings)}
        plain = dict.fromkeys(
            (*readings.plain, *(self._book.spelling.corrected(words, spelt=readings.spelt) for words in readings.plain))
        )
        for text in map(Text, plain):
            matches: dict[int, list[Found[int]]] = {}
            for match in self._book.phrases[is_negative].found(text):
                if match.label not in found:
                    matches.setdefault(match.label, []).append(match)
            if matches:
                innocent = _covered(self._book.innocent, text)
                found.update(
                    n
                    for n, of_rule in matches.items()
                    if self._is_meant(
                        self._book.rules[n],
                        [
                            match.span
                            for match in of_rule
                            if (self._book.rules[n].is_certain or innocent.isdisjoint(match.span))
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
        while words[start - 1] in self._book.fillers:
            start -= 1
        return words[start - 1] in self._book.negations


def _is_disguised(rule: Rule, readings: Readings) -> bool:
    return not rule.disguised.isdisjoint(readings.pieces) or any(
        word in run for run in readings.spelt for word in rule.disguised
    )


def _covered(phrases: Phrases[None], text: Text) -> set[int]:
    return {at for match in phrases.found(text) for at in match.span}
