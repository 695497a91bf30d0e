-- Times in which sites are looked at, but not suspended for what is seen.

-- STMT_EXEMPTION_ADD
INSERT INTO exemption (verdict, from_at, until_at, note, created_at, created_by, site_id)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, nullif(?7, 0))

-- STMT_EXEMPTION_IN_FORCE
SELECT exemption.id, site.name, exemption.verdict, exemption.from_at, exemption.until_at, exemption.note,
    exemption.created_at, exemption.created_by
FROM exemption LEFT JOIN site ON site.id = exemption.site_id
WHERE (exemption.site_id IS NULL OR exemption.site_id = ?1) AND (exemption.verdict IS NULL OR exemption.verdict = ?2)
    AND exemption.from_at <= ?3 AND exemption.until_at > ?3
ORDER BY exemption.until_at DESC, exemption.id LIMIT 1

-- STMT_EXEMPTION_LIST
SELECT exemption.id, site.name, exemption.verdict, exemption.from_at, exemption.until_at, exemption.note,
    exemption.created_at, exemption.created_by
FROM exemption LEFT JOIN site ON site.id = exemption.site_id
WHERE exemption.until_at > ?1 AND (?2 IS NULL OR exemption.site_id IS NULL OR site.name = ?2)
    AND (?3 IS NULL OR exemption.id = ?3)
ORDER BY exemption.until_at, exemption.id

-- STMT_EXEMPTION_REMOVE
DELETE FROM exemption WHERE id = ?1
