#include "license_number.h"

#include <string.h>

#include <apr_lib.h>
#include <apr_strings.h>

#include "text.h"

icp_error_t *icp_license_parse(icp_number_t **parsed, const char *number, apr_pool_t *pool)
{
    const char *shown = icp_text_printable(number, 120, pool);
    icp_number_t *found = icp_number_parse(number, pool);
    *parsed = found;
    if ((found->marks & ICP_MARK_PLACEHOLDER) || found->reason == ICP_REASON_PLACEHOLDER) {
        return icp_error(pool, ICP_REFUSED, "copy the number from the authority's notice",
                         "'%s' is a placeholder, not a number that was issued", shown);
    }
    switch (found->kind) {
    case ICP_NUMBER_FILING:
    case ICP_NUMBER_PERMIT:
    case ICP_NUMBER_TELECOM:
        return NULL;
    case ICP_NUMBER_POLICE:
        return icp_error(pool, ICP_USAGE, "give the ICP number, such as 沪ICP备05012345号-1",
                         "'%s' is a police number (公安网备), which is no ICP number", shown);
    case ICP_NUMBER_NONE:
        break;
    }
    /* A sentence becomes the end of one. */
    char *reason = apr_pstrdup(pool, icp_number_reason_text(found->reason));
    apr_size_t length = strlen(reason);
    if (length && reason[length - 1] == '.') reason[length - 1] = '\0';
    *reason = apr_tolower(*reason);
    return icp_error(pool, ICP_USAGE, "write it as on the authority's notice, such as 沪ICP备05012345号-1",
                     "'%s' is no ICP number: %s", shown, reason);
}
