"""What the engine refuses, and why: each text is a sentence for the person who sent the request."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar


class EngineError(Exception):
    """The base of every error that the engine raises on purpose."""


class StartError(EngineError):
    """The engine cannot start with these settings; the text says what to change."""


class FailureReason(StrEnum):
    """Why a job ended without pictures, in the words of ImagePipeline's error reference."""

    RATE_LIMIT_EXCEEDED = "RATE_LIMIT_EXCEEDED"
    CONCURRENT_JOBS_EXCEEDED = "CONCURRENT_JOBS_EXCEEDED"
    INSUFFICIENT_CREDITS = "INSUFFICIENT_CREDITS"
    CREDIT_CHARGE_FAILED = "CREDIT_CHARGE_FAILED"
    INPUT_INVALID = "INPUT_INVALID"
    MODEL_ERROR = "MODEL_ERROR"
    MODEL_UNAVAILABLE = "MODEL_UNAVAILABLE"
    STORAGE_ERROR = "STORAGE_ERROR"
    TIMEOUT = "TIMEOUT"
    INTERNAL_ERROR = "INTERNAL_ERROR"
    CANCELLED = "CANCELLED"

    @property
    def is_retryable(self) -> bool:
        """Tell whether the same request may succeed later."""
        return self not in _FINAL


_FINAL = {
    FailureReason.INSUFFICIENT_CREDITS,
    FailureReason.CREDIT_CHARGE_FAILED,
    FailureReason.INPUT_INVALID,
    FailureReason.CANCELLED,
}


class JobError(EngineError):
    """A job ends without pictures. The text is a sentence for the caller; renderers may raise this too."""

    def __init__(self, message: str, reason: FailureReason) -> None:
        super().__init__(message)
        self.reason = reason


class ReferenceImageError(JobError):
    """A reference image cannot be fetched or read.

    The text never holds the image's address: it may carry a signature, and errors end up in logs.
    """

    def __init__(self, message: str) -> None:
        super().__init__(message, FailureReason.INPUT_INVALID)


class RequestError(EngineError):
    """A request that is answered with an error status instead of a result; ``code`` is a stable word for programs."""

    status: ClassVar[int] = 400
    code: ClassVar[str] = "INVALID_PARAMETERS"


class UnauthorizedError(RequestError):
    """The API key is missing or wrong."""

    status = 401
    code = "UNAUTHORIZED"


class NotFoundError(RequestError):
    """No such job or file, or no longer."""

    status = 404
    code = "NOT_FOUND"


class TooLargeError(RequestError):
    """The body is larger than the engine takes."""

    status = 413
    code = "REQUEST_ENTITY_TOO_LARGE"


class QueueFullError(RequestError):
    """As many jobs wait as the engine takes.

    ``retry_after_s`` is whole seconds, the form that the header ``Retry-After`` wants (RFC 9110, 10.2.3).
    """

    status = 503
    code = "QUEUE_FULL"

    def __init__(self, message: str, *, retry_after_s: int) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing that is wrong with a request.

    ``loc`` names the place from the outside in, as ``("body", "ip_adapter_scale", 1)``. ``kind`` is a stable word for
    programs. ``value`` is echoed to the caller, so it is left out (None) for images, addresses and long values.
    """

    loc: tuple[str | int, ...]
    message: str
    kind: str
    value: str | float | bool | None = None

    @property
    def where(self) -> str:
        """The place for a person: ``ip_adapter_scale.1``."""
        return ".".join(str(part) for part in self.loc[1:] or self.loc)


class InvalidRequestError(RequestError):
    """The request breaks one or more rules; ``problems`` has all of them, not just the first."""

    status = 422

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("; ".join(f"{problem.where}: {problem.message}" for problem in problems))
        self.problems = tuple(problems)
