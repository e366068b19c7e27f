-- Who may not ask in a server, and what members have reported to its moderators.

CREATE TABLE blocks (
    guild_id   INTEGER NOT NULL,
    member_id  INTEGER NOT NULL,
    by_id      INTEGER NOT NULL,                  -- who has blocked them
    reason     TEXT,
    at         TEXT NOT NULL,
    until      TEXT,                              -- empty: until somebody ends it
    PRIMARY KEY (guild_id, member_id)
) STRICT;

-- One a result, however many members report it.
CREATE TABLE reports (
    id             INTEGER PRIMARY KEY AUTOINCREMENT,
    guild_id       INTEGER NOT NULL,
    generation_id  INTEGER NOT NULL UNIQUE REFERENCES generations (id),
    channel_id     INTEGER,                       -- where the moderators read of it
    message_id     INTEGER,
    deleted_by     INTEGER,                       -- which moderator did so
    blocked_by     INTEGER,
    dismissed_by   INTEGER
) STRICT;

CREATE TABLE report_voices (
    report_id  INTEGER NOT NULL REFERENCES reports (id),
    member_id  INTEGER NOT NULL,                  -- who has reported it, each once
    reason     TEXT,
    at         TEXT NOT NULL,
    PRIMARY KEY (report_id, member_id)
) STRICT;

CREATE INDEX report_voices_by_member ON report_voices (member_id, at);
