#include "application_message.h"

#include <apr_strings.h>

#include "application_number.h"
#include "message.h"
#include "policy.h"
#include "term.h"

icp_error_t *icp_application_link(const char **link, icp_register_t *reg, const icp_application_t *application, apr_pool_t *pool)
{
    const char *address;
    ICP_TRY(icp_policy_text(&address, NULL, reg, ICP_POLICY_APPLY_URL, pool));
    *link = *address && *application->token ? apr_pstrcat(pool, address, "?application=", application->token, NULL) : "";
    return NULL;
}

static const char *sites_of(const icp_application_t *application, apr_pool_t *pool)
{
    const json_t *websites = json_object_get(application->form, "websites");
    const char *text = "";
    for (size_t i = 0; i < json_array_size(websites); i++) {
        const json_t *website = json_array_get(websites, i), *hosts = json_object_get(website, "hosts");
        text = apr_pstrcat(pool, text, i ? "\n" : "", icp_form_value(website, "name"), NULL);
        for (size_t j = 0; j < json_array_size(hosts); j++)
            text = apr_pstrcat(pool, text, j ? ", " : ": ", json_string_value(json_array_get(hosts, j)), NULL);
    }
    return text;
}

/* A change or a cancellation gives no number to be shown: its approval has a mail of its own. */
static const char *event_of(const icp_application_t *application, apr_pool_t *pool)
{
    if (application->state == ICP_APP_IS_APPROVED && !icp_app_adds(application->kind)) return "application.done";
    return apr_pstrcat(pool, "application.", icp_app_states[application->state].name, NULL);
}

static void set(json_t *facts, const char *name, const char *value)
{
    if (value && *value) json_object_set_new(facts, name, json_string(value));
}

/* What is wrong, in each language and for the provider's systems in both. */
static void set_reasons(json_t *facts, const icp_application_t *application, apr_pool_t *pool)
{
    apr_size_t websites = icp_form_websites(application->form);
    const char *zh = icp_reasons_text(application->reasons, websites, ICP_LANGUAGE_ZH, pool);
    const char *en = icp_reasons_text(application->reasons, websites, ICP_LANGUAGE_EN, pool);
    set(facts, "reasons-zh", zh);
    set(facts, "reasons-en", en);
    set(facts, "reasons", apr_pstrcat(pool, zh, *zh ? "\n" : "", en, NULL));
}

icp_error_t *icp_application_message_post(icp_register_t *reg, const icp_application_t *application, const icp_application_act_t *act,
                                          apr_pool_t *pool)
{
    apr_array_header_t *numbers;
    const char *link;
    icp_terms_t terms;
    ICP_TRY(icp_terms_load(&terms, reg, pool));
    ICP_TRY(icp_application_link(&link, reg, application, pool));
    ICP_TRY(icp_application_numbers(&numbers, reg, application, pool));
    icp_due_t due = icp_term_due(&terms, application, reg->now);
    json_t *facts = json_object();
    set(facts, "application", application->reference);
    set(facts, "kind", icp_form_kinds[application->kind].value);
    set(facts, "state", icp_app_states[application->state].name);
    set(facts, "holder", application->holder);
    set(facts, "number", application->number);
    set(facts, "link", link);
    set(facts, "expected-by", icp_term_text(application, &due, pool));
    set(facts, "sites", act && act->sites ? act->sites : sites_of(application, pool));
    set(facts, "stopped", act ? act->stopped : NULL);
    set(facts, "code", icp_application_numbers_text(numbers, pool));
    set_reasons(facts, application, pool);
    icp_error_t *error = icp_message_post(reg, event_of(application, pool), application->reference, application->email, facts,
                                          pool);
    json_decref(facts);
    return error;
}
