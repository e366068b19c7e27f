"""A member's requests, newest first, page by page, out of the table ``generations``."""

import json
from collections.abc import Sequence

import aiosqlite

from db.generations import Generation

# Larger than any id.
_END = 2**63 - 1


async def older(
    connection: aiosqlite.Connection,
    *,
    member_id: int,
    scope: str | None,
    words: Sequence[str],
    before: int | None,
    limit: int,
) -> list[Generation]:
    """At most ``limit`` requests before that id, newest first, whose prompts have all the words, in any case; from
    every scope where it is None.
    """
    sql = r"""
        SELECT * FROM generations
        WHERE member_id = :member_id AND id < :before AND (:scope IS NULL OR scope = :scope)
            AND NOT EXISTS (
                SELECT * FROM json_each(:patterns)
                WHERE casefold(coalesce(json_extract(wish, '$.prompt'), '')) NOT LIKE json_each.value ESCAPE '\')
        ORDER BY id DESC LIMIT :limit
    """
    values = {
        "member_id": member_id,
        "scope": scope,
        "patterns": _patterns(words),
        "before": _END if before is None else before,
        "limit": limit,
    }
    return [Generation.from_row(row) for row in await connection.execute_fetchall(sql, values)]


async def newer(
    connection: aiosqlite.Connection,
    *,
    member_id: int,
    scope: str | None,
    words: Sequence[str],
    after: int,
    limit: int,
) -> list[Generation]:
    """The same after that id: the nearest ones, newest first too."""
    sql = r"""
        SELECT * FROM generations
        WHERE member_id = :member_id AND id > :after AND (:scope IS NULL OR scope = :scope)
            AND NOT EXISTS (
                SELECT * FROM json_each(:patterns)
                WHERE casefold(coalesce(json_extract(wish, '$.prompt'), '')) NOT LIKE json_each.value ESCAPE '\')
        ORDER BY id LIMIT :limit
    """
    values = {
        "member_id": member_id,
        "scope": scope,
        "patterns": _patterns(words),
        "after": after,
        "limit": limit,
    }
    rows = [Generation.from_row(row) for row in await connection.execute_fetchall(sql, values)]
    return rows[::-1]


def _patterns(words: Sequence[str]) -> str:
    """What LIKE looks for, as JSON, with the signs that mean something to it escaped."""
    signs = str.maketrans({sign: f"\\{sign}" for sign in "\\%_"})
    return json.dumps([f"%{word.casefold().translate(signs)}%" for word in words])
