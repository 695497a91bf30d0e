-- Evidence: rows of failing looks.

-- STMT_EVIDENCE_INSERT
INSERT INTO private.evidence (site, at, url, address, status, headers, verdict, detail, sha256, bytes, file, kept)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)

-- STMT_EVIDENCE_LOOKS
SELECT looks FROM inspection WHERE site_id = (SELECT id FROM site WHERE name = ?1) ORDER BY id DESC LIMIT 1

-- STMT_EVIDENCE_OF_SITE
SELECT id, site, at, url, address, status, headers, verdict, detail, sha256, bytes, file, kept
FROM private.evidence WHERE site = ?1 ORDER BY id

-- STMT_EVIDENCE_FILES
SELECT file, max(kept), min(site), min(at), count(*) FROM private.evidence WHERE file <> '' GROUP BY file ORDER BY min(id)

-- STMT_EVIDENCE_REFERRED
SELECT 1 FROM private.evidence WHERE file = ?1 LIMIT 1

-- STMT_EVIDENCE_EXPIRE
-- The newest look before an open suspension is kept: it is the ground of it.
DELETE FROM private.evidence
WHERE at < ?1
  AND id NOT IN (SELECT (SELECT max(e.id) FROM private.evidence AS e WHERE e.site = site.name AND e.at <= suspension.opened_at)
                 FROM suspension JOIN site ON site.id = suspension.site_id
                 WHERE suspension.closed_at IS NULL
                   AND EXISTS (SELECT 1 FROM private.evidence AS e WHERE e.site = site.name AND e.at <= suspension.opened_at))

-- STMT_EVIDENCE_FORGET
UPDATE private.evidence SET file = '', kept = 0 WHERE file = ?1

-- STMT_EVIDENCE_TOTALS
SELECT count(*), count(DISTINCT nullif(file, '')), coalesce(sum(file = ''), 0), coalesce(min(at), 0) FROM private.evidence
