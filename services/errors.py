"""Every error that the bot raises on purpose.

A ``UserError`` carries one sentence for the member who asked: what happened and what to do next. Anything else is an
outage or a bug; it is logged and answered with one neutral sentence (see ``cogs/answers.py``).
"""

from datetime import datetime, timedelta

from services.words import at, counted, span


class FacelockError(Exception):
    """The base of all of them."""


class ConfigError(FacelockError):
    """Settings that are missing or wrong, all of them at once."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("The settings need attention:\n" + "\n".join(f"  - {problem}" for problem in problems))
        self.problems = problems


class UserError(FacelockError):
    """Its text is a sentence for the person who asked; ``code`` is the same reason for tables and charts."""

    code: str = "refused"


class Restarting(UserError):
    """The bot is about to stop and takes nothing new."""

    code = "restarting"

    def __init__(self) -> None:
        super().__init__("The bot is restarting. Try again in a minute; nothing was counted.")


class QuotaExceeded(UserError):
    """The member asks for more images than are left. ``wanted``, ``left`` of the quota and ``bonus`` of grants are in
    images, and each picture counts as ``weight`` of them. ``enough_at`` is when there will be enough for all, or for
    one where not even that is left; None: never.
    """

    code = "quota"

    def __init__(
        self, *, wanted: int, left: int, quota: int, enough_at: datetime | None, bonus: int = 0, weight: int = 1
    ) -> None:
        self.wanted, self.left, self.quota, self.enough_at = wanted, left, quota, enough_at
        self.bonus, self.weight = bonus, weight
        has = left + bonus
        if bonus:
            have = f"You have {counted(has, 'image')} left, {bonus} of them a bonus"
        else:
            have = f"You have {left} of your {counted(quota, 'image')} left" if left else "You have no images left"
        if enough_at is None and wanted == weight > 1:
            text = f"{have}, and the whole quota is {quota}. Choose another model, a smaller size or fewer steps."
        elif enough_at is None:
            text = f"{have}, and the whole quota is {quota}. Ask for fewer pictures."
        elif wanted > weight <= has:
            text = f"{have}. There will be enough for {wanted} {at(enough_at)}; ask for fewer until then."
        elif has or weight > 1:
            text = f"{have}. There will be enough for one picture {at(enough_at)}."
        else:
            text = f"{have}. The next one comes free {at(enough_at)}."
        super().__init__(f"{text} Each of these pictures counts as {weight} images." if weight > 1 else text)


class BudgetExceeded(UserError):
    """All members of the server together have used what it may have. ``left`` and ``budget`` are in images;
    ``enough_at`` is None where the whole budget is too small.
    """

    code = "budget"

    def __init__(self, *, left: int, budget: int, window: timedelta, enough_at: datetime | None) -> None:
        self.left, self.budget, self.enough_at = left, budget, enough_at
        have = f"All members of this server together may have {counted(budget, 'image')} in {span(window)}"
        if enough_at is None:
            super().__init__(f"{have}, and this would be more. Ask for fewer pictures, or tell its admins.")
        else:
            super().__init__(f"{have}, and {left} are left. There will be enough {at(enough_at)}.")


class Paused(UserError):
    """The server wants a pause between two requests of a member."""

    code = "cooldown"

    def __init__(self, cooldown: timedelta, *, until: datetime) -> None:
        self.until = until
        super().__init__(
            f"Members of this server wait {span(cooldown)} between two requests. You can ask again {at(until)}."
        )


class QueueFull(UserError):
    """The member already has as many unfinished requests as one member may have."""

    code = "queue_full"

    def __init__(self, limit: int) -> None:
        self.limit = limit
        super().__init__(f"You already have {counted(limit, 'request')} under way. Wait for one of them to finish.")


class InvalidWish(UserError):
    """A parameter is outside what the image service takes; names field, value and range."""

    code = "invalid"

    def __init__(self, *, field: str, value: object, allowed: str) -> None:
        self.field, self.value, self.allowed = field, value, allowed
        super().__init__(f"`{field}` cannot be `{value}`: it takes {allowed}.")


class PhotoRefused(UserError):
    """The attached photo cannot be used; nothing was made of it and nothing is kept."""

    code = "photo"


class FaceRefused(PhotoRefused):
    """A saved face cannot be kept or used as it was asked for."""


class GenerationFailed(UserError):
    """An accepted request that cannot be carried out; the images paid for it are refunded."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code
