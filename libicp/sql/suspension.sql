-- Suspensions.

-- STMT_SUSPENSION_OPEN
INSERT INTO suspension (site_id, reason, opened_at, opened_by) VALUES (?1, ?2, ?3, ?4)

-- STMT_SUSPENSION_CLOSE
UPDATE suspension SET closed_at = ?2, closed_by = ?3 WHERE id = ?1 AND closed_at IS NULL

-- STMT_SUSPENSION_HISTORY
SELECT id, reason, opened_at, opened_by, closed_at, closed_by FROM suspension WHERE site_id = ?1 ORDER BY id
