-- How long a site has been failing, and what else decides whether it is suspended for that.

-- STMT_STREAK_STANDING
SELECT site.id, suspension.reason, inspection.verdict, inspection.reason, inspection.detail, inspection.last_at,
    EXISTS (SELECT 1 FROM site_license JOIN license ON license.id = site_license.license_id
            WHERE site_license.site_id = site.id AND license.status = 'active'),
    coalesce(streak.looks, 0), streak.since_at, streak.warned_at
FROM site
    LEFT JOIN suspension ON suspension.site_id = site.id AND suspension.closed_at IS NULL
    LEFT JOIN inspection ON inspection.id = (SELECT max(id) FROM inspection WHERE site_id = site.id)
    LEFT JOIN streak ON streak.site_id = site.id
WHERE site.name = ?1

-- STMT_STREAK_GROW
INSERT INTO streak (site_id, looks, since_at, newest_at) VALUES (?1, 1, ?2, ?2)
ON CONFLICT (site_id) DO UPDATE SET looks = looks + 1, since_at = min(since_at, ?2), newest_at = max(newest_at, ?2)

-- STMT_STREAK_WARNED
UPDATE streak SET warned_at = ?2 WHERE site_id = ?1

-- STMT_STREAK_END
DELETE FROM streak WHERE site_id = (SELECT id FROM site WHERE name = ?1)
