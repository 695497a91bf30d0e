/* The explanation of one inspection. It judges nothing. */
#include "explain.h"

#include "output.h"

void icp_explain(FILE *out, const icp_inspection_t *inspection, const icp_expectation_t *expected, apr_pool_t *pool)
{
    const icp_page_report_t *seen = inspection->seen;
    fprintf(out, "Verdict: %s\n", icp_verdict_name(inspection->verdict));
    if (inspection->verdict == ICP_UNREADABLE) {
        fprintf(out, "Why: %s\n",
                seen->detail ? icp_printable(seen->detail, pool) : icp_unreadable_name(inspection->unreadable));
    }
    for (int i = 0; i < seen->mentions->nelts; i++) {
        const icp_mention_t *mention = &APR_ARRAY_IDX(seen->mentions, i, icp_mention_t);
        fprintf(out, "Line %d, %s: %s\n", mention->line, icp_where_name(mention->where),
                icp_printable(mention->number.text, pool));
    }
    for (int i = 0; i < expected->count; i++) {
        fprintf(out, "%s %s\n", i ? "or       " : "Must show", expected->numbers[i]);
    }
}
