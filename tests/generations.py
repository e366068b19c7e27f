"""Small makers of generations, for tests that care about a few of their fields."""

from datetime import UTC, datetime
from typing import Any

from db.generations import Generation, NewGeneration, State

NOW = datetime(2026, 11, 21, tzinfo=UTC)


def new_generation(**fields: Any) -> NewGeneration:
    """One that a member in a server asks for; ``fields`` are those of ``NewGeneration`` that matter."""
    asked: dict[str, Any] = {
        "interaction_id": 1,
        "application_id": 1,
        "token": "token",
        "scope": "guild:1",
        "channel_id": 2,
        "member_id": 5,
        "locale": "en-US",
        "file_limit_bytes": 10,
        "wish": "{}",
        "images": 1,
    }
    return NewGeneration(**asked | fields)


def made_generation(**fields: Any) -> Generation:
    """One whose picture is there and whose interaction is over; ``fields`` are those of ``Generation`` that matter."""
    known: dict[str, Any] = {
        "id": 1,
        "interaction_id": 1,
        "application_id": 1,
        "token": None,
        "scope": "guild:1",
        "guild_id": 1,
        "is_private": False,
        "is_ephemeral": False,
        "channel_id": 2,
        "member_id": 5,
        "locale": "en-US",
        "file_limit_bytes": 10,
        "wish": "{}",
        "images": 1,
        "weight": 1,
        "role_ids": (),
        "photos": (),
        "hosted": (),
        "message_id": None,
        "state": State.FINISHED,
        "pictures": 1,
        "version": 3,
        "shown": 2,
        "failure_code": None,
        "failure_text": None,
        "created_at": NOW,
        "changed_at": NOW,
    }
    return Generation(**known | fields)
