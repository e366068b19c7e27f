"""Reading a form from the data of the interaction in which it was sent in: whatever process had opened it.

https://discord.com/developers/docs/interactions/receiving-and-responding#interaction-object-modal-submit-data-structure
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast


@dataclass(frozen=True, slots=True)
class Upload:
    """A file from a form."""

    url: str = field(repr=False)
    size: int


def fields_of(data: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """What was filled in, by the ids of the fields."""
    inner: list[Mapping[str, Any]] = [each.get("component", each) for each in data["components"]]
    return {each["custom_id"]: each for each in inner if "custom_id" in each}


def values_of(found: Mapping[str, Any]) -> Sequence[str]:
    """What was chosen in a menu; of an upload, the ids of the files."""
    return cast(Sequence[str], found.get("values") or ())


def uploads_in(data: Mapping[str, Any], found: Mapping[str, Any]) -> tuple[Upload, ...]:
    """The files of an upload."""
    files: Mapping[str, Any] = data.get("resolved", {}).get("attachments", {})
    return tuple(Upload(files[each]["url"], files[each]["size"]) for each in values_of(found))
