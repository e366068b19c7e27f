-- Messages of the bot's that are to be deleted on Discord, for as long as that takes.

CREATE TABLE deletions (
    message_id  INTEGER PRIMARY KEY,
    channel_id  INTEGER NOT NULL,
    at          TEXT NOT NULL
) STRICT;
