-- Messages: posted, sent, looked at.

-- STMT_MESSAGE_POST
INSERT INTO private.outbox (posted_at, way, event, subject, recipient, facts, next_at, state_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?1, ?1)

-- STMT_MESSAGE_HOLDERS
SELECT DISTINCT contact.email
FROM site_license JOIN license ON license.id = site_license.license_id
    JOIN private.contact ON contact.holder_id = license.holder_id
WHERE site_license.site_id = ?1 AND contact.email <> ''
ORDER BY contact.email

-- What is put off for longer than a pause can be (?5) was put off by a clock that has been set back since.
-- STMT_OUTBOX_DUE
SELECT id FROM private.outbox INDEXED BY outbox_waiting
WHERE state = 'waiting' AND (next_at <= ?1 OR next_at > ?5) AND (way <> 'mail' OR ?2) AND (way <> 'event' OR ?3)
ORDER BY next_at, id LIMIT ?4

-- STMT_OUTBOX_IDS
SELECT id FROM private.outbox
WHERE (?1 OR state IN ('waiting', 'given-up')) AND (?2 IS NULL OR subject = ?2)
ORDER BY id

-- STMT_OUTBOX_GET
SELECT id, posted_at, way, event, subject, recipient, facts, attempts, next_at, fault, state, state_at FROM private.outbox WHERE id = ?1

-- STMT_OUTBOX_SENT
UPDATE private.outbox SET state = 'sent', state_at = ?2, attempts = attempts + 1, fault = '' WHERE id = ?1 AND state = 'waiting'

-- STMT_OUTBOX_FAILED
UPDATE private.outbox SET attempts = attempts + 1, fault = ?2, next_at = ?3 WHERE id = ?1 AND state = 'waiting'

-- STMT_OUTBOX_GIVE_UP
UPDATE private.outbox SET state = 'given-up', state_at = ?3, attempts = attempts + 1, fault = ?2 WHERE id = ?1 AND state = 'waiting'

-- STMT_OUTBOX_RETRY
UPDATE private.outbox SET state = 'waiting', state_at = ?2, next_at = ?2, attempts = 0, recipient = coalesce(?3, recipient) WHERE id = ?1

-- STMT_OUTBOX_DROP
UPDATE private.outbox SET state = 'dropped', state_at = ?2 WHERE id = ?1

-- STMT_OUTBOX_PRUNE
DELETE FROM private.outbox WHERE state IN ('sent', 'dropped') AND state_at < ?1

-- STMT_OUTBOX_GIVEN_UP
SELECT id FROM private.outbox WHERE state = 'given-up' ORDER BY id

-- STMT_OUTBOX_COUNT
SELECT count(*), coalesce(min(posted_at), 0) FROM private.outbox WHERE state = ?1 AND way = ?2

-- STMT_OUTBOX_STALLED
SELECT posted_at, fault FROM private.outbox
WHERE state = 'waiting' AND way = ?1 AND posted_at < ?2
    AND posted_at > coalesce((SELECT max(state_at) FROM private.outbox WHERE state = 'sent' AND way = ?1), 0)
ORDER BY id LIMIT 1
