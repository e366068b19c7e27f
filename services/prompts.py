"""How members of other image tools write a prompt: with what the picture should not show in it."""

import re

_NAMES = (
    r"negative[sr]?[ _-]?prompts?|negativ[ -]?prompt|prompts?[ ](?:n[ée]gatif|negativ[oaie])s?"
    r"|(?:негативный|отрицательный)[ ](?:промпт|промт|запрос)"
    r"|ネガティブ(?:プロンプト)?|[负負反][面向](?:提示)?[词詞語语]"
)
# The short name counts only where a new part of the prompt begins: "a film negative: silver tones" says something else.
_SHORT_NAMES = r"negatives?|negativ|n[ée]gatif|negativo|neg"
_BEGINS = r"(?:^|(?<=[,.;|\n])|(?<=[,.;|\n][ ]))"
_REST = re.compile(
    rf"(?:(?<![^\W_])(?:{_NAMES})|{_BEGINS}(?:{_SHORT_NAMES}))[ )\]}}*]*[:=\uff1a](?P<not>.*)",
    re.IGNORECASE | re.DOTALL,
)
_OPTION = re.compile(
    r"(?<!\S)(?:--|—)(?:no|neg|negative)\s+(?P<not>.*?)(?=\s(?:--|—)[^\W\d]|$)", re.IGNORECASE | re.DOTALL
)


def in_two(prompt: str) -> tuple[str, str]:
    """What the picture should show and what not: all behind ``Negative prompt:``, and what follows ``--no`` until the
    next such option. The image service takes the second in a field of its own; left in the first it would be drawn.
    Where nothing else is said, all of it stays.
    """
    negatives: list[str] = []

    def taken(found: re.Match[str]) -> str:
        negatives.append(found["not"].strip(" ,;"))
        return ""

    wanted = prompt
    for part in (_REST, _OPTION):
        wanted = part.sub(taken, wanted)
    wanted = wanted.rstrip(" ,;([{|*\n\u3001\uff0c")
    return (wanted, ", ".join(filter(None, negatives))) if wanted.strip() else (prompt, "")
