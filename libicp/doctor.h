/* What `icpadmin doctor` looks at: owners and modes, the room on the disk, both databases, the audit log, kept evidence,
 * what a crash left, who is in the way. */
#ifndef ICP_DOCTOR_H
#define ICP_DOCTOR_H

#include <apr_tables.h>

#include "register.h"

typedef struct icp_check_t {
    const char *name;    /* "files", "pass.key", "register.db" …; several checks may have one name */
    int ok;
    const char *message; /* what was found */
    const char *remedy;  /* NULL where it is well */
} icp_check_t;

/* Every check in turn: *checks (icp_check_t). A register that cannot be opened is one that failed, not an error. Opening it
 * completes what was interrupted; with `repair` a missing bell is made anew. Nothing else is changed. */
icp_error_t *icp_doctor(apr_array_header_t **checks, const char *path, const char *actor, int repair, apr_pool_t *pool);

#endif
