/* The queue's .cn registrations: documents that are missing, that came in, whose answer is overdue. And the calendar
 * that says so, when it is about to end. */
#include <apr_strings.h>

#include "dates.h"
#include "domains.h"
#include "host.h"
#include "policy.h"
#include "queue.h"
#include "shell_line.h"

typedef struct domains_t {
    icp_queue_t *queue;
    const icp_cli_t *cli;
    const icp_calendar_t *calendar;
    icp_day_t today;
} domains_t;

static void add(const domains_t *domains, const icp_domain_t *domain, apr_time_t since, const char *why, const char *command,
                apr_pool_t *pool)
{
    icp_queue_add(domains->queue, since, "domain", icp_host_display(domain->name, pool), why, command);
}

static const char *command(const domains_t *domains, const char *verb, const icp_domain_t *domain)
{
    return icp_shell_line(domains->cli, "domain", verb, domain->name, NULL);
}

static icp_error_t *judge(const icp_domain_t *domain, void *baton, apr_pool_t *pool)
{
    const domains_t *domains = baton;
    int estimated;
    icp_day_t due = icp_domains_due(&estimated, domain, domains->calendar);
    switch (domain->state) {
    case ICP_DOMAIN_WANTED:
    case ICP_DOMAIN_REFUSED:
        add(domains, domain, domain->state_at,
            apr_psprintf(pool, "%s, missing: %s%s",
                         domain->state == ICP_DOMAIN_REFUSED ? "documents refused" : "documents wanted",
                         icp_domains_missing(domain, pool),
                         *domain->email ? "" : "; nobody is reminded, it has no e-mail address"),
            command(domains, "show", domain), pool);
        break;
    case ICP_DOMAIN_RECEIVED:
        add(domains, domain, domain->state_at, "all documents are here: look at them and hand them to the registry",
            command(domains, "submit", domain), pool);
        break;
    case ICP_DOMAIN_SUBMITTED:
        if (due >= domains->today) break;
        add(domains, domain, icp_day_begin(due + 1),
            apr_psprintf(pool, "the registry's answer was due by %s", icp_dates_text(due, estimated, pool)),
            command(domains, "show", domain), pool);
        break;
    default:
        break;
    }
    return NULL;
}

static icp_error_t *judge_calendar(icp_queue_t *queue, const icp_cli_t *cli, const icp_calendar_t *calendar,
                                   icp_day_t today)
{
    const char *file;
    int wanted = icp_calendar_wants(calendar, today);
    if (!wanted || !icp_calendar_last_year(calendar)) return NULL; /* no list at all: was said */
    ICP_TRY(icp_policy_text(&file, NULL, cli->reg, ICP_POLICY_HOLIDAYS, cli->pool));
    icp_queue_add(queue, cli->reg->now, "calendar", file,
                  apr_psprintf(cli->pool, "the holidays of %d are not listed: dates from then on are estimates", wanted),
                  apr_pstrcat(cli->pool, "${EDITOR:-vi} ", icp_shell_word(file, cli->pool), NULL));
    return NULL;
}

icp_error_t *icp_queue_domains(icp_queue_t *queue, const icp_cli_t *cli)
{
    icp_calendar_t *calendar;
    domains_t domains = {.queue = queue, .cli = cli, .today = icp_day_of(cli->reg->now)};
    ICP_TRY(icp_dates_calendar(&calendar, cli));
    domains.calendar = calendar;
    ICP_TRY(judge_calendar(queue, cli, calendar, domains.today));
    return icp_domain_each(cli->reg, judge, &domains, cli->pool);
}
