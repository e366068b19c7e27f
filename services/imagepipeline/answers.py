"""What the image service may answer, in our words."""

from dataclasses import dataclass, field
from enum import Enum, auto

from services.errors import FacelockError


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """Taken, not done. ``status`` is the service's own word, empty where it said none."""

    job_id: str
    status: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """``sources`` are addresses of pictures: https URLs, or data: URIs where the service sent the bytes themselves."""

    sources: tuple[str, ...] = field(repr=False)


class Cause(Enum):
    """Why a job failed, as far as it decides what to do next."""

    REQUEST = auto()  # asking again would change nothing
    SERVICE = auto()  # another try may succeed
    BUSY = auto()  # another try may succeed, when fewer jobs are under way
    ACCOUNT = auto()  # the operator has to act first


# What stands for the service's own text where it has none.
NO_REASON = "it gave no reason"
NO_PICTURE = "it reported success without a picture"


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """The service gave up on the job; ``message`` is its own text, cleaned and shortened, or one of the above."""

    message: str
    cause: Cause = Cause.REQUEST


Answer = Pending | Done | Failed


class ServiceError(FacelockError):
    """The service did not answer the question."""


class Unreachable(ServiceError):
    """No usable answer: a network fault, a time-out, a 5xx, a page that is no JSON. Worth another try."""


class Busy(ServiceError):
    """429: ask less often. ``retry_after_s`` is the service's wish, None where it named none."""

    def __init__(self, retry_after_s: float | None) -> None:
        super().__init__("the image service asks for fewer requests (429)")
        self.retry_after_s = retry_after_s


class Rejected(ServiceError):
    """The service refuses this very request (400, 413, 422, ...); asking again would change nothing."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class JobUnknown(ServiceError):
    """404 for a job's status: the service does not know it (any more)."""


class Misconfigured(ServiceError):
    """The account or the address is wrong for everybody; the text tells the operator exactly what to check."""
