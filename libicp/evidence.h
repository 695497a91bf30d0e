/* Evidence: what icpadmin saw when a site failed, so that the provider can show it in a dispute.
 *
 * Each failing look (missing, incorrect, invalid) leaves a row in private.db: when, which address answered, with which status and
 * headers, the inspection, and the SHA-256 of the page as it was judged (content codings undone, charset as it came). The page
 * itself, up to the policy's evidence-bytes, lies in evidence/ (depot.h). Rows older than evidence-days go, but for the
 * newest look before a suspension that is still open: that is its ground. Policy evidence-days 0: nothing is kept. */
#ifndef ICP_EVIDENCE_H
#define ICP_EVIDENCE_H

#include "inspection.h"

#define ICP_EVIDENCE_FOLDER "evidence"

/* A response as the fetcher received it. */
typedef struct icp_received_t {
    const char *address; /* that answered, with its port; "" or NULL: not known */
    const char *headers; /* of the response whose page was judged, lines as received; NULL: none */
    const char *body;    /* from its beginning, content codings undone; NULL: none */
    apr_size_t length;   /* bytes at `body` */
    apr_size_t bytes;    /* of all of it; 0: as many as `length` */
    const char *sha256;  /* of all of it, hex; NULL where `body` is all */
} icp_received_t;

typedef struct icp_evidence_t {
    apr_int64_t id; /* 0 until it is recorded */
    const char *site;
    apr_time_t at;
    const char *url, *address;
    int status;
    const char *headers, *verdict, *detail; /* detail: JSON */
    char sha256[65];                        /* of the body as it was judged */
    apr_int64_t bytes;                      /* of the body */
    char file[65];                          /* SHA-256 of the bytes that are kept, the name of their file; "": none are */
    apr_int64_t kept;                       /* how many are */
    const char *body;                       /* until it is recorded; else NULL */
} icp_evidence_t;

/* Before a change: keeps the page of a failing look. *evidence is NULL where there is nothing to keep. A page that cannot be
 * written (disk full, folder not writable) is a warning in the log, never an error: the look counts all the same, and its row
 * says that its page was not kept. `received` must last until icp_evidence_record. */
icp_error_t *icp_evidence_keep(icp_evidence_t **evidence, icp_register_t *reg, const icp_look_t *look,
                               const icp_received_t *received, apr_pool_t *pool);

/* Inside the change that records the look, after icp_inspection_record: its row, and an event site.evidence for the first of a
 * run of the same verdict. NULL: nothing to do. Writes the page again if it was pruned in between. */
icp_error_t *icp_evidence_record(icp_register_t *reg, icp_evidence_t *evidence, apr_pool_t *pool);

/* All that is kept of a site that is or was on file, oldest first: icp_evidence_t. */
icp_error_t *icp_evidence_list(apr_array_header_t **list, icp_register_t *reg, const char *site, apr_pool_t *pool);

/* The bytes kept, evidence->kept of them; errors as of icp_depot_get. */
icp_error_t *icp_evidence_page(const char **bytes, icp_register_t *reg, const icp_evidence_t *evidence, apr_pool_t *pool);

typedef struct icp_evidence_totals_t {
    apr_int64_t looks, pages; /* rows, and different pages among them */
    apr_int64_t without_page; /* rows whose page could not be kept, or was lost */
    apr_time_t oldest;        /* 0: none */
} icp_evidence_totals_t;

icp_error_t *icp_evidence_totals(icp_evidence_totals_t *totals, icp_register_t *reg, apr_pool_t *pool);

/* Every page that a row refers to is as it was kept? `faults` (icp_error_t *): what is wrong with each that is not; *count
 * of those looked at. Reads all of them. */
icp_error_t *icp_evidence_verify(apr_array_header_t **faults, int *count, icp_register_t *reg, apr_pool_t *pool);

typedef struct icp_pruned_t {
    int looks; /* rows that were too old */
    int lost;  /* pages that rows referred to and that are gone, with `forget_lost` */
    int files; /* files that nothing refers to, older than a week, so that a restore that was a mistake can be undone */
} icp_pruned_t;

/* Removes what is not to be kept any longer, as changes of its own; with reg->dry_run it only counts. `forget_lost`: rows whose
 * page is gone from evidence/ stop naming it. */
icp_error_t *icp_evidence_prune(icp_pruned_t *pruned, icp_register_t *reg, int forget_lost, apr_pool_t *pool);

#endif
