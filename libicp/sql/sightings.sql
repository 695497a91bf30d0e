-- sightings.db: one row per site, written by the worker user.

-- STMT_SIGHTINGS_CREATE
CREATE TABLE IF NOT EXISTS sighting (
    site    TEXT    NOT NULL PRIMARY KEY,
    verdict TEXT    NOT NULL,
    detail  TEXT    NOT NULL,
    at      INTEGER NOT NULL
) WITHOUT ROWID

-- STMT_SIGHTINGS_BEGIN
BEGIN IMMEDIATE

-- STMT_SIGHTINGS_COMMIT
COMMIT

-- One of a time that is yet to come (?5 is now) is from before the clock was set back.
-- STMT_SIGHTINGS_PUT
INSERT INTO sighting (site, verdict, detail, at) VALUES (?1, ?2, ?3, ?4)
ON CONFLICT (site) DO UPDATE SET verdict = excluded.verdict, detail = excluded.detail, at = excluded.at
WHERE excluded.at >= sighting.at OR sighting.at > ?5

-- STMT_SIGHTINGS_SHAPE
-- Only a plain table is read: a view, a virtual table or a computed column in its place would run what a stranger wrote.
SELECT count(*) FROM sqlite_schema WHERE name = 'sighting' AND type = 'table' AND sql LIKE 'CREATE TABLE%' AND sql NOT LIKE '%AS%'

-- STMT_SIGHTINGS_READ
SELECT site, verdict, detail, at FROM sighting WHERE ?1 IS NULL OR site = ?1 ORDER BY site
