-- What servers allow members beside the operator's quota, and what the ledger comes to hour by hour.

CREATE TABLE role_quotas (
    guild_id  INTEGER NOT NULL,
    role_id   INTEGER NOT NULL,
    images    INTEGER NOT NULL CHECK (images BETWEEN 1 AND 1000000),
    hours     INTEGER NOT NULL CHECK (hours BETWEEN 1 AND 8784),
    PRIMARY KEY (guild_id, role_id)
) STRICT, WITHOUT ROWID;

-- What the ledger need not know of a grant.
CREATE TABLE grants (
    interaction_id  INTEGER PRIMARY KEY,          -- a replay of the same command is the same grant
    ledger_id       INTEGER NOT NULL UNIQUE REFERENCES ledger (id),
    reason          TEXT
) STRICT;

-- Charges less refunds, by the hour that they count in. A server's month is then read from some 700 rows, however many
-- requests it had.
CREATE TABLE ledger_hours (
    scope   TEXT NOT NULL,
    hour    TEXT NOT NULL,                        -- the first 13 characters of counts_at: 2026-11-21T12
    images  INTEGER NOT NULL,
    PRIMARY KEY (scope, hour)
) STRICT, WITHOUT ROWID;

INSERT INTO ledger_hours (scope, hour, images)
SELECT scope, substr(counts_at, 1, 13), sum(CASE kind WHEN 'charge' THEN images ELSE -images END)
FROM ledger WHERE kind <> 'grant' GROUP BY 1, 2;

CREATE TRIGGER ledger_counts_by_the_hour AFTER INSERT ON ledger WHEN new.kind <> 'grant'
BEGIN
    INSERT INTO ledger_hours (scope, hour, images)
    VALUES (new.scope, substr(new.counts_at, 1, 13), CASE new.kind WHEN 'charge' THEN new.images ELSE -new.images END)
    ON CONFLICT (scope, hour) DO UPDATE SET images = images + excluded.images;
END;
