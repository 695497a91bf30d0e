-- Schema 2, applications: what a client asks for, from the form to approval or rejection. What was typed is one JSON object (form.h).

-- STMT_SCHEMA_2_APPLICATION
CREATE TABLE private.application (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,            -- the reference: APP-000012
    kind         TEXT    NOT NULL,                             -- form.h
    state        TEXT    NOT NULL,                             -- workflow.h
    holder_key   TEXT    NOT NULL,                             -- USCC or ID number, else name: one open application each; '' once purged
    holder       TEXT    NOT NULL,                             -- its name, to be listed
    form         TEXT    NOT NULL,                             -- JSON, what was typed last; '' once purged
    token        TEXT    NOT NULL UNIQUE,                      -- of the client's link; '-' and the id once purged
    email        TEXT    NOT NULL DEFAULT '',
    language     TEXT    NOT NULL DEFAULT 'zh',                -- that the form was filled in
    province     TEXT    NOT NULL DEFAULT '',                  -- whose bureau decides
    reasons      TEXT    NOT NULL DEFAULT '[]',                -- JSON: of the newest return, rejection or refusal
    number       TEXT    NOT NULL DEFAULT '',                  -- that the bureau gave
    created_at   INTEGER NOT NULL,
    state_at     INTEGER NOT NULL,                             -- since when it is in its state
    due_from     INTEGER NOT NULL,                             -- since when what is due has been due
    untold       INTEGER NOT NULL DEFAULT 1,                   -- changes that the client's page may not tell of; 0: it tells of all
    purged_at    INTEGER
);
CREATE UNIQUE INDEX private.application_open ON application (holder_key)
    WHERE state NOT IN ('approved', 'withdrawn', 'expired', 'refused');
CREATE INDEX private.application_state ON application (state, state_at);
CREATE INDEX private.application_untold ON application (id) WHERE untold > 0;

-- Submissions taken over from the intake, so that none is taken twice.
CREATE TABLE private.submission (
    id             TEXT    NOT NULL PRIMARY KEY,
    application_id INTEGER REFERENCES application (id) ON DELETE CASCADE,
    taken_at       INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX private.submission_application ON submission (application_id);

CREATE TABLE private.document (
    id             INTEGER PRIMARY KEY AUTOINCREMENT,
    application_id INTEGER REFERENCES application (id) ON DELETE CASCADE,
    kind           TEXT    NOT NULL,                           -- form.h
    name           TEXT    NOT NULL,                           -- of the file, as the client had it; only shown
    type           TEXT    NOT NULL,                           -- application/pdf, image/jpeg, image/png
    bytes          INTEGER NOT NULL,
    sha256         TEXT    NOT NULL CHECK (length(sha256) = 64), -- the file's name in documents/
    added_at       INTEGER NOT NULL
);
CREATE INDEX private.document_application ON document (application_id);
CREATE INDEX private.document_sha256 ON document (sha256);
