#include "domain_rules.h"

#include <string.h>

#include <apr_strings.h>
#include <libpsl.h>

#include "host.h"
#include "text.h"

/* --- names -------------------------------------------------------------------------------------------------------- */

/* cn, 中国 and 中國 */
static const char *const tlds[] = {"cn", "xn--fiqs8s", "xn--fiqz9s"};

static int is_suffix(const char *name)
{
    return psl_is_public_suffix2(psl_builtin(), name, PSL_TYPE_ICANN | PSL_TYPE_NO_STAR_RULE);
}

static int is_cn(const char *name)
{
    const char *dot = strrchr(name, '.'), *tld = dot ? dot + 1 : name;
    for (size_t i = 0; i < sizeof tlds / sizeof *tlds; i++) {
        if (!strcmp(tld, tlds[i])) return 1;
    }
    return 0;
}

icp_error_t *icp_domain_name(const char **normal, const char *text, apr_pool_t *pool)
{
    const char *name, *parent;
    ICP_TRY(icp_host_normalise(&name, text, 0, pool));
    const char *shown = icp_host_display(name, pool);
    if (!is_cn(name)) {
        return icp_error(pool, ICP_USAGE, "only registrations under .cn and .中国 are kept here", "%s is no .cn name",
                         shown);
    }
    if (is_suffix(name)) {
        return icp_error(pool, ICP_USAGE,
                         "give the name that was registered below it, such as example.cn or example.com.cn",
                         "%s is a suffix, not a registered name", shown);
    }
    for (parent = strchr(name, '.') + 1; !is_suffix(parent); parent = strchr(name, '.') + 1) name = parent;
    if (strcmp(icp_host_display(name, pool), shown)) {
        return icp_error(pool, ICP_USAGE,
                         apr_psprintf(pool, "give the registered name: %s", icp_host_display(name, pool)),
                         "%s is a name below a registered one", shown);
    }
    *normal = name;
    return NULL;
}

/* --- documents ---------------------------------------------------------------------------------------------------- */

const icp_domain_kind_t icp_domain_kinds[] = {
#define KIND(kind, registrant, en, zh) {kind, registrant, en, zh},
    ICP_DOMAIN_DOCUMENTS(KIND)
#undef KIND
        {NULL, NULL, NULL, NULL}};

icp_error_t *icp_domain_kind(const icp_domain_kind_t **result, const char *registrant, const char *name,
                             apr_pool_t *pool)
{
    const char *known = "";
    for (const icp_domain_kind_t *kind = icp_domain_kinds; kind->kind; kind++) {
        if (strcmp(kind->registrant, registrant)) continue;
        known = apr_pstrcat(pool, known, *known ? ", " : "", kind->kind, NULL);
        if (strcmp(kind->kind, name)) continue;
        *result = kind;
        return NULL;
    }
    return icp_error(pool, ICP_USAGE, apr_psprintf(pool, "there are: %s", known), "an %s hands in no document `%s`",
                     registrant, icp_text_printable(name, 40, pool));
}

/* --- states ------------------------------------------------------------------------------------------------------- */

const char *const icp_domain_states[ICP_DOMAIN_STATE_COUNT] = {
#define STATE(c, name) name,
    ICP_DOMAIN_STATES(STATE)
#undef STATE
};

static const char *const steps[ICP_DOMAIN_STEP_COUNT] = {
#define STEP(c, name) name,
    ICP_DOMAIN_STEPS(STEP)
#undef STEP
};

/* `to` where every document is there, else `part`. */
static const struct {
    icp_domain_state_e from;
    icp_domain_step_e step;
    icp_domain_state_e to, part;
} table[] = {
    {ICP_DOMAIN_WANTED, ICP_DOMAIN_DO_DOCUMENTS, ICP_DOMAIN_RECEIVED, ICP_DOMAIN_WANTED},
    {ICP_DOMAIN_REFUSED, ICP_DOMAIN_DO_DOCUMENTS, ICP_DOMAIN_RECEIVED, ICP_DOMAIN_REFUSED},
    {ICP_DOMAIN_RECEIVED, ICP_DOMAIN_DO_DOCUMENTS, ICP_DOMAIN_RECEIVED, ICP_DOMAIN_RECEIVED}, /* a better copy */
    {ICP_DOMAIN_RECEIVED, ICP_DOMAIN_DO_SUBMIT, ICP_DOMAIN_SUBMITTED, ICP_DOMAIN_SUBMITTED},
    {ICP_DOMAIN_SUBMITTED, ICP_DOMAIN_DO_ACCEPT, ICP_DOMAIN_ACCEPTED, ICP_DOMAIN_ACCEPTED},
    {ICP_DOMAIN_SUBMITTED, ICP_DOMAIN_DO_REFUSE, ICP_DOMAIN_REFUSED, ICP_DOMAIN_REFUSED},
};
#define ROWS (sizeof table / sizeof *table)

icp_domain_state_e icp_domain_state(const char *name)
{
    int state = 0;
    while (state < ICP_DOMAIN_STATE_COUNT && strcmp(icp_domain_states[state], name)) state++;
    return (icp_domain_state_e)state;
}

icp_error_t *icp_domain_next(icp_domain_state_e *next, const char *domain, icp_domain_state_e from,
                             icp_domain_step_e step, int complete, apr_pool_t *pool)
{
    const char *possible = "";
    for (size_t i = 0; i < ROWS; i++) {
        if (table[i].from != from) continue;
        if (table[i].step == step) {
            *next = complete ? table[i].to : table[i].part;
            return NULL;
        }
        possible = apr_pstrcat(pool, possible, *possible ? ", " : "", "domain ", steps[table[i].step], NULL);
    }
    return icp_error(pool, ICP_REFUSED,
                     *possible ? apr_psprintf(pool, "possible now: %s", possible)
                               : "nothing follows; domain edit --registrant begins anew for another registrant",
                     "`domain %s` is impossible while the documents of %s are %s", steps[step],
                     icp_host_display(domain, pool), icp_domain_states[from]);
}
