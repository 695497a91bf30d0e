/* What a check found of each site, whether it was looked at just now or the look was on file, and how that is printed. */
#ifndef ICP_OUTCOME_H
#define ICP_OUTCOME_H

#include "fetch.h"
#include "output.h"
#include "streak.h"
#include "sweep.h"

typedef struct icp_outcome_t {
    const char *site;
    icp_verdict_e verdict;
    const char *suspended;                   /* reason of the open suspension; NULL */
    const char *numbers, *findings, *remark; /* cells of the table */
    json_t *object;                          /* with --json: what `icpadmin check --json` prints */
    icp_ruling_t ruling;                     /* of the policy */
    apr_int64_t case_id;                     /* that the policy opened now; 0 */
} icp_outcome_t;

/* Both add to `list` (icp_outcome_t), and give what was added. */
icp_outcome_t *icp_outcome_look(apr_array_header_t *list, const icp_cli_t *cli, const icp_fetched_t *fetched);
icp_outcome_t *icp_outcome_on_file(apr_array_header_t *list, const icp_cli_t *cli, const icp_seen_t *seen);

void icp_outcome_sort(apr_array_header_t *list); /* by name */

/* Prints all, by name; with `policy` also what the policy says of each. */
void icp_outcome_print(const icp_cli_t *cli, apr_array_header_t *list, int policy);

#endif
