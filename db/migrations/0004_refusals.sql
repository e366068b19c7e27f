-- Requests that the policy refused, without their words: so that somebody who keeps trying can be told apart from
-- somebody who was misunderstood once.

CREATE TABLE refusals (
    id         INTEGER PRIMARY KEY,
    scope      TEXT NOT NULL,
    member_id  INTEGER NOT NULL,
    category   TEXT NOT NULL,
    at         TEXT NOT NULL
) STRICT;

CREATE INDEX refusals_of_member ON refusals (member_id, at);
CREATE INDEX refusals_by_age ON refusals (at);
