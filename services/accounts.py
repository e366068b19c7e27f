"""Reads what decides about a member's next request, all at one moment."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from db import ledger, quotas
from db.connection import Connection
from db.quotas import RoleQuota
from services.quotas import DAY, MONTH, Account, Balance, Quota, ServerLimits, best, guild_of


async def read_balance(
    connection: Connection,
    *,
    scope: str,
    member_id: int,
    role_quotas: Sequence[RoleQuota],
    quota: Quota,
    limits: ServerLimits,
    now: datetime,
) -> Balance:
    """A member's balance in a scope. ``role_quotas`` are those of the member's roles, ``quota`` everybody's, and
    ``limits`` those of the server.
    """
    offered = {quota, *(Quota(images=each.images, window=each.window) for each in role_quotas)}
    longest = max(each.window for each in offered)
    spendings = await ledger.spendings(connection, scope=scope, member_id=member_id, since=now - longest)
    accounts = [
        Account(quota=each, spendings=[s for s in spendings if s.counts_at > now - each.window]) for each in offered
    ]
    account, others = best(accounts)
    cooldown = timedelta(seconds=limits.cooldown_s)
    pauses_until = None
    if cooldown:
        last = await ledger.last_charge_at(connection, scope=scope, member_id=member_id, now=now)
        if last is not None and last + cooldown > now:
            pauses_until = last + cooldown
    return Balance(
        quota=account.quota,
        spendings=account.spendings,
        others=others,
        grants=await ledger.grants(connection, scope=scope, member_id=member_id, now=now),
        budgets=await read_budgets(connection, scope=scope, limits=limits, now=now),
        cooldown=cooldown,
        pauses_until=pauses_until,
    )


async def read_budgets(connection: Connection, *, scope: str, limits: ServerLimits, now: datetime) -> list[Account]:
    """What all members together have used of what these limits allow."""
    budgets: list[Account] = []
    for images, window in ((limits.images_per_day, DAY), (limits.images_per_month, MONTH)):
        if images is not None:
            spendings = await ledger.spendings_of_all(connection, scope=scope, since=now - window)
            budgets.append(Account(quota=Quota(images=images, window=window), spendings=spendings))
    return budgets


async def role_quotas_of(connection: Connection, *, scope: str, role_ids: Collection[int]) -> list[RoleQuota]:
    """The quotas of these roles in a scope; there are none outside servers."""
    guild_id = guild_of(scope)
    if guild_id is None:
        return []
    # The role of everybody has the server's own id, and Discord does not list it.
    held = {guild_id, *role_ids}
    return [each for each in await quotas.role_quotas(connection, guild_id) if each.role_id in held]
