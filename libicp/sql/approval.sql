-- What an approval looks for before it writes.

-- STMT_APPROVAL_NUMBER_SITES
-- Sites that have this very website number.
SELECT site.name FROM site_license JOIN license ON license.id = license_id JOIN site ON site.id = site_id
WHERE license.number = ?1 AND suffix = ?2 ORDER BY site.name

-- STMT_APPROVAL_OTHER_HOLDER
-- An active number that the site has from another holder.
SELECT CASE suffix WHEN 0 THEN license.number ELSE license.number || '-' || suffix END, holder.name
FROM site_license JOIN license ON license.id = license_id JOIN holder ON holder.id = holder_id
WHERE site_id = ?1 AND status = 'active' AND holder.name <> ?2 LIMIT 1
