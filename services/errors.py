"""Every error that the bot raises on purpose.

A ``UserError`` carries one sentence for the member who asked: what happened and what to do next. Anything else is an
outage or a bug; it is logged and answered with one neutral sentence (see ``cogs/answers.py``).
"""

from datetime import datetime

from services.words import _, at, ngettext


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
        super().__init__(_("The bot is restarting. Try again in a minute; nothing was counted."))


class QuotaExceeded(UserError):
    """The member asks for more images than are left in the window."""

    code = "quota"

    def __init__(self, *, wanted: int, left: int, quota: int, enough_at: datetime | None) -> None:
        self.wanted, self.left, self.quota, self.enough_at = wanted, left, quota, enough_at
        super().__init__(" ".join((_what_is_left(left, quota), _what_to_do(wanted, left, quota, enough_at))))


def _what_is_left(left: int, quota: int) -> str:
    if not left:
        return _("You have no images left.")
    return ngettext(
        "You have {left} of your {number} image left.",
        "You have {left} of your {number} images left.",
        quota,
        left=left,
    )


def _what_to_do(wanted: int, left: int, quota: int, enough_at: datetime | None) -> str:
    if enough_at is None:
        return _("The whole quota is {quota}. Ask for fewer pictures.", quota=quota)
    moment = at(enough_at)
    if left:
        return _("There will be enough for {wanted} {moment}; ask for fewer until then.", wanted=wanted, moment=moment)
    return _("The next one comes free {moment}.", moment=moment)


class NotAllowed(UserError):
    """A rule of this server or of the bot's operator forbids it."""

    code = "not_allowed"


class TooManyReports(UserError):
    """The member has reported as much as one member may for now."""

    code = "too_many_reports"

    def __init__(self) -> None:
        super().__init__(_("You have reported several results within an hour. Ask a moderator about this one."))


class QueueFull(UserError):
    """The member already has as many unfinished requests as one member may have."""

    code = "queue_full"

    def __init__(self, limit: int) -> None:
        self.limit = limit
        super().__init__(
            ngettext(
                "You already have {number} request under way. Wait for it to finish.",
                "You already have {number} requests under way. Wait for one of them to finish.",
                limit,
            )
        )


class InvalidWish(UserError):
    """A parameter is outside what the image service takes; names field, value and range."""

    code = "invalid"

    def __init__(self, *, field: str, value: object, allowed: str) -> None:
        self.field, self.value, self.allowed = field, value, allowed
        super().__init__(
            _("`{field}` cannot be `{value}`: it takes {allowed}.", field=field, value=value, allowed=allowed)
        )


class PhotoRefused(UserError):
    """The attached photo cannot be used; nothing was made of it and nothing is kept."""

    code = "photo"

    def among(self, of: int, *, number: int, role: str) -> "PhotoRefused":
        """The same, where it is the one of that number, from 1, of several images."""
        return PhotoRefused(
            _("Image {number} of {of} ({role}): {reason}", number=number, of=of, role=role, reason=self)
        )


class FaceRefused(PhotoRefused):
    """A saved face cannot be kept or used as it was asked for."""


class GenerationFailed(UserError):
    """An accepted request that cannot be carried out; the images paid for it are refunded."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code
