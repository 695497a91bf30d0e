-- Files of documents: who refers to them.

-- STMT_DOCUMENT_USED
SELECT 1 FROM private.document WHERE sha256 = ?1
UNION ALL SELECT 1 FROM private.domain_document WHERE sha256 = ?1
LIMIT 1
