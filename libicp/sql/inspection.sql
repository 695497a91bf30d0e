-- What icpadmin's own looks found: one row for a run of the same verdict.

-- STMT_INSPECTION_INSERT
INSERT INTO inspection (site_id, verdict, reason, detail, first_at, last_at) VALUES (?1, ?2, ?3, ?4, ?5, ?5)

-- STMT_INSPECTION_AGAIN
UPDATE inspection SET reason = ?2, detail = ?3, first_at = min(first_at, ?4), last_at = ?4, looks = looks + 1 WHERE id = ?1

-- STMT_INSPECTION_NEWEST
SELECT id, verdict, reason, detail, first_at, last_at, looks FROM inspection WHERE site_id = ?1 ORDER BY id DESC LIMIT 1

-- STMT_INSPECTION_OF_SITE
SELECT site.id, inspection.id, inspection.verdict, inspection.reason, inspection.last_at,
    (SELECT count(*) FROM suspension WHERE site_id = site.id AND closed_at IS NOT NULL)
FROM site LEFT JOIN inspection ON inspection.id = (SELECT max(id) FROM inspection WHERE site_id = site.id)
WHERE site.name = ?1
