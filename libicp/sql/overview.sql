-- Counts, and where each site stands.

-- STMT_OVERVIEW_TOTALS
SELECT (SELECT count(*) FROM holder), (SELECT count(*) FROM site), (SELECT count(*) FROM host), (SELECT count(*) FROM private.event),
       (SELECT coalesce(max(last_at), 0) FROM inspection), (SELECT coalesce(min(created_at), 0) FROM site);

-- STMT_OVERVIEW_LICENSES
SELECT status, count(*) FROM license GROUP BY status ORDER BY status;

-- STMT_OVERVIEW_SUSPENDED
SELECT reason, count(*) FROM suspension WHERE closed_at IS NULL GROUP BY reason ORDER BY reason;

-- STMT_OVERVIEW_VERDICTS
SELECT coalesce((SELECT verdict FROM inspection WHERE site_id = site.id ORDER BY id DESC LIMIT 1), 'never') AS word, count(*)
  FROM site GROUP BY word ORDER BY word;

-- STMT_OVERVIEW_APPLICATIONS
SELECT state, count(*) FROM private.application WHERE state NOT IN ('approved', 'withdrawn', 'expired', 'refused')
 GROUP BY state ORDER BY state;

-- STMT_OVERVIEW_OUTBOX
SELECT state, count(*) FROM private.outbox WHERE state IN ('waiting', 'given-up') GROUP BY state ORDER BY state;

-- STMT_OVERVIEW_NAMES
SELECT name FROM site WHERE ?1 = 0 OR id IN (SELECT site_id FROM site_license WHERE license_id = ?1) ORDER BY name;

-- STMT_OVERVIEW_CASE
SELECT site.name FROM suspension JOIN site ON site.id = suspension.site_id WHERE suspension.id = ?1;

-- STMT_STANDINGS
SELECT site.name, suspension.reason, suspension.opened_at, inspection.verdict, inspection.reason, inspection.detail,
       inspection.first_at, inspection.last_at, site.serve_unlicensed,
       (SELECT count(*) FROM site_license JOIN license ON license.id = license_id
         WHERE site_id = site.id AND license.status = 'active'), site.created_at,
       (SELECT max(at) FROM private.event WHERE subject = site.name AND action IN ('site.review', 'site.enable')),
       (SELECT min(license.number || CASE suffix WHEN 0 THEN '' ELSE '-' || suffix END)
          FROM site_license JOIN license ON license.id = license_id WHERE site_id = site.id AND license.status = 'active'),
       (SELECT json_extract(after, '$.sighting') FROM private.event
         WHERE id = (SELECT max(id) FROM private.event WHERE subject = site.name AND action = 'site.review'))
  FROM site
  LEFT JOIN suspension ON suspension.site_id = site.id AND suspension.closed_at IS NULL
  LEFT JOIN inspection ON inspection.id = (SELECT max(id) FROM inspection WHERE site_id = site.id)
 ORDER BY site.name;
