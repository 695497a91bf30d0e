-- Passes given to owners.

-- STMT_PASS_INSERT
INSERT INTO private.pass (suspension_id, epoch, given_at, given_by, until_at, note) VALUES (?1, ?2, ?3, ?4, ?5, ?6)

-- STMT_PASS_EXPIRE
DELETE FROM private.pass WHERE until_at <= ?1

-- STMT_PASS_REVOKE
UPDATE suspension SET pass_epoch = (pass_epoch + 1) & 4294967295 WHERE id = ?1

-- STMT_PASS_COUNT
SELECT count(*) FROM private.pass WHERE suspension_id = ?1 AND epoch = ?2 AND until_at > ?3

-- STMT_PASS_LIST
SELECT site.name, pass.suspension_id, pass.given_at, pass.given_by, pass.until_at, pass.note
FROM private.pass
    JOIN suspension ON suspension.id = pass.suspension_id AND suspension.pass_epoch = pass.epoch AND suspension.closed_at IS NULL
    JOIN site ON site.id = suspension.site_id
WHERE pass.until_at > ?1 AND (?2 IS NULL OR site.id = ?2)
ORDER BY pass.until_at, pass.id

-- STMT_PASS_EPOCHS_ANEW
UPDATE suspension SET pass_epoch = random() & 4294967295 WHERE closed_at IS NULL
