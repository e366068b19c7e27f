"""Whether a request may be made at all: every rule that a wish is held against before it is accepted and charged."""

from dataclasses import dataclass, replace

from services.errors import NotAllowed, PromptRefused
from services.policy.policy import Policy
from services.quotas import scope_of
from services.refusals import Refusals
from services.request import Wish
from services.servers import Servers
from services.words import _


@dataclass(frozen=True, slots=True, kw_only=True)
class Asker:
    """Who asks, and where. ``channel_ids`` are the channel and, where that is a thread, the one around it; ``locale``
    is the member's, in Discord's spelling.
    """

    member_id: int
    guild_id: int | None
    channel_ids: tuple[int, ...]
    role_ids: frozenset[int]
    is_age_restricted: bool
    locale: str


class Admission:
    """Holds a wish against everything that the operator, the server and the law of the house say."""

    def __init__(self, *, servers: Servers, policy: Policy, refusals: Refusals) -> None:
        self._servers = servers
        self._policy = policy
        self._refusals = refusals

    async def admit(self, asker: Asker, wish: Wish) -> Wish:
        """The wish as it may be made.

        Raises:
            UserError: it may not; nothing was charged.
        """
        self._check_place(asker)
        return await self._checked(asker, wish)

    async def _checked(self, asker: Asker, wish: Wish) -> Wish:
        try:
            is_spoiler = self._policy.check(wish, is_age_restricted=asker.is_age_restricted)
        except PromptRefused as error:
            if not error.is_place:
                scope = scope_of(guild_id=asker.guild_id, member_id=asker.member_id)
                await self._refusals.note(scope=scope, member_id=asker.member_id, category=error.category)
            raise
        return replace(wish, is_spoiler=is_spoiler)

    def _check_place(self, asker: Asker) -> None:
        settings = self._servers.of(asker.guild_id)
        if settings.channels and not set(settings.channels) & set(asker.channel_ids):
            places = ", ".join(f"<#{channel_id}>" for channel_id in settings.channels)
            raise NotAllowed(_("Pictures are made in these channels of this server: {places}.", places=places))
        if settings.roles and not set(settings.roles) & asker.role_ids:
            roles = ", ".join(f"<@&{role_id}>" for role_id in settings.roles)
            raise NotAllowed(
                _("In this server, pictures are for members with one of these roles: {roles}.", roles=roles)
            )
