-- Schema 2, evidence: failing pages as they were received. The bytes lie in evidence/, named by their SHA-256.

-- STMT_SCHEMA_2_EVIDENCE
CREATE TABLE private.evidence (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    site    TEXT    NOT NULL,                                  -- its name: evidence outlives the site
    at      INTEGER NOT NULL,
    url     TEXT    NOT NULL,
    address TEXT    NOT NULL,                                  -- that answered, with its port
    status  INTEGER NOT NULL,                                  -- HTTP status
    headers TEXT    NOT NULL,                                  -- of the response, as received
    verdict TEXT    NOT NULL,
    detail  TEXT    NOT NULL,                                  -- the inspection as icpadmin inspect --json prints it
    sha256  TEXT    NOT NULL CHECK (length(sha256) = 64),      -- of the body as it was judged
    bytes   INTEGER NOT NULL,                                  -- of the body
    file    TEXT    NOT NULL CHECK (length(file) IN (0, 64)),  -- SHA-256 of what is kept, its name in evidence/; '': nothing is
    kept    INTEGER NOT NULL CHECK (kept BETWEEN 0 AND bytes)  -- bytes that are kept; fewer: it was over the bound
);
CREATE INDEX private.evidence_site ON evidence (site, id);
CREATE INDEX private.evidence_file ON evidence (file);
CREATE INDEX private.evidence_at ON evidence (at);

-- How often each site was looked at in each month, Beijing time, and when last: a regulator asks, and a run of one verdict does not say.
CREATE TABLE private.look_count (
    month     TEXT    NOT NULL,                                -- 2026-11
    site      TEXT    NOT NULL,                                -- its name: the count outlives the site
    looks     INTEGER NOT NULL,
    newest_at INTEGER NOT NULL,
    PRIMARY KEY (month, site)
) WITHOUT ROWID;
