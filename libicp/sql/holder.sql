-- Holders, with their contacts, which only staff may read.

-- STMT_HOLDER_INSERT
INSERT INTO holder (kind, name, uscc, created_at) VALUES (?1, ?2, ?3, ?4)

-- STMT_HOLDER_UPDATE
UPDATE holder SET kind = ?2, name = ?3, uscc = ?4 WHERE id = ?1

-- STMT_HOLDER_CONTACT
INSERT INTO private.contact (holder_id, name, email, phone) VALUES (?1, ?2, ?3, ?4)
ON CONFLICT (holder_id) DO UPDATE SET name = excluded.name, email = excluded.email, phone = excluded.phone

-- STMT_HOLDER_FIND
SELECT id FROM holder WHERE name = ?1 UNION ALL SELECT id FROM holder WHERE uscc = ?2 LIMIT 1

-- STMT_HOLDER_BY_ID
SELECT holder.id, holder.kind, holder.name, holder.uscc, holder.created_at,
    coalesce(contact.name, ''), coalesce(contact.email, ''), coalesce(contact.phone, ''),
    (SELECT count(*) FROM license WHERE license.holder_id = holder.id)
FROM holder LEFT JOIN private.contact ON contact.holder_id = holder.id
WHERE holder.id = ?1

-- STMT_HOLDER_IDS
SELECT id FROM holder ORDER BY name
