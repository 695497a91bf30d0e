-- Sites, their host names and the numbers they must show.

-- STMT_SITE_INSERT
INSERT INTO site (name, homepage, serve_unlicensed, created_at) VALUES (?1, ?2, ?3, ?4)

-- STMT_SITE_UPDATE
UPDATE site SET homepage = ?2, serve_unlicensed = ?3 WHERE id = ?1

-- STMT_SITE_DELETE
DELETE FROM site WHERE id = ?1

-- STMT_SITE_FIND
SELECT id FROM site WHERE name = ?1

-- STMT_SITE_FIND_BY_HOST
SELECT site_id FROM host WHERE name = ?1

-- STMT_SITE_BY_ID
SELECT site.id, site.name, site.homepage, site.serve_unlicensed, site.created_at,
    suspension.id, suspension.reason, suspension.opened_at, suspension.opened_by,
    inspection.verdict, inspection.last_at, suspension.pass_epoch,
    (SELECT count(*) FROM suspension WHERE site_id = ?1 AND closed_at IS NOT NULL)
FROM site
    LEFT JOIN suspension ON suspension.site_id = site.id AND suspension.closed_at IS NULL
    LEFT JOIN inspection ON inspection.id = (SELECT max(id) FROM inspection WHERE site_id = ?1)
WHERE site.id = ?1

-- STMT_SITE_IDS
SELECT id FROM site
WHERE ?1 IS NULL OR ?1 = EXISTS (SELECT 1 FROM suspension WHERE site_id = site.id AND closed_at IS NULL)
ORDER BY name

-- STMT_SITE_HOSTS
SELECT name FROM host WHERE site_id = ?1 ORDER BY name GLOB '[*].*', name

-- STMT_SITE_NUMBERS
SELECT license.number || CASE suffix WHEN 0 THEN '' ELSE '-' || suffix END, license.status = 'active'
FROM site_license CROSS JOIN license ON license.id = site_license.license_id
WHERE site_license.site_id = ?1
ORDER BY license.number, suffix

-- STMT_SITE_LICENSE_ACTIVE
SELECT site_license.suffix FROM site_license JOIN license ON license.id = site_license.license_id
WHERE site_license.site_id = ?1 AND license.number = ?2 AND license.status = 'active'

-- STMT_HOST_INSERT
INSERT INTO host (name, site_id) VALUES (?1, ?2)

-- STMT_HOST_DELETE
DELETE FROM host WHERE name = ?1 AND site_id = ?2

-- STMT_HOST_OWNER
SELECT site.name, site.id,
    EXISTS (SELECT 1 FROM suspension WHERE suspension.site_id = site.id AND suspension.closed_at IS NULL)
FROM host JOIN site ON site.id = host.site_id
WHERE host.name = ?1

-- STMT_HOST_WILDCARDS
SELECT EXISTS (SELECT 1 FROM host WHERE name >= '*.' AND name < '*/')

-- STMT_SITE_LICENSE_INSERT
INSERT INTO site_license (site_id, license_id, suffix) VALUES (?1, ?2, ?3)

-- STMT_SITE_LICENSE_DELETE
DELETE FROM site_license WHERE site_id = ?1 AND license_id = ?2 AND suffix = ?3
