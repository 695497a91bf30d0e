-- The words of a change, of the swap and of what has to be known before either.

-- STMT_CHANGE_BEGIN
BEGIN IMMEDIATE;

-- STMT_CHANGE_COMMIT
COMMIT;

-- STMT_CHANGE_ROLLBACK
ROLLBACK;

-- STMT_READ_BEGIN
BEGIN;

-- STMT_ATTACH_PRIVATE
ATTACH DATABASE ?1 AS private;

-- STMT_CONNECTION_SETTINGS
PRAGMA main.synchronous = EXTRA;
PRAGMA private.synchronous = EXTRA;
PRAGMA private.secure_delete = ON;
PRAGMA cache_spill = OFF;

-- STMT_JOURNAL_SETTINGS
PRAGMA main.journal_mode = DELETE;
PRAGMA private.journal_mode = DELETE;

-- STMT_SWAP_PENDING
SELECT pending_swap FROM private.state JOIN main.state AS seen_together ON 1;

-- STMT_SWAP_MARK
UPDATE private.state SET pending_swap = 1;

-- private.db opened by itself:

-- STMT_SWAP_HAS_STATE
SELECT 1 FROM main.sqlite_schema WHERE name = 'state';

-- STMT_SWAP_PENDING_ALONE
SELECT pending_swap FROM main.state;

-- STMT_SWAP_CLEAR_ALONE
UPDATE main.state SET pending_swap = 0;
