-- Schema 2, passes: a pass is of one suspension and of its epoch then; raising the epoch ends all that were given before.

-- STMT_SCHEMA_2_PASS
ALTER TABLE suspension ADD COLUMN pass_epoch INTEGER NOT NULL DEFAULT 0 CHECK (pass_epoch BETWEEN 0 AND 4294967295);

-- Given to owners and not ended yet; the next one that is given takes out what has ended.
CREATE TABLE private.pass (
    id            INTEGER PRIMARY KEY,
    suspension_id INTEGER NOT NULL,                            -- register's suspension.id
    epoch         INTEGER NOT NULL,
    given_at      INTEGER NOT NULL,
    given_by      TEXT    NOT NULL,
    until_at      INTEGER NOT NULL,
    note          TEXT    NOT NULL DEFAULT ''
);
