-- Sweeps: one row each, from its start to its end.

-- STMT_SWEEP_BEGIN
INSERT INTO sweep (started_at, enforce, total) VALUES (?1, ?2, ?3)

-- STMT_SWEEP_SAVE
UPDATE sweep SET ended_at = nullif(?2, 0), enforce = ?3, total = ?4, done = ?5, compliant = ?6, failing = ?7, for_person = ?8,
    to_suspend = ?9, suspended = ?10, braked = ?11, approved_by = ?12
WHERE id = ?1

-- Those that were left, but for one.
-- STMT_SWEEP_CLOSE
UPDATE sweep SET ended_at = ?2 WHERE ended_at IS NULL AND id <> ?1

-- STMT_SWEEP_NEWEST
SELECT id, started_at, ended_at, enforce, total, done, compliant, failing, for_person, to_suspend, suspended, braked, approved_by
FROM sweep WHERE ?1 = 0 OR enforce = 1 ORDER BY id DESC LIMIT 1

-- STMT_SWEEP_LOOKS
SELECT site.name, inspection.verdict, inspection.reason, inspection.detail, inspection.last_at, suspension.reason
FROM site
    JOIN inspection ON inspection.id = (SELECT max(id) FROM inspection WHERE site_id = site.id)
    LEFT JOIN suspension ON suspension.site_id = site.id AND suspension.closed_at IS NULL
WHERE inspection.last_at BETWEEN ?1 AND ?2
ORDER BY site.name
