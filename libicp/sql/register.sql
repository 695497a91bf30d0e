-- The schema of register.db: licenses, sites and suspensions. Nothing in it is secret: httpd's workers read it.
-- Times are seconds since 1970 UTC. A change that the gate must see leaves a line in gate_change, so that a
-- worker reads only the sites that changed.

-- STMT_CREATE_REGISTER
CREATE TABLE state (
    id          INTEGER PRIMARY KEY CHECK (id = 1),
    audit_count INTEGER NOT NULL,                   -- events in private.db, and the hash of the newest:
    audit_head  TEXT    NOT NULL                    -- a log cut short does not verify
);
INSERT INTO state VALUES (1, 0, '');

CREATE TABLE holder (
    id         INTEGER PRIMARY KEY,
    kind       TEXT    NOT NULL CHECK (kind IN ('business', 'person')),
    name       TEXT    NOT NULL UNIQUE CHECK (name <> ''),
    uscc       TEXT    UNIQUE CHECK (length(uscc) = 18),
    created_at INTEGER NOT NULL
);

CREATE TABLE license (
    id         INTEGER PRIMARY KEY,
    number     TEXT    NOT NULL UNIQUE CHECK (number <> ''),   -- normal form, without suffix
    holder_id  INTEGER NOT NULL REFERENCES holder (id) ON DELETE RESTRICT,
    status     TEXT    NOT NULL CHECK (status IN ('active', 'cancelled', 'revoked')),
    status_at  INTEGER NOT NULL,
    created_at INTEGER NOT NULL
);
CREATE INDEX license_holder ON license (holder_id);

CREATE TABLE site (
    id               INTEGER PRIMARY KEY AUTOINCREMENT,        -- never used again: gate_change outlives a site
    name             TEXT    NOT NULL UNIQUE CHECK (name <> ''),
    homepage         TEXT    NOT NULL DEFAULT '/',             -- a path, or a URL on one of its hosts
    serve_unlicensed INTEGER NOT NULL DEFAULT 0 CHECK (serve_unlicensed IN (0, 1)),
    created_at       INTEGER NOT NULL
);

CREATE TABLE host (
    name    TEXT    NOT NULL PRIMARY KEY CHECK (name <> ''),   -- lower case, A-label, '*.' before a wildcard
    site_id INTEGER NOT NULL REFERENCES site (id) ON DELETE CASCADE
) WITHOUT ROWID;
CREATE INDEX host_site ON host (site_id);

CREATE TABLE site_license (
    site_id    INTEGER NOT NULL REFERENCES site (id) ON DELETE CASCADE,
    license_id INTEGER NOT NULL REFERENCES license (id) ON DELETE RESTRICT,
    suffix     INTEGER NOT NULL DEFAULT 0 CHECK (suffix BETWEEN 0 AND 99999),   -- 0: the license number itself
    PRIMARY KEY (site_id, license_id, suffix)
) WITHOUT ROWID;
CREATE INDEX site_license_license ON site_license (license_id);

CREATE TABLE suspension (
    id        INTEGER PRIMARY KEY AUTOINCREMENT,               -- the case reference
    site_id   INTEGER NOT NULL REFERENCES site (id) ON DELETE CASCADE,
    reason    TEXT    NOT NULL CHECK (reason IN
              ('missing', 'incorrect', 'invalid', 'hidden', 'unlicensed', 'cancelled', 'order')),
    opened_at INTEGER NOT NULL,
    opened_by TEXT    NOT NULL,
    closed_at INTEGER,
    closed_by TEXT,
    CHECK ((closed_at IS NULL) = (closed_by IS NULL))
);
CREATE UNIQUE INDEX suspension_open ON suspension (site_id) WHERE closed_at IS NULL;
CREATE INDEX suspension_site ON suspension (site_id);

-- What icpadmin's own looks found: one row per run of the same verdict, newest last.
CREATE TABLE inspection (
    id       INTEGER PRIMARY KEY,
    site_id  INTEGER NOT NULL REFERENCES site (id) ON DELETE CASCADE,
    verdict  TEXT    NOT NULL CHECK (verdict IN
             ('displayed', 'missing', 'incorrect', 'invalid', 'hidden', 'unreadable')),
    reason   TEXT    NOT NULL DEFAULT '',
    detail   TEXT    NOT NULL DEFAULT '{}',                    -- the inspection as icpadmin inspect --json prints it
    first_at INTEGER NOT NULL,
    last_at  INTEGER NOT NULL,
    looks    INTEGER NOT NULL DEFAULT 1
);
CREATE INDEX inspection_site ON inspection (site_id, id);

-- What the gate must see: the newest revision is the suspension revision. The tag tells a history from another
-- one that has the same revisions (a register put back from a copy and changed since): a worker that does not
-- find the revision and tag it has reads everything anew, as it does when its revision is older than the kept ones.
CREATE TABLE gate_change (
    revision INTEGER PRIMARY KEY AUTOINCREMENT,
    site_id  INTEGER NOT NULL,
    tag      INTEGER NOT NULL
);
INSERT INTO gate_change (site_id, tag) VALUES (0, random());
CREATE TRIGGER gate_change_keep AFTER INSERT ON gate_change WHEN NEW.revision % 1024 = 0 BEGIN
    DELETE FROM gate_change WHERE revision <= NEW.revision - 4096;
END;

CREATE TRIGGER site_suspended_stays BEFORE DELETE ON site
WHEN EXISTS (SELECT 1 FROM suspension WHERE site_id = OLD.id AND closed_at IS NULL)
BEGIN SELECT RAISE (ABORT, 'a suspended site cannot be removed'); END;

CREATE TRIGGER host_suspended_stays BEFORE DELETE ON host
WHEN EXISTS (SELECT 1 FROM suspension WHERE site_id = OLD.site_id AND closed_at IS NULL)
BEGIN SELECT RAISE (ABORT, 'a suspended site keeps its host names'); END;

CREATE TRIGGER gate_site_insert AFTER INSERT ON site BEGIN
    INSERT INTO gate_change (site_id, tag) VALUES (NEW.id, random());
END;
CREATE TRIGGER gate_site_update AFTER UPDATE ON site BEGIN
    INSERT INTO gate_change (site_id, tag) VALUES (NEW.id, random());
END;
CREATE TRIGGER gate_site_delete AFTER DELETE ON site BEGIN
    INSERT INTO gate_change (site_id, tag) VALUES (OLD.id, random());
END;
CREATE TRIGGER gate_host_insert AFTER INSERT ON host BEGIN
    INSERT INTO gate_change (site_id, tag) VALUES (NEW.site_id, random());
END;
CREATE TRIGGER gate_host_update AFTER UPDATE ON host BEGIN
    INSERT INTO gate_change (site_id, tag) VALUES (NEW.site_id, random());
    INSERT INTO gate_change (site_id, tag) VALUES (OLD.site_id, random());
END;
CREATE TRIGGER gate_host_delete AFTER DELETE ON host BEGIN
    INSERT INTO gate_change (site_id, tag) VALUES (OLD.site_id, random());
END;
CREATE TRIGGER gate_site_license_insert AFTER INSERT ON site_license BEGIN
    INSERT INTO gate_change (site_id, tag) VALUES (NEW.site_id, random());
END;
CREATE TRIGGER gate_site_license_update AFTER UPDATE ON site_license BEGIN
    INSERT INTO gate_change (site_id, tag) VALUES (NEW.site_id, random());
    INSERT INTO gate_change (site_id, tag) VALUES (OLD.site_id, random());
END;
CREATE TRIGGER gate_site_license_delete AFTER DELETE ON site_license BEGIN
    INSERT INTO gate_change (site_id, tag) VALUES (OLD.site_id, random());
END;
CREATE TRIGGER gate_license_status AFTER UPDATE OF status, number ON license BEGIN
    INSERT INTO gate_change (site_id, tag)
        SELECT site_id, random() FROM (SELECT DISTINCT site_id FROM site_license WHERE license_id = NEW.id);
END;
CREATE TRIGGER gate_suspension_insert AFTER INSERT ON suspension BEGIN
    INSERT INTO gate_change (site_id, tag) VALUES (NEW.site_id, random());
END;
CREATE TRIGGER gate_suspension_update AFTER UPDATE ON suspension BEGIN
    INSERT INTO gate_change (site_id, tag) VALUES (NEW.site_id, random());
END;
CREATE TRIGGER gate_suspension_delete AFTER DELETE ON suspension BEGIN
    INSERT INTO gate_change (site_id, tag) VALUES (OLD.site_id, random());
END;
