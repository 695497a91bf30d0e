#include "metrics.h"

#include <stdio.h>
#include <string.h>

#include "outbox.h"
#include "queue.h"
#include "workflow.h"

static void begin(const char *name, const char *help)
{
    printf("# HELP %s %s\n# TYPE %s gauge\n", name, help, name);
}

static icp_error_t *print_queue(const icp_cli_t *cli)
{
    struct {
        const char *kind;
        int count;
        apr_time_t oldest;
    } kinds[] = {{.kind = "site"}, {.kind = "sweep"}, {.kind = "application"}, {.kind = "domain"}, {.kind = "calendar"}, {.kind = "message"}};
    const size_t count = sizeof kinds / sizeof *kinds;
    icp_queue_t queue;
    ICP_TRY(icp_queue_gather(&queue, cli));
    for (int i = 0; i < queue.items->nelts; i++) {
        const icp_queue_item_t *item = &APR_ARRAY_IDX(queue.items, i, icp_queue_item_t);
        for (size_t k = 0; k < count; k++) {
            if (strcmp(kinds[k].kind, item->kind)) continue;
            if (!kinds[k].count++ || item->since < kinds[k].oldest) kinds[k].oldest = item->since;
        }
    }
    begin("icp_queue_items", "What needs a person, by kind.");
    for (size_t k = 0; k < count; k++) printf("icp_queue_items{kind=\"%s\"} %d\n", kinds[k].kind, kinds[k].count);
    begin("icp_queue_oldest_timestamp_seconds", "Since when the oldest of them waits; 0: there is none.");
    for (size_t k = 0; k < count; k++) {
        printf("icp_queue_oldest_timestamp_seconds{kind=\"%s\"} %" APR_TIME_T_FMT "\n", kinds[k].kind, apr_time_sec(kinds[k].oldest));
    }
    return NULL;
}

static icp_error_t *print_outbox(const icp_cli_t *cli)
{
    static const char *const ways[] = {"mail", "event"};
    apr_int64_t waiting[2], given_up[2];
    apr_time_t oldest[2], ignored;
    for (int i = 0; i < 2; i++) {
        ICP_TRY(icp_outbox_count(&waiting[i], &oldest[i], cli->reg, ways[i], "waiting"));
        ICP_TRY(icp_outbox_count(&given_up[i], &ignored, cli->reg, ways[i], "given-up"));
    }
    begin("icp_outbox_messages", "Messages that have not left, by way and state.");
    for (int i = 0; i < 2; i++) {
        printf("icp_outbox_messages{way=\"%s\",state=\"waiting\"} %" APR_INT64_T_FMT "\n", ways[i], waiting[i]);
        printf("icp_outbox_messages{way=\"%s\",state=\"given-up\"} %" APR_INT64_T_FMT "\n", ways[i], given_up[i]);
    }
    begin("icp_outbox_oldest_timestamp_seconds", "When the oldest waiting message was posted; 0: none waits.");
    for (int i = 0; i < 2; i++) printf("icp_outbox_oldest_timestamp_seconds{way=\"%s\"} %" APR_TIME_T_FMT "\n", ways[i], apr_time_sec(oldest[i]));
    return NULL;
}

static void print_applications(const icp_overview_t *overview)
{
    begin("icp_applications", "Open applications, by state.");
    for (int state = 0; state < ICP_APP_STATE_COUNT; state++) {
        apr_int64_t count = 0;
        if (icp_app_states[state].final) continue;
        for (int i = 0; i < overview->applications->nelts; i++) {
            const icp_count_t *found = &APR_ARRAY_IDX(overview->applications, i, icp_count_t);
            if (!strcmp(found->word, icp_app_states[state].name)) count = found->count;
        }
        printf("icp_applications{state=\"%s\"} %" APR_INT64_T_FMT "\n", icp_app_states[state].name, count);
    }
}

icp_error_t *icp_metrics_print(const icp_cli_t *cli, const icp_overview_t *overview, int problems)
{
    begin("icp_problems", "What icpadmin status finds wrong.");
    printf("icp_problems %d\n", problems);
    ICP_TRY(print_queue(cli));
    ICP_TRY(print_outbox(cli));
    print_applications(overview);
    begin("icp_newest_look_timestamp_seconds", "When icpadmin last looked at a site; 0: never.");
    printf("icp_newest_look_timestamp_seconds %" APR_TIME_T_FMT "\n", apr_time_sec(overview->newest_look));
    begin("icp_audit_events", "Events in the audit log.");
    printf("icp_audit_events %" APR_INT64_T_FMT "\n", overview->events);
    return NULL;
}
