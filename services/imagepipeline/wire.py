"""Reading the service's answers: pure functions from an HTTP status and a JSON body to our words.

The vendor's pages, its own clients and other people's disagree on spellings, so all of them are understood: see
``tests/services/imagepipeline/test_wire.py`` for the list.
"""

import base64
import binascii
import math
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, cast

from services.imagepipeline.answers import NO_PICTURE, NO_REASON, Answer, Cause, Done, Failed, Pending, Unreachable

DONE = frozenset({"success", "successful", "succeeded", "completed", "complete", "done"})
FAILED = frozenset({"failure", "failed", "error", "cancelled", "canceled"})

MESSAGE_CHARACTERS_MAX = 200
# A service that asks for a longer silence is asked again sooner: members wait, and its load may be over.
RETRY_AFTER_S_MAX = 300.0
_ERROR_FIELDS = ("message", "error", "detail", "error_message", "failure_reason", "reason")
_SOURCE_FIELDS = ("download_urls", "download_url", "result_url", "image_url", "output_url", "result_base64", "images")
_ERROR_DEPTH_MAX = 4
_ENVELOPES = ("data", "result", "job")


def read_answer(body: object, *, job_id: str | None = None) -> Answer:
    """Understand the JSON body of a 2xx answer to a submit, or to a status question about ``job_id``.

    Raises:
        Unreachable: it says neither how the job is nor what it is called.
    """
    fields = _fields(body)
    status = _text(fields.get("status")).lower()
    sources = _sources(fields)
    if status in FAILED:
        return Failed(message=error_message(fields) or NO_REASON, cause=_cause(fields))
    if sources and (status in DONE or not status):
        return Done(sources=sources)
    if status in DONE:
        return Failed(message=NO_PICTURE)
    named = _job_id(fields) or job_id
    if named is not None:
        return Pending(job_id=named, status=status)
    reason = error_message(fields)
    if reason:
        return Failed(message=reason)
    raise Unreachable("the answer names no job")


def balance_usd(body: object) -> float | None:
    """What is left in the account, where an answer says so."""
    value = _fields(body).get("balance_remaining_usd")
    try:
        balance = float(_text(value))
    except ValueError:
        return None
    return balance if math.isfinite(balance) else None


def upload_url(body: object) -> str | None:
    """Where an uploaded file lies."""
    url = _text(_fields(body).get("url"))
    return url if re.match(r"https?://", url, re.IGNORECASE) else None


def job_id_in(body: object) -> str | None:
    """The id of a job that an error answer names all the same: then the job exists."""
    return _job_id(_fields(body))


def error_message(body: object) -> str:
    """The reason that an answer gives, from any of the places where it may stand; empty where there is none."""
    if not isinstance(body, dict):
        return _shorten(_text(body))
    fields = _fields(cast(object, body))
    found = (_flatten(fields.get(name)) for name in _ERROR_FIELDS)
    return _shorten(next((text for text in found if text), ""))


def retry_after_s(header: str | None, now: datetime) -> float | None:
    """Seconds to wait by a ``Retry-After`` header: a number or an HTTP date; None where it is neither."""
    text = (header or "").strip()
    try:
        wait_s = float(text) if re.fullmatch(r"\d+(\.\d+)?", text) else _until(text, now)
        return min(max(0.0, wait_s), RETRY_AFTER_S_MAX)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def _until(http_date: str, now: datetime) -> float:
    moment = parsedate_to_datetime(http_date)
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, (moment - now).total_seconds())


def _fields(body: object) -> dict[str, Any]:
    """The answer's fields, also where they are wrapped in an envelope or a list of one."""
    if isinstance(body, list) and len(cast(list[object], body)) == 1:
        return _fields(cast(list[object], body)[0])
    if not isinstance(body, dict):
        return {}
    fields = cast(dict[str, Any], body)
    for name in _ENVELOPES:
        inner = fields.get(name)
        if isinstance(inner, dict) and not (fields.keys() & {"id", "job_id", "task_id", "download_urls"}):
            return fields | cast(dict[str, Any], inner)
    return fields


def _job_id(fields: dict[str, Any]) -> str | None:
    for name in ("job_id", "id", "task_id"):
        value = fields.get(name)
        if isinstance(value, (str, int)) and not isinstance(value, bool) and str(value).strip():
            return str(value).strip()
    return None


# https://stage.imagepipeline.io/docs/reference/errors: the table of failure_reason_code.
_CAUSES = {
    "RATE_LIMIT_EXCEEDED": Cause.BUSY,
    "CONCURRENT_JOBS_EXCEEDED": Cause.BUSY,
    "INSUFFICIENT_CREDITS": Cause.ACCOUNT,
    "INSUFFICIENT_BALANCE": Cause.ACCOUNT,
    "CREDIT_CHARGE_FAILED": Cause.ACCOUNT,
    "INPUT_INVALID": Cause.REQUEST,
    "MODEL_ERROR": Cause.SERVICE,
    "MODEL_UNAVAILABLE": Cause.SERVICE,
    "STORAGE_ERROR": Cause.SERVICE,
    "TIMEOUT": Cause.SERVICE,
    "INTERNAL_ERROR": Cause.SERVICE,
    "CANCELLED": Cause.REQUEST,
}


def _cause(fields: dict[str, Any]) -> Cause:
    """By the code where it is known, otherwise by ``retryable``; a service that says neither means it."""
    error = fields.get("error")
    nested = cast(dict[str, Any], error) if isinstance(error, dict) else {}
    for place in (fields, nested):
        for name in ("failure_reason_code", "error_code", "code"):
            cause = _CAUSES.get(_text(place.get(name)).upper())
            if cause is not None:
                return cause
    return Cause.SERVICE if fields.get("retryable") is True or nested.get("retryable") is True else Cause.REQUEST


def _sources(fields: dict[str, Any]) -> tuple[str, ...]:
    for name in _SOURCE_FIELDS:
        found = tuple(source for item in _items(fields.get(name)) if (source := _source(item)))
        if found:
            return found
    return ()


def _items(value: object) -> Iterable[object]:
    return cast(list[object], value) if isinstance(value, list) else [value]


def _source(item: object) -> str | None:
    """An address, or the bytes themselves as a data: URI."""
    if isinstance(item, dict):
        return next((s for name in ("url", "b64_json") if (s := _source(cast(dict[str, Any], item).get(name)))), None)
    text = _text(item)
    if re.match(r"(https?://|data:image/)", text, re.IGNORECASE):
        return text
    return f"data:image/unknown;base64,{text}" if len(text) > 100 and _is_base64(text) else None


def _is_base64(text: str) -> bool:
    try:
        return bool(base64.b64decode(text, validate=True))
    except (binascii.Error, ValueError):
        return False


def _flatten(value: object, depth: int = 0) -> str:
    """Any JSON as one line for a person: FastAPI's list of {loc, msg} becomes "field: problem; ..."."""
    if depth > _ERROR_DEPTH_MAX:
        return ""
    if isinstance(value, list):
        return "; ".join(text for item in cast(list[object], value) if (text := _flatten(item, depth + 1)))
    if not isinstance(value, dict):
        return _text(value)
    fields = cast(dict[str, Any], value)
    message = next((text for name in ("msg", *_ERROR_FIELDS) if (text := _flatten(fields.get(name), depth + 1))), "")
    where = [str(part) for part in _items(fields.get("loc")) if part not in (None, "body")]
    return f"{'.'.join(where)}: {message}" if where and message else message


def _text(value: object) -> str:
    return str(value).strip() if isinstance(value, (str, int, float)) and not isinstance(value, bool) else ""


def _shorten(text: str) -> str:
    """One line without addresses: they may be signed, and they say nothing to a member."""
    line = " ".join(re.sub(r"(https?|data):\S+", "(address)", text).split())
    return line if len(line) <= MESSAGE_CHARACTERS_MAX else f"{line[: MESSAGE_CHARACTERS_MAX - 1]}…"
