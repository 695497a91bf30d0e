#include "license.h"

#include <string.h>

#include <apr_strings.h>

#include "audit.h"
#include "holder.h"
#include "license_number.h"
#include "suspension.h"
#include "text.h"

static icp_error_t *get_by_id(icp_license_t **result, icp_register_t *reg, apr_int64_t id, apr_pool_t *pool)
{
    icp_stmt_t *stmt;
    int row;
    *result = NULL;
    ICP_TRY(icp_db_statement(&stmt, reg->db, ICP_STMT_LICENSE_BY_ID, "i", id));
    ICP_TRY(icp_stmt_step(&row, stmt));
    if (!row) return NULL;
    icp_license_t *license = apr_pcalloc(pool, sizeof *license);
    license->id = icp_stmt_int(stmt, 0);
    license->number = icp_stmt_text(stmt, 1, pool);
    license->holder = icp_stmt_text(stmt, 2, pool);
    license->uscc = icp_stmt_text(stmt, 3, pool);
    license->status = icp_stmt_text(stmt, 4, pool);
    license->status_at = apr_time_from_sec(icp_stmt_int(stmt, 5));
    license->created_at = apr_time_from_sec(icp_stmt_int(stmt, 6));
    license->sites = icp_stmt_int(stmt, 7);
    icp_stmt_reset(stmt);
    *result = license;
    return NULL;
}

/* Its id, 0 if it is not on file. Counts nothing, so an import of many sites of one license asks this for each. */
static icp_error_t *find_id(apr_int64_t *id, int *active, icp_register_t *reg, const char *number)
{
    icp_stmt_t *stmt;
    int row;
    *id = *active = 0;
    ICP_TRY(icp_db_statement(&stmt, reg->db, ICP_STMT_LICENSE_FIND, "s", number));
    ICP_TRY(icp_stmt_step(&row, stmt));
    if (!row) return NULL;
    *id = icp_stmt_int(stmt, 0);
    *active = (int)icp_stmt_int(stmt, 1);
    icp_stmt_reset(stmt);
    return NULL;
}

static icp_error_t *find(icp_license_t **result, icp_register_t *reg, const char *number, apr_pool_t *pool)
{
    apr_int64_t id;
    int active;
    *result = NULL;
    ICP_TRY(find_id(&id, &active, reg, number));
    return id ? get_by_id(result, reg, id, pool) : NULL;
}

static icp_error_t *not_on_file(const char *number, apr_pool_t *pool)
{
    return icp_error(pool, ICP_NOT_FOUND,
                     apr_psprintf(pool, "put it on file: icpadmin license add %s --holder NAME", number),
                     "the license %s is not on file", number);
}

icp_error_t *icp_license_id(apr_int64_t *id, int *active, icp_register_t *reg, const icp_number_t *number,
                            apr_pool_t *pool)
{
    ICP_TRY(find_id(id, active, reg, number->license));
    return *id ? NULL : not_on_file(number->license, pool);
}

icp_error_t *icp_license_get(icp_license_t **license, icp_register_t *reg, const char *number, apr_pool_t *pool)
{
    icp_number_t *parsed;
    ICP_TRY(icp_license_parse(&parsed, number, pool));
    ICP_TRY(find(license, reg, parsed->license, pool));
    return *license ? NULL : not_on_file(parsed->license, pool);
}

static json_t *license_json(const icp_license_t *license)
{
    return json_pack("{s:s, s:s, s:s}", "number", license->number, "holder", license->holder, "status",
                     license->status);
}

/* The holder by that name, put on file if he is not; a code is added to a holder who has none. */
static icp_error_t *take_holder(icp_holder_t **result, icp_register_t *reg, const char *name, const char *uscc,
                                apr_pool_t *pool)
{
    const char *code = icp_text_trim(uscc, pool);
    icp_error_t *error = icp_holder_get(result, reg, name, pool);
    if (error && error->status != ICP_NOT_FOUND) return error;
    if (error) {
        icp_holder_t *holder = apr_pcalloc(pool, sizeof *holder);
        holder->name = name;
        holder->uscc = code;
        ICP_TRY(icp_holder_add(reg, holder, pool));
        *result = holder;
        return NULL;
    }
    if (!*code || ((*result)->uscc && strcasecmp((*result)->uscc, code) == 0)) return NULL;
    if ((*result)->uscc) {
        return icp_error_about(icp_error(pool, ICP_REFUSED,
                                         "correct the code, or correct the holder with icpadmin holder edit",
                                         "%s is on file with the code %s, not %s", (*result)->name, (*result)->uscc,
                                         icp_text_printable(code, 60, pool)),
                               "uscc");
    }
    icp_holder_t known = {.id = (*result)->id, .uscc = code};
    return icp_holder_edit(reg, &known, pool);
}

icp_error_t *icp_license_add(icp_license_t **result, icp_register_t *reg, const char *number, const char *holder_name,
                             const char *uscc, apr_pool_t *pool)
{
    icp_number_t *parsed;
    icp_license_t *known;
    icp_holder_t *holder;
    icp_stmt_t *stmt;

    ICP_TRY(icp_license_parse(&parsed, number, pool));
    ICP_TRY(find(&known, reg, parsed->license, pool));
    if (known) {
        return icp_error(pool, ICP_REFUSED, "icpadmin license show tells what is known of it",
                         "the license %s is on file: %s, of %s", known->number, known->status, known->holder);
    }
    ICP_TRY(take_holder(&holder, reg, holder_name, uscc, pool));
    ICP_TRY(icp_db_statement(&stmt, reg->db, ICP_STMT_LICENSE_INSERT, "sisi", parsed->license, holder->id, "active",
                             (apr_int64_t)apr_time_sec(reg->now)));
    ICP_TRY(icp_stmt_run(stmt));
    ICP_TRY(find(result, reg, parsed->license, pool));

    json_t *after = license_json(*result);
    icp_error_t *error = icp_audit_event(reg, "license.add", parsed->license, NULL, after, NULL, pool);
    json_decref(after);
    return error;
}

icp_error_t *icp_license_edit(icp_license_t **result, icp_register_t *reg, const char *number, const char *holder_name,
                              const char *uscc, const char *note, apr_pool_t *pool)
{
    icp_license_t *license;
    icp_holder_t *holder;
    icp_stmt_t *stmt;

    ICP_TRY(icp_license_get(&license, reg, number, pool));
    ICP_TRY(take_holder(&holder, reg, holder_name, uscc, pool));
    ICP_TRY(icp_db_statement(&stmt, reg->db, ICP_STMT_LICENSE_HOLDER, "ii", license->id, holder->id));
    ICP_TRY(icp_stmt_run(stmt));
    ICP_TRY(get_by_id(result, reg, license->id, pool));
    if (!strcmp(license->holder, (*result)->holder)) return NULL;

    json_t *before = license_json(license), *after = license_json(*result);
    icp_error_t *error = icp_audit_event(reg, "license.edit", license->number, before, after, note, pool);
    json_decref(before);
    json_decref(after);
    return error;
}

icp_error_t *icp_license_remove(icp_register_t *reg, const char *number, const char *note, apr_pool_t *pool)
{
    icp_license_t *license;
    icp_stmt_t *stmt;

    ICP_TRY(icp_license_get(&license, reg, number, pool));
    if (license->sites) {
        const char *remedy =
            apr_psprintf(pool, "icpadmin license show %s names them: icpadmin site edit SITE --remove-license NUMBER",
                         license->number);
        return icp_error(pool, ICP_REFUSED, remedy, "the license %s is that of %" APR_INT64_T_FMT " site%s",
                         license->number, license->sites, license->sites == 1 ? "" : "s");
    }
    ICP_TRY(icp_db_statement(&stmt, reg->db, ICP_STMT_LICENSE_DELETE, "i", license->id));
    ICP_TRY(icp_stmt_run(stmt));
    json_t *before = license_json(license);
    icp_error_t *error = icp_audit_event(reg, "license.remove", license->number, before, NULL, note, pool);
    json_decref(before);
    return error;
}

static icp_error_t *set_status(icp_register_t *reg, const icp_license_t *license, const char *status)
{
    icp_stmt_t *stmt;
    ICP_TRY(icp_db_statement(&stmt, reg->db, ICP_STMT_LICENSE_STATUS, "isi", license->id, status,
                             (apr_int64_t)apr_time_sec(reg->now)));
    return icp_stmt_run(stmt);
}

static icp_error_t *record_status(icp_register_t *reg, const char *action, const icp_license_t *license,
                                  const char *status, const apr_array_header_t *suspended, const char *note,
                                  apr_pool_t *pool)
{
    json_t *before = json_pack("{s:s}", "status", license->status);
    json_t *after = json_pack("{s:s}", "status", status);
    if (suspended) {
        json_t *names = json_array();
        for (int i = 0; i < suspended->nelts; i++)
            json_array_append_new(names, json_string(APR_ARRAY_IDX(suspended, i, const char *)));
        json_object_set_new(after, "suspended", names);
    }
    icp_error_t *error = icp_audit_event(reg, action, license->number, before, after, note, pool);
    json_decref(before);
    json_decref(after);
    return error;
}

icp_error_t *icp_license_end(icp_register_t *reg, const char *number, const char *status, const char *note,
                             apr_array_header_t *suspended, apr_pool_t *pool)
{
    icp_license_t *license;
    icp_stmt_t *stmt;
    int row, revoke = strcmp(status, "revoked") == 0;
    apr_array_header_t *names = apr_array_make(pool, 4, sizeof(const char *));

    if (!revoke && strcmp(status, "cancelled") != 0) {
        return icp_error(pool, ICP_USAGE, "say cancelled or revoked", "'%s' is no way for a license to end",
                         icp_text_printable(status, 60, pool));
    }
    ICP_TRY(icp_license_get(&license, reg, number, pool));
    if (strcmp(license->status, status) == 0) {
        return icp_error(pool, ICP_REFUSED, NULL, "the license %s is %s already, since %s", license->number, status,
                         icp_text_time(license->status_at, pool));
    }
    ICP_TRY(set_status(reg, license, status));
    ICP_TRY(icp_db_statement(&stmt, reg->db, ICP_STMT_LICENSE_SITES_LEFT, "i", license->id));
    for (;;) {
        ICP_TRY(icp_stmt_step(&row, stmt));
        if (!row) break;
        APR_ARRAY_PUSH(names, const char *) = icp_stmt_text(stmt, 0, pool);
    }
    ICP_TRY(record_status(reg, revoke ? "license.revoke" : "license.cancel", license, status, names, note, pool));
    for (int i = 0; i < names->nelts; i++) {
        icp_suspension_t *suspension;
        ICP_TRY(icp_suspension_open(&suspension, reg, APR_ARRAY_IDX(names, i, const char *), "cancelled", note, pool));
    }
    if (suspended) apr_array_cat(suspended, names);
    return NULL;
}

icp_error_t *icp_license_reinstate(icp_register_t *reg, const char *number, const char *note, apr_pool_t *pool)
{
    icp_license_t *license;
    ICP_TRY(icp_license_get(&license, reg, number, pool));
    if (strcmp(license->status, "active") == 0) {
        return icp_error(pool, ICP_REFUSED, NULL, "the license %s is active", license->number);
    }
    ICP_TRY(set_status(reg, license, "active"));
    return record_status(reg, "license.reinstate", license, "active", NULL, note, pool);
}

icp_error_t *icp_license_each(icp_register_t *reg, icp_license_fn *fn, void *baton, apr_pool_t *pool)
{
    icp_license_t *license;
    apr_array_header_t *ids;
    apr_pool_t *item_pool;
    icp_stmt_t *stmt;
    ICP_TRY(icp_db_statement(&stmt, reg->db, ICP_STMT_LICENSE_IDS, ""));
    ICP_TRY(icp_stmt_ids(&ids, stmt, pool));
    apr_pool_create(&item_pool, pool);
    for (int i = 0; i < ids->nelts; i++) {
        apr_pool_clear(item_pool);
        ICP_TRY(get_by_id(&license, reg, APR_ARRAY_IDX(ids, i, apr_int64_t), item_pool));
        if (license) ICP_TRY(fn(license, baton, item_pool));
    }
    apr_pool_destroy(item_pool);
    return NULL;
}
