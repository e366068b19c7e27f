"""Every error that the bot raises on purpose.

A ``UserError`` carries one sentence for the member who asked: what happened and what to do next. Anything else is an
outage or a bug; it is logged and answered with one neutral sentence (see ``cogs/answers.py``).
"""

from datetime import datetime, timedelta

from services.words import _, at, ngettext, span


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
        price = _("Each of these pictures counts as {weight} images.", weight=weight) if weight > 1 else ""
        super().__init__(" ".join(filter(None, (self._what_is_left(), self._what_to_do(), price))))

    def _what_is_left(self) -> str:
        if self.bonus:
            return ngettext(
                "You have {number} image left, {bonus} of them a bonus.",
                "You have {number} images left, {bonus} of them a bonus.",
                self.left + self.bonus,
                bonus=self.bonus,
            )
        if not self.left:
            return _("You have no images left.")
        return ngettext(
            "You have {left} of your {number} image left.",
            "You have {left} of your {number} images left.",
            self.quota,
            left=self.left,
        )

    def _what_to_do(self) -> str:
        has, is_one = self.left + self.bonus, self.wanted == self.weight
        if self.enough_at is None:
            if is_one and self.weight > 1:
                return _(
                    "The whole quota is {quota}. Choose another model, a smaller size or fewer steps.", quota=self.quota
                )
            return _("The whole quota is {quota}. Ask for fewer pictures.", quota=self.quota)
        moment = at(self.enough_at)
        if has >= self.weight:
            return _(
                "There will be enough for {wanted} {moment}; ask for fewer until then.",
                wanted=self.wanted,
                moment=moment,
            )
        if has or self.weight > 1:
            return _("There will be enough for one picture {moment}.", moment=moment)
        return _("The next one comes free {moment}.", moment=moment)


class BudgetExceeded(UserError):
    """All members of the server together have used what it may have. ``left`` and ``budget`` are in images;
    ``enough_at`` is None where the whole budget is too small.
    """

    code = "budget"

    def __init__(self, *, left: int, budget: int, window: timedelta, enough_at: datetime | None) -> None:
        self.left, self.budget, self.enough_at = left, budget, enough_at
        have = ngettext(
            "All members of this server together may have {number} image in {window}, and {left} are left.",
            "All members of this server together may have {number} images in {window}, and {left} are left.",
            budget,
            window=span(window),
            left=left,
        )
        if enough_at is None:
            advice = _("This would be more than all of them: ask for fewer pictures, or ask this server's admins.")
        else:
            advice = _("There will be enough {moment}.", moment=at(enough_at))
        super().__init__(f"{have} {advice}")


class Paused(UserError):
    """The server wants a pause between two requests of a member."""

    code = "cooldown"

    def __init__(self, cooldown: timedelta, *, until: datetime) -> None:
        self.until = until
        wait = _("Each member waits {time} between two requests.", time=span(cooldown))
        super().__init__(" ".join([wait, _("You can ask again {moment}.", moment=at(until))]))


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
