-- Messages, as they are posted.

-- STMT_MESSAGE_POST
INSERT INTO private.outbox (posted_at, way, event, subject, recipient, facts, next_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?1)

-- STMT_MESSAGE_HOLDERS
SELECT DISTINCT contact.email
FROM site_license JOIN license ON license.id = site_license.license_id
    JOIN private.contact ON contact.holder_id = license.holder_id
WHERE site_license.site_id = ?1 AND contact.email <> ''
ORDER BY contact.email
