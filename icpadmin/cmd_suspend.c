/* `icpadmin suspend` turns sites off. */
#include <string.h>

#include <apr_strings.h>

#include "names.h"
#include "options.h"
#include "output.h"
#include "site.h"

/* Of each site one is asked for. */
typedef struct answer_t {
    const char *site; /* as given; then its name */
    const char *reason;
    icp_suspension_t *suspension; /* what was opened; NULL: refused */
    icp_error_t *error;           /* why */
    const char *verdict;          /* of the newest look at it, "" if there is none */
} answer_t;

typedef struct suspending_t {
    answer_t *answers;
    int count;
    const char *note;
} suspending_t;

/* Ten thousand cost one commit. What is refused has changed nothing; a fault takes all of it back. */
static icp_error_t *change_suspend(icp_register_t *reg, void *baton, apr_pool_t *pool)
{
    suspending_t *suspending = baton;
    for (int i = 0; i < suspending->count; i++) {
        answer_t *answer = &suspending->answers[i];
        icp_site_t *site;
        answer->suspension = NULL;
        answer->error = icp_site_get(&site, reg, answer->site, pool);
        if (!answer->error) {
            answer->site = site->name;
            answer->verdict = site->verdict ? site->verdict : "";
            answer->error =
                icp_suspension_open(&answer->suspension, reg, site->name, answer->reason, suspending->note, pool);
        }
        if (answer->error && answer->error->status != ICP_NOT_FOUND && answer->error->status != ICP_REFUSED)
            return answer->error;
    }
    return NULL;
}

/* Opens what can be opened. What is refused or not on file has its error in its answer, printed on standard error and counted into
 * cli->status; any other error is returned, and then nothing was changed. */
static icp_error_t *suspend_all(icp_cli_t *cli, answer_t *answers, int count, const char *note)
{
    suspending_t suspending = {answers, count, note};
    ICP_TRY(icp_register_change(cli->reg, change_suspend, &suspending, cli->pool));
    for (int i = 0; i < count; i++) {
        const icp_error_t *error = answers[i].error;
        if (!error) continue;
        icp_print_error(cli, error);
        if ((int)error->status > cli->status) cli->status = error->status;
    }
    return NULL;
}

static json_t *answer_json(const answer_t *answer)
{
    json_t *object = json_object();
    json_object_set_new(object, "site", icp_text_json(answer->site));
    json_object_set_new(object, "suspended", json_boolean(answer->suspension != NULL));
    json_object_set_new(object, "reason", icp_text_json(answer->suspension ? answer->suspension->reason : NULL));
    json_object_set_new(object, "case", answer->suspension ? json_integer(answer->suspension->id) : json_null());
    json_object_set_new(object, "error", icp_text_json(answer->error ? answer->error->message : NULL));
    return object;
}

static icp_error_t *run_suspend(icp_cli_t *cli)
{
    apr_array_header_t *names;
    ICP_TRY(icp_names_read(&names, cli));
    ICP_TRY(icp_names_confirm(cli, "suspend", "sites", names));
    answer_t *answers = apr_pcalloc(cli->pool, (apr_size_t)names->nelts * sizeof *answers);
    for (int i = 0; i < names->nelts; i++) {
        answers[i].site = APR_ARRAY_IDX(names, i, const char *);
        answers[i].reason = icp_option(cli, "reason");
    }
    ICP_TRY(suspend_all(cli, answers, names->nelts, icp_option(cli, "note")));
    icp_list_t *list = cli->json ? icp_list_begin(cli, NULL) : NULL;
    for (int i = 0; i < names->nelts; i++) {
        const answer_t *answer = &answers[i];
        if (list) icp_list_object(list, answer_json(answer));
        if (answer->error) continue;
        icp_say(cli, "%s suspended: %s, case " ICP_CASE_FORMAT, answer->site, answer->reason, answer->suspension->id);
        if (!strcmp(answer->verdict, "displayed")) {
            icp_warn(cli, "%s: the newest look at its home page found its number displayed", answer->site);
        }
    }
    if (list) icp_list_end(list, NULL);
    return NULL;
}

static const icp_option_t suspend_options[] = {
    {"reason", "REASON", ICP_OPTION_REQUIRED, "missing, incorrect, invalid, hidden, unlicensed, cancelled or order"},
    {"note", "TEXT", 0, "why, for the audit log"},
    {NULL, NULL, 0, NULL},
};
const icp_command_t icp_cmd_suspend = {
    .noun = "suspend",
    .arguments = "SITE…",
    .least = 1,
    .most = -1,
    .need = ICP_NEED_REGISTER,
    .changes = 1,
    .summary = "turn sites off, effective for the very next request",
    .details = "Every host name of the site is answered with the ICP requirement page from the moment the command "
               "returns, until `icpadmin enable`. REASON is what the owner is told: missing, incorrect, invalid (the "
               "home page shows no number, another's, no valid one), hidden (it is there but not displayed), "
               "unlicensed, cancelled, order (an authority's order).\n\n"
               "Of several sites each is an answer of its own: what can be suspended is, in one transaction; the "
               "others are reported, and the exit status is the highest of theirs (1 suspended already, 3 not on "
               "file). `-` reads names from standard input.",
    .json = "an array; each has site, suspended, reason, case, error (why not, or null)",
    .example = "icpadmin suspend shop.example.cn --reason missing --note 'seen by phone'\n"
               "icpadmin suspend - --reason order --yes < sites.txt",
    .options = suspend_options,
    .run = run_suspend,
};
