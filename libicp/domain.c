#include "domain.h"

#include <string.h>

#include <apr_strings.h>

#include "address.h"
#include "audit.h"
#include "host.h"
#include "json.h"
#include "message.h"
#include "policy.h"
#include "text.h"

#define TEXT_MAX 300    /* bytes of a name or an address */
#define REASON_MAX 2000 /* bytes of a reason */

int icp_domain_wants(const icp_domain_document_t *document)
{
    return !document->file.bytes || document->refused;
}

/* --- reading ------------------------------------------------------------------------------------------------------ */

static icp_error_t *read_documents(icp_domain_t *domain, icp_register_t *reg, apr_pool_t *pool)
{
    icp_stmt_t *stmt;
    int row;
    domain->documents = apr_array_make(pool, 2, sizeof(icp_domain_document_t));
    domain->missing = 0;
    for (const icp_domain_kind_t *kind = icp_domain_kinds; kind->kind; kind++) {
        if (strcmp(kind->registrant, domain->kind)) continue;
        icp_domain_document_t *document = apr_array_push(domain->documents);
        *document = (icp_domain_document_t){.kind = kind};
    }
    ICP_TRY(icp_db_statement(&stmt, reg->db, ICP_STMT_DOMAIN_DOCUMENTS, "i", domain->id));
    for (;;) {
        ICP_TRY(icp_stmt_step(&row, stmt));
        if (!row) break;
        const char *kind = icp_stmt_text(stmt, 0, pool);
        for (int i = 0; i < domain->documents->nelts; i++) {
            icp_domain_document_t *document = &APR_ARRAY_IDX(domain->documents, i, icp_domain_document_t);
            if (strcmp(document->kind->kind, kind)) continue;
            document->file = (icp_document_t){.name = icp_stmt_text(stmt, 1, pool),
                                              .type = icp_stmt_text(stmt, 2, pool),
                                              .bytes = icp_stmt_int(stmt, 3),
                                              .sha256 = icp_stmt_text(stmt, 4, pool)};
            document->added_at = apr_time_from_sec(icp_stmt_int(stmt, 5));
            document->refused = (int)icp_stmt_int(stmt, 6);
        }
    }
    for (int i = 0; i < domain->documents->nelts; i++) {
        domain->missing += icp_domain_wants(&APR_ARRAY_IDX(domain->documents, i, icp_domain_document_t));
    }
    return NULL;
}

static apr_array_header_t *read_reasons(const char *text, apr_pool_t *pool)
{
    apr_array_header_t *reasons = apr_array_make(pool, 2, sizeof(const char *));
    json_t *array = json_loads(text, 0, NULL), *reason;
    size_t i;
    json_array_foreach(array, i, reason)
    {
        APR_ARRAY_PUSH(reasons, const char *) = apr_pstrdup(pool, json_string_value(reason));
    }
    json_decref(array);
    return reasons;
}

/* NULL in *domain: not on file. */
static icp_error_t *find(icp_domain_t **result, icp_register_t *reg, const char *normal, apr_pool_t *pool)
{
    icp_stmt_t *stmt;
    int row;
    *result = NULL;
    ICP_TRY(icp_db_statement(&stmt, reg->db, ICP_STMT_DOMAIN_GET, "s", normal));
    ICP_TRY(icp_stmt_step(&row, stmt));
    if (!row) return NULL;
    icp_domain_t *domain = apr_pcalloc(pool, sizeof *domain);
    domain->id = icp_stmt_int(stmt, 0);
    domain->name = icp_stmt_text(stmt, 1, pool);
    domain->registrant = icp_stmt_text(stmt, 2, pool);
    domain->kind = icp_stmt_text(stmt, 3, pool);
    domain->email = icp_stmt_text(stmt, 4, pool);
    domain->state = icp_domain_state(icp_stmt_text(stmt, 5, pool));
    domain->reasons = read_reasons(icp_stmt_text(stmt, 6, pool), pool);
    domain->added_at = apr_time_from_sec(icp_stmt_int(stmt, 7));
    domain->state_at = apr_time_from_sec(icp_stmt_int(stmt, 8));
    domain->reminded_at = apr_time_from_sec(icp_stmt_int(stmt, 9));
    icp_stmt_reset(stmt);
    *result = domain;
    return read_documents(domain, reg, pool);
}

icp_error_t *icp_domain_get(icp_domain_t **domain, icp_register_t *reg, const char *name, apr_pool_t *pool)
{
    const char *normal;
    ICP_TRY(icp_domain_name(&normal, name, pool));
    ICP_TRY(find(domain, reg, normal, pool));
    if (*domain) return NULL;
    return icp_error(pool, ICP_NOT_FOUND,
                     "icpadmin domain list shows those on file; icpadmin domain add puts one there",
                     "the domain %s is not on file", icp_host_display(normal, pool));
}

static icp_error_t *name_of(const char **name, icp_register_t *reg, apr_int64_t id, apr_pool_t *pool)
{
    icp_stmt_t *stmt;
    int row;
    ICP_TRY(icp_db_statement(&stmt, reg->db, ICP_STMT_DOMAIN_NAME, "i", id));
    ICP_TRY(icp_stmt_step(&row, stmt));
    *name = row ? icp_stmt_text(stmt, 0, pool) : NULL;
    icp_stmt_reset(stmt);
    return NULL;
}

icp_error_t *icp_domain_each(icp_register_t *reg, icp_domain_fn *fn, void *baton, apr_pool_t *pool)
{
    apr_array_header_t *ids;
    apr_pool_t *item_pool;
    icp_stmt_t *stmt;
    ICP_TRY(icp_db_statement(&stmt, reg->db, ICP_STMT_DOMAIN_IDS, ""));
    ICP_TRY(icp_stmt_ids(&ids, stmt, pool));
    apr_pool_create(&item_pool, pool);
    for (int i = 0; i < ids->nelts; i++) {
        icp_domain_t *domain = NULL;
        const char *name;
        apr_pool_clear(item_pool);
        ICP_TRY(name_of(&name, reg, APR_ARRAY_IDX(ids, i, apr_int64_t), item_pool));
        if (name) ICP_TRY(find(&domain, reg, name, item_pool));
        if (domain) ICP_TRY(fn(domain, baton, item_pool));
    }
    apr_pool_destroy(item_pool);
    return NULL;
}

/* --- what is told ------------------------------------------------------------------------------------------------- */

static json_t *texts_json(const apr_array_header_t *texts)
{
    json_t *array = json_array();
    for (int i = 0; texts && i < texts->nelts; i++)
        json_array_append_new(array, json_string(APR_ARRAY_IDX(texts, i, const char *)));
    return array;
}

/* Without what could not be taken out of the audit log again: a person's name, and addresses. */
static json_t *audit_json(const icp_domain_t *domain)
{
    json_t *documents = json_array();
    for (int i = 0; domain->documents && i < domain->documents->nelts; i++) {
        const icp_domain_document_t *document = &APR_ARRAY_IDX(domain->documents, i, icp_domain_document_t);
        if (!icp_domain_wants(document)) json_array_append_new(documents, json_string(document->kind->kind));
    }
    const char *registrant = strcmp(domain->kind, "individual") ? domain->registrant : NULL;
    return json_pack("{s:s*, s:s, s:s, s:o, s:o}", "registrant", registrant, "kind", domain->kind, "state",
                     icp_domain_states[domain->state], "documents", documents, "reasons", texts_json(domain->reasons));
}

/* So those are named. */
static void set_changed(json_t *object, const icp_domain_t *before, const icp_domain_t *after)
{
    json_t *changed = json_array();
    if (strcmp(before->registrant, after->registrant)) json_array_append_new(changed, json_string("registrant"));
    if (strcmp(before->email, after->email)) json_array_append_new(changed, json_string("email"));
    if (json_array_size(changed)) json_object_set(object, "changed", changed);
    json_decref(changed);
}

static icp_error_t *record(icp_register_t *reg, const char *action, const icp_domain_t *before,
                           const icp_domain_t *after, const char *note, apr_pool_t *pool)
{
    json_t *old = before ? audit_json(before) : NULL, *new = after ? audit_json(after) : NULL;
    if (before && after) set_changed(new, before, after);
    icp_error_t *error = icp_audit_event(reg, action, (after ? after : before)->name, old, new, note, pool);
    json_decref(old);
    json_decref(new);
    return error;
}

static const char *missing_text(const icp_domain_t *domain, apr_pool_t *pool)
{
    const char *text = "";
    for (int i = 0; i < domain->documents->nelts; i++) {
        const icp_domain_document_t *document = &APR_ARRAY_IDX(domain->documents, i, icp_domain_document_t);
        if (!icp_domain_wants(document)) continue;
        text = apr_pstrcat(pool, text, *text ? "\n" : "", document->kind->zh, " / ", document->kind->en, NULL);
    }
    return text;
}

static icp_error_t *tell(icp_register_t *reg, const char *event, const icp_domain_t *domain, apr_pool_t *pool)
{
    const char *shown = icp_host_display(domain->name, pool);
    if (strcmp(shown, domain->name)) shown = apr_psprintf(pool, "%s (%s)", shown, domain->name);
    json_t *facts = json_pack("{s:s, s:s, s:s, s:s, s:s}", "domain", shown, "registrant", domain->registrant, "state",
                              icp_domain_states[domain->state], "documents", missing_text(domain, pool), "reasons",
                              apr_array_pstrcat(pool, domain->reasons, '\n'));
    icp_error_t *error = icp_message_post(reg, event, domain->name, domain->email, facts, pool);
    json_decref(facts);
    return error;
}

/* --- changing ----------------------------------------------------------------------------------------------------- */

static icp_error_t *check_text(const char **result, const char *text, const char *what, apr_pool_t *pool)
{
    *result = icp_text_trim(text, pool);
    if (strlen(*result) <= TEXT_MAX && icp_text_plain(*result)) return NULL;
    return icp_error(pool, ICP_USAGE, "type it anew, in UTF-8",
                     "the %s is too long, contains control characters or is not UTF-8", what);
}

static icp_error_t *check_fields(icp_domain_t *domain, apr_pool_t *pool)
{
    ICP_TRY(
        icp_error_about(check_text(&domain->registrant, domain->registrant, "registrant's name", pool), "registrant"));
    if (!*domain->registrant) {
        return icp_error_about(
            icp_error(pool, ICP_USAGE, "give the name as it stands on the document", "the registrant's name is empty"),
            "registrant");
    }
    if (strcmp(domain->kind, "individual") && strcmp(domain->kind, "organisation")) {
        return icp_error_about(icp_error(pool, ICP_USAGE, "say individual or organisation",
                                         "there is no kind of registrant `%s`",
                                         icp_text_printable(domain->kind, 40, pool)),
                               "kind");
    }
    ICP_TRY(icp_error_about(check_text(&domain->email, domain->email, "e-mail address", pool), "email"));
    return *domain->email ? icp_error_about(icp_address_parse(&domain->email, domain->email, pool), "email") : NULL;
}

/* Writes the state that follows and tells the registrant of it. `domain` still has the old one. */
static icp_error_t *enter(icp_register_t *reg, icp_domain_t *domain, icp_domain_state_e state,
                          const apr_array_header_t *reasons, const char *event, apr_pool_t *pool)
{
    icp_stmt_t *stmt;
    const json_t *list = icp_json_keep(texts_json(reasons), pool);
    ICP_TRY(icp_db_statement(&stmt, reg->db, ICP_STMT_DOMAIN_STATE, "issi", domain->id, icp_domain_states[state],
                             icp_json_text(list, JSON_COMPACT, pool), (apr_int64_t)apr_time_sec(reg->now)));
    ICP_TRY(icp_stmt_run(stmt));
    ICP_TRY(find(&domain, reg, domain->name, pool));
    return tell(reg, event, domain, pool);
}

icp_error_t *icp_domain_add(icp_register_t *reg, icp_domain_t *domain, apr_pool_t *pool)
{
    icp_domain_t *known;
    icp_stmt_t *stmt;
    ICP_TRY(icp_error_about(icp_domain_name(&domain->name, domain->name, pool), "domain"));
    ICP_TRY(check_fields(domain, pool));
    ICP_TRY(find(&known, reg, domain->name, pool));
    if (known) {
        return icp_error(pool, ICP_REFUSED, "domain show has what is on file, domain edit changes it",
                         "%s is on file, of %s", icp_host_display(domain->name, pool), known->registrant);
    }
    ICP_TRY(icp_db_statement(&stmt, reg->db, ICP_STMT_DOMAIN_INSERT, "ssssi", domain->name, domain->registrant,
                             domain->kind, domain->email, (apr_int64_t)apr_time_sec(reg->now)));
    ICP_TRY(icp_stmt_run(stmt));
    ICP_TRY(find(&known, reg, domain->name, pool));
    *domain = *known;
    ICP_TRY(record(reg, "domain.add", NULL, domain, NULL, pool));
    return tell(reg, "domain.documents-wanted", domain, pool);
}

/* No document of it is on file any longer. */
static icp_error_t *drop_documents(icp_register_t *reg, const icp_domain_t *domain, apr_array_header_t *dropped)
{
    icp_stmt_t *stmt;
    for (int i = 0; i < domain->documents->nelts; i++) {
        const icp_domain_document_t *document = &APR_ARRAY_IDX(domain->documents, i, icp_domain_document_t);
        if (document->file.bytes)
            APR_ARRAY_PUSH(dropped, const char *) = apr_pstrdup(dropped->pool, document->file.sha256);
    }
    ICP_TRY(icp_db_statement(&stmt, reg->db, ICP_STMT_DOMAIN_DOCUMENTS_DROP, "i", domain->id));
    return icp_stmt_run(stmt);
}

icp_error_t *icp_domain_edit(icp_register_t *reg, const char *name, const icp_domain_t *changes,
                             apr_array_header_t *dropped, apr_pool_t *pool)
{
    icp_domain_t *before, *after, edited;
    icp_stmt_t *stmt;
    ICP_TRY(icp_domain_get(&before, reg, name, pool));
    edited = *before;
    if (changes->registrant) edited.registrant = changes->registrant;
    if (changes->kind) edited.kind = changes->kind;
    if (changes->email) edited.email = changes->email;
    ICP_TRY(check_fields(&edited, pool));
    int anew = strcmp(edited.registrant, before->registrant) || strcmp(edited.kind, before->kind);
    if (!anew && !strcmp(edited.email, before->email)) return NULL;

    ICP_TRY(icp_db_statement(&stmt, reg->db, ICP_STMT_DOMAIN_EDIT, "isss", edited.id, edited.registrant, edited.kind,
                             edited.email));
    ICP_TRY(icp_stmt_run(stmt));
    if (anew) {
        ICP_TRY(drop_documents(reg, before, dropped));
        ICP_TRY(enter(reg, &edited, ICP_DOMAIN_WANTED, NULL, "domain.documents-wanted", pool));
    }
    ICP_TRY(find(&after, reg, edited.name, pool));
    return record(reg, "domain.edit", before, after, NULL, pool);
}

icp_error_t *icp_domain_remove(icp_register_t *reg, const char *name, const char *note, apr_array_header_t *dropped,
                               apr_pool_t *pool)
{
    icp_domain_t *domain;
    icp_stmt_t *stmt;
    ICP_TRY(icp_domain_get(&domain, reg, name, pool));
    ICP_TRY(drop_documents(reg, domain, dropped));
    ICP_TRY(icp_db_statement(&stmt, reg->db, ICP_STMT_DOMAIN_DELETE, "i", domain->id));
    ICP_TRY(icp_stmt_run(stmt));
    return record(reg, "domain.remove", domain, NULL, note, pool);
}

icp_error_t *icp_domain_put_document(icp_register_t *reg, const char *name, const char *kind,
                                     const icp_document_t *document, apr_array_header_t *dropped, apr_pool_t *pool)
{
    icp_domain_t *before, *after;
    const icp_domain_kind_t *known;
    icp_domain_state_e next;
    icp_stmt_t *stmt;
    ICP_TRY(icp_domain_get(&before, reg, name, pool));
    ICP_TRY(icp_domain_kind(&known, before->kind, kind, pool));
    ICP_TRY(icp_domain_next(&next, before->name, before->state, ICP_DOMAIN_DO_DOCUMENTS, 0, pool));
    for (int i = 0; i < before->documents->nelts; i++) {
        const icp_domain_document_t *old = &APR_ARRAY_IDX(before->documents, i, icp_domain_document_t);
        if (old->kind != known || !old->file.bytes || !strcmp(old->file.sha256, document->sha256)) continue;
        APR_ARRAY_PUSH(dropped, const char *) = apr_pstrdup(dropped->pool, old->file.sha256);
    }
    ICP_TRY(icp_db_statement(&stmt, reg->db, ICP_STMT_DOMAIN_DOCUMENT_PUT, "isssisi", before->id, known->kind,
                             document->name, document->type, document->bytes, document->sha256,
                             (apr_int64_t)apr_time_sec(reg->now)));
    ICP_TRY(icp_stmt_run(stmt));
    ICP_TRY(find(&after, reg, before->name, pool));
    ICP_TRY(icp_domain_next(&next, before->name, before->state, ICP_DOMAIN_DO_DOCUMENTS, !after->missing, pool));
    if (next != before->state) ICP_TRY(enter(reg, after, next, NULL, "domain.received", pool));
    ICP_TRY(find(&after, reg, before->name, pool));
    return record(reg, "domain.documents", before, after, apr_psprintf(pool, "%s: %s", known->kind, document->sha256),
                  pool);
}

static icp_error_t *refuse_documents(icp_register_t *reg, const icp_domain_t *domain, const apr_array_header_t *kinds,
                                     apr_pool_t *pool)
{
    icp_stmt_t *stmt;
    for (int i = 0; i < (kinds->nelts ? kinds->nelts : 1); i++) {
        const icp_domain_kind_t *kind = NULL;
        if (kinds->nelts) ICP_TRY(icp_domain_kind(&kind, domain->kind, APR_ARRAY_IDX(kinds, i, const char *), pool));
        ICP_TRY(icp_db_statement(&stmt, reg->db, ICP_STMT_DOMAIN_DOCUMENT_REFUSE, "is", domain->id,
                                 kind ? kind->kind : NULL));
        ICP_TRY(icp_stmt_run(stmt));
    }
    return NULL;
}

static icp_error_t *check_reasons(apr_array_header_t **checked, const apr_array_header_t *reasons, apr_pool_t *pool)
{
    *checked = apr_array_make(pool, 2, sizeof(const char *));
    for (int i = 0; reasons && i < reasons->nelts; i++) {
        const char *reason = icp_text_trim(APR_ARRAY_IDX(reasons, i, const char *), pool);
        if (!*reason || strlen(reason) > REASON_MAX || !icp_text_plain(reason)) {
            return icp_error(pool, ICP_USAGE, "write one line of at most 2000 bytes",
                             "a reason is empty, too long or not plain text");
        }
        APR_ARRAY_PUSH(*checked, const char *) = reason;
    }
    return NULL;
}

icp_error_t *icp_domain_take_step(icp_register_t *reg, const char *name, icp_domain_step_e step,
                                  const apr_array_header_t *reasons, const apr_array_header_t *kinds, const char *note,
                                  apr_pool_t *pool)
{
    icp_domain_t *before, *after;
    icp_domain_state_e next;
    apr_array_header_t *checked;
    ICP_TRY(icp_domain_get(&before, reg, name, pool));
    ICP_TRY(icp_domain_next(&next, before->name, before->state, step, !before->missing, pool));
    ICP_TRY(check_reasons(&checked, reasons, pool));
    if (step == ICP_DOMAIN_DO_REFUSE) {
        if (!checked->nelts)
            return icp_error(pool, ICP_USAGE, "say why: the registrant reads it", "a refusal has a reason");
        ICP_TRY(refuse_documents(reg, before, kinds, pool));
    }
    ICP_TRY(enter(reg, before, next, checked, apr_pstrcat(pool, "domain.", icp_domain_states[next], NULL), pool));
    ICP_TRY(find(&after, reg, before->name, pool));
    static const char *const actions[ICP_DOMAIN_STEP_COUNT] = {"domain.documents", "domain.submit", "domain.accept",
                                                               "domain.refuse"};
    return record(reg, actions[step], before, after, note, pool);
}

/* --- reminders ---------------------------------------------------------------------------------------------------- */

/* When is the next reminder due? 0: never, since nothing is missing, or there is no address. */
static apr_time_t remind_at(const icp_domain_t *domain, apr_int64_t days)
{
    if (!domain->missing || !*domain->email) return 0;
    apr_time_t last = domain->reminded_at > domain->state_at ? domain->reminded_at : domain->state_at;
    return last + apr_time_from_sec(days * 86400);
}

typedef struct reminding_t {
    icp_register_t *reg;
    apr_int64_t days;
    int all;
    apr_array_header_t *reminded;
} reminding_t;

static icp_error_t *remind_one(const icp_domain_t *domain, void *baton, apr_pool_t *pool)
{
    const reminding_t *reminding = baton;
    icp_register_t *reg = reminding->reg;
    apr_time_t due = remind_at(domain, reminding->days);
    icp_stmt_t *stmt;
    if (!due || (!reminding->all && due > reg->now)) return NULL;
    ICP_TRY(icp_db_statement(&stmt, reg->db, ICP_STMT_DOMAIN_REMINDED, "ii", domain->id,
                             (apr_int64_t)apr_time_sec(reg->now)));
    ICP_TRY(icp_stmt_run(stmt));
    ICP_TRY(tell(reg, "domain.reminder", domain, pool));
    APR_ARRAY_PUSH(reminding->reminded, const char *) = apr_pstrdup(reminding->reminded->pool, domain->name);
    json_t *after = json_pack("{s:s}", "documents", missing_text(domain, pool));
    icp_error_t *error = icp_audit_event(reg, "domain.remind", domain->name, NULL, after, NULL, pool);
    json_decref(after);
    return error;
}

icp_error_t *icp_domain_remind(icp_register_t *reg, int all, apr_array_header_t *reminded, apr_pool_t *pool)
{
    reminding_t reminding = {.reg = reg, .all = all, .reminded = reminded};
    apr_array_clear(reminded); /* a change may run twice */
    ICP_TRY(icp_policy_number(&reminding.days, reg, ICP_POLICY_REMIND_DAYS, pool));
    return icp_domain_each(reg, remind_one, &reminding, pool);
}
