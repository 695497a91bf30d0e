-- Schema 2, passes: those made under an older epoch of their site open nothing.

-- STMT_SCHEMA_2_PASS
ALTER TABLE site ADD COLUMN pass_epoch INTEGER NOT NULL DEFAULT 0;
