"""What the admins of a server decide about quotas, each change with its entry in the audit log."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from db import audit, ledger, quotas
from db.connection import Database
from db.ledger import Spender
from db.quotas import RoleQuota
from services.errors import UserError
from services.quotas import DAY, MONTH, Quota, ServerLimits, lower, scope_of
from services.servers import Servers
from services.words import _, span

__all__ = ["Overview", "RoleQuota", "ServerQuotas", "Spender", "Use"]

ROLE_QUOTAS_MAX = 25  # what Discord suggests at most, and what fits into one message
TOP_SPENDERS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """What all members together have used in a window, and what they may; None: as much as their quotas allow."""

    window: timedelta
    used: int
    images: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """All that is set in a server, and what was used. ``spenders`` are those of the last 30 days."""

    quota: Quota
    role_quotas: Sequence[RoleQuota]
    uses: Sequence[Use]
    cooldown: timedelta
    spenders: Sequence[Spender]


class ServerQuotas:
    """``quota`` is everybody's, ``operator`` what no server can exceed."""

    def __init__(
        self,
        database: Database,
        servers: Servers,
        *,
        quota: Quota,
        operator: ServerLimits,
        now: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._servers = servers
        self._quota = quota
        self._operator = operator
        self._now = now

    def limits(self, guild_id: int) -> ServerLimits:
        """What holds in a server."""
        settings = self._servers.of(guild_id)
        own = ServerLimits(
            images_per_day=settings.images_per_day,
            images_per_month=settings.images_per_month,
            cooldown_s=settings.cooldown_s,
        )
        return lower(self._operator, own)

    async def overview(self, guild_id: int) -> Overview:
        """Everything at one moment."""
        now, scope, limits = self._now(), _scope(guild_id), self.limits(guild_id)
        uses: list[Use] = []
        async with self._database.transaction() as connection:
            for images, window in ((limits.images_per_day, DAY), (limits.images_per_month, MONTH)):
                spendings = await ledger.spendings_of_all(connection, scope=scope, since=now - window)
                used = sum(spending.images for spending in spendings)
                uses.append(Use(window=window, used=used, images=images))
            return Overview(
                quota=self._quota,
                role_quotas=await quotas.role_quotas(connection, guild_id),
                uses=uses,
                cooldown=timedelta(seconds=limits.cooldown_s),
                spenders=await ledger.top_spenders(connection, scope=scope, since=now - MONTH, limit=TOP_SPENDERS),
            )

    async def role_quotas(self, guild_id: int) -> list[RoleQuota]:
        """Those that are set, the largest first."""
        async with self._database.connection() as connection:
            return await quotas.role_quotas(connection, guild_id)

    async def set_role(self, guild_id: int, quota: RoleQuota, *, by: int) -> None:
        """Give the members with a role a quota, in the place of an earlier one.

        Raises:
            UserError: too many roles have one.
        """
        async with self._database.transaction() as connection:
            known = {each.role_id for each in await quotas.role_quotas(connection, guild_id)}
            if len(known | {quota.role_id}) > ROLE_QUOTAS_MAX:
                text = _("{most} roles have a quota already. Remove one of them first.", most=ROLE_QUOTAS_MAX)
                raise UserError(text)
            await quotas.set_role_quota(connection, guild_id, quota)
            await audit.note(
                connection,
                guild_id=guild_id,
                member_id=by,
                action="role_quota",
                subject_id=quota.role_id,
                detail={"images": quota.images, "hours": quota.hours},
                at=self._now(),
            )

    async def remove_role(self, guild_id: int, role_id: int, *, by: int) -> None:
        """Take a role's quota away; the role itself may be gone.

        Raises:
            UserError: it has none.
        """
        async with self._database.transaction() as connection:
            if not await quotas.remove_role_quota(connection, guild_id, role_id):
                raise UserError(_("This role has no quota. Choose one of those that are suggested."))
            await audit.note(
                connection,
                guild_id=guild_id,
                member_id=by,
                action="role_quota_removed",
                subject_id=role_id,
                at=self._now(),
            )

    async def grant(
        self,
        guild_id: int,
        member_id: int,
        *,
        images: int,
        lasts: timedelta,
        reason: str | None,
        by: int,
        interaction_id: int,
    ) -> datetime | None:
        """Give a member bonus images for a while, for a reason that they will read. Returns when that ends, or None
        where this command has done so already.
        """
        now = self._now()
        async with self._database.transaction() as connection:
            is_new = await ledger.grant(
                connection,
                interaction_id=interaction_id,
                scope=_scope(guild_id),
                member_id=member_id,
                images=images,
                expires_at=now + lasts,
                reason=reason,
                at=now,
            )
            if not is_new:
                return None
            await audit.note(
                connection,
                guild_id=guild_id,
                member_id=by,
                action="grant",
                subject_id=member_id,
                detail={"images": images, "days": lasts.days, "reason": reason},
                at=now,
            )
        return now + lasts

    async def set_budget(
        self, guild_id: int, *, images_per_day: int | None, images_per_month: int | None, by: int
    ) -> None:
        """What all members together may have; None: as much as the operator allows.

        Raises:
            UserError: the operator allows less.
        """
        for wanted, allowed, window in (
            (images_per_day, self._operator.images_per_day, DAY),
            (images_per_month, self._operator.images_per_month, MONTH),
        ):
            if wanted is not None and allowed is not None and wanted > allowed:
                raise UserError(
                    _(
                        "The owner of this bot allows a server {images} images in {window}. Name no more than that.",
                        images=allowed,
                        window=span(window),
                    )
                )
        await self._servers.change(guild_id, by=by, images_per_day=images_per_day, images_per_month=images_per_month)

    async def set_cooldown(self, guild_id: int, cooldown: timedelta, *, by: int) -> None:
        """How long each member waits between two requests."""
        await self._servers.change(guild_id, by=by, cooldown_s=round(cooldown.total_seconds()))


def _scope(guild_id: int) -> str:
    return scope_of(guild_id=guild_id, member_id=0)
