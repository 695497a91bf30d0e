/* Evidence: see evidence.h. Rows are written here, bytes in depot.c. */
#include "evidence.h"

#include <string.h>
#include <unistd.h>

#include <apr_strings.h>

#include "audit.h"
#include "depot.h"
#include "digest.h"
#include "json.h"
#include "log.h"
#include "policy.h"

#define HEADERS_MAX 65536 /* bytes; httpd sends fewer */
#define ORPHAN_SECONDS (7 * 86400)

/* The page's file; a fault leaves the row without one. */
static void put_page(icp_register_t *reg, icp_evidence_t *evidence, apr_pool_t *pool)
{
    if (!evidence->kept) return;
    icp_error_t *error =
        icp_depot_put(evidence->file, reg->path, ICP_EVIDENCE_FOLDER, evidence->body, (apr_size_t)evidence->kept, pool);
    if (!error) return;
    icp_log(ICP_LOG_WARNING, "the page of %s is not kept as evidence, only its SHA-256: %s", evidence->site, error->message);
    *evidence->file = '\0';
    evidence->kept = 0;
}

icp_error_t *icp_evidence_keep(icp_evidence_t **result, icp_register_t *reg, const icp_look_t *look,
                               const icp_received_t *received, apr_pool_t *pool)
{
    apr_int64_t days, most;
    icp_digest_t *digest;
    *result = NULL;
    if (!icp_verdict_fails(look->inspection->verdict)) return NULL;
    ICP_TRY(icp_policy_number(&days, reg, ICP_POLICY_EVIDENCE_DAYS, pool));
    ICP_TRY(icp_policy_number(&most, reg, ICP_POLICY_EVIDENCE_BYTES, pool));
    if (!days) return NULL;

    icp_evidence_t *evidence = apr_pcalloc(pool, sizeof *evidence);
    evidence->site = look->site;
    evidence->at = look->at;
    evidence->url = look->url ? look->url : "";
    evidence->address = received->address ? received->address : "";
    evidence->status = look->status;
    evidence->headers = received->headers ? apr_pstrndup(pool, received->headers, HEADERS_MAX) : "";
    evidence->verdict = icp_verdict_name(look->inspection->verdict);
    evidence->detail = icp_json_text(icp_json_keep(icp_inspection_json(look->inspection), pool), JSON_COMPACT, pool);
    evidence->body = received->body ? received->body : "";
    evidence->bytes = (apr_int64_t)(received->bytes ? received->bytes : received->length);
    evidence->kept = (apr_int64_t)received->length < most ? (apr_int64_t)received->length : most;
    if (received->sha256) {
        apr_cpystrn(evidence->sha256, received->sha256, sizeof evidence->sha256);
    }
    else {
        ICP_TRY(icp_digest_begin(&digest, pool));
        icp_digest_add(digest, evidence->body, received->length);
        ICP_TRY(icp_digest_end(evidence->sha256, digest, pool));
    }
    put_page(reg, evidence, pool);
    *result = evidence;
    return NULL;
}

/* The log names the page that began a run: with it the row and its file are in the chain of hashes. */
static icp_error_t *tell_first(icp_register_t *reg, const icp_evidence_t *evidence, apr_pool_t *pool)
{
    icp_stmt_t *stmt;
    int row, first;
    ICP_TRY(icp_db_statement(&stmt, reg->db, ICP_STMT_EVIDENCE_LOOKS, "s", evidence->site));
    ICP_TRY(icp_stmt_step(&row, stmt));
    first = row && icp_stmt_int(stmt, 0) == 1;
    icp_stmt_reset(stmt);
    if (!first) return NULL;
    json_t *after = json_pack("{s:s, s:s, s:i, s:s, s:I, s:I, s:s}", "verdict", evidence->verdict, "url", evidence->url, "status",
                              evidence->status, "sha256", evidence->sha256, "bytes", (json_int_t)evidence->bytes, "kept",
                              (json_int_t)evidence->kept, "address", evidence->address);
    icp_error_t *error = icp_audit_event(reg, "site.evidence", evidence->site, NULL, after, NULL, pool);
    json_decref(after);
    return error;
}

icp_error_t *icp_evidence_record(icp_register_t *reg, icp_evidence_t *evidence, apr_pool_t *pool)
{
    icp_stmt_t *stmt;
    if (!evidence) return NULL;
    /* Nobody prunes while a change is under way: what is there now stays. */
    if (*evidence->file && access(icp_depot_path(reg->path, ICP_EVIDENCE_FOLDER, evidence->file, pool), F_OK) != 0) {
        put_page(reg, evidence, pool);
    }
    ICP_TRY(tell_first(reg, evidence, pool));
    ICP_TRY(icp_db_statement(&stmt, reg->db, ICP_STMT_EVIDENCE_INSERT, "sississssisi", evidence->site,
                             (apr_int64_t)apr_time_sec(evidence->at), evidence->url, evidence->address,
                             (apr_int64_t)evidence->status, evidence->headers, evidence->verdict, evidence->detail,
                             evidence->sha256, evidence->bytes, evidence->file, evidence->kept));
    ICP_TRY(icp_stmt_run(stmt));
    evidence->id = icp_db_last_id(reg->db);
    return NULL;
}

typedef struct listing_t {
    const char *site;
    apr_array_header_t *list;
} listing_t;

static icp_error_t *read_list(icp_register_t *reg, void *baton, apr_pool_t *pool)
{
    listing_t *listing = baton;
    icp_stmt_t *stmt;
    int row;
    ICP_TRY(icp_db_statement(&stmt, reg->db, ICP_STMT_EVIDENCE_OF_SITE, "s", listing->site));
    for (;;) {
        ICP_TRY(icp_stmt_step(&row, stmt));
        if (!row) return NULL;
        icp_evidence_t *evidence = apr_array_push(listing->list);
        *evidence = (icp_evidence_t){.id = icp_stmt_int(stmt, 0),
                                     .site = icp_stmt_text(stmt, 1, pool),
                                     .at = apr_time_from_sec(icp_stmt_int(stmt, 2)),
                                     .url = icp_stmt_text(stmt, 3, pool),
                                     .address = icp_stmt_text(stmt, 4, pool),
                                     .status = (int)icp_stmt_int(stmt, 5),
                                     .headers = icp_stmt_text(stmt, 6, pool),
                                     .verdict = icp_stmt_text(stmt, 7, pool),
                                     .detail = icp_stmt_text(stmt, 8, pool),
                                     .bytes = icp_stmt_int(stmt, 10),
                                     .kept = icp_stmt_int(stmt, 12)};
        apr_cpystrn(evidence->sha256, icp_stmt_text(stmt, 9, pool), sizeof evidence->sha256);
        apr_cpystrn(evidence->file, icp_stmt_text(stmt, 11, pool), sizeof evidence->file);
    }
}

icp_error_t *icp_evidence_list(apr_array_header_t **list, icp_register_t *reg, const char *site, apr_pool_t *pool)
{
    listing_t listing = {site, apr_array_make(pool, 16, sizeof(icp_evidence_t))};
    *list = listing.list;
    return icp_register_read(reg, read_list, &listing, pool);
}

icp_error_t *icp_evidence_page(const char **bytes, icp_register_t *reg, const icp_evidence_t *evidence, apr_pool_t *pool)
{
    if (!*evidence->file) {
        *bytes = "";
        return evidence->bytes ? icp_error(pool, ICP_NOT_FOUND, NULL, "the page was not kept") : NULL;
    }
    return icp_depot_get(bytes, reg->path, ICP_EVIDENCE_FOLDER, evidence->file, (apr_size_t)evidence->kept, pool);
}

static icp_error_t *read_totals(icp_register_t *reg, void *baton, apr_pool_t *pool)
{
    icp_evidence_totals_t *totals = baton;
    icp_stmt_t *stmt;
    int row;
    ICP_TRY(icp_db_statement(&stmt, reg->db, ICP_STMT_EVIDENCE_TOTALS, ""));
    ICP_TRY(icp_stmt_step(&row, stmt));
    *totals = (icp_evidence_totals_t){.looks = icp_stmt_int(stmt, 0),
                                      .pages = icp_stmt_int(stmt, 1),
                                      .without_page = icp_stmt_int(stmt, 2),
                                      .oldest = apr_time_from_sec(icp_stmt_int(stmt, 3))};
    icp_stmt_reset(stmt);
    return NULL;
}

icp_error_t *icp_evidence_totals(icp_evidence_totals_t *totals, icp_register_t *reg, apr_pool_t *pool)
{
    return icp_register_read(reg, read_totals, totals, pool);
}

/* A page that rows refer to. */
typedef struct page_t {
    const char *file, *site;
    apr_int64_t kept;
} page_t;

static icp_error_t *read_pages(icp_register_t *reg, void *baton, apr_pool_t *pool)
{
    apr_array_header_t *pages = baton;
    icp_stmt_t *stmt;
    int row;
    apr_array_clear(pages);
    ICP_TRY(icp_db_statement(&stmt, reg->db, ICP_STMT_EVIDENCE_FILES, ""));
    for (;;) {
        ICP_TRY(icp_stmt_step(&row, stmt));
        if (!row) return NULL;
        page_t *page = apr_array_push(pages);
        *page = (page_t){icp_stmt_text(stmt, 0, pool), icp_stmt_text(stmt, 2, pool), icp_stmt_int(stmt, 1)};
    }
}

icp_error_t *icp_evidence_verify(apr_array_header_t **faults, int *count, icp_register_t *reg, apr_pool_t *pool)
{
    apr_array_header_t *pages = apr_array_make(pool, 64, sizeof(page_t));
    apr_pool_t *scratch;
    *faults = apr_array_make(pool, 4, sizeof(icp_error_t *));
    ICP_TRY(icp_register_read(reg, read_pages, pages, pool)); /* no lock while the files are read */
    *count = pages->nelts;
    apr_pool_create(&scratch, pool);
    for (int i = 0; i < pages->nelts; i++) {
        const page_t *page = &APR_ARRAY_IDX(pages, i, page_t);
        apr_pool_clear(scratch);
        icp_error_t *error = icp_depot_get(NULL, reg->path, ICP_EVIDENCE_FOLDER, page->file, (apr_size_t)page->kept, scratch);
        if (!error) continue;
        APR_ARRAY_PUSH(*faults, icp_error_t *) =
            icp_error(pool, error->status, error->remedy, "evidence of %s: %s", page->site, error->message);
    }
    apr_pool_destroy(scratch);
    return NULL;
}

typedef struct prune_t {
    icp_pruned_t *pruned;
    icp_register_t *reg;
    int forget_lost;
} prune_t;

static icp_error_t *is_orphan(int *orphan, icp_register_t *reg, const char *name, apr_time_t at)
{
    icp_stmt_t *stmt;
    int row = 0;
    *orphan = 0;
    if (at > reg->now - apr_time_from_sec(ORPHAN_SECONDS)) return NULL;
    if (name) {
        ICP_TRY(icp_db_statement(&stmt, reg->db, ICP_STMT_EVIDENCE_REFERRED, "s", name));
        ICP_TRY(icp_stmt_step(&row, stmt));
        icp_stmt_reset(stmt);
    }
    *orphan = !row;
    return NULL;
}

static icp_error_t *count_orphan(const char *file, const char *name, apr_time_t at, void *baton, apr_pool_t *pool)
{
    prune_t *prune = baton;
    int orphan;
    ICP_TRY(is_orphan(&orphan, prune->reg, name, at));
    prune->pruned->files += orphan;
    return NULL;
}

static icp_error_t *forget_lost(prune_t *prune, apr_pool_t *pool)
{
    apr_array_header_t *pages = apr_array_make(pool, 64, sizeof(page_t));
    icp_stmt_t *stmt;
    ICP_TRY(read_pages(prune->reg, pages, pool));
    for (int i = 0; i < pages->nelts; i++) {
        const char *name = APR_ARRAY_IDX(pages, i, page_t).file;
        if (access(icp_depot_path(prune->reg->path, ICP_EVIDENCE_FOLDER, name, pool), F_OK) == 0) continue;
        ICP_TRY(icp_db_statement(&stmt, prune->reg->db, ICP_STMT_EVIDENCE_FORGET, "s", name));
        ICP_TRY(icp_stmt_run(stmt));
        prune->pruned->lost++;
    }
    return NULL;
}

static icp_error_t *prune_rows(icp_register_t *reg, void *baton, apr_pool_t *pool)
{
    prune_t *prune = baton;
    apr_int64_t days;
    icp_stmt_t *stmt;
    *prune->pruned = (icp_pruned_t){0};
    ICP_TRY(icp_policy_number(&days, reg, ICP_POLICY_EVIDENCE_DAYS, pool));
    ICP_TRY(icp_db_statement(&stmt, reg->db, ICP_STMT_EVIDENCE_EXPIRE, "i",
                             (apr_int64_t)(apr_time_sec(reg->now) - days * 86400)));
    ICP_TRY(icp_stmt_run(stmt));
    prune->pruned->looks = icp_db_changes(reg->db);
    if (prune->forget_lost) ICP_TRY(forget_lost(prune, pool));
    ICP_TRY(icp_depot_each(reg->path, ICP_EVIDENCE_FOLDER, count_orphan, prune, pool));
    if (!prune->pruned->looks && !prune->pruned->lost) return NULL;
    json_t *after = json_pack("{s:i, s:i, s:I}", "looks", prune->pruned->looks, "lost", prune->pruned->lost, "days", (json_int_t)days);
    icp_error_t *error = icp_audit_event(reg, "evidence.prune", "evidence", NULL, after, NULL, pool);
    json_decref(after);
    return error;
}

static icp_error_t *remove_orphan(const char *file, const char *name, apr_time_t at, void *baton, apr_pool_t *pool)
{
    prune_t *prune = baton;
    int orphan;
    ICP_TRY(is_orphan(&orphan, prune->reg, name, at));
    if (orphan && unlink(file) == 0) prune->pruned->files++;
    return NULL;
}

/* A change that changes nothing: while it runs no row can come that refers to a file which is about to go. That a file goes does
 * not depend on a commit, and a second run finds less to do. */
static icp_error_t *prune_files(icp_register_t *reg, void *baton, apr_pool_t *pool)
{
    return icp_depot_each(reg->path, ICP_EVIDENCE_FOLDER, remove_orphan, baton, pool);
}

icp_error_t *icp_evidence_prune(icp_pruned_t *pruned, icp_register_t *reg, int forget, apr_pool_t *pool)
{
    prune_t prune = {.pruned = pruned, .reg = reg, .forget_lost = forget};
    ICP_TRY(icp_register_change(reg, prune_rows, &prune, pool));
    if (reg->dry_run || !pruned->files) return NULL;
    pruned->files = 0;
    return icp_register_change(reg, prune_files, &prune, pool);
}
