-- What must hold in a register that is well.

-- STMT_DOCTOR_INTEGRITY
SELECT c.integrity_check FROM pragma_integrity_check AS c WHERE c.schema = ?1 AND c.integrity_check <> 'ok' LIMIT 1;

-- STMT_DOCTOR_FOREIGN_KEYS
SELECT 'a row of ' || f."table" || ' belongs to nothing in ' || f.parent FROM pragma_foreign_key_check AS f LIMIT 1;

-- STMT_DOCTOR_SITE_WITHOUT_HOST
SELECT name FROM main.site WHERE id NOT IN (SELECT site_id FROM main.host) ORDER BY name LIMIT 20;

-- STMT_DOCTOR_SITE_WITHOUT_LICENSE
SELECT s.name FROM main.site AS s
WHERE NOT s.serve_unlicensed
  AND NOT EXISTS (SELECT 1 FROM main.suspension AS u WHERE u.site_id = s.id AND u.closed_at IS NULL)
  AND NOT EXISTS (SELECT 1 FROM main.site_license AS sl JOIN main.license AS l ON l.id = sl.license_id
                  WHERE sl.site_id = s.id AND l.status = 'active')
ORDER BY s.name LIMIT 20;
