"""Reads typed fields out of a JSON object sent by anybody, and collects every problem instead of stopping at one."""

import json
import math
import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, NoReturn, TypeVar, cast

from yarl import URL

from engine.errors import InvalidRequestError, Problem

Word = TypeVar("Word", bound=StrEnum)

# Longer values are not repeated in an error: the caller knows what was sent, and the answer stays small.
MAX_ECHO_CHARS = 100
MAX_ECHO_NUMBER = 2**63

# A bound of our own: signed addresses are long, but not that long.
MAX_URL_CHARS = 8_192

# Numbers arrive as strings from form-like clients; the digit counts keep int() and float() away from absurd input.
_NUMBER = re.compile(r"\s*[+-]?(\d{1,20}(\.\d{0,20})?|\.\d{1,20})([eE][+-]?\d{1,3})?\s*", re.ASCII)
_BOOLEANS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


def read_object(raw: bytes) -> dict[str, Any]:
    """Parse a request body as one JSON object, whatever its content type said.

    Raises:
        InvalidRequestError: It is not JSON (``NaN`` and ``Infinity`` are not), or not an object.
    """
    try:
        body: Any = json.loads(raw, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise InvalidRequestError([_body_problem("The body is not valid JSON", "json_invalid")]) from None
    if not isinstance(body, dict):
        raise InvalidRequestError([_body_problem("The body should be one JSON object", "dict_type")])
    return cast("dict[str, Any]", body)


class FieldReader:
    """Reads fields by name. A field that breaks its rule adds to ``problems`` and yields its default.

    A field that is null counts as absent, and fields that nobody reads are ignored.
    """

    def __init__(self, body: Mapping[str, Any]) -> None:
        self._body = body
        self.problems: list[Problem] = []

    def raw(self, name: str) -> Any:
        """Return what was sent, unchecked; None when it is absent."""
        return self._body.get(name)

    def add(self, name: str, message: str, kind: str, *, index: int | None = None, value: Any = None) -> None:
        """Record a problem; ``value`` is echoed to the caller if it is short and plain."""
        loc = ("body", name) if index is None else ("body", name, index)
        self.problems.append(Problem(loc=loc, message=message, kind=kind, value=_echo(value)))

    def integer(self, name: str, default: int, *, minimum: int, maximum: int, multiple_of: int = 1) -> int:
        """Return a whole number within the range, both ends included."""
        value = self.raw(name)
        if value is None:
            return default
        number = as_number(value)
        if number is None or not _is_whole(number):
            self.add(name, f"Should be a whole number from {minimum} to {maximum}", "int_type", value=value)
        elif not minimum <= number <= maximum:
            self.add(name, f"Should be from {minimum} to {maximum}", "out_of_range", value=value)
        elif number % multiple_of:
            self.add(name, f"Should be a multiple of {multiple_of}", "multiple_of", value=value)
        else:
            return int(number)
        return default

    def number(self, name: str, default: float, *, minimum: float, maximum: float) -> float:
        """Return a number within the range, both ends included."""
        value = self.raw(name)
        if value is None:
            return default
        number = as_number(value)
        if number is not None and minimum <= number <= maximum:
            return float(number)
        kind = "float_type" if number is None else "out_of_range"
        self.add(name, f"Should be a number from {minimum:g} to {maximum:g}", kind, value=value)
        return default

    def boolean(self, name: str, *, default: bool) -> bool:
        """Return a truth value, also from the spellings that form-like clients send."""
        value = self.raw(name)
        if value is None or isinstance(value, bool):
            return default if value is None else value
        known = _BOOLEANS.get(str(value).strip().lower()) if isinstance(value, str | int) else None
        if known is None:
            self.add(name, "Should be true or false", "bool_type", value=value)
        return default if known is None else known

    def text(self, name: str, default: str, *, max_chars: int) -> str:
        """Return a string as it was sent."""
        value = self.raw(name)
        if value is None:
            return default
        if not isinstance(value, str):
            self.add(name, "Should be a string", "string_type", value=value)
        elif len(value) > max_chars:
            self.add(name, f"Should be at most {max_chars} characters long", "string_too_long")
        elif not is_unicode(value):
            self.add(name, "Should be text without broken (unpaired surrogate) characters", "string_unicode")
        else:
            return value
        return default

    def required_text(self, name: str, *, max_chars: int, hint: str) -> str:
        """Return a string that has to be there and not to be blank; ``hint`` says what it is for."""
        if self.raw(name) is None:
            self.add(name, f"Field required: {hint}", "missing")
            return ""
        known = len(self.problems)
        value = self.text(name, "", max_chars=max_chars)
        if len(self.problems) == known and not value.strip():
            self.add(name, f"Should not be blank: {hint}", "string_too_short")
        return value

    def word(self, name: str, words: type[Word]) -> Word | None:
        """Return one of an enumeration's words, None when absent."""
        value = self.raw(name)
        if value is None:
            return None
        if isinstance(value, str) and value in list(words):
            return words(value)
        self.add(name, f"Should be one of {', '.join(words)}", "enum", value=value)
        return None

    def address(self, name: str) -> str | None:
        """Return an http(s) address, None when absent or blank. It may hold a secret, so it is never echoed."""
        value = self.raw(name)
        if is_absent(value):
            return None
        problem = address_problem(value)
        if problem:
            self.add(name, problem, "url_parsing")
            return None
        return value

    def check(self) -> None:
        """Raise everything that was found.

        Raises:
            InvalidRequestError: There is at least one problem.
        """
        if self.problems:
            raise InvalidRequestError(self.problems)


def as_number(value: Any) -> int | float | None:
    """Return a finite number, also from a string as ``"25"``; None for anything else (true is no number)."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str) and _NUMBER.fullmatch(value):
        value = float(value)
    if isinstance(value, int):
        return value
    return value if isinstance(value, float) and math.isfinite(value) else None


def as_items(value: Any) -> list[Any]:
    """Return the items of a list, however it was written.

    A JSON array, one bare value, ``"a, b"`` and ``"[a, b]"`` (with or without quotes around each) are the spellings
    that ImagePipeline's pages show between them. Null and blank entries are dropped.
    """
    if isinstance(value, str):
        inner = value.strip().removeprefix("[").removesuffix("]")
        value = [part.strip().strip("\"'").strip() for part in inner.split(",")]
    return [item for item in as_list(value) if not is_absent(item)]


def as_list(value: Any) -> list[Any]:
    """Return a JSON array as it is, and any other value as the only item of a list."""
    return cast("list[Any]", value) if isinstance(value, list) else [value]


def is_absent(value: Any) -> bool:
    """Tell whether an entry says nothing: null or an empty string."""
    return value is None or value == ""


def address_problem(value: Any) -> str | None:
    """Say what keeps a value from being an http(s) address that the engine would connect to; None if nothing does."""
    if not isinstance(value, str) or not is_unicode(value):
        return "Should be an http(s) address"
    if len(value) > MAX_URL_CHARS:
        return f"Should be at most {MAX_URL_CHARS} characters long"
    try:
        url = URL(value)
    except ValueError:
        return "Should be an http(s) address"
    if url.scheme not in {"http", "https"} or not url.host:
        return "Should be an http(s) address"
    if url.user is not None or url.password is not None:
        return "Should hold no user name and no password: the engine sends credentials nowhere"
    return None


def is_unicode(text: str) -> bool:
    """Tell whether a string can be encoded: JSON's escapes can smuggle in half of a surrogate pair."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _is_whole(number: float) -> bool:
    return isinstance(number, int) or number.is_integer()


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)


def _body_problem(message: str, kind: str) -> Problem:
    return Problem(loc=("body",), message=message, kind=kind)


def _echo(value: Any) -> str | float | bool | None:
    if isinstance(value, str):
        return value if len(value) <= MAX_ECHO_CHARS and is_unicode(value) else None
    if isinstance(value, int | float):
        return value if abs(value) < MAX_ECHO_NUMBER else None  # false for NaN too, which JSON cannot hold
    return None
