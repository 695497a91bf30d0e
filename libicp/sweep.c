/* See sweep.h. */
#include "sweep.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <apr_strings.h>

#include "audit.h"
#include "lock.h"

icp_error_t *icp_sweep_lock(icp_register_t *reg, apr_pool_t *pool)
{
    const char *file = apr_pstrcat(pool, reg->path, ".sweep", NULL);
    int fd = open(file, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0 || fchmod(fd, 0600) != 0) return icp_error_os(pool, errno, "cannot open the lock %s", file);
    if (flock(fd, LOCK_EX | LOCK_NB) == 0) return NULL; /* kept open */
    int fault = errno;
    close(fd);
    if (fault != EWOULDBLOCK) return icp_error_os(pool, fault, "cannot lock %s", file);
    const char *who = icp_lock_holders(file, pool);
    return icp_error(pool, ICP_REFUSED, "let it finish, or end it: the next one goes on where it stopped",
                     "another sweep is under way, by %s", who ? who : "a process that cannot be seen");
}

icp_error_t *icp_sweep_newest(icp_sweep_t **result, icp_register_t *reg, int enforcing, apr_pool_t *pool)
{
    icp_stmt_t *stmt;
    int row;
    *result = NULL;
    ICP_TRY(icp_db_statement(&stmt, reg->db, ICP_STMT_SWEEP_NEWEST, "i", (apr_int64_t)enforcing));
    ICP_TRY(icp_stmt_step(&row, stmt));
    if (!row) return NULL;
    icp_sweep_t *sweep = apr_pcalloc(pool, sizeof *sweep);
    *sweep = (icp_sweep_t){.id = icp_stmt_int(stmt, 0),
                           .started_at = apr_time_from_sec(icp_stmt_int(stmt, 1)),
                           .ended_at = apr_time_from_sec(icp_stmt_int(stmt, 2)),
                           .enforce = (int)icp_stmt_int(stmt, 3),
                           .total = icp_stmt_int(stmt, 4),
                           .done = icp_stmt_int(stmt, 5),
                           .compliant = icp_stmt_int(stmt, 6),
                           .failing = icp_stmt_int(stmt, 7),
                           .for_person = icp_stmt_int(stmt, 8),
                           .to_suspend = icp_stmt_int(stmt, 9),
                           .suspended = icp_stmt_int(stmt, 10),
                           .braked = (int)icp_stmt_int(stmt, 11),
                           .approved_by = icp_stmt_text(stmt, 12, pool)};
    icp_stmt_reset(stmt);
    *result = sweep;
    return NULL;
}

icp_error_t *icp_sweep_begin(icp_register_t *reg, icp_sweep_t *sweep)
{
    icp_stmt_t *stmt;
    apr_int64_t now = apr_time_sec(reg->now);
    ICP_TRY(icp_db_statement(&stmt, reg->db, ICP_STMT_SWEEP_BEGIN, "iii", now, (apr_int64_t)sweep->enforce, sweep->total));
    ICP_TRY(icp_stmt_run(stmt));
    sweep->id = icp_db_last_id(reg->db);
    sweep->started_at = apr_time_from_sec(now);
    ICP_TRY(icp_db_statement(&stmt, reg->db, ICP_STMT_SWEEP_CLOSE, "ii", sweep->id, now));
    return icp_stmt_run(stmt);
}

static icp_error_t *save(icp_register_t *reg, const icp_sweep_t *sweep, apr_time_t ended_at)
{
    icp_stmt_t *stmt;
    ICP_TRY(icp_db_statement(&stmt, reg->db, ICP_STMT_SWEEP_SAVE, "iiiiiiiiiiis", sweep->id,
                             (apr_int64_t)apr_time_sec(ended_at), (apr_int64_t)sweep->enforce, sweep->total, sweep->done,
                             sweep->compliant, sweep->failing, sweep->for_person, sweep->to_suspend, sweep->suspended,
                             (apr_int64_t)sweep->braked, sweep->approved_by));
    return icp_stmt_run(stmt);
}

icp_error_t *icp_sweep_save(icp_register_t *reg, const icp_sweep_t *sweep)
{
    return save(reg, sweep, 0);
}

icp_error_t *icp_sweep_end(icp_register_t *reg, icp_sweep_t *sweep, apr_pool_t *pool)
{
    const char *event = sweep->approved_by ? "sweep.approve" : sweep->braked ? "sweep.brake" : "sweep.end";
    sweep->ended_at = reg->now;
    ICP_TRY(save(reg, sweep, reg->now));
    json_t *after = json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:b}", "done", (json_int_t)sweep->done, "compliant",
                              (json_int_t)sweep->compliant, "failing", (json_int_t)sweep->failing, "for_person",
                              (json_int_t)sweep->for_person, "to_suspend", (json_int_t)sweep->to_suspend, "suspended",
                              (json_int_t)sweep->suspended, "enforce", sweep->enforce);
    icp_error_t *error = icp_audit_event(reg, event, icp_sweep_name(sweep, pool), NULL, after, NULL, pool);
    json_decref(after);
    return error;
}

const char *icp_sweep_name(const icp_sweep_t *sweep, apr_pool_t *pool)
{
    return apr_psprintf(pool, "sweep %" APR_INT64_T_FMT, sweep->id);
}

icp_error_t *icp_sweep_looks(apr_array_header_t **list, icp_register_t *reg, apr_time_t since, apr_time_t now,
                             apr_pool_t *pool)
{
    icp_stmt_t *stmt;
    int row;
    *list = apr_array_make(pool, 64, sizeof(icp_seen_t));
    ICP_TRY(icp_db_statement(&stmt, reg->db, ICP_STMT_SWEEP_LOOKS, "ii", (apr_int64_t)apr_time_sec(since),
                             (apr_int64_t)apr_time_sec(now)));
    for (;;) {
        ICP_TRY(icp_stmt_step(&row, stmt));
        if (!row) return NULL;
        icp_seen_t *seen = apr_array_push(*list);
        *seen = (icp_seen_t){.site = icp_stmt_text(stmt, 0, pool),
                             .verdict = icp_stmt_text(stmt, 1, pool),
                             .reason = icp_stmt_text(stmt, 2, pool),
                             .detail = icp_stmt_text(stmt, 3, pool),
                             .at = apr_time_from_sec(icp_stmt_int(stmt, 4)),
                             .suspended = icp_stmt_text(stmt, 5, pool)};
    }
}
