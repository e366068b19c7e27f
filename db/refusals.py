"""Requests that the policy refused: who, where and why, without their words."""

from datetime import datetime

import aiosqlite

from db.times import to_text


async def insert(connection: aiosqlite.Connection, *, scope: str, member_id: int, category: str, at: datetime) -> None:
    """Write one down."""
    sql = "INSERT INTO refusals (scope, member_id, category, at) VALUES (:scope, :member_id, :category, :at)"
    values = {"scope": scope, "member_id": member_id, "category": category, "at": to_text(at)}
    await connection.execute_fetchall(sql, values)


async def count(connection: aiosqlite.Connection, *, scope: str, member_id: int, since: datetime) -> int:
    """How many a member has had in a scope since that moment."""
    sql = "SELECT count(*) FROM refusals WHERE scope = :scope AND member_id = :member_id AND at > :since"
    values = {"scope": scope, "member_id": member_id, "since": to_text(since)}
    ((number,),) = await connection.execute_fetchall(sql, values)
    return number


async def delete_older(connection: aiosqlite.Connection, *, before: datetime) -> None:
    """Delete those from before that moment."""
    await connection.execute_fetchall("DELETE FROM refusals WHERE at < :before", {"before": to_text(before)})
