-- Licenses.

-- STMT_LICENSE_INSERT
INSERT INTO license (number, holder_id, status, status_at, created_at) VALUES (?1, ?2, ?3, ?4, ?4)

-- STMT_LICENSE_STATUS
UPDATE license SET status = ?2, status_at = ?3 WHERE id = ?1

-- STMT_LICENSE_HOLDER
UPDATE license SET holder_id = ?2 WHERE id = ?1

-- STMT_LICENSE_DELETE
DELETE FROM license WHERE id = ?1

-- STMT_LICENSE_FIND
SELECT id, status = 'active' FROM license WHERE number = ?1

-- STMT_LICENSE_BY_ID
SELECT license.id, license.number, holder.name, holder.uscc, license.status, license.status_at, license.created_at,
    (SELECT count(DISTINCT site_id) FROM site_license WHERE license_id = license.id)
FROM license JOIN holder ON holder.id = license.holder_id
WHERE license.id = ?1

-- STMT_LICENSE_IDS
SELECT id FROM license ORDER BY number

-- STMT_LICENSE_SITES_LEFT
-- Open sites of a license that have no active one.
SELECT site.name FROM site
WHERE site.id IN (SELECT site_id FROM site_license WHERE license_id = ?1)
    AND NOT EXISTS (SELECT 1 FROM site_license JOIN license ON license.id = license_id
                    WHERE site_id = site.id AND license.status = 'active')
    AND NOT EXISTS (SELECT 1 FROM suspension WHERE site_id = site.id AND closed_at IS NULL)
ORDER BY site.name
