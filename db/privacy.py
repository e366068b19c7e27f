"""What all the tables know of one member: to be told to them, and to be forgotten.

A generation that was forgotten keeps its row, because the ledger and the statistics count it; its wish is empty, and
every other query takes it for one that is not there.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import aiosqlite

from db.times import to_text

# What is told to a member, table by table; what only the bot needs (tokens, addresses that have ended) is left out.
_TOLD = {
    "requests": """
        SELECT id, scope, guild_id, channel_id, message_id, is_private,
               wish, images, pictures, state, failure_text, created_at, changed_at
        FROM generations WHERE member_id = :member_id AND wish <> '' ORDER BY id
    """,
    "account": """
        SELECT scope, generation_id AS request_id, kind, images, counts_at, expires_at, reason, at
        FROM ledger LEFT JOIN grants ON ledger_id = id WHERE member_id = :member_id ORDER BY id
    """,
    "declarations": """
        SELECT file, whose, subject_id, wording, at FROM declarations WHERE member_id = :member_id ORDER BY at
    """,
    "said_of_you": """
        SELECT file, wording, at FROM declarations
        WHERE subject_id = :member_id AND member_id <> :member_id ORDER BY at
    """,
    "consents": """
        SELECT subject_id, asker_id, scope, generation_id AS request_id, answer, wording, asked_at, answered_at,
            revoked_at
        FROM consents WHERE subject_id = :member_id OR asker_id = :member_id ORDER BY id
    """,
    "audit": """
        SELECT guild_id, action, detail, at, member_id = :member_id AS by_you
        FROM audit
        WHERE member_id = :member_id OR subject_id = :member_id OR json_extract(detail, '$.member') = :member_id
        ORDER BY id
    """,
    "choices": "SELECT 'private first' AS choice FROM private_first WHERE member_id = :member_id",
    "blocks": "SELECT guild_id, reason, at, until FROM blocks WHERE member_id = :member_id ORDER BY at",
    "reports": """
        SELECT guild_id, generation_id AS request_id, reason, at
        FROM report_voices JOIN reports ON reports.id = report_id WHERE member_id = :member_id ORDER BY at
    """,
    "refusals": "SELECT scope, category, at FROM refusals WHERE member_id = :member_id ORDER BY id",
}
_FORGET = """
    UPDATE generations
    SET wish = '', member_id = 0, scope = CASE WHEN scope LIKE 'member:%' THEN 'member:0' ELSE scope END,
        guild_id = NULL, channel_id = 0, message_id = NULL, interaction_id = -id, locale = '', token = NULL,
        role_ids = '[]', photos = NULL, hosted = NULL, said = NULL, prints = NULL, waits_on = NULL,
        failure_text = NULL, shown = version
    WHERE state IN ('settled', 'failed', 'cancelled') AND wish <> ''
"""


async def told(connection: aiosqlite.Connection, member_id: int) -> Mapping[str, list[dict[str, Any]]]:
    """Everything that is kept about a member but for the saved faces, as rows by subject."""
    return {
        subject: [dict(row) for row in await connection.execute_fetchall(sql, {"member_id": member_id})]
        for subject, sql in _TOLD.items()
    }


async def unfinished(connection: aiosqlite.Connection, member_id: int) -> list[int]:
    """The ids of a member's requests that are under way."""
    sql = """
        SELECT id FROM generations
        WHERE member_id = :member_id AND state NOT IN ('settled', 'failed', 'cancelled') ORDER BY id
    """
    return [row["id"] for row in await connection.execute_fetchall(sql, {"member_id": member_id})]


async def forget_member(connection: aiosqlite.Connection, member_id: int) -> list[int]:
    """Forget all that a member has asked for, in so far as it is over; returns the ids."""
    sql = f"{_FORGET} AND member_id = :member_id RETURNING id"
    rows = await connection.execute_fetchall(sql, {"member_id": member_id})
    return await _without_jobs(connection, [row["id"] for row in rows])


async def forget_older(connection: aiosqlite.Connection, *, before: datetime, most: int) -> list[int]:
    """Forget what was over before that moment, at most so many at once; returns the ids."""
    sql = f"""
        {_FORGET} AND id IN (
            SELECT id FROM generations
            WHERE wish <> '' AND changed_at < :before AND state IN ('settled', 'failed', 'cancelled')
            ORDER BY id LIMIT :most)
        RETURNING id
    """  # noqa: S608 - _FORGET is a constant
    rows = await connection.execute_fetchall(sql, {"before": to_text(before), "most": most})
    return await _without_jobs(connection, [row["id"] for row in rows])


async def _without_jobs(connection: aiosqlite.Connection, generation_ids: list[int]) -> list[int]:
    """What the provider still makes of them is nobody's any more, and its answers may have quoted a prompt."""
    sql = """
        UPDATE provider_jobs
        SET failure_text = NULL,
            state = CASE WHEN state IN ('waiting', 'submitting', 'submitted') THEN 'closed' ELSE state END
        WHERE generation_id = :id
    """
    for generation_id in generation_ids:
        await connection.execute_fetchall(sql, {"id": generation_id})
    return generation_ids


async def forget_reasons(connection: aiosqlite.Connection, member_id: int) -> None:
    """Forget what a member was granted bonus images for; the images stay."""
    sql = """
        UPDATE grants SET reason = NULL
        WHERE ledger_id IN (SELECT id FROM ledger WHERE member_id = :member_id AND kind = 'grant')
    """
    await connection.execute_fetchall(sql, {"member_id": member_id})


async def forget_consents(connection: aiosqlite.Connection, member_id: int) -> None:
    """Forget what a member has said and answered. What protects others stays, without their name: which files show
    whom. And so does what protects themself: that they want no pictures by anybody.
    """
    values = {"member_id": member_id}
    # Nobody's number, and another one for each row: none takes the place of what others have said of the same file.
    keep = """
        UPDATE declarations SET member_id = -rowid
        WHERE member_id = :member_id AND whose = 'member'
    """
    await connection.execute_fetchall(keep, values)
    await connection.execute_fetchall("DELETE FROM declarations WHERE member_id = :member_id", values)
    answers = """
        DELETE FROM consents
        WHERE asker_id = :member_id OR (subject_id = :member_id AND coalesce(answer, '') <> 'never')
    """
    await connection.execute_fetchall(answers, values)


async def forget_faces(connection: aiosqlite.Connection, member_id: int) -> int:
    """Delete a member's saved faces with their photos; returns how many."""
    sql = "DELETE FROM faces WHERE member_id = :member_id RETURNING id"
    return len(list(await connection.execute_fetchall(sql, {"member_id": member_id})))


async def forget_reports(connection: aiosqlite.Connection, member_id: int) -> None:
    """Forget what a member has reported, and why."""
    await connection.execute_fetchall("DELETE FROM report_voices WHERE member_id = :id", {"id": member_id})


async def forget_moderation(connection: aiosqlite.Connection, *, before: datetime) -> None:
    """Delete what was done in servers, and what was reported, before that moment. Needs a transaction."""
    values = {"before": to_text(before)}
    await connection.execute_fetchall("DELETE FROM audit WHERE at < :before", values)
    await connection.execute_fetchall("DELETE FROM report_voices WHERE at < :before", values)
    reports = "DELETE FROM reports WHERE reported_at < :before AND id NOT IN (SELECT report_id FROM report_voices)"
    await connection.execute_fetchall(reports, values)
    await connection.execute_fetchall("DELETE FROM blocks WHERE until < :before", values)


async def forget_answers(connection: aiosqlite.Connection, *, before: datetime) -> None:
    """Delete what was asked and answered before that moment, where it has no effect any more: questions without an
    answer, a no, what was taken back, and what allowed a request that is forgotten.
    """
    sql = """
        DELETE FROM consents
        WHERE coalesce(revoked_at, answered_at, asked_at) < :before
          AND (answer IS NULL OR answer = 'no' OR revoked_at IS NOT NULL
               OR (answer = 'once' AND generation_id IN (SELECT id FROM generations WHERE wish = '')))
    """
    await connection.execute_fetchall(sql, {"before": to_text(before)})


async def overwrite_log(connection: aiosqlite.Connection) -> None:
    """Have what was forgotten leave the write-ahead log too, where old pages stay until they are written over."""
    await connection.execute_fetchall("PRAGMA wal_checkpoint(TRUNCATE)")
