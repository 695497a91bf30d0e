-- What a worker reads of the register: all of it, or site by site where few changed. The three queries over sites take
-- the first and the last id of a range, and give their rows in the order of site ids.

-- STMT_SNAPSHOT_BEGIN
BEGIN

-- STMT_SNAPSHOT_REVISION
SELECT revision, tag FROM gate_change ORDER BY revision DESC LIMIT 1

-- STMT_SNAPSHOT_TAG
SELECT tag FROM gate_change WHERE revision = ?1

-- STMT_SNAPSHOT_CHANGED
SELECT DISTINCT site_id FROM gate_change WHERE revision > ?1 ORDER BY site_id LIMIT ?2

-- STMT_SNAPSHOT_SITES
SELECT site.id, site.name, suspension.id, suspension.reason, suspension.opened_at, suspension.pass_epoch
FROM site LEFT JOIN suspension ON suspension.site_id = site.id AND suspension.closed_at IS NULL
WHERE site.id BETWEEN ?1 AND ?2
ORDER BY site.id

-- STMT_SNAPSHOT_HOSTS
SELECT site_id, name FROM host WHERE site_id BETWEEN ?1 AND ?2 ORDER BY site_id

-- STMT_SNAPSHOT_NUMBERS
SELECT site_license.site_id, license.number || CASE suffix WHEN 0 THEN '' ELSE '-' || suffix END
FROM site_license CROSS JOIN license ON license.id = site_license.license_id AND license.status = 'active'
WHERE site_license.site_id BETWEEN ?1 AND ?2
ORDER BY site_license.site_id, license.number, suffix

-- The same once more, by another way through the file than above.
-- STMT_SNAPSHOT_SUSPENDED_AGAIN
SELECT count(*), coalesce(sum(site_id), 0) FROM suspension INDEXED BY suspension_site
WHERE site_id BETWEEN ?1 AND ?2 AND closed_at IS NULL

-- STMT_SNAPSHOT_HOSTS_AGAIN
SELECT site_id, name FROM host ORDER BY name
