"""How much of a prompt the model reads: CLIP's text encoder takes 77 tokens, two of which mark the ends."""

import re
import unicodedata

TOKENS_MAX = 75

# The pieces that CLIP's tokenizer never joins (the pattern of openai/CLIP, simple_tokenizer.py, in Python's own terms).
# A rare word becomes several tokens, so counting pieces counts at least one token each: never too many.
_PIECE = re.compile(r"'(?:s|t|re|ve|m|ll|d)|[^\W\d_]+|\d|(?:[^\s\w]|_)+", re.IGNORECASE)


def unread(prompt: str) -> str:
    """The end of a prompt that the model will certainly not read; empty where it may read everything."""
    prompt = unicodedata.normalize("NFC", prompt)  # as the tokenizer does: an accent is no piece of its own
    pieces = list(_PIECE.finditer(prompt))
    return prompt[pieces[TOKENS_MAX].start() :] if len(pieces) > TOKENS_MAX else ""
