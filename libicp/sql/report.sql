-- What the audit log alone does not tell of a month.

-- STMT_REPORT_COUNT_LOOK
INSERT INTO private.look_count (month, site, looks, newest_at) VALUES (strftime('%Y-%m', ?2, 'unixepoch', '+8 hours'), ?1, 1, ?2)
ON CONFLICT (month, site) DO UPDATE SET looks = looks + 1, newest_at = max(newest_at, excluded.newest_at)

-- STMT_REPORT_LOOKS
SELECT site, looks, newest_at FROM private.look_count WHERE month = ?1 ORDER BY site

-- STMT_REPORT_SITES
SELECT name, created_at FROM site WHERE created_at < ?1 ORDER BY name

-- STMT_REPORT_SUSPENSIONS
SELECT suspension.id, site.name, reason, opened_at, opened_by, closed_at, closed_by
FROM suspension JOIN site ON site.id = suspension.site_id WHERE opened_at < ?1 ORDER BY suspension.id

-- Mails of an event and, 0 for none, when the first of them left; as long as the outbox keeps them.
-- STMT_REPORT_MAILS
SELECT count(*), coalesce(min(CASE WHEN state = 'sent' AND state_at < ?4 THEN state_at END), 0) FROM private.outbox
WHERE subject = ?1 AND event = ?2 AND way = 'mail' AND posted_at = ?3
