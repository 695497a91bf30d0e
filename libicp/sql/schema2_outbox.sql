-- Schema 2, messages: posted in the change that they tell of, sent afterwards, tried again until they are out.

-- STMT_SCHEMA_2_OUTBOX
CREATE TABLE private.outbox (
    id        INTEGER PRIMARY KEY AUTOINCREMENT,
    posted_at INTEGER NOT NULL,
    way       TEXT    NOT NULL CHECK (way IN ('mail', 'event')),
    event     TEXT    NOT NULL,                                -- site.suspended
    subject   TEXT    NOT NULL,                                -- site, application or domain that it is about
    recipient TEXT    NOT NULL DEFAULT '',                     -- mail: the address
    facts     TEXT    NOT NULL,                                -- JSON object, names to texts: what the template shows
    attempts  INTEGER NOT NULL DEFAULT 0,
    next_at   INTEGER NOT NULL,                                -- not before
    fault     TEXT    NOT NULL DEFAULT '',                     -- of the newest attempt
    state     TEXT    NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'sent', 'given-up', 'dropped')),
    state_at  INTEGER NOT NULL                                 -- since when it is in its state
);
CREATE INDEX private.outbox_waiting ON outbox (next_at, id) WHERE state = 'waiting';
CREATE INDEX private.outbox_state ON outbox (state, state_at);
CREATE INDEX private.outbox_subject ON outbox (subject, id);
