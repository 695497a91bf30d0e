/* The queue's attestations that run out: where a person vouched for a page that fails to the machine, somebody looks again before
 * the policy takes it up. */
#include <string.h>

#include <apr_strings.h>

#include "exemption.h"
#include "output.h"
#include "policy.h"
#include "queue.h"
#include "shell_line.h"
#include "site.h"

#define NOTICE apr_time_from_sec(7 * 86400)

/* Another one that lasts longer covers it. */
static int is_covered(const apr_array_header_t *list, const icp_exemption_t *exemption, apr_time_t limit)
{
    for (int i = 0; i < list->nelts; i++) {
        const icp_exemption_t *other = &APR_ARRAY_IDX(list, i, icp_exemption_t);
        if (other->until < limit || other->from > exemption->until) continue;
        if (other->site && strcmp(other->site, exemption->site)) continue;
        if (!other->verdict || !strcmp(other->verdict, exemption->verdict)) return 1;
    }
    return 0;
}

icp_error_t *icp_queue_exemptions(icp_queue_t *queue, const icp_cli_t *cli)
{
    apr_array_header_t *list;
    apr_int64_t days;
    apr_time_t now = apr_time_now(), limit = now + NOTICE;
    ICP_TRY(icp_policy_number(&days, cli->reg, ICP_POLICY_ATTESTED_DAYS, cli->pool));
    ICP_TRY(icp_exemption_list(&list, cli->reg, NULL, now, cli->pool));
    for (int i = 0; i < list->nelts; i++) {
        const icp_exemption_t *exemption = &APR_ARRAY_IDX(list, i, icp_exemption_t);
        icp_site_t *site;
        if (!exemption->site || !exemption->verdict || exemption->from > now || exemption->until >= limit ||
            is_covered(list, exemption, limit))
            continue;
        ICP_TRY(icp_site_get(&site, cli->reg, exemption->site, cli->pool));
        if (site->suspension || !site->verdict || strcmp(site->verdict, exemption->verdict)) continue;
        icp_queue_flag(queue, exemption->until - NOTICE, "site", "exemption-ends", site->name,
                       apr_psprintf(cli->pool, "judged %s, and what %s said of it holds until %s: %s", exemption->verdict,
                                    exemption->created_by, icp_time_text(exemption->until, cli->pool), exemption->note),
                       icp_shell_line(cli, "exemption", "add", site->name, "--verdict", exemption->verdict, "--for",
                                      apr_psprintf(cli->pool, "%" APR_INT64_T_FMT "d", days > 7 ? days : 30), "--note",
                                      "looked at it again: its number is displayed", NULL));
    }
    return NULL;
}
