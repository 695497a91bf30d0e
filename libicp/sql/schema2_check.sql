-- Schema 2, the regular check: what the provider has decided, when it does not suspend, and each sweep.

-- STMT_SCHEMA_2_CHECK
CREATE TABLE policy (
    name  TEXT NOT NULL PRIMARY KEY,                           -- see policy.h; what is not here has its default
    value TEXT NOT NULL
) WITHOUT ROWID;

-- A time in which a site is looked at, but not suspended for what is seen.
CREATE TABLE exemption (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    site_id    INTEGER REFERENCES site (id) ON DELETE CASCADE, -- NULL: every site
    verdict    TEXT,                                           -- NULL: whatever is seen
    from_at    INTEGER NOT NULL,
    until_at   INTEGER NOT NULL CHECK (until_at > from_at),
    note       TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
    created_by TEXT    NOT NULL
);
CREATE INDEX exemption_site ON exemption (site_id, until_at);

-- A site found failing, look after look. Gone once a look finds something else, or the site is enabled.
CREATE TABLE streak (
    site_id   INTEGER PRIMARY KEY REFERENCES site (id) ON DELETE CASCADE,
    looks     INTEGER NOT NULL,                                -- that failed
    since_at  INTEGER NOT NULL,                                -- the first of them
    newest_at INTEGER NOT NULL,
    warned_at INTEGER                                          -- when the holder was told
);
CREATE TRIGGER streak_ends AFTER UPDATE OF closed_at ON suspension WHEN NEW.closed_at IS NOT NULL BEGIN
    DELETE FROM streak WHERE site_id = NEW.site_id;
END;

CREATE TABLE sweep (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    started_at    INTEGER NOT NULL,
    ended_at      INTEGER,                                     -- NULL: under way, or interrupted
    enforce       INTEGER NOT NULL CHECK (enforce IN (0, 1)),
    total         INTEGER NOT NULL,                            -- sites to be looked at
    done          INTEGER NOT NULL DEFAULT 0,
    compliant     INTEGER NOT NULL DEFAULT 0,
    failing       INTEGER NOT NULL DEFAULT 0,
    for_person    INTEGER NOT NULL DEFAULT 0,                  -- hidden or unreadable
    to_suspend    INTEGER NOT NULL DEFAULT 0,                  -- by policy
    suspended     INTEGER NOT NULL DEFAULT 0,
    braked        INTEGER NOT NULL DEFAULT 0 CHECK (braked IN (0, 1)), -- to_suspend was more than the brake allows
    approved_by   TEXT                                         -- who let it go on all the same
);
