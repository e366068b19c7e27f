-- The life of a generation, the jobs that it becomes at the provider, and the money.
-- Times are UTC, ISO 8601 with microseconds, so that text order is time order. Discord's ids are integers.

CREATE TABLE generations (
    id                  INTEGER PRIMARY KEY AUTOINCREMENT,
    interaction_id      INTEGER NOT NULL UNIQUE,  -- a gateway replay of the same command is the same generation
    application_id      INTEGER NOT NULL,
    token               TEXT,                     -- the interaction's; erased when the generation is over
    scope               TEXT NOT NULL,            -- where the member's quota counts
    channel_id          INTEGER NOT NULL,
    member_id           INTEGER NOT NULL,
    locale              TEXT NOT NULL,            -- the language of what its message says, as Discord spells it
    file_limit_bytes    INTEGER NOT NULL,         -- the largest attachment that Discord takes here
    wish                TEXT NOT NULL,            -- services.request.Wish as JSON; empty once it was forgotten
    images              INTEGER NOT NULL CHECK (images > 0),
    weight              INTEGER NOT NULL CHECK (weight > 0),  -- what each of its images counts as in the ledger
    role_ids            TEXT NOT NULL,            -- the member's roles that had a quota of their own (JSON)
    photos              TEXT,                     -- where its photos come from (JSON); erased when it is over
    hosted              TEXT,                     -- the same prepared, at Discord (JSON); erased when it is over
    message_id          INTEGER,                  -- the one message, once Discord has named it
    state               TEXT NOT NULL,
    waits_for           TEXT,                     -- while it waits for a person: for what,
    waits_on            INTEGER,                  -- for which member,
    waits_until         TEXT,                     -- and until when
    resumed_at          TEXT,                     -- when it last went on after that
    pictures            INTEGER NOT NULL DEFAULT 0 CHECK (pictures BETWEEN 0 AND images),  -- verified files on disk
    version             INTEGER NOT NULL,         -- counts what there is to show
    shown               INTEGER NOT NULL DEFAULT 0,  -- the last version that Discord confirmed
    failure_code        TEXT,
    failure_text        TEXT,                     -- of a finished one: why pictures are missing
    created_at          TEXT NOT NULL,
    changed_at          TEXT NOT NULL             -- when the state was entered
) STRICT;

-- Only a handful of rows is ever unfinished or behind, so these stay small however long the history grows.
CREATE INDEX generations_unfinished ON generations (state, member_id)
    WHERE state IN ('received', 'waiting', 'queued', 'running', 'finished');
CREATE INDEX generations_behind ON generations (id) WHERE shown < version;
CREATE INDEX generations_remembered ON generations (id) WHERE wish <> '';
CREATE INDEX generations_by_member ON generations (member_id, id);
CREATE INDEX generations_by_scope ON generations (scope, created_at);
CREATE INDEX generations_by_message ON generations (message_id) WHERE message_id IS NOT NULL;

-- The photos of generations that wait for a person, sealed as those of saved faces are, until they are queued or over.
CREATE TABLE kept_photos (
    generation_id  INTEGER NOT NULL REFERENCES generations (id),
    n              INTEGER NOT NULL,              -- its place among the generation's photos, from 1
    key_id         TEXT NOT NULL,                 -- of the key that sealed it
    sealed         BLOB NOT NULL,
    PRIMARY KEY (generation_id, n)
) STRICT;

CREATE TABLE provider_jobs (
    id             TEXT PRIMARY KEY,              -- ours, sent as the Idempotency-Key
    generation_id  INTEGER NOT NULL REFERENCES generations (id),
    n              INTEGER NOT NULL,              -- which of the generation's jobs, from 0
    images         INTEGER NOT NULL CHECK (images > 0),  -- how many pictures it is to make
    kind           TEXT NOT NULL,                 -- jobs of one kind take about as long as each other
    tries          INTEGER NOT NULL DEFAULT 0,    -- how often it came to nothing and was put back in line
    provider_id    TEXT,
    state          TEXT NOT NULL,
    pictures       INTEGER NOT NULL DEFAULT 0 CHECK (pictures BETWEEN 0 AND images),
    failure_text   TEXT,
    started_at     TEXT,                          -- when it was last given a slot
    submitted_at   TEXT,
    finished_at    TEXT,
    over_s         REAL,                          -- seconds after the submit: not done yet then,
    done_s         REAL,                          -- and done then; empty where that says nothing
    UNIQUE (generation_id, n)
) STRICT;

CREATE INDEX provider_jobs_open ON provider_jobs (state) WHERE state IN ('waiting', 'submitting', 'submitted');
CREATE INDEX provider_jobs_lengths ON provider_jobs (kind, finished_at) WHERE done_s IS NOT NULL;

CREATE TABLE ledger (
    id             INTEGER PRIMARY KEY AUTOINCREMENT,
    scope          TEXT NOT NULL,
    member_id      INTEGER NOT NULL,
    generation_id  INTEGER REFERENCES generations (id),  -- of a charge or a refund
    grant_id       INTEGER REFERENCES ledger (id),  -- the grant that a charge is taken from; none: the member's quota
    kind           TEXT NOT NULL CHECK (kind IN ('charge', 'refund', 'grant')),
    images         INTEGER NOT NULL CHECK (images > 0),
    counts_at      TEXT NOT NULL,                 -- when it was charged or granted; a refund carries its charge's
    expires_at     TEXT,                          -- of a grant
    at             TEXT NOT NULL,
    CHECK ((kind = 'grant') = (generation_id IS NULL)),
    CHECK ((kind = 'grant') = (expires_at IS NOT NULL)),
    CHECK (kind <> 'grant' OR grant_id IS NULL)
) STRICT;

-- With all that a balance is read from, so that nothing is looked up in the table itself.
CREATE INDEX ledger_window ON ledger (scope, member_id, counts_at, kind, grant_id, images);
CREATE INDEX ledger_of_scope ON ledger (scope, counts_at, kind, images);
CREATE INDEX ledger_by_generation ON ledger (generation_id);
CREATE INDEX ledger_by_grant ON ledger (grant_id) WHERE grant_id IS NOT NULL;
CREATE INDEX ledger_grants ON ledger (scope, member_id, expires_at) WHERE kind = 'grant';
CREATE UNIQUE INDEX ledger_one_charge ON ledger (generation_id, coalesce(grant_id, 0)) WHERE kind = 'charge';

CREATE TRIGGER ledger_never_changes BEFORE UPDATE ON ledger
BEGIN SELECT RAISE (ABORT, 'the ledger is append only'); END;

CREATE TRIGGER ledger_never_forgets BEFORE DELETE ON ledger
BEGIN SELECT RAISE (ABORT, 'the ledger is append only'); END;

CREATE TRIGGER ledger_refunds_what_was_charged BEFORE INSERT ON ledger WHEN new.kind = 'refund'
BEGIN
    SELECT RAISE (ABORT, 'a refund exceeds its charge')
    WHERE new.images > coalesce((
        SELECT sum(CASE kind WHEN 'charge' THEN images ELSE -images END)
        FROM ledger WHERE generation_id = new.generation_id AND grant_id IS new.grant_id), 0);
END;

CREATE TRIGGER ledger_spends_what_was_granted BEFORE INSERT ON ledger
WHEN new.kind = 'charge' AND new.grant_id IS NOT NULL
BEGIN
    SELECT RAISE (ABORT, 'a charge exceeds its grant')
    WHERE new.images > coalesce((
        SELECT images FROM ledger
        WHERE id = new.grant_id AND kind = 'grant' AND scope = new.scope AND member_id = new.member_id
    ), 0) - coalesce((
        SELECT sum(CASE kind WHEN 'charge' THEN images ELSE -images END)
        FROM ledger WHERE grant_id = new.grant_id), 0);
END;

-- The servers that were given commands of their own (DISCORD_GUILD_ID), so that these can be taken back later.
CREATE TABLE command_guilds (
    guild_id  INTEGER PRIMARY KEY
) STRICT;

-- One secret key for each thing that is signed, made once, so that what was signed stays good across restarts.
CREATE TABLE signing_keys (
    purpose  TEXT PRIMARY KEY,
    key      BLOB NOT NULL CHECK (length(key) = 32)
) STRICT;

-- Faces that members have saved by name. The photos are sealed with a key that is not in this database.
CREATE TABLE faces (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,  -- never given twice: what is sealed is bound to it
    member_id     INTEGER NOT NULL,
    name          TEXT NOT NULL,
    folded        TEXT NOT NULL,                  -- the name without its case, by which it is found and unique
    is_default    INTEGER NOT NULL CHECK (is_default IN (0, 1)),
    created_at    TEXT NOT NULL,
    locale        TEXT NOT NULL,                  -- what its owner spoke last, for what they are told unasked
    last_used_at  TEXT NOT NULL,                  -- from the beginning: when it was saved
    warned_at     TEXT,                           -- when its owner was told that it will be deleted
    UNIQUE (member_id, folded)
) STRICT;

CREATE UNIQUE INDEX faces_one_default ON faces (member_id) WHERE is_default;
CREATE INDEX faces_unused ON faces (last_used_at);

CREATE TABLE face_photos (
    face_id  INTEGER NOT NULL REFERENCES faces (id) ON DELETE CASCADE,
    n        INTEGER NOT NULL,                    -- which of the face's photos, from 1
    key_id   TEXT NOT NULL,                       -- of the key that sealed it
    sealed   BLOB NOT NULL,
    PRIMARY KEY (face_id, n)
) STRICT;

CREATE INDEX face_photos_by_key ON face_photos (key_id);
