/* Putting a backup in place of the register: see backup.h. The new pair is made in register.db.next and private.db.next, with
 * the swap's mark in it; renaming private.db.next over private.db is what decides. Before that nothing has happened, after it any
 * icpadmin command completes the swap.
 */
#include "backup.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <apr_strings.h>

#include "audit.h"
#include "backup_image.h"
#include "lock.h"
#include "log.h"
#include "register_files.h"

/* What the change on the new pair needs to know and tells. */
typedef struct restore_t {
    icp_restore_t *result;
    const char *file;
    apr_time_t at;         /* when the backup was made */
    int today;             /* today's register is attached */
    apr_array_header_t *logged; /* suspended_t: where it cannot be read, what today's log says of it */
    apr_int64_t replaced;  /* events in today's log; -1: not known */
} restore_t;

typedef struct suspended_t {
    apr_int64_t id; /* of the site, today */
    const char *name, *reason;
    int known;      /* to the backup */
} suspended_t;

static icp_error_t *run_with(icp_db_t *db, icp_stmt_e which, apr_int64_t id, const char *name)
{
    icp_stmt_t *stmt;
    ICP_TRY(name ? icp_db_statement(&stmt, db, which, "is", id, name) : icp_db_statement(&stmt, db, which, "i", id));
    return icp_stmt_run(stmt);
}

static icp_error_t *suspended_today(apr_array_header_t **list, icp_db_t *db, apr_pool_t *pool)
{
    icp_stmt_t *stmt;
    int row;
    *list = apr_array_make(pool, 64, sizeof(suspended_t));
    ICP_TRY(icp_db_statement(&stmt, db, ICP_STMT_RESTORE_SUSPENDED_TODAY, ""));
    for (;;) {
        ICP_TRY(icp_stmt_step(&row, stmt));
        if (!row) return NULL;
        suspended_t *site = apr_array_push(*list);
        site->id = icp_stmt_int(stmt, 0);
        site->name = icp_stmt_text(stmt, 1, pool);
        site->reason = icp_stmt_text(stmt, 2, pool);
        site->known = (int)icp_stmt_int(stmt, 3);
    }
}

static icp_error_t *tell_suspended(icp_register_t *reg, const restore_t *restore, const char *name, const char *reason,
                                   apr_pool_t *pool)
{
    APR_ARRAY_PUSH(restore->result->carried, const char *) = name;
    json_t *after = json_pack("{s:s}", "reason", reason);
    icp_error_t *error = icp_audit_event(reg, "site.suspend", name, NULL, after,
                                         apr_pstrcat(pool, "kept when ", restore->file, " was restored", NULL), pool);
    json_decref(after);
    return error;
}

static icp_error_t *carry_site(icp_register_t *reg, const restore_t *restore, const suspended_t *site, apr_pool_t *pool)
{
    icp_db_t *db = reg->db;
    if (!site->known) {
        ICP_TRY(run_with(db, ICP_STMT_RESTORE_ADD_SITE, site->id, NULL));
        ICP_TRY(run_with(db, ICP_STMT_RESTORE_ADD_HOLDERS, site->id, NULL));
        ICP_TRY(run_with(db, ICP_STMT_RESTORE_ADD_LICENSES, site->id, NULL));
        ICP_TRY(run_with(db, ICP_STMT_RESTORE_ADD_NUMBERS, site->id, NULL));
    }
    ICP_TRY(run_with(db, ICP_STMT_RESTORE_ADD_HOSTS, site->id, site->name));
    ICP_TRY(run_with(db, ICP_STMT_RESTORE_SUSPEND, site->id, site->name));
    return icp_db_changes(db) ? tell_suspended(reg, restore, site->name, site->reason, pool) : NULL;
}

/* The site that answers for `host` today, if that is suspended; else NULL. Exactly its own name, then wildcards, the longest first. */
static icp_error_t *suspended_owner(const char **owner, icp_db_t *db, const char *host, apr_pool_t *pool)
{
    icp_stmt_t *stmt;
    int row;
    *owner = NULL;
    for (const char *name = host; name;) {
        ICP_TRY(icp_db_statement(&stmt, db, ICP_STMT_RESTORE_OWNER_TODAY, "s", name));
        ICP_TRY(icp_stmt_step(&row, stmt));
        if (row) {
            if (icp_stmt_int(stmt, 1)) *owner = icp_stmt_text(stmt, 0, pool);
            icp_stmt_reset(stmt);
            return NULL;
        }
        const char *dot = strchr(strncmp(name, "*.", 2) ? name : name + 2, '.');
        name = dot ? apr_pstrcat(pool, "*", dot, NULL) : NULL;
    }
    return NULL;
}

/* Host names that the backup has, and that today are a suspended site's by its wildcard, stay with that. */
static icp_error_t *carry_hosts(icp_db_t *db, apr_pool_t *pool)
{
    icp_stmt_t *stmt;
    int row;
    const char *owner;
    apr_array_header_t *moves = apr_array_make(pool, 16, sizeof(const char *));
    apr_pool_t *scratch;
    apr_pool_create(&scratch, pool);
    ICP_TRY(icp_db_statement(&stmt, db, ICP_STMT_RESTORE_HOSTS, ""));
    for (;;) {
        ICP_TRY(icp_stmt_step(&row, stmt));
        if (!row) break;
        apr_pool_clear(scratch);
        const char *host = icp_stmt_text(stmt, 0, scratch);
        ICP_TRY(suspended_owner(&owner, db, host, scratch));
        if (!owner || !strcmp(owner, icp_stmt_text(stmt, 1, scratch))) continue;
        APR_ARRAY_PUSH(moves, const char *) = apr_pstrdup(pool, host);
        APR_ARRAY_PUSH(moves, const char *) = apr_pstrdup(pool, owner);
    }
    apr_pool_destroy(scratch);
    for (int i = 0; i < moves->nelts; i += 2) {
        ICP_TRY(icp_db_statement(&stmt, db, ICP_STMT_RESTORE_MOVE_HOST, "ss", APR_ARRAY_IDX(moves, i, const char *),
                                 APR_ARRAY_IDX(moves, i + 1, const char *)));
        ICP_TRY(icp_stmt_run(stmt));
    }
    return NULL;
}

static icp_error_t *suspend_unlicensed(icp_register_t *reg, const restore_t *restore, apr_pool_t *pool)
{
    icp_stmt_t *stmt;
    int row;
    apr_array_header_t *names = apr_array_make(pool, 16, sizeof(const char *));
    ICP_TRY(icp_db_statement(&stmt, reg->db, ICP_STMT_RESTORE_UNLICENSED, ""));
    for (;;) {
        ICP_TRY(icp_stmt_step(&row, stmt));
        if (!row) break;
        APR_ARRAY_PUSH(names, const char *) = icp_stmt_text(stmt, 0, pool);
    }
    for (int i = 0; i < names->nelts; i++) {
        const char *name = APR_ARRAY_IDX(names, i, const char *);
        ICP_TRY(icp_db_statement(&stmt, reg->db, ICP_STMT_RESTORE_SUSPEND_UNLICENSED, "sis", name,
                                 (apr_int64_t)apr_time_sec(reg->now), reg->actor));
        ICP_TRY(icp_stmt_run(stmt));
        ICP_TRY(tell_suspended(reg, restore, name, "unlicensed", pool));
    }
    return NULL;
}

static icp_error_t *carry_over(icp_register_t *reg, const restore_t *restore, apr_pool_t *pool)
{
    apr_array_header_t *suspended;
    ICP_TRY(icp_db_run(reg->db, ICP_STMT_RESTORE_SEQUENCES));
    ICP_TRY(icp_db_run(reg->db, ICP_STMT_RESTORE_END_LICENSES));
    ICP_TRY(suspended_today(&suspended, reg->db, pool));
    for (int i = 0; i < suspended->nelts; i++) {
        ICP_TRY(carry_site(reg, restore, &APR_ARRAY_IDX(suspended, i, suspended_t), pool));
    }
    ICP_TRY(carry_hosts(reg->db, pool));
    return suspend_unlicensed(reg, restore, pool);
}

static icp_error_t *carry_logged(icp_register_t *reg, const restore_t *restore, apr_pool_t *pool)
{
    icp_stmt_t *stmt;
    int known;
    for (int i = 0; i < restore->logged->nelts; i++) {
        const suspended_t *site = &APR_ARRAY_IDX(restore->logged, i, suspended_t);
        ICP_TRY(icp_db_statement(&stmt, reg->db, ICP_STMT_RESTORE_SITE_KNOWN, "s", site->name));
        ICP_TRY(icp_stmt_step(&known, stmt));
        icp_stmt_reset(stmt);
        if (!known) {
            icp_log(ICP_LOG_WARNING, "%s was suspended (%s) and is not in the backup: add the site again and suspend it, or its host "
                    "names are served", site->name, site->reason);
            continue;
        }
        ICP_TRY(icp_db_statement(&stmt, reg->db, ICP_STMT_RESTORE_SUSPEND_LOGGED, "ssis", site->name, site->reason,
                                 (apr_int64_t)apr_time_sec(reg->now), reg->actor));
        ICP_TRY(icp_stmt_run(stmt));
        if (icp_db_changes(reg->db)) ICP_TRY(tell_suspended(reg, restore, site->name, site->reason, pool));
    }
    return NULL;
}

static icp_error_t *make_restored(icp_register_t *reg, void *baton, apr_pool_t *pool)
{
    restore_t *restore = baton;
    apr_int64_t version;
    ICP_TRY(icp_db_integer(&version, reg->db, "PRAGMA main.user_version"));
    if (version < ICP_REGISTER_SCHEMA) ICP_TRY(icp_register_migrate(reg->db, NULL, (int)version, ICP_REGISTER_SCHEMA));

    json_t *before = restore->replaced < 0 ? NULL : json_pack("{s:I}", "events", (json_int_t)restore->replaced);
    json_t *after = json_pack("{s:s,s:I,s:s?}", "backup", restore->file, "made_at", (json_int_t)apr_time_sec(restore->at), "saved",
                              restore->result->saved);
    icp_error_t *error = icp_audit_event(reg, "register.restore", reg->path, before, after, NULL, pool);
    json_decref(before);
    json_decref(after);
    if (!error && restore->today) error = carry_over(reg, restore, pool);
    if (!error && !restore->today) error = carry_logged(reg, restore, pool);
    return error ? error : icp_db_run(reg->db, ICP_STMT_PASS_EPOCHS_ANEW); /* what was revoked since stays void */
}

/* "DIRECTORY/before-restore-20260314T091500Z.backup", and "-2" and so on after the stamp while there is one of that name. */
static const char *name_saved(icp_register_t *reg, apr_pool_t *pool)
{
    char stamp[32];
    apr_size_t length;
    apr_time_exp_t now;
    apr_time_exp_gmt(&now, reg->now);
    apr_strftime(stamp, &length, sizeof stamp, "%Y%m%dT%H%M%SZ", &now);
    const char *stem = apr_pstrcat(pool, reg->files->directory, "before-restore-", stamp, NULL);
    const char *file = apr_pstrcat(pool, stem, ".backup", NULL);
    for (int i = 2; icp_file_exists(file); i++) {
        file = apr_psprintf(pool, "%s-%d.backup", stem, i);
    }
    return file;
}

/* Opens today's pair in one read transaction over both. */
static icp_error_t *read_today(icp_register_t *reg, restore_t *restore, apr_pool_t *pool)
{
    apr_int64_t version;
    icp_stmt_t *stmt;
    int row;
    ICP_TRY(icp_register_connect(reg, reg->path));
    ICP_TRY(icp_register_schema(&version, reg, ICP_REGISTER_SCHEMA, pool));
    ICP_TRY(icp_db_run(reg->db, ICP_STMT_READ_BEGIN));
    ICP_TRY(icp_db_statement(&stmt, reg->db, ICP_STMT_RESTORE_EVENTS, ""));
    ICP_TRY(icp_stmt_step(&row, stmt));
    restore->replaced = icp_stmt_int(stmt, 0);
    icp_stmt_reset(stmt);
    return NULL;
}

/* Saves today's pair beside the register; one that cannot be read is left out, and said so. */
static icp_error_t *save_today(icp_register_t *reg, restore_t *restore, int dry_run, apr_pool_t *pool)
{
    icp_error_t *error = read_today(reg, restore, pool);
    if (error) {
        icp_log(ICP_LOG_WARNING, "the present state cannot be read, so it is not saved: %s", error->message);
        error = NULL;
    }
    else if (!dry_run) {
        const char *file = name_saved(reg, pool);
        error = icp_backup_images(reg, (void *)file, pool);
        if (!error) restore->result->saved = file;
    }
    icp_register_disconnect(reg);
    return error;
}

/* Attaches a copy of today's register to the new pair: a copy, since a reader's lock on the register itself would be in the way. */
static icp_error_t *attach_today(icp_register_t *staged)
{
    icp_stmt_t *stmt;
    apr_int64_t version;
    int row;
    ICP_TRY(icp_db_statement(&stmt, staged->db, ICP_STMT_RESTORE_ATTACH, "s", staged->files->today));
    ICP_TRY(icp_stmt_run(stmt));
    ICP_TRY(icp_db_integer(&version, staged->db, "PRAGMA today.user_version"));
    if (version != ICP_REGISTER_SCHEMA) {
        return icp_error(staged->files->pool, ICP_FAULT, NULL, "its schema has version %" APR_INT64_T_FMT, version);
    }
    ICP_TRY(icp_db_statement(&stmt, staged->db, ICP_STMT_RESTORE_CHECK_TODAY, ""));
    ICP_TRY(icp_stmt_step(&row, stmt));
    icp_error_t *error = row && icp_stmt_int(stmt, 0)
                             ? icp_error(staged->files->pool, ICP_FAULT, NULL, "the file is damaged") : NULL;
    icp_stmt_reset(stmt);
    return error;
}

/* Without a register to read, the audit log still says who is suspended. */
static icp_error_t *read_log(icp_register_t *reg, restore_t *restore, apr_pool_t *pool)
{
    icp_db_t *db;
    icp_stmt_t *stmt;
    int row;
    if (!icp_file_exists(reg->files->private_db)) return NULL;
    ICP_TRY(icp_db_open(&db, reg->files->private_db, ICP_DB_WRITE, reg->timeout_ms, pool));
    icp_error_t *error = icp_db_statement(&stmt, db, ICP_STMT_RESTORE_SUSPENDED_BY_LOG, "");
    while (!error && !(error = icp_stmt_step(&row, stmt)) && row) {
        suspended_t *site = apr_array_push(restore->logged);
        *site = (suspended_t){.name = icp_stmt_text(stmt, 0, pool), .reason = icp_stmt_text(stmt, 1, pool)};
    }
    icp_db_close(db);
    return error;
}

static void carry_from_log(icp_register_t *reg, restore_t *restore, apr_pool_t *pool)
{
    icp_error_t *error = read_log(reg, restore, pool);
    if (error) {
        apr_array_clear(restore->logged);
        icp_log(ICP_LOG_WARNING, "the audit log cannot be read either, so that sites suspended since the backup are served: %s",
                error->message);
    }
}

static void carry_from_today(icp_register_t *reg, icp_register_t *staged, int fd, restore_t *restore, apr_pool_t *pool)
{
    icp_error_t *error = icp_file_copy(fd, reg->path, reg->files->today, pool);
    if (!error) error = attach_today(staged);
    if (error) {
        icp_log(ICP_LOG_WARNING, "%s cannot be read, so the audit log says what is suspended: %s", reg->path, error->message);
        icp_db_run(staged->db, ICP_STMT_RESTORE_DETACH);
    }
    restore->today = !error;
}

static icp_error_t *extract_key(restore_t *restore, icp_db_t *backup, const char *name, const char *file, apr_pool_t *pool)
{
    int has;
    if (icp_file_exists(file)) return NULL;
    ICP_TRY(icp_backup_has(&has, backup, name));
    return has ? icp_backup_extract(NULL, backup, name, restore->file, file, pool) : NULL;
}

static icp_error_t *extract(restore_t *restore, icp_register_t *reg, int dry_run, apr_pool_t *pool)
{
    icp_db_t *backup;
    ICP_TRY(icp_backup_open(&backup, restore->file, pool));
    icp_error_t *error = icp_backup_extract(&restore->at, backup, "register.db", restore->file, reg->files->next, pool);
    if (!error) error = icp_backup_extract(NULL, backup, "private.db", restore->file, reg->files->private_next, pool);
    for (int i = 0; !error && !dry_run && icp_backup_keys[i]; i++) {
        error = extract_key(restore, backup, icp_backup_keys[i], icp_register_companion(reg->path, icp_backup_keys[i], pool), pool);
    }
    icp_db_close(backup);
    return error;
}

/* The new pair, committed and marked; reg itself is not changed. */
static icp_error_t *prepare(icp_register_t *reg, restore_t *restore, int fd, int dry_run, apr_pool_t *pool)
{
    icp_register_t staged = *reg;
    struct icp_register_files_t files = *reg->files;
    apr_int64_t version;
    int busy;
    staged.files = &files;
    staged.dry_run = dry_run;
    files.private_db = files.private_next;
    ICP_TRY(extract(restore, reg, dry_run, pool));
    icp_error_t *error = icp_register_connect(&staged, files.next);
    if (!error) error = icp_register_schema(&version, &staged, ICP_REGISTER_SCHEMA, pool);
    if (!error && fd >= 0) error = save_today(reg, restore, dry_run, pool);
    if (!error && fd >= 0) carry_from_today(reg, &staged, fd, restore, pool);
    if (!error && !restore->today) carry_from_log(reg, restore, pool);
    if (!error) error = icp_register_attempt(&busy, &staged, 1, make_restored, restore, pool);
    icp_register_disconnect(&staged);
    return error;
}

static icp_error_t *restore_locked(icp_register_t *reg, restore_t *restore, int dry_run, apr_pool_t *pool)
{
    icp_error_t *error = icp_register_recover(reg, pool);
    if (error) icp_log(ICP_LOG_WARNING, "%s", error->message);
    ICP_TRY(icp_register_discard(reg, pool));

    int fd = open(reg->path, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 && errno != ENOENT) return icp_error_os(pool, errno, "cannot open %s", reg->path);
    if (fd >= 0 && !icp_lock_hold(fd)) {
        close(fd);
        return icp_error(pool, ICP_FAULT, "let it finish, or end it, and try again", "%s is being changed by %s", reg->path,
                         icp_lock_holders(reg->path, pool));
    }
    error = prepare(reg, restore, fd, dry_run, pool);
    if (!error) error = icp_file_remove(reg->files->today, pool);
    if (error || dry_run) {
        icp_error_t *left = icp_register_discard(reg, pool);
        if (!error) error = left;
    }
    else {
        error = icp_file_dress(reg->files->private_next, reg->files->private_db, 0600, pool);
        if (!error) error = icp_file_remove(apr_pstrcat(pool, reg->files->private_db, "-journal", NULL), pool);
        if (!error) error = icp_file_rename(reg->files->private_next, reg->files->private_db, pool);
        if (!error) error = icp_register_swap(reg, pool);
    }
    if (fd >= 0) close(fd);
    return error;
}

icp_error_t *icp_backup_restore(icp_restore_t **result, const char *path, const char *file, const char *actor, int dry_run,
                                apr_pool_t *pool)
{
    restore_t restore = {.file = file, .replaced = -1, .logged = apr_array_make(pool, 16, sizeof(suspended_t))};
    icp_register_t *reg;
    icp_db_t *backup;
    int locked;
    restore.result = apr_pcalloc(pool, sizeof *restore.result);
    restore.result->carried = apr_array_make(pool, 16, sizeof(const char *));
    ICP_TRY(icp_backup_open(&backup, file, pool));
    icp_db_close(backup);
    ICP_TRY(icp_register_make_directory(path, pool));
    ICP_TRY(icp_register_bare(&reg, path, actor, pool));
    ICP_TRY(icp_register_lock(&locked, reg, 1, pool));
    icp_error_t *error = restore_locked(reg, &restore, dry_run, pool);
    icp_register_unlock(reg);
    if (!error) *result = restore.result;
    return error;
}
