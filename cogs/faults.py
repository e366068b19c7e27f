"""What Discord's refusals mean where a generation is shown."""

import contextlib
from collections.abc import Generator
from http import HTTPStatus

import discord

from services import network
from services.errors import FacelockError
from services.generations import Generation
from services.presenter import DiscordUnavailable, NeverAcknowledged, TooLarge

# https://discord.com/developers/docs/topics/opcodes-and-status-codes#json
UNKNOWN_MESSAGE = 10008
UNKNOWN_WEBHOOK = 10015
INVALID_WEBHOOK_TOKEN = 50027
REQUEST_TOO_LARGE = 40005
NOT_THE_AUTHOR = 50005
TOO_MANY_EDITS_OF_OLD_MESSAGE = 30046
_NO_ANSWER = (0, UNKNOWN_MESSAGE, UNKNOWN_WEBHOOK)


class TokenOverError(FacelockError):
    """The interaction's token works no more."""


class MessageGoneError(FacelockError):
    """Somebody has deleted the message."""


class CannotEditError(FacelockError):
    """The message is there, but this edit is not allowed."""


class NoAccessError(FacelockError):
    """The channel is gone, or the bot may not write there."""


@contextlib.contextmanager
def explained(generation: Generation) -> Generator[None]:
    """Turn what discord.py raises into what can be done about it."""
    try:
        yield
    except discord.HTTPException as error:
        raise _meaning_of(error, generation) from error
    except network.FAULTS as error:
        raise DiscordUnavailable(f"no answer from Discord: {type(error).__name__}") from error


def _meaning_of(error: discord.HTTPException, generation: Generation) -> Exception:
    if error.status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE or error.code == REQUEST_TOO_LARGE:
        return TooLarge("Discord found the files too large")
    if error.status == HTTPStatus.TOO_MANY_REQUESTS:
        wait_s = error.response.headers.get("Retry-After", "")
        return DiscordUnavailable("Discord asks for fewer requests", retry_after_s=_seconds(wait_s))
    if error.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return DiscordUnavailable(f"Discord answered {error.status}")
    if error.code in (NOT_THE_AUTHOR, TOO_MANY_EDITS_OF_OLD_MESSAGE):
        return CannotEditError()
    if error.status == HTTPStatus.NOT_FOUND and generation.message_id is None and error.code in _NO_ANSWER:
        return NeverAcknowledged("Discord knows of no answer to this interaction")
    if error.code == UNKNOWN_MESSAGE:
        return MessageGoneError()
    if error.status == HTTPStatus.UNAUTHORIZED or error.code in (UNKNOWN_WEBHOOK, INVALID_WEBHOOK_TOKEN):
        return TokenOverError()
    if error.status in (HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND):
        return NoAccessError()
    return error


def _seconds(text: str) -> float | None:
    try:
        return max(0.0, float(text))
    except ValueError:
        return None
