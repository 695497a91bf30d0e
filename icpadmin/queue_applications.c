/* The queue's applications: each that waits for staff, with the step that is next, and what the intake put aside. */
#include <dirent.h>
#include <sys/stat.h>

#include <apr_strings.h>

#include "application.h"
#include "intake_files.h"
#include "queue.h"
#include "shell_line.h"

/* What staff do next; NULL: it waits for the client or for a bureau. */
static const char *next_step(const icp_application_t *application)
{
    switch (application->state) {
    case ICP_APP_IS_RECEIVED:
    case ICP_APP_IS_CORRECTED: return "review";
    case ICP_APP_IS_REVIEWING: return "file";
    case ICP_APP_IS_FILED: return icp_app_cancels(application->kind) ? "confirm" : "sms";
    case ICP_APP_IS_CONFIRMED: return "bureau";
    default: return NULL;
    }
}

typedef struct looking_t {
    icp_queue_t *queue;
    const icp_cli_t *cli;
    icp_terms_t terms;
    apr_pool_t *pool;
} looking_t;

static const char *command(const looking_t *looking, const char *verb, const icp_application_t *application)
{
    return icp_shell_line(looking->cli, "application", verb, application->reference, NULL);
}

static icp_error_t *look(const icp_application_t *application, void *baton, apr_pool_t *pool)
{
    const looking_t *looking = baton;
    icp_due_t due = icp_term_due(&looking->terms, application, apr_time_now());
    const char *step = next_step(application), *what = icp_app_states[application->state].name;
    const char *pull = icp_shell_line(looking->cli, "application", "pull", NULL);
    if (application->state == ICP_APP_IS_BUREAU_REVIEW && due.overdue) step = "show";
    if (application->state == ICP_APP_IS_SMS_PENDING && due.overdue) {
        icp_queue_add(looking->queue, due.at, "application", application->reference, "its code by SMS was not confirmed in time",
                      pull);
    }
    if (application->state == ICP_APP_IS_REJECTED && due.at - apr_time_now() < apr_time_from_sec(7 * 86400)) {
        icp_queue_add(looking->queue, application->state_at, "application", application->reference,
                      apr_psprintf(pool, "rejected, and expires on %s", icp_term_text(application, &due, pool)),
                      due.overdue ? pull : command(looking, "show", application));
    }
    if (!step) return NULL;
    icp_queue_add(looking->queue, application->due_from, "application", application->reference,
                  due.overdue ? apr_psprintf(pool, "%s of %s, overdue since %s", what, application->holder,
                                             icp_term_text(application, &due, pool))
                              : apr_psprintf(pool, "%s of %s, due by %s", what, application->holder,
                                             icp_term_text(application, &due, pool)),
                  command(looking, step, application));
    return NULL;
}

static icp_error_t *read_all(icp_register_t *reg, void *baton, apr_pool_t *pool)
{
    looking_t *looking = baton;
    const icp_application_filter_t filter = {ICP_APP_STATE_COUNT, 0, NULL};
    ICP_TRY(icp_terms_load(&looking->terms, reg, looking->pool));
    return icp_application_each(reg, &filter, look, looking, pool);
}

/* What came from the workers and is no submission: somebody should look at it. */
static void look_at_refused(icp_queue_t *queue, const icp_cli_t *cli)
{
    const char *folder = icp_register_companion(cli->register_path, ICP_INTAKE_REFUSED, cli->pool);
    struct dirent *entry;
    struct stat status;
    int count = 0;
    DIR *entries = opendir(folder);
    if (!entries) return;
    while ((entry = readdir(entries))) count += entry->d_name[0] != '.';
    closedir(entries);
    if (!count || stat(folder, &status) != 0) return;
    icp_queue_add(queue, apr_time_from_sec(status.st_mtime), "application", "intake",
                  apr_psprintf(cli->pool, "put aside from the intake, since they are no submissions: %d", count),
                  apr_pstrcat(cli->pool, "ls -la ", icp_shell_word(folder, cli->pool), NULL));
}

icp_error_t *icp_queue_applications(icp_queue_t *queue, const icp_cli_t *cli)
{
    looking_t looking = {.queue = queue, .cli = cli, .pool = cli->pool};
    look_at_refused(queue, cli);
    return icp_register_read(cli->reg, read_all, &looking, cli->pool);
}
