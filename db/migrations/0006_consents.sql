-- Whose faces members say that their photos show, and what those who are shown have answered.

CREATE TABLE declarations (
    member_id   INTEGER NOT NULL,                 -- who says it
    file        TEXT NOT NULL,                    -- of what: the SHA-256 of the file as it was attached
    crop        TEXT NOT NULL,                    -- the same of the crop that the bot made of it
    whose       TEXT NOT NULL CHECK (whose IN ('me', 'agreed', 'member')),
    subject_id  INTEGER,                          -- the member who is shown; of who is no member, nothing is known
    wording     INTEGER NOT NULL,                 -- services.consents.WORDING
    at          TEXT NOT NULL,
    PRIMARY KEY (member_id, file)
) STRICT;

CREATE INDEX declarations_by_file ON declarations (file);
CREATE INDEX declarations_by_crop ON declarations (crop);
CREATE INDEX declarations_by_subject ON declarations (subject_id) WHERE subject_id IS NOT NULL;

CREATE TABLE consents (
    id             INTEGER PRIMARY KEY AUTOINCREMENT,
    subject_id     INTEGER NOT NULL,              -- who is shown, and answers
    asker_id       INTEGER,                       -- for whom it counts; empty: for everybody
    scope          TEXT,                          -- and where; empty: everywhere
    generation_id  INTEGER REFERENCES generations (id),  -- which asked
    channel_id     INTEGER,                       -- where the question stands, once Discord has named it
    message_id     INTEGER,
    answer         TEXT CHECK (answer IN ('once', 'always', 'no', 'never')),  -- empty until there is one
    wording        INTEGER NOT NULL,
    asked_at       TEXT NOT NULL,
    answered_at    TEXT,
    revoked_at     TEXT
) STRICT;

CREATE UNIQUE INDEX consents_one_question ON consents (generation_id, subject_id) WHERE generation_id IS NOT NULL;
CREATE UNIQUE INDEX consents_one_never ON consents (subject_id) WHERE answer = 'never' AND revoked_at IS NULL;
CREATE INDEX consents_by_subject ON consents (subject_id, asker_id);
