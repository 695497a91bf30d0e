-- What the audit log alone does not tell of a month.

-- STMT_REPORT_COUNT_LOOK
INSERT INTO private.look_count (month, site, looks) VALUES (strftime('%Y-%m', ?2, 'unixepoch', 'localtime'), ?1, 1)
ON CONFLICT (month, site) DO UPDATE SET looks = looks + 1

-- STMT_REPORT_LOOKS
SELECT site, looks FROM private.look_count WHERE month = ?1 ORDER BY site

-- STMT_REPORT_SITES
SELECT name, created_at FROM site WHERE created_at < ?1 ORDER BY name

-- STMT_REPORT_SUSPENSIONS
SELECT suspension.id, site.name, reason, opened_at, opened_by, closed_at, closed_by
FROM suspension JOIN site ON site.id = suspension.site_id WHERE opened_at < ?1 ORDER BY suspension.id

-- STMT_REPORT_WARNING_MAILS
SELECT count(*), coalesce(max(CASE state WHEN 'sent' THEN state_at END), 0) FROM private.outbox
WHERE subject = ?1 AND event = 'site.warned' AND way = 'mail' AND posted_at = ?2
