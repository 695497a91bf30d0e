/* Suspending many sites in one transaction, each with an answer of its own. */
#ifndef ICP_SUSPEND_H
#define ICP_SUSPEND_H

#include "command.h"
#include "site.h"

typedef struct icp_suspend_t {
    const char *site; /* as given; then its name */
    const char *reason;
    icp_suspension_t *suspension; /* what was opened; NULL: refused */
    icp_error_t *error;           /* why */
    const char *verdict;          /* of the newest look at it, "" if there is none */
} icp_suspend_t;

/* Opens what can be opened. What is refused or not on file has its error in its answer, printed on standard error and
 * counted into cli->status; any other error is returned, and then nothing was changed. */
icp_error_t *icp_suspend_all(icp_cli_t *cli, icp_suspend_t *answers, int count, const char *note);

/* {"site","suspended","reason","case","error"} */
json_t *icp_suspend_json(const icp_suspend_t *answer);

#endif
