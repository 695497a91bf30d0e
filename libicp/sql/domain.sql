-- .cn registrations and their documents.

-- STMT_DOMAIN_INSERT
INSERT INTO private.domain (name, registrant, kind, email, state, added_at, state_at) VALUES (?1, ?2, ?3, ?4, 'wanted', ?5, ?5)

-- STMT_DOMAIN_GET
SELECT id, name, registrant, kind, email, state, reasons, added_at, state_at, reminded_at FROM private.domain WHERE name = ?1

-- STMT_DOMAIN_IDS
SELECT id FROM private.domain ORDER BY name

-- STMT_DOMAIN_NAME
SELECT name FROM private.domain WHERE id = ?1

-- STMT_DOMAIN_EDIT
UPDATE private.domain SET registrant = ?2, kind = ?3, email = ?4 WHERE id = ?1

-- STMT_DOMAIN_STATE
UPDATE private.domain SET state = ?2, reasons = ?3, state_at = ?4, reminded_at = NULL WHERE id = ?1

-- STMT_DOMAIN_REMINDED
UPDATE private.domain SET reminded_at = ?2 WHERE id = ?1

-- STMT_DOMAIN_DELETE
DELETE FROM private.domain WHERE id = ?1

-- STMT_DOMAIN_DOCUMENTS
SELECT kind, name, type, bytes, sha256, added_at, refused FROM private.domain_document WHERE domain_id = ?1

-- STMT_DOMAIN_DOCUMENT_PUT
INSERT INTO private.domain_document (domain_id, kind, name, type, bytes, sha256, added_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
ON CONFLICT (domain_id, kind) DO UPDATE SET name = excluded.name, type = excluded.type, bytes = excluded.bytes,
    sha256 = excluded.sha256, added_at = excluded.added_at, refused = 0

-- STMT_DOMAIN_DOCUMENT_REFUSE
UPDATE private.domain_document SET refused = 1 WHERE domain_id = ?1 AND (?2 IS NULL OR kind = ?2)

-- STMT_DOMAIN_DOCUMENTS_DROP
DELETE FROM private.domain_document WHERE domain_id = ?1
