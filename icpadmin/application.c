#include "application.h"

#include <string.h>

#include <apr_strings.h>

#include "output.h"
#include "progress.h"

json_t *icp_application_json(const icp_application_t *application, const icp_due_t *due)
{
    json_t *object = json_object();
    json_object_set_new(object, "application", icp_text_json(application->reference));
    json_object_set_new(object, "kind", icp_text_json(icp_form_kinds[application->kind].value));
    json_object_set_new(object, "state", icp_text_json(icp_app_states[application->state].name));
    json_object_set_new(object, "since", icp_time_json(application->state_at));
    json_object_set_new(object, "holder", icp_text_json(application->holder));
    json_object_set_new(object, "province", icp_text_json(application->province));
    json_object_set_new(object, "number", icp_text_json(*application->number ? application->number : NULL));
    json_object_set_new(object, "created_at", icp_time_json(application->created_at));
    json_object_set_new(object, "days_waiting", json_integer(due->waiting));
    json_object_set_new(object, "expected_by", icp_time_json(due->at));
    json_object_set_new(object, "estimated", json_boolean(due->estimated));
    json_object_set_new(object, "overdue", json_boolean(due->overdue));
    json_object_set_new(object, "purged_at", icp_time_json(application->purged_at));
    return object;
}

icp_error_t *icp_application_argument(icp_application_t **application, const icp_cli_t *cli)
{
    return icp_application_get(application, cli->reg, APR_ARRAY_IDX(cli->arguments, 0, const char *), cli->pool);
}

icp_error_t *icp_application_done(icp_cli_t *cli, const apr_array_header_t *applications)
{
    icp_terms_t terms;
    ICP_TRY(icp_terms_load(&terms, cli->reg, cli->pool));
    icp_list_t *list = cli->json && applications->nelts != 1 ? icp_list_begin(cli, NULL) : NULL;
    for (int i = 0; i < applications->nelts; i++) {
        const icp_application_t *application = APR_ARRAY_IDX(applications, i, icp_application_t *);
        icp_due_t due = icp_term_due(&terms, application, cli->reg->now);
        const char *expected = icp_term_text(application, &due, cli->pool);
        if (list)
            icp_list_object(list, icp_application_json(application, &due));
        else if (cli->json)
            icp_print_object(icp_application_json(application, &due));
        icp_say(cli, "%s %s%s%s", application->reference, icp_app_states[application->state].name,
                *expected ? ", expected by " : "", expected);
    }
    if (list) icp_list_end(list, NULL);
    return icp_application_publish(cli);
}

icp_error_t *icp_application_publish(icp_cli_t *cli)
{
    return icp_progress_publish(NULL, cli->reg, cli->pool);
}

const char *icp_application_field(const icp_form_field_t *field, apr_size_t website, apr_pool_t *pool)
{
    if (!strcmp(field->group, "websites")) return apr_psprintf(pool, "websites.%d.%s", (int)website, field->name);
    return apr_pstrcat(pool, field->group, *field->group ? "." : "", field->name, NULL);
}

static const char *with_known(const char *known, const char *one, apr_pool_t *pool)
{
    return apr_pstrcat(pool, known, *known ? ", " : "", one, NULL);
}

icp_error_t *icp_application_field_option(const char *path, const icp_application_t *application, apr_pool_t *pool)
{
    const char *holder = icp_form_value(application->form, "holder.kind"), *known = "";
    for (const icp_form_field_t *field = icp_form_fields; field->name; field++) {
        apr_size_t count = strcmp(field->group, "websites") ? 1 : icp_form_websites(application->form);
        for (apr_size_t i = 0; i < count && icp_form_asks(field, application->kind, holder); i++) {
            const char *one = icp_application_field(field, i, pool);
            if (!strcmp(one, path)) return NULL;
            known = with_known(known, one, pool);
        }
    }
    for (const icp_form_document_t *document = icp_form_documents; document->kind; document++) {
        const char *one = apr_pstrcat(pool, "document.", document->kind, NULL);
        if (!icp_form_document_asked(document, application->kind, holder)) continue;
        if (!strcmp(one, path)) return NULL;
        known = with_known(known, one, pool);
    }
    return icp_error(pool, ICP_USAGE, apr_psprintf(pool, "say one of %s", known), "%s has no field `%s`", application->reference, path);
}

icp_error_t *icp_application_state_option(icp_app_state_e *state, const char *name, apr_pool_t *pool)
{
    const char *known = "";
    *state = icp_app_state(name);
    if (*state < ICP_APP_STATE_COUNT) return NULL;
    for (int i = 0; i < ICP_APP_STATE_COUNT; i++) known = apr_pstrcat(pool, known, i ? ", " : "", icp_app_states[i].name, NULL);
    return icp_error(pool, ICP_USAGE, apr_psprintf(pool, "say one of %s", known), "there is no state `%s`", name);
}
