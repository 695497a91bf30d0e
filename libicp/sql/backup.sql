-- The backup file, and how a register put back keeps the suspensions of today.

-- STMT_CREATE_BACKUP
CREATE TABLE image (
    name   TEXT    NOT NULL PRIMARY KEY CHECK (name IN ('register.db', 'private.db', 'pass.key', 'intake.key')),
    bytes  INTEGER NOT NULL,
    sha256 TEXT    NOT NULL,
    at     INTEGER NOT NULL                     -- when the backup was made
);
CREATE TABLE part (
    name   TEXT    NOT NULL REFERENCES image (name) DEFERRABLE INITIALLY DEFERRED,
    number INTEGER NOT NULL,
    bytes  BLOB    NOT NULL,
    PRIMARY KEY (name, number)
);

-- STMT_BACKUP_PART
INSERT INTO part VALUES (?1, ?2, ?3);

-- STMT_BACKUP_IMAGE
INSERT INTO image VALUES (?1, ?2, ?3, ?4);

-- STMT_BACKUP_IMAGE_FACTS
SELECT bytes, sha256, at FROM image WHERE name = ?1;

-- STMT_BACKUP_PARTS
SELECT bytes FROM part WHERE name = ?1 ORDER BY number;

-- Reads both, so that both are locked for reading.
-- STMT_RESTORE_EVENTS
SELECT count(*) FROM private.event JOIN main.state ON 1;

-- Everything below runs on the register to be (main), with the register of today attached as "today".

-- STMT_RESTORE_ATTACH
ATTACH DATABASE ?1 AS today;

-- STMT_RESTORE_DETACH
DETACH DATABASE today;

-- STMT_RESTORE_CHECK_TODAY
SELECT count(*) FROM pragma_quick_check AS q WHERE q.schema = 'today' AND q.quick_check <> 'ok';

-- A license that has ended since does not come back to life.
-- STMT_RESTORE_END_LICENSES
UPDATE main.license SET
    status = (SELECT t.status FROM today.license AS t WHERE t.number = license.number),
    status_at = (SELECT t.status_at FROM today.license AS t WHERE t.number = license.number)
WHERE status = 'active'
  AND number IN (SELECT t.number FROM today.license AS t WHERE t.status <> 'active');

-- Ids that were given out since are not given out again: they are on notices and in passes.
-- STMT_RESTORE_SEQUENCES
INSERT INTO main.sqlite_sequence (name, seq)
    SELECT t.name, 0 FROM today.sqlite_sequence AS t WHERE t.name NOT IN (SELECT name FROM main.sqlite_sequence);
UPDATE main.sqlite_sequence SET seq = max(seq, (SELECT t.seq FROM today.sqlite_sequence AS t WHERE t.name = sqlite_sequence.name))
WHERE name IN (SELECT t.name FROM today.sqlite_sequence AS t);

-- STMT_RESTORE_SUSPENDED_TODAY
SELECT s.id, s.name, u.reason, EXISTS (SELECT 1 FROM main.site AS m WHERE m.name = s.name)
FROM today.suspension AS u JOIN today.site AS s ON s.id = u.site_id
WHERE u.closed_at IS NULL ORDER BY s.name;

-- A site that the backup does not know, with what it takes to enable it again one day.
-- STMT_RESTORE_ADD_SITE
INSERT INTO main.site (id, name, homepage, serve_unlicensed, created_at)
SELECT CASE WHEN t.id IN (SELECT id FROM main.site) THEN NULL ELSE t.id END, t.name, t.homepage, t.serve_unlicensed, t.created_at
FROM today.site AS t WHERE t.id = ?1;

-- STMT_RESTORE_ADD_HOLDERS
INSERT INTO main.holder (kind, name, uscc, created_at)
SELECT DISTINCT h.kind, h.name, CASE WHEN h.uscc IN (SELECT uscc FROM main.holder) THEN NULL ELSE h.uscc END, h.created_at
FROM today.site_license AS sl JOIN today.license AS l ON l.id = sl.license_id JOIN today.holder AS h ON h.id = l.holder_id
WHERE sl.site_id = ?1 AND h.name NOT IN (SELECT name FROM main.holder)
  AND l.number NOT IN (SELECT number FROM main.license);

-- STMT_RESTORE_ADD_LICENSES
INSERT INTO main.license (number, holder_id, status, status_at, created_at)
SELECT DISTINCT l.number, (SELECT m.id FROM main.holder AS m WHERE m.name = h.name), l.status, l.status_at, l.created_at
FROM today.site_license AS sl JOIN today.license AS l ON l.id = sl.license_id JOIN today.holder AS h ON h.id = l.holder_id
WHERE sl.site_id = ?1 AND l.number NOT IN (SELECT number FROM main.license);

-- STMT_RESTORE_ADD_NUMBERS
INSERT INTO main.site_license (site_id, license_id, suffix)
SELECT (SELECT m.id FROM main.site AS m WHERE m.name = t.name), (SELECT m.id FROM main.license AS m WHERE m.number = l.number),
       sl.suffix
FROM today.site_license AS sl JOIN today.license AS l ON l.id = sl.license_id JOIN today.site AS t ON t.id = sl.site_id
WHERE sl.site_id = ?1;

-- Its host names of today are its again: those of nobody, and those that the backup has under another name.
-- STMT_RESTORE_ADD_HOSTS
INSERT INTO main.host (name, site_id)
SELECT t.name, (SELECT m.id FROM main.site AS m WHERE m.name = ?2) FROM today.host AS t WHERE t.site_id = ?1
ON CONFLICT (name) DO UPDATE SET site_id = excluded.site_id WHERE site_id <> excluded.site_id;

-- STMT_RESTORE_SUSPEND
INSERT INTO main.suspension (id, site_id, reason, opened_at, opened_by)
SELECT CASE WHEN t.id IN (SELECT id FROM main.suspension) THEN NULL ELSE t.id END, m.id, t.reason, t.opened_at, t.opened_by
FROM today.suspension AS t JOIN main.site AS m ON m.name = ?2
WHERE t.site_id = ?1 AND t.closed_at IS NULL
  AND NOT EXISTS (SELECT 1 FROM main.suspension AS o WHERE o.site_id = m.id AND o.closed_at IS NULL);

-- Host names of the backup that today answer under a suspended site's wildcard.
-- STMT_RESTORE_HOSTS
SELECT h.name, m.name FROM main.host AS h JOIN main.site AS m ON m.id = h.site_id;

-- STMT_RESTORE_OWNER_TODAY
SELECT s.name, EXISTS (SELECT 1 FROM today.suspension AS u WHERE u.site_id = s.id AND u.closed_at IS NULL)
FROM today.host AS h JOIN today.site AS s ON s.id = h.site_id WHERE h.name = ?1;

-- STMT_RESTORE_MOVE_HOST
UPDATE main.host SET site_id = (SELECT id FROM main.site WHERE name = ?2) WHERE name = ?1;

-- Rule 8 holds for what was put back, too.
-- STMT_RESTORE_UNLICENSED
SELECT m.name FROM main.site AS m
WHERE NOT m.serve_unlicensed
  AND NOT EXISTS (SELECT 1 FROM main.suspension AS u WHERE u.site_id = m.id AND u.closed_at IS NULL)
  AND NOT EXISTS (SELECT 1 FROM main.site_license AS sl JOIN main.license AS l ON l.id = sl.license_id
                  WHERE sl.site_id = m.id AND l.status = 'active');

-- STMT_RESTORE_SUSPEND_UNLICENSED
INSERT INTO main.suspension (site_id, reason, opened_at, opened_by)
SELECT id, 'unlicensed', ?2, ?3 FROM main.site WHERE name = ?1;

-- STMT_RESTORE_SUSPENDED_BY_LOG
-- Of a private.db alone: the sites whose last word in the log is a suspension.
SELECT subject, json_extract(after, '$.reason') FROM event
WHERE action = 'site.suspend'
    AND id IN (SELECT max(id) FROM event WHERE action IN ('site.suspend', 'site.enable', 'site.remove') GROUP BY subject)
ORDER BY id;

-- STMT_RESTORE_SUSPEND_LOGGED
INSERT INTO main.suspension (site_id, reason, opened_at, opened_by)
SELECT id, ?2, ?3, ?4 FROM main.site
WHERE name = ?1 AND NOT EXISTS (SELECT 1 FROM main.suspension WHERE site_id = site.id AND closed_at IS NULL);

-- STMT_RESTORE_SITE_KNOWN
SELECT 1 FROM main.site WHERE name = ?1;
