#include "outbox.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include <apr_strings.h>

#include "address.h"
#include "audit.h"
#include "policy.h"
#include "text.h"

#define FAULT_MAX 300      /* bytes of a fault that are kept */
#define BACKOFF_FIRST 60   /* seconds */
#define BACKOFF_MOST 3600
#define DAY 86400

icp_error_t *icp_outbox_get(icp_message_t **result, icp_register_t *reg, apr_int64_t id, apr_pool_t *pool)
{
    icp_stmt_t *stmt;
    int row;
    ICP_TRY(icp_db_statement(&stmt, reg->db, ICP_STMT_OUTBOX_GET, "i", id));
    ICP_TRY(icp_stmt_step(&row, stmt));
    if (!row) return icp_error(pool, ICP_NOT_FOUND, "icpadmin outbox list --all lists them", "there is no message %" APR_INT64_T_FMT, id);
    icp_message_t *message = *result = apr_palloc(pool, sizeof *message);
    *message = (icp_message_t){.id = icp_stmt_int(stmt, 0),
                               .posted_at = apr_time_from_sec(icp_stmt_int(stmt, 1)),
                               .way = icp_stmt_text(stmt, 2, pool),
                               .event = icp_stmt_text(stmt, 3, pool),
                               .subject = icp_stmt_text(stmt, 4, pool),
                               .recipient = icp_stmt_text(stmt, 5, pool),
                               .facts = icp_stmt_text(stmt, 6, pool),
                               .attempts = icp_stmt_int(stmt, 7),
                               .next_at = apr_time_from_sec(icp_stmt_int(stmt, 8)),
                               .fault = icp_stmt_text(stmt, 9, pool),
                               .state = icp_stmt_text(stmt, 10, pool),
                               .state_at = apr_time_from_sec(icp_stmt_int(stmt, 11))};
    icp_stmt_reset(stmt);
    return NULL;
}

icp_error_t *icp_outbox_ids(apr_array_header_t **ids, icp_register_t *reg, int all, const char *subject, apr_pool_t *pool)
{
    icp_stmt_t *stmt;
    ICP_TRY(icp_db_statement(&stmt, reg->db, ICP_STMT_OUTBOX_IDS, "is", (apr_int64_t)all, subject));
    return icp_stmt_ids(ids, stmt, pool);
}

static icp_error_t *get_all(apr_array_header_t **messages, icp_register_t *reg, icp_stmt_t *stmt, apr_pool_t *pool)
{
    apr_array_header_t *ids;
    ICP_TRY(icp_stmt_ids(&ids, stmt, pool));
    *messages = apr_array_make(pool, ids->nelts + 1, sizeof(icp_message_t *));
    for (int i = 0; i < ids->nelts; i++) {
        icp_message_t **message = apr_array_push(*messages);
        ICP_TRY(icp_outbox_get(message, reg, APR_ARRAY_IDX(ids, i, apr_int64_t), pool));
    }
    return NULL;
}

icp_error_t *icp_outbox_due(apr_array_header_t **messages, icp_register_t *reg, apr_time_t now, int mails, int events, int limit,
                            apr_pool_t *pool)
{
    icp_stmt_t *stmt;
    ICP_TRY(icp_db_statement(&stmt, reg->db, ICP_STMT_OUTBOX_DUE, "iiiii", (apr_int64_t)apr_time_sec(now), (apr_int64_t)mails,
                             (apr_int64_t)events, (apr_int64_t)limit, (apr_int64_t)apr_time_sec(now) + BACKOFF_MOST));
    return get_all(messages, reg, stmt, pool);
}

icp_error_t *icp_outbox_given_up(apr_array_header_t **messages, icp_register_t *reg, apr_pool_t *pool)
{
    icp_stmt_t *stmt;
    ICP_TRY(icp_db_statement(&stmt, reg->db, ICP_STMT_OUTBOX_GIVEN_UP, ""));
    return get_all(messages, reg, stmt, pool);
}

/* After this many attempts, seconds. */
static apr_int64_t backoff(apr_int64_t attempts)
{
    apr_int64_t wait = attempts < 10 ? (apr_int64_t)BACKOFF_FIRST << attempts : BACKOFF_MOST;
    return wait < BACKOFF_MOST ? wait : BACKOFF_MOST;
}

static icp_error_t *mark(int *gave_up, icp_register_t *reg, const icp_outcome_t *outcome, apr_int64_t hours, apr_pool_t *pool)
{
    apr_int64_t now = apr_time_sec(reg->now);
    icp_message_t *message;
    icp_stmt_t *stmt;
    if (outcome->sent) {
        ICP_TRY(icp_db_statement(&stmt, reg->db, ICP_STMT_OUTBOX_SENT, "ii", outcome->id, now));
        return icp_stmt_run(stmt);
    }
    ICP_TRY(icp_outbox_get(&message, reg, outcome->id, pool));
    const char *fault = icp_text_printable(outcome->fault, FAULT_MAX, pool);
    if (!outcome->for_good && now < apr_time_sec(message->state_at) + hours * 3600) {
        ICP_TRY(icp_db_statement(&stmt, reg->db, ICP_STMT_OUTBOX_FAILED, "isi", outcome->id, fault, now + backoff(message->attempts)));
        return icp_stmt_run(stmt);
    }
    ICP_TRY(icp_db_statement(&stmt, reg->db, ICP_STMT_OUTBOX_GIVE_UP, "isi", outcome->id, fault, now));
    ICP_TRY(icp_stmt_run(stmt));
    *gave_up += icp_db_changes(reg->db);
    return NULL;
}

icp_error_t *icp_outbox_mark(int *gave_up, icp_register_t *reg, const apr_array_header_t *outcomes, apr_pool_t *pool)
{
    apr_int64_t hours;
    *gave_up = 0;
    ICP_TRY(icp_policy_number(&hours, reg, ICP_POLICY_MESSAGE_HOURS, pool));
    for (int i = 0; i < outcomes->nelts; i++) ICP_TRY(mark(gave_up, reg, &APR_ARRAY_IDX(outcomes, i, icp_outcome_t), hours, pool));
    return NULL;
}

/* For staff's own changes: not sent yet, and recorded, without the address (which is personal, and may be in the fault as well). */
static icp_error_t *audit(icp_register_t *reg, const char *action, const icp_message_t *message, const char *to, const char *note,
                          apr_pool_t *pool)
{
    json_t *before = json_pack("{s:s, s:s, s:s}", "event", message->event, "about", message->subject, "state", message->state);
    json_t *after = to ? json_pack("{s:[s]}", "changed", "recipient") : json_object();
    const char *subject = apr_psprintf(pool, "message %" APR_INT64_T_FMT, message->id);
    icp_error_t *error = icp_audit_event(reg, action, subject, before, after, note, pool);
    json_decref(before);
    json_decref(after);
    return error;
}

static icp_error_t *get_unsent(icp_message_t **message, icp_register_t *reg, apr_int64_t id, apr_pool_t *pool)
{
    ICP_TRY(icp_outbox_get(message, reg, id, pool));
    if (strcmp((*message)->state, "sent")) return NULL;
    return icp_error(pool, ICP_REFUSED, NULL, "message %" APR_INT64_T_FMT " was sent %s", id, icp_text_time((*message)->state_at, pool));
}

icp_error_t *icp_outbox_retry(icp_register_t *reg, apr_int64_t id, const char *to, apr_pool_t *pool)
{
    icp_message_t *message;
    icp_stmt_t *stmt;
    ICP_TRY(get_unsent(&message, reg, id, pool));
    if (to) {
        if (strcmp(message->way, "mail")) return icp_error(pool, ICP_REFUSED, "leave --to out", "message %" APR_INT64_T_FMT " is no mail", id);
        ICP_TRY(icp_address_parse(&to, to, pool));
    }
    ICP_TRY(icp_db_statement(&stmt, reg->db, ICP_STMT_OUTBOX_RETRY, "iis", id, (apr_int64_t)apr_time_sec(reg->now), to));
    ICP_TRY(icp_stmt_run(stmt));
    return audit(reg, "message.retry", message, to, NULL, pool);
}

icp_error_t *icp_outbox_drop(icp_register_t *reg, apr_int64_t id, const char *note, apr_pool_t *pool)
{
    icp_message_t *message;
    icp_stmt_t *stmt;
    ICP_TRY(get_unsent(&message, reg, id, pool));
    if (!strcmp(message->state, "dropped")) return NULL;
    ICP_TRY(icp_db_statement(&stmt, reg->db, ICP_STMT_OUTBOX_DROP, "ii", id, (apr_int64_t)apr_time_sec(reg->now)));
    ICP_TRY(icp_stmt_run(stmt));
    return audit(reg, "message.drop", message, NULL, note, pool);
}

icp_error_t *icp_outbox_prune(int *count, icp_register_t *reg, apr_int64_t days, apr_pool_t *pool)
{
    icp_stmt_t *stmt;
    ICP_TRY(icp_db_statement(&stmt, reg->db, ICP_STMT_OUTBOX_PRUNE, "i", (apr_int64_t)apr_time_sec(reg->now) - days * DAY));
    ICP_TRY(icp_stmt_run(stmt));
    *count = icp_db_changes(reg->db);
    return NULL;
}

icp_error_t *icp_outbox_count(apr_int64_t *count, apr_time_t *oldest, icp_register_t *reg, const char *way, const char *state)
{
    icp_stmt_t *stmt;
    int row;
    ICP_TRY(icp_db_statement(&stmt, reg->db, ICP_STMT_OUTBOX_COUNT, "ss", state, way));
    ICP_TRY(icp_stmt_step(&row, stmt));
    *count = icp_stmt_int(stmt, 0);
    *oldest = apr_time_from_sec(icp_stmt_int(stmt, 1));
    icp_stmt_reset(stmt);
    return NULL;
}

icp_error_t *icp_outbox_stalled(apr_time_t *since, const char **fault, icp_register_t *reg, const char *way, apr_time_t before,
                                apr_pool_t *pool)
{
    icp_stmt_t *stmt;
    int row;
    *since = 0;
    ICP_TRY(icp_db_statement(&stmt, reg->db, ICP_STMT_OUTBOX_STALLED, "si", way, (apr_int64_t)apr_time_sec(before)));
    ICP_TRY(icp_stmt_step(&row, stmt));
    if (row) {
        *since = apr_time_from_sec(icp_stmt_int(stmt, 0));
        *fault = icp_stmt_text(stmt, 1, pool);
    }
    icp_stmt_reset(stmt);
    return NULL;
}

static apr_status_t unlock(void *data)
{
    close((int)(apr_uintptr_t)data);
    return APR_SUCCESS;
}

icp_error_t *icp_outbox_lock(int *locked, icp_register_t *reg, apr_pool_t *pool)
{
    const char *file = icp_register_companion(reg->path, "outbox.lock", pool);
    int fd = open(file, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0) return icp_error_os(pool, errno, "cannot open the lock %s", file);
    *locked = flock(fd, LOCK_EX | LOCK_NB) == 0;
    int fault = *locked ? 0 : errno;
    if (*locked) apr_pool_cleanup_register(pool, (void *)(apr_uintptr_t)fd, unlock, apr_pool_cleanup_null);
    else close(fd);
    return fault && fault != EWOULDBLOCK ? icp_error_os(pool, fault, "cannot lock %s", file) : NULL;
}
