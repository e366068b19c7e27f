"""The table ``role_quotas``: what a server's admins allow the members with a role."""

from dataclasses import dataclass
from datetime import timedelta

import aiosqlite


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleQuota:
    """So many images in any window of so many hours, for each member with that role."""

    role_id: int
    images: int
    hours: int

    @property
    def window(self) -> timedelta:
        """The same as a length."""
        return timedelta(hours=self.hours)


async def role_quotas(connection: aiosqlite.Connection, guild_id: int) -> list[RoleQuota]:
    """The server's, the largest first."""
    sql = "SELECT * FROM role_quotas WHERE guild_id = :guild_id ORDER BY images DESC, hours, role_id"
    rows = await connection.execute_fetchall(sql, {"guild_id": guild_id})
    return [RoleQuota(role_id=row["role_id"], images=row["images"], hours=row["hours"]) for row in rows]


async def set_role_quota(connection: aiosqlite.Connection, guild_id: int, quota: RoleQuota) -> None:
    """Give a role a quota, in the place of the one that it has."""
    sql = """
        INSERT INTO role_quotas (guild_id, role_id, images, hours) VALUES (:guild_id, :role_id, :images, :hours)
        ON CONFLICT (guild_id, role_id) DO UPDATE SET images = excluded.images, hours = excluded.hours
    """
    values = {"guild_id": guild_id, "role_id": quota.role_id, "images": quota.images, "hours": quota.hours}
    await connection.execute_fetchall(sql, values)


async def remove_role_quota(connection: aiosqlite.Connection, guild_id: int, role_id: int) -> bool:
    """Whether the role had a quota."""
    sql = "DELETE FROM role_quotas WHERE guild_id = :guild_id AND role_id = :role_id RETURNING role_id"
    return bool(await connection.execute_fetchall(sql, {"guild_id": guild_id, "role_id": role_id}))
