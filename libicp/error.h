/* Errors as a person meets them: what was wrong, where, and what to do.
 *
 * Every libicp function that can fail returns an `icp_error_t *`, NULL for success, allocated in the
 * pool it was given. The status is the exit status that icpadmin ends with, so that the decision
 * "which kind of failure is this" is taken once, where it is known.
 */
#ifndef ICP_ERROR_H
#define ICP_ERROR_H

#include <apr_pools.h>

typedef enum icp_status_e {
    ICP_DONE = 0,      /* never in an icp_error_t */
    ICP_REFUSED = 1,   /* the answer is no: a rule or a constraint forbids it */
    ICP_USAGE = 2,     /* the caller's input cannot be understood */
    ICP_NOT_FOUND = 3, /* no such site, license, holder, file */
    ICP_DENIED = 4,    /* the operating system or a file mode forbids it */
    ICP_FAULT = 5      /* register or system fault */
} icp_status_e;

typedef struct icp_error_t {
    icp_status_e status;
    int cause;           /* the SQLite result code behind it, 0 if none */
    const char *message; /* what was wrong and where; one sentence, no final stop, no newline */
    const char *remedy;  /* what makes it succeed; NULL if there is nothing to say */
    const char *field;   /* of a record that was given, as imports head their columns: which one it is about; NULL */
} icp_error_t;

/* A new error in `pool`. `remedy` is copied; it may be NULL. */
icp_error_t *icp_error(apr_pool_t *pool, icp_status_e status, const char *remedy, const char *format, ...)
    __attribute__((format(printf, 4, 5), cold));

/* What makes room for what a disk does not take. */
#define ICP_REMEDY_READ_ONLY                                                                                           \
    "see in the kernel's log why its file system is read-only, and mount it for writing again; a systemd unit writes " \
    "where its ReadWritePaths= says"
#define ICP_REMEDY_FULL "make room on its disk"

/* The same from an errno or apr_status_t: its text is appended to the message after a colon; EACCES and
 * EPERM give ICP_DENIED, ENOENT gives ICP_NOT_FOUND, all else ICP_FAULT. EROFS and ENOSPC bring their remedy. */
icp_error_t *icp_error_os(apr_pool_t *pool, apr_status_t rv, const char *format, ...)
    __attribute__((format(printf, 3, 4), cold));

/* `error` itself, NULL or not: about that field, unless it names one already. */
icp_error_t *icp_error_about(icp_error_t *error, const char *field);

#define ICP_TRY(expression)                        \
    do {                                           \
        icp_error_t *icp_try_error = (expression); \
        if (icp_try_error) return icp_try_error;   \
    } while (0)

#endif
