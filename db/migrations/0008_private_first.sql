-- What members have chosen for themselves: who sees their results.

CREATE TABLE private_first (
    member_id  INTEGER PRIMARY KEY              -- whose results with a face are for their own eyes first
) STRICT;
