"""Reading JSON forms the way Discord does: every wrong field is noted at its path, then all are reported at once."""

import re
from collections.abc import Collection
from typing import Any, cast

from playground.errors import ApiError, Json, Refusal

Path = tuple[str | int, ...]

_SNOWFLAKE = re.compile(r"[0-9]{1,20}")
_INTEGER = re.compile(r"-?[0-9]{1,20}")


class Problems:
    """What is wrong with a form so far, in Discord's nested shape (`{"embeds": {"0": {"_errors": [...]}}}`)."""

    def __init__(self) -> None:
        self.tree: Json = {}

    def add(self, at: Path, code: str, message: str) -> None:
        """Note one problem at a path of keys and list positions."""
        node = self.tree
        for part in at:
            node = cast("Json", node.setdefault(str(part), {}))
        cast("list[Json]", node.setdefault("_errors", [])).append({"code": code, "message": message})

    def raise_if_any(self) -> None:
        """Raise ApiError 50035 when anything was noted."""
        if self.tree:
            raise ApiError(Refusal.INVALID_FORM, errors=self.tree)


class Form:
    """One JSON object being read: a wrong field is noted and read as absent, so that reading can go on."""

    def __init__(self, data: object, problems: Problems, at: Path = ()) -> None:
        self.at = at
        self.problems = problems
        self.data: Json = cast("Json", data) if isinstance(data, dict) else {}
        if not isinstance(data, dict):
            problems.add(at, "DICT_TYPE_CONVERT", "Only dictionaries may be used in a DictType")

    def fail(self, key: str | int | None, code: str, message: str) -> None:
        """Note a problem with one field, or with the object itself when key is None."""
        self.problems.add(self.at if key is None else (*self.at, key), code, message)

    def has(self, key: str) -> bool:
        """Whether the field is there with any value, null included."""
        return key in self.data

    def text(self, key: str, *, most: int, least: int = 0, required: bool = False) -> str | None:
        """A string of least to most characters."""
        value = self._get(key, required=required)
        if value is None:
            return None
        if not isinstance(value, str):
            self.fail(key, "BASE_TYPE_BAD_TYPE", "Must be a string.")
            return None
        if not least <= len(value) <= most:
            code = "BASE_TYPE_BAD_LENGTH" if least else "BASE_TYPE_MAX_LENGTH"
            said = f"Must be between {least} and {most} in length." if least else f"Must be {most} or fewer in length."
            self.fail(key, code, said)
            return None
        return value

    def integer(
        self,
        key: str,
        *,
        least: int | None = None,
        most: int | None = None,
        among: Collection[int] | None = None,
        required: bool = False,
    ) -> int | None:
        """A whole number, as a JSON number or a string of digits, within limits or among the values allowed."""
        value = self._get(key, required=required)
        if value is None:
            return None
        number = _whole(value)
        if number is None:
            self.fail(key, "NUMBER_TYPE_COERCE", f'Value "{value}" is not int.')
        elif among is not None and number not in among:
            self.fail(key, "BASE_TYPE_CHOICES", f"Value must be one of {{{', '.join(map(str, sorted(among)))}}}.")
        elif least is not None and number < least:
            self.fail(key, "NUMBER_TYPE_MIN", f"int value should be greater than or equal to {least}.")
        elif most is not None and number > most:
            self.fail(key, "NUMBER_TYPE_MAX", f"int value should be less than or equal to {most}.")
        else:
            return number
        return None

    def number(self, key: str, *, required: bool = False) -> float | None:
        """Any JSON number."""
        value = self._get(key, required=required)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float):
            self.fail(key, "NUMBER_TYPE_COERCE", f'Value "{value}" is not float.')
            return None
        return value

    def boolean(self, key: str) -> bool:
        """True or false; absent and null read as false."""
        value = self.data.get(key)
        if value is None or isinstance(value, bool):
            return bool(value)
        self.fail(key, "BOOLEAN_TYPE_CONVERT", "Must be either true or false.")
        return False

    def snowflake(self, key: str, *, required: bool = False) -> int | None:
        """An id, as a string of digits or a number."""
        value = self._get(key, required=required)
        if value is None:
            return None
        if not isinstance(value, bool) and _SNOWFLAKE.fullmatch(str(value)):
            return int(value)
        self.fail(key, "NUMBER_TYPE_COERCE", f'Value "{value}" is not snowflake.')
        return None

    def items(self, key: str, *, most: int, least: int = 0) -> list[object]:
        """A list of least to most things; absent and null read as empty (and are refused when least is above 0)."""
        value = self._get(key, required=least > 0)
        if value is None:
            return []
        if not isinstance(value, list):
            self.fail(key, "LIST_TYPE_CONVERT", "Only iterables may be used in a ListType")
            return []
        found = cast("list[object]", value)
        if not least <= len(found) <= most:
            said = f"Must be between {least} and {most} in length." if least else f"Must be {most} or fewer in length."
            self.fail(key, "BASE_TYPE_BAD_LENGTH" if least else "BASE_TYPE_MAX_LENGTH", said)
            return []
        return found

    def integers(self, key: str, *, among: Collection[int], least: int = 0) -> list[int]:
        """A list of whole numbers, each among the values allowed."""
        numbers = [_whole(item) for item in self.items(key, most=len(among), least=least)]
        if any(number not in among for number in numbers):
            self.fail(key, "BASE_TYPE_CHOICES", f"Value must be one of {{{', '.join(map(str, sorted(among)))}}}.")
        return [number for number in numbers if number is not None and number in among]

    def forms(self, key: str, *, most: int, least: int = 0) -> list["Form"]:
        """A list of objects, each ready to be read."""
        found = self.items(key, most=most, least=least)
        return [Form(item, self.problems, (*self.at, key, position)) for position, item in enumerate(found)]

    def form(self, key: str, *, required: bool = False) -> "Form | None":
        """An object inside this one."""
        value = self._get(key, required=required)
        return None if value is None else Form(value, self.problems, (*self.at, key))

    def _get(self, key: str, *, required: bool) -> Any:
        value = self.data.get(key)
        if value is None and required:
            self.fail(key, "BASE_TYPE_REQUIRED", "This field is required")
        return value


def _whole(value: object) -> int | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return int(value) if isinstance(value, str) and _INTEGER.fullmatch(value) else None
