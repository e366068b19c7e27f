-- What the admins of servers have set, and what was done in a server and by whom.

CREATE TABLE servers (
    guild_id    INTEGER PRIMARY KEY,
    settings    TEXT NOT NULL,                    -- services.servers.ServerSettings as JSON, without what is the default
    changed_at  TEXT NOT NULL
) STRICT;

CREATE TABLE audit (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    guild_id    INTEGER NOT NULL,
    member_id   INTEGER NOT NULL,                 -- who did it
    action      TEXT NOT NULL,
    subject_id  INTEGER,                          -- the member or the generation that it was done to, where it was to one
    detail      TEXT NOT NULL,                    -- what exactly, as JSON
    at          TEXT NOT NULL
) STRICT;

CREATE INDEX audit_by_guild ON audit (guild_id, id);
