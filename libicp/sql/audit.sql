-- The audit log, and its end as register.db knows it.

-- STMT_AUDIT_TAIL
SELECT state.audit_count, state.audit_head, newest.id, newest.hash
FROM main.state LEFT JOIN (SELECT id, hash FROM private.event ORDER BY id DESC LIMIT 1) AS newest;

-- STMT_AUDIT_INSERT
INSERT INTO private.event (id, at, actor, action, subject, before, after, note, hash)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9);

-- STMT_AUDIT_MOVE_TAIL
UPDATE main.state SET audit_count = ?1, audit_head = ?2;

-- STMT_AUDIT_AFTER
SELECT id, at, actor, action, subject, before, after, note, hash
FROM private.event WHERE id > ?1 ORDER BY id LIMIT ?2;

-- STMT_AUDIT_OF_SUBJECT_AFTER
SELECT id, at, actor, action, subject, before, after, note, hash
FROM private.event WHERE subject = ?3 AND id > ?1 ORDER BY id LIMIT ?2;
