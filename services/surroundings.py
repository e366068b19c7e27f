"""What the runner and its jobs are given: ways to the world, the operator's limits, and how long to wait."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

from services.collector import Retries
from services.consents import Asking
from services.downloads import Downloads
from services.gate import Pauses
from services.hosting import Hosting
from services.image_check import ImageCheck
from services.imagepipeline.client import ImageClient
from services.presenter import Presenter
from services.submitter import Backoff
from services.tracker import Pace
from services.wishes import Wish


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What the operator allows. ``weight_of`` tells what each picture of a wish counts as, in images."""

    in_flight_max: int
    timeout: timedelta
    weight_of: Callable[[Wish], int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """Every wait in one place, so that a test can shorten them all."""

    pace: Pace = field(default_factory=Pace)
    pauses: Pauses = field(default_factory=Pauses)
    retries: Retries = field(default_factory=Retries)
    backoff: Backoff = field(default_factory=Backoff)
    failed_s: float = 5.0  # after a failure that another try may mend; three times as long after each further one
    show_first_s: float = 1.0
    ask_again_s: float = 30.0  # where Discord did not take a question to the person in a photo
    expiry_s: float = 60.0  # between looks for those that have waited for a person for too long


@dataclass(frozen=True, slots=True, kw_only=True)
class Outside:
    """The bot's ways to the world. ``webhook_url`` makes the address for a job's webhook, where there are webhooks."""

    client: ImageClient
    presenter: Presenter
    hosting: Hosting
    webhook_url: Callable[[str], str] | None
    photo_downloads: Downloads
    picture_downloads: Downloads
    asking: Asking
    image_check: ImageCheck | None = None
