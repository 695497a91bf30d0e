#include "holder.h"

#include <string.h>

#include <apr_lib.h>
#include <apr_strings.h>

#include "address.h"
#include "audit.h"
#include "log.h"
#include "text.h"

#define TEXT_MAX 300 /* bytes of a name or contact: about 100 characters */

/* GB 32100-2015, 4.2: the 31 characters in the order of their values (no I, O, S, V, Z), and the weights 3^i mod 31. */
static const char uscc_alphabet[] = "0123456789ABCDEFGHJKLMNPQRTUWXY";
static const int uscc_weights[] = {1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28};
#define USCC_LENGTH 18

icp_uscc_e icp_uscc_test(const char *uscc)
{
    int sum = 0;
    if (strlen(uscc) != USCC_LENGTH) return ICP_USCC_LENGTH;
    for (int i = 0; i < USCC_LENGTH; i++) {
        const char *found = strchr(uscc_alphabet, apr_toupper(uscc[i]));
        if (!found) return ICP_USCC_CHARACTER;
        if (i < USCC_LENGTH - 1) sum += uscc_weights[i] * (int)(found - uscc_alphabet);
    }
    return uscc_alphabet[(31 - sum % 31) % 31] == apr_toupper(uscc[USCC_LENGTH - 1]) ? ICP_USCC_OK : ICP_USCC_CHECK;
}

static icp_error_t *check_text(const char **result, const char *text, const char *what, apr_pool_t *pool)
{
    *result = icp_text_trim(text, pool);
    if (strlen(*result) > TEXT_MAX) {
        return icp_error(pool, ICP_USAGE, "shorten it", "the %s is longer than %d bytes", what, TEXT_MAX);
    }
    if (!icp_text_plain(*result)) {
        return icp_error(pool, ICP_USAGE, "type it anew, in UTF-8",
                         "the %s contains control characters or is not UTF-8", what);
    }
    return NULL;
}

static icp_error_t *check_uscc(const char **result, const char *text, apr_pool_t *pool)
{
    const char *uscc = icp_text_trim(text, pool);
    *result = NULL;
    if (!*uscc) return NULL;
    char *upper = apr_pstrdup(pool, uscc);
    for (char *c = upper; *c; c++) *c = apr_toupper(*c);
    switch (icp_uscc_test(upper)) {
    case ICP_USCC_LENGTH:
        return icp_error(pool, ICP_USAGE, "copy it from the business license",
                         "'%s' is no Unified Social Credit Code: it has %d characters",
                         icp_text_printable(uscc, 60, pool), USCC_LENGTH);
    case ICP_USCC_CHARACTER:
        return icp_error(
            pool, ICP_USAGE,
            "copy it from the business license: it has digits and capital letters but for I, O, S, V and Z",
            "'%s' is no Unified Social Credit Code: a character cannot occur in one",
            icp_text_printable(uscc, 60, pool));
    case ICP_USCC_CHECK: /* which a few codes of the pilot period legally have */
        icp_log(ICP_LOG_WARNING, "the check character of %s does not fit: compare it with the business license", upper);
        break;
    case ICP_USCC_OK:
        break;
    }
    *result = upper;
    return NULL;
}

/* A checked copy of what the caller gave, NULL fields taken from `before`. */
static icp_error_t *check_holder(icp_holder_t *result, const icp_holder_t *holder, const icp_holder_t *before,
                                 apr_pool_t *pool)
{
#define GIVEN(field) (holder->field ? holder->field : before->field)
    *result = *before;
    result->kind = GIVEN(kind);
    if (strcmp(result->kind, "business") != 0 && strcmp(result->kind, "person") != 0) {
        return icp_error(pool, ICP_USAGE, "say business or person", "'%s' is no kind of holder",
                         icp_text_printable(result->kind, 60, pool));
    }
    ICP_TRY(icp_error_about(check_text(&result->name, GIVEN(name), "holder's name", pool), "holder"));
    if (!*result->name) {
        return icp_error_about(icp_error(pool, ICP_USAGE, "give the name on the license", "the holder's name is empty"),
                               "holder");
    }
    if (holder->uscc) ICP_TRY(icp_error_about(check_uscc(&result->uscc, holder->uscc, pool), "uscc"));
    ICP_TRY(check_text(&result->contact_name, GIVEN(contact_name), "contact's name", pool));
    ICP_TRY(check_text(&result->email, GIVEN(email), "e-mail address", pool));
    if (holder->email && *result->email) ICP_TRY(icp_address_parse(&result->email, result->email, pool));
    ICP_TRY(check_text(&result->phone, GIVEN(phone), "phone number", pool));
    return NULL;
#undef GIVEN
}

/* For the audit log, from which nothing can be taken away: of the contact only which fields are there, or have changed. */
static json_t *holder_json(const icp_holder_t *holder)
{
    return json_pack("{s:s, s:s, s:s?}", "kind", holder->kind, "name", holder->name, "uscc", holder->uscc);
}

static json_t *with_contact(json_t *object, const icp_holder_t *before, const icp_holder_t *after)
{
    json_t *changed = json_array();
    if (strcmp(before->contact_name, after->contact_name)) json_array_append_new(changed, json_string("name"));
    if (strcmp(before->email, after->email)) json_array_append_new(changed, json_string("email"));
    if (strcmp(before->phone, after->phone)) json_array_append_new(changed, json_string("phone"));
    if (json_array_size(changed)) json_object_set(object, "contact", changed);
    json_decref(changed);
    return object;
}

static icp_error_t *find(apr_int64_t *id, icp_register_t *reg, const char *name, const char *uscc)
{
    icp_stmt_t *stmt;
    int row;
    *id = 0;
    ICP_TRY(icp_db_statement(&stmt, reg->db, ICP_STMT_HOLDER_FIND, "ss", name, uscc));
    ICP_TRY(icp_stmt_step(&row, stmt));
    if (row) *id = icp_stmt_int(stmt, 0);
    icp_stmt_reset(stmt);
    return NULL;
}

static icp_error_t *refuse_known(icp_register_t *reg, const icp_holder_t *holder, apr_pool_t *pool)
{
    apr_int64_t other;
    ICP_TRY(find(&other, reg, holder->name, NULL));
    if (other && other != holder->id) {
        return icp_error(pool, ICP_REFUSED, "use the holder on file, or give the full name to tell the two apart",
                         "a holder named %s is on file", holder->name);
    }
    if (!holder->uscc) return NULL;
    ICP_TRY(find(&other, reg, NULL, holder->uscc));
    if (other && other != holder->id) {
        icp_holder_t *known;
        ICP_TRY(icp_holder_get(&known, reg, holder->uscc, pool));
        return icp_error_about(icp_error(pool, ICP_REFUSED, "correct the code, or use the holder on file",
                                         "%s is on file as the code of %s", holder->uscc, known->name),
                               "uscc");
    }
    return NULL;
}

static icp_error_t *write_contact(icp_register_t *reg, const icp_holder_t *holder)
{
    icp_stmt_t *stmt;
    ICP_TRY(icp_db_statement(&stmt, reg->db, ICP_STMT_HOLDER_CONTACT, "isss", holder->id, holder->contact_name,
                             holder->email, holder->phone));
    return icp_stmt_run(stmt);
}

icp_error_t *icp_holder_add(icp_register_t *reg, icp_holder_t *holder, apr_pool_t *pool)
{
    static const icp_holder_t blank = {.kind = "business", .contact_name = "", .email = "", .phone = ""};
    icp_holder_t checked;
    icp_stmt_t *stmt;

    ICP_TRY(check_holder(&checked, holder, &blank, pool));
    ICP_TRY(refuse_known(reg, &checked, pool));
    checked.created_at = reg->now;
    ICP_TRY(icp_db_statement(&stmt, reg->db, ICP_STMT_HOLDER_INSERT, "sssi", checked.kind, checked.name, checked.uscc,
                             (apr_int64_t)apr_time_sec(reg->now)));
    ICP_TRY(icp_stmt_run(stmt));
    checked.id = icp_db_last_id(reg->db);
    if (*checked.contact_name || *checked.email || *checked.phone) ICP_TRY(write_contact(reg, &checked));
    *holder = checked;

    json_t *after = with_contact(holder_json(holder), &blank, holder);
    icp_error_t *error = icp_audit_event(reg, "holder.add", holder->name, NULL, after, NULL, pool);
    json_decref(after);
    return error;
}

static icp_error_t *get_by_id(icp_holder_t **result, icp_register_t *reg, apr_int64_t id, apr_pool_t *pool)
{
    icp_stmt_t *stmt;
    int row;
    *result = NULL;
    ICP_TRY(icp_db_statement(&stmt, reg->db, ICP_STMT_HOLDER_BY_ID, "i", id));
    ICP_TRY(icp_stmt_step(&row, stmt));
    if (!row) return NULL;
    icp_holder_t *holder = apr_pcalloc(pool, sizeof *holder);
    holder->id = icp_stmt_int(stmt, 0);
    holder->kind = icp_stmt_text(stmt, 1, pool);
    holder->name = icp_stmt_text(stmt, 2, pool);
    holder->uscc = icp_stmt_text(stmt, 3, pool);
    holder->created_at = apr_time_from_sec(icp_stmt_int(stmt, 4));
    holder->contact_name = icp_stmt_text(stmt, 5, pool);
    holder->email = icp_stmt_text(stmt, 6, pool);
    holder->phone = icp_stmt_text(stmt, 7, pool);
    holder->licenses = icp_stmt_int(stmt, 8);
    icp_stmt_reset(stmt);
    *result = holder;
    return NULL;
}

icp_error_t *icp_holder_edit(icp_register_t *reg, const icp_holder_t *holder, apr_pool_t *pool)
{
    icp_holder_t *before, after;
    icp_stmt_t *stmt;
    ICP_TRY(get_by_id(&before, reg, holder->id, pool));
    if (!before) return icp_error(pool, ICP_NOT_FOUND, NULL, "there is no holder %" APR_INT64_T_FMT, holder->id);
    ICP_TRY(check_holder(&after, holder, before, pool));
    ICP_TRY(refuse_known(reg, &after, pool));
    ICP_TRY(
        icp_db_statement(&stmt, reg->db, ICP_STMT_HOLDER_UPDATE, "isss", after.id, after.kind, after.name, after.uscc));
    ICP_TRY(icp_stmt_run(stmt));
    ICP_TRY(write_contact(reg, &after));

    json_t *old = holder_json(before), *new = with_contact(holder_json(&after), before, &after);
    icp_error_t *error = NULL;
    if (!json_equal(old, new)) error = icp_audit_event(reg, "holder.edit", before->name, old, new, NULL, pool);
    json_decref(old);
    json_decref(new);
    return error;
}

icp_error_t *icp_holder_get(icp_holder_t **holder, icp_register_t *reg, const char *name_or_uscc, apr_pool_t *pool)
{
    apr_int64_t id;
    const char *wanted = icp_text_trim(name_or_uscc, pool);
    char *upper = apr_pstrdup(pool, wanted);
    for (char *c = upper; *c; c++) *c = apr_toupper(*c);
    ICP_TRY(find(&id, reg, wanted, upper));
    *holder = NULL;
    if (id) ICP_TRY(get_by_id(holder, reg, id, pool));
    if (*holder) return NULL;
    return icp_error(pool, ICP_NOT_FOUND,
                     "icpadmin holder list shows those on file; icpadmin holder add puts one there",
                     "no holder is on file as %s", icp_text_printable(wanted, TEXT_MAX, pool));
}

icp_error_t *icp_holder_each(icp_register_t *reg, icp_holder_fn *fn, void *baton, apr_pool_t *pool)
{
    icp_holder_t *holder;
    apr_array_header_t *ids;
    apr_pool_t *item_pool;
    icp_stmt_t *stmt;
    ICP_TRY(icp_db_statement(&stmt, reg->db, ICP_STMT_HOLDER_IDS, ""));
    ICP_TRY(icp_stmt_ids(&ids, stmt, pool));
    apr_pool_create(&item_pool, pool);
    for (int i = 0; i < ids->nelts; i++) {
        apr_pool_clear(item_pool);
        ICP_TRY(get_by_id(&holder, reg, APR_ARRAY_IDX(ids, i, apr_int64_t), item_pool));
        if (holder) ICP_TRY(fn(holder, baton, item_pool));
    }
    apr_pool_destroy(item_pool);
    return NULL;
}
