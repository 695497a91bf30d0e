-- Schema 2, .cn registrations: the documents that each needs, and how far they are.

-- STMT_SCHEMA_2_DOMAIN
CREATE TABLE private.domain (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    name       TEXT    NOT NULL UNIQUE,                        -- A-label form
    registrant TEXT    NOT NULL,                               -- its name
    kind       TEXT    NOT NULL CHECK (kind IN ('individual', 'organisation')),
    email      TEXT    NOT NULL DEFAULT '',
    state      TEXT    NOT NULL CHECK (state IN ('wanted', 'received', 'submitted', 'accepted', 'refused')),
    reasons    TEXT    NOT NULL DEFAULT '[]',                  -- JSON: of the newest refusal
    added_at   INTEGER NOT NULL,
    state_at   INTEGER NOT NULL,
    reminded_at INTEGER
);
CREATE TABLE private.domain_document (
    domain_id INTEGER NOT NULL REFERENCES domain (id) ON DELETE CASCADE,
    kind      TEXT    NOT NULL,                                -- one of those that the registrant's kind needs
    name      TEXT    NOT NULL,
    type      TEXT    NOT NULL,
    bytes     INTEGER NOT NULL,
    sha256    TEXT    NOT NULL CHECK (length(sha256) = 64),    -- the file's name in documents/
    added_at  INTEGER NOT NULL,
    refused   INTEGER NOT NULL DEFAULT 0,                      -- 1: the registry did not take it, another one is wanted
    PRIMARY KEY (domain_id, kind)
) WITHOUT ROWID;
CREATE INDEX private.domain_document_sha256 ON domain_document (sha256);
