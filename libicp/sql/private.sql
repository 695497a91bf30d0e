-- The schema of private.db, attached to the register as "private": what only staff may read.

-- STMT_CREATE_PRIVATE
CREATE TABLE private.state (
    id           INTEGER PRIMARY KEY CHECK (id = 1),
    pending_swap INTEGER NOT NULL CHECK (pending_swap IN (0, 1))   -- 1: register.db.next is committed, rename it
);
INSERT INTO private.state VALUES (1, 0);

CREATE TABLE private.contact (
    holder_id INTEGER PRIMARY KEY,      -- register's holder.id
    name      TEXT NOT NULL DEFAULT '',
    email     TEXT NOT NULL DEFAULT '',
    phone     TEXT NOT NULL DEFAULT ''
);

-- The audit log. hash = SHA-256 over the previous event's hash and this event's fields: see audit.h.
CREATE TABLE private.event (
    id      INTEGER PRIMARY KEY,
    at      INTEGER NOT NULL,
    actor   TEXT    NOT NULL,
    action  TEXT    NOT NULL,           -- noun.verb, as on the command line: site.suspend
    subject TEXT    NOT NULL,           -- the name or number it was done to
    before  TEXT    NOT NULL,           -- JSON, 'null' where there was nothing
    after   TEXT    NOT NULL,
    note    TEXT    NOT NULL DEFAULT '',
    hash    TEXT    NOT NULL
);
CREATE INDEX private.event_subject ON event (subject, id);
CREATE TRIGGER private.event_stays_as_written BEFORE UPDATE ON event
BEGIN SELECT RAISE (ABORT, 'an event is never changed'); END;
CREATE TRIGGER private.event_is_kept BEFORE DELETE ON event
BEGIN SELECT RAISE (ABORT, 'an event is never deleted'); END;
CREATE TRIGGER private.event_is_new BEFORE INSERT ON event WHEN EXISTS (SELECT 1 FROM event WHERE id = NEW.id)
BEGIN SELECT RAISE (ABORT, 'an event is never replaced'); END;
