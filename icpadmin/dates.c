#include "dates.h"

#include <apr_strings.h>

#include "output.h"
#include "policy.h"

icp_error_t *icp_dates_calendar(icp_calendar_t **calendar, const icp_cli_t *cli)
{
    const char *file;
    ICP_TRY(icp_policy_text(&file, NULL, cli->reg, ICP_POLICY_HOLIDAYS, cli->pool));
    icp_error_t *error = icp_calendar_load(calendar, file, cli->pool);
    if (error) icp_warn(cli, "%s: only weekends count as days off", error->message);
    return NULL;
}

const char *icp_dates_text(icp_day_t day, int estimated, apr_pool_t *pool)
{
    return apr_pstrcat(pool, estimated ? "about " : "", icp_day_text(day, pool), NULL);
}
