-- Applications, their submissions and their documents.

-- STMT_APPLICATION_INSERT
INSERT INTO private.application (kind, state, holder_key, holder, form, token, email, language, province, reasons, created_at,
    state_at, due_from)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?12)

-- STMT_APPLICATION_STEP
UPDATE private.application SET state = ?2, state_at = ?3, due_from = ?4, reasons = ?5, number = ?6, untold = untold + 1
WHERE id = ?1

-- STMT_APPLICATION_FORM
UPDATE private.application SET form = ?2, holder_key = ?3, holder = ?4, email = ?5, language = ?6, province = ?7 WHERE id = ?1

-- STMT_APPLICATION_BY_ID
SELECT id, kind, state, holder, form, token, email, language, province, reasons, number, created_at, state_at, due_from, untold,
    purged_at
FROM private.application WHERE id = ?1

-- STMT_APPLICATION_BY_TOKEN
SELECT id FROM private.application WHERE token = ?1

-- STMT_APPLICATION_OPEN_OF
SELECT id FROM private.application
WHERE holder_key = ?1 AND state NOT IN ('approved', 'withdrawn', 'expired', 'refused')

-- By the index of states, which is small, and not past everybody's form: hence the sign before id.
-- STMT_APPLICATION_IDS
SELECT id FROM private.application
WHERE (?1 IS NULL OR state = ?1) AND (?2 OR state NOT IN ('approved', 'withdrawn', 'expired', 'refused'))
ORDER BY +id

-- STMT_APPLICATION_IN_STATE_SINCE
SELECT id FROM private.application WHERE state = ?1 AND state_at < ?2 ORDER BY state_at

-- STMT_APPLICATION_UNTOLD
SELECT id FROM private.application WHERE untold > 0 ORDER BY id LIMIT ?1

-- STMT_APPLICATION_TOLD
UPDATE private.application SET untold = 0 WHERE id = ?1 AND untold = ?2

-- STMT_APPLICATION_TO_PURGE
SELECT id FROM private.application
WHERE state IN ('approved', 'withdrawn', 'expired', 'refused') AND state_at < ?1 AND purged_at IS NULL ORDER BY id

-- STMT_APPLICATION_PURGE
UPDATE private.application
SET form = '', token = '-' || id, email = '', holder_key = '', holder = ?3, untold = 0, purged_at = ?2
WHERE id = ?1

-- STMT_APPLICATION_PURGE_DOCUMENTS
DELETE FROM private.document WHERE application_id = ?1

-- STMT_APPLICATION_PURGE_MESSAGES
DELETE FROM private.outbox WHERE subject = ?1

-- STMT_SUBMISSION_FIND
SELECT 1 FROM private.submission WHERE id = ?1

-- STMT_SUBMISSION_INSERT
INSERT INTO private.submission (id, application_id, taken_at) VALUES (?1, nullif(?2, 0), ?3)

-- STMT_APPLICATION_DOCUMENT_INSERT
INSERT INTO private.document (application_id, kind, name, type, bytes, sha256, added_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)

-- STMT_APPLICATION_DOCUMENT_SUPERSEDE
DELETE FROM private.document WHERE application_id = ?1 AND kind = ?2

-- STMT_APPLICATION_DOCUMENTS
SELECT kind, name, type, bytes, sha256, added_at FROM private.document WHERE application_id = ?1 ORDER BY kind, id
