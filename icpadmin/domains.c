#include "domains.h"

#include <string.h>

#include <apr_strings.h>

#include "host.h"
#include "output.h"

const char *icp_domains_name(const icp_domain_t *domain, apr_pool_t *pool)
{
    const char *unicode = icp_host_display(domain->name, pool);
    return strcmp(unicode, domain->name) ? apr_psprintf(pool, "%s (%s)", unicode, domain->name) : domain->name;
}

static apr_array_header_t *missing_kinds(const icp_domain_t *domain, apr_pool_t *pool)
{
    apr_array_header_t *kinds = apr_array_make(pool, 2, sizeof(const char *));
    for (int i = 0; i < domain->documents->nelts; i++) {
        const icp_domain_document_t *document = &APR_ARRAY_IDX(domain->documents, i, icp_domain_document_t);
        if (icp_domain_wants(document)) APR_ARRAY_PUSH(kinds, const char *) = document->kind->kind;
    }
    return kinds;
}

const char *icp_domains_missing(const icp_domain_t *domain, apr_pool_t *pool)
{
    return icp_join(missing_kinds(domain, pool), pool);
}

icp_day_t icp_domains_due(int *estimated, const icp_domain_t *domain, const icp_calendar_t *calendar)
{
    *estimated = 0;
    if (domain->state != ICP_DOMAIN_SUBMITTED) return 0;
    return icp_calendar_add(calendar, icp_day_of(domain->state_at), ICP_DOMAIN_REVIEW_DAYS, estimated);
}

static json_t *documents_json(const icp_domain_t *domain)
{
    json_t *array = json_array();
    for (int i = 0; i < domain->documents->nelts; i++) {
        const icp_domain_document_t *document = &APR_ARRAY_IDX(domain->documents, i, icp_domain_document_t);
        if (!document->file.bytes) continue;
        json_t *object = json_object();
        json_object_set_new(object, "kind", icp_text_json(document->kind->kind));
        json_object_set_new(object, "name", icp_text_json(document->file.name));
        json_object_set_new(object, "type", icp_text_json(document->file.type));
        json_object_set_new(object, "bytes", json_integer(document->file.bytes));
        json_object_set_new(object, "sha256", icp_text_json(document->file.sha256));
        json_object_set_new(object, "added_at", icp_time_json(document->added_at));
        json_object_set_new(object, "refused", json_boolean(document->refused));
        json_array_append_new(array, object);
    }
    return array;
}

json_t *icp_domains_json(const icp_domain_t *domain, const icp_calendar_t *calendar, apr_pool_t *pool)
{
    int estimated;
    icp_day_t due = icp_domains_due(&estimated, domain, calendar);
    json_t *object = json_object();
    json_object_set_new(object, "domain", icp_text_json(domain->name));
    json_object_set_new(object, "unicode", icp_text_json(icp_host_display(domain->name, pool)));
    json_object_set_new(object, "registrant", icp_text_json(domain->registrant));
    json_object_set_new(object, "kind", icp_text_json(domain->kind));
    json_object_set_new(object, "email", icp_text_json(domain->email));
    json_object_set_new(object, "state", icp_text_json(icp_domain_states[domain->state]));
    json_object_set_new(object, "state_at", icp_time_json(domain->state_at));
    json_object_set_new(object, "missing", icp_texts_json(missing_kinds(domain, pool)));
    json_object_set_new(object, "due", due ? icp_text_json(icp_day_text(due, pool)) : json_null());
    json_object_set_new(object, "reasons", icp_texts_json(domain->reasons));
    json_object_set_new(object, "documents", documents_json(domain));
    json_object_set_new(object, "added_at", icp_time_json(domain->added_at));
    json_object_set_new(object, "reminded_at", icp_time_json(domain->reminded_at));
    return object;
}
