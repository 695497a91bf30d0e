-- What the provider has decided.

-- STMT_POLICY_GET
SELECT value FROM policy WHERE name = ?1

-- STMT_POLICY_SET
INSERT INTO policy (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = excluded.value

-- STMT_POLICY_UNSET
DELETE FROM policy WHERE name = ?1
