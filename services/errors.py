"""Every error that the bot raises on purpose.

A ``UserError`` carries one sentence for the member who asked: what happened and what to do next. Anything else is an
outage or a bug; it is logged and answered with one neutral sentence (see ``cogs/answers.py``).
"""

from datetime import datetime

from services.words import at, counted


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
    """The member asks for more images than are left in the window."""

    code = "quota"

    def __init__(self, *, wanted: int, left: int, quota: int, enough_at: datetime | None) -> None:
        self.wanted, self.left, self.quota, self.enough_at = wanted, left, quota, enough_at
        have = f"You have {left} of your {counted(quota, 'image')} left" if left else "You have no images left"
        if enough_at is None:
            super().__init__(f"{have}, and the whole quota is {quota}. Ask for fewer pictures.")
        elif left:
            super().__init__(f"{have}. There will be enough for {wanted} {at(enough_at)}; ask for fewer until then.")
        else:
            super().__init__(f"{have}. The next one comes free {at(enough_at)}.")


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


class PromptRefused(UserError):
    """Pictures of that are not made, or not here; ``category`` is a rule file's name or ``age_restricted``."""

    code = "policy"

    def __init__(self, category: str, *, has_face: bool) -> None:
        self.category, self.has_face = category, has_face
        super().__init__(_REFUSALS[category] if has_face or category not in _WITHOUT_FACE else _WITHOUT_FACE[category])


_REFUSALS = {
    "sexual": "x", "minors": "x", "hate": "x", "gore": "x", "forgery": "x", "age_restricted": "x"
}
_WITHOUT_FACE = {}
