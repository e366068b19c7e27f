"""The port through which the bot asks for pictures. Each dialect of the service is one file that implements it."""

from dataclasses import dataclass, field
from typing import Protocol

from services.imagepipeline.answers import Answer
from services.parameters import Api
from services.wishes import Wish


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One job to be made. ``n`` is its number among the wish's jobs, from 0; ``photo_urls`` are the addresses of the
    prepared photos in the order of the wish's references.
    """

    wish: Wish
    n: int
    photo_urls: tuple[str, ...] = field(repr=False)
    idempotency_key: str
    webhook_url: str | None = field(repr=False)


class ImageClient(Protocol):
    """Submits orders and asks how they are."""

    @property
    def api(self) -> Api:
        """The dialect that it speaks; wishes of another one are not for it."""
        ...

    @property
    def account_usd(self) -> float | None:
        """What the service last said is left in the account; None where it never said."""
        ...

    def route(self, wish: Wish) -> str:
        """Where the jobs of a wish are asked about; ``ask`` wants it back."""
        ...

    async def look(self) -> None:
        """Ask something that costs nothing: whether the service answers and takes the key. Afterwards ``account_usd``
        is known, where the service says it.

        Raises:
            Unreachable, Busy: ask again later.
            Misconfigured: the service refuses every question.
        """
        ...

    async def submit(self, order: Order) -> Answer:
        """Ask for the pictures. The service may answer with a job's name, or already with its end.

        Raises:
            Unreachable, Busy: nothing is known to have been taken; try again later.
            Rejected: the service refuses this request.
            Misconfigured: the service refuses every request.
        """
        ...

    async def ask(self, route: str, job_id: str) -> Answer:
        """Ask how a job is.

        Raises:
            Unreachable, Busy: ask again later.
            JobUnknown: the service has no such job.
            Misconfigured: the service refuses every question.
        """
        ...
