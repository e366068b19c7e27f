"""Whom a message pings. https://discord.com/developers/docs/resources/message#allowed-mentions-object."""

import re
from collections.abc import Collection
from dataclasses import dataclass

from playground.validation import Form

MAX_LISTED = 100
_KINDS = frozenset({"roles", "users", "everyone"})
_USER = re.compile(r"<@!?([0-9]{1,20})>")
_EVERYONE = re.compile(r"@(everyone|here)\b")


@dataclass(frozen=True, slots=True, kw_only=True)
class AllowedMentions:
    """Which of the mentions in a text may ping: a whole kind, or the users listed."""

    users: bool = True
    everyone: bool = True
    listed: frozenset[int] = frozenset()
    replied_user: bool = True

    def pinged_users(self, text: str, *, known: Collection[int]) -> frozenset[int]:
        """The known users that a text mentions and that may be pinged."""
        mentioned = {int(found) for found in _USER.findall(text)} & set(known)
        return frozenset(mentioned if self.users else mentioned & self.listed)

    def pings_everyone(self, text: str) -> bool:
        """Whether a text would ping the whole channel."""
        return self.everyone and _EVERYONE.search(text) is not None


# Without the field a bot's message pings all that it mentions, an interaction's answer only users.
MESSAGE_DEFAULT = AllowedMentions()
INTERACTION_DEFAULT = AllowedMentions(everyone=False)


def read_allowed_mentions(form: Form, *, default: AllowedMentions) -> AllowedMentions:
    """Check the field `allowed_mentions`; what is wrong goes to the form's problems."""
    allowed = form.form("allowed_mentions")
    if allowed is None:
        return default
    kinds = {str(kind) for kind in allowed.items("parse", most=len(_KINDS))}
    if not kinds <= _KINDS:
        allowed.fail("parse", "BASE_TYPE_CHOICES", "Value must be one of ('everyone', 'roles', 'users').")
    listed = allowed.items("users", most=MAX_LISTED)
    if listed and "users" in kinds:
        said = "parse:['users'] and users: [ids...] are mutually exclusive."
        allowed.fail(None, "MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE", said)
    if allowed.items("roles", most=MAX_LISTED) and "roles" in kinds:
        said = "parse:['roles'] and roles: [ids...] are mutually exclusive."
        allowed.fail(None, "MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE", said)
    return AllowedMentions(
        users="users" in kinds,
        everyone="everyone" in kinds,
        listed=frozenset(int(str(user)) for user in listed if str(user).isdecimal()),
        replied_user=allowed.boolean("replied_user"),
    )
