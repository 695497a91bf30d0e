#include "error.h"

#include <errno.h>
#include <stdarg.h>

#include <apr_errno.h>
#include <apr_strings.h>

static icp_error_t *make(apr_pool_t *pool, icp_status_e status, const char *remedy, const char *message)
{
    icp_error_t *error = apr_pcalloc(pool, sizeof *error);
    error->status = status;
    error->message = message;
    error->remedy = remedy ? apr_pstrdup(pool, remedy) : NULL;
    return error;
}

icp_error_t *icp_error(apr_pool_t *pool, icp_status_e status, const char *remedy, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    const char *message = apr_pvsprintf(pool, format, args);
    va_end(args);
    return make(pool, status, remedy, message);
}

icp_error_t *icp_error_os(apr_pool_t *pool, apr_status_t rv, const char *format, ...)
{
    char text[160];
    va_list args;
    va_start(args, format);
    const char *message = apr_pvsprintf(pool, format, args);
    va_end(args);

    icp_status_e status = ICP_FAULT;
    if (APR_STATUS_IS_EACCES(rv) || rv == EPERM) {
        status = ICP_DENIED;
    }
    else if (APR_STATUS_IS_ENOENT(rv)) {
        status = ICP_NOT_FOUND;
    }
    message = apr_pstrcat(pool, message, ": ", apr_strerror(rv, text, sizeof text), NULL);
    return make(pool, status, rv == EROFS ? ICP_REMEDY_READ_ONLY : APR_STATUS_IS_ENOSPC(rv) ? ICP_REMEDY_FULL : NULL, message);
}

icp_error_t *icp_error_about(icp_error_t *error, const char *field)
{
    if (error && !error->field) error->field = field;
    return error;
}
