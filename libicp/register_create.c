/* icpadmin init: the directory, the companions, and last of all, by the same swap as any change, the register itself. So a crash
 * in between leaves no register, or a whole one that the next command puts in place.
 */
#include "register.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include <apr_file_io.h>
#include <apr_strings.h>
#include <apr_user.h>

#include "audit.h"
#include "bell.h"
#include "intake.h"
#include "pass.h"
#include "register_files.h"

static icp_error_t *find_worker(apr_uid_t *uid, apr_gid_t *gid, const char *worker, apr_pool_t *pool)
{
    if (apr_uid_get(uid, gid, worker, pool) == APR_SUCCESS) return NULL;
    return icp_error(pool, ICP_NOT_FOUND, "name the user that httpd's children run as (www-data on Debian)", "there is no user %s",
                     worker);
}

/* The directory and those above it; modes are for what is made here, whatever the umask. */
icp_error_t *icp_register_make_directory(const char *path, apr_pool_t *pool)
{
    const char *directory = icp_register_companion(path, ".", pool);
    struct stat status;
    if (stat(directory, &status) == 0) return NULL;
    apr_status_t rv = apr_dir_make_recursive(directory, APR_FPROT_OS_DEFAULT, pool);
    if (!rv && chmod(directory, 0755) != 0) rv = errno;
    return rv ? icp_error_os(pool, rv, "cannot create the directory of %s", path) : NULL;
}

static icp_error_t *make_sightings(icp_register_t *reg, const char *worker, apr_uid_t uid, apr_gid_t gid, apr_pool_t *pool)
{
    const char *folder = icp_register_companion(reg->path, "sightings", pool);
    if (mkdir(folder, 0750) != 0 && errno != EEXIST) return icp_error_os(pool, errno, "cannot create %s", folder);
    if (worker && lchown(folder, uid, gid) != 0) {
        icp_error_t *error = icp_error_os(pool, errno, "cannot give %s to %s", folder, worker);
        error->remedy = "run icpadmin init as root";
        return error;
    }
    return chmod(folder, 0750) == 0 ? NULL : icp_error_os(pool, errno, "cannot set the mode of %s", folder);
}

/* private.db without a register: left by an init that did not get far, or all that is left of a register. */
static icp_error_t *clear_private(icp_register_t *reg, apr_pool_t *pool)
{
    icp_db_t *alone;
    apr_int64_t pages = 0;
    const char *private_db = reg->files->private_db;
    if (!icp_file_exists(private_db)) return NULL;
    ICP_TRY(icp_db_open(&alone, private_db, ICP_DB_WRITE, reg->timeout_ms, pool));
    icp_error_t *error = icp_db_integer(&pages, alone, "PRAGMA page_count");
    icp_db_close(alone);
    if (error) return error;
    if (pages) {
        return icp_error(pool, ICP_REFUSED,
                         "put both back from one backup with icpadmin restore, or move private.db away to begin anew",
                         "%s is there, but its register %s is not", private_db, reg->path);
    }
    return icp_file_remove(private_db, pool);
}

static icp_error_t *make_databases(icp_register_t *reg, void *unused, apr_pool_t *pool)
{
    ICP_TRY(icp_register_migrate(reg->db, NULL, 0, ICP_REGISTER_SCHEMA));
    json_t *after = json_pack("{s:i}", "schema", ICP_REGISTER_SCHEMA);
    icp_error_t *error = icp_audit_event(reg, "register.init", reg->path, NULL, after, NULL, pool);
    json_decref(after);
    return error;
}

static icp_error_t *create_locked(icp_register_t *reg, const char *worker, apr_uid_t uid, apr_gid_t gid, apr_pool_t *pool)
{
    const char *key = icp_register_companion(reg->path, "pass.key", pool);
    int busy, interrupted = icp_file_exists(reg->files->next);
    if (!icp_file_exists(reg->path)) {
        ICP_TRY(icp_register_recover(reg, pool));
        if (interrupted && icp_file_exists(reg->path)) return NULL;
    }
    if (icp_file_exists(reg->path)) {
        return icp_error(pool, ICP_REFUSED, "use it as it is, or name another with --register", "there is a register at %s already",
                         reg->path);
    }
    ICP_TRY(clear_private(reg, pool));
    ICP_TRY(make_sightings(reg, worker, uid, gid, pool));
    if (!icp_file_exists(key)) ICP_TRY(icp_pass_key_create(key, pool));
    ICP_TRY(icp_intake_create(reg->path, worker, pool));
    ICP_TRY(icp_bell_create(reg->path, pool));
    ICP_TRY(icp_file_create(reg->files->private_db, 0600, pool));
    ICP_TRY(icp_file_create(reg->files->next, 0600, pool));
    ICP_TRY(icp_register_connect(reg, reg->files->next));
    icp_error_t *error = icp_register_attempt(&busy, reg, 1, make_databases, NULL, pool);
    icp_register_disconnect(reg);
    return error ? error : icp_register_swap(reg, pool);
}

icp_error_t *icp_register_create(const char *path, const char *worker, const char *actor, apr_pool_t *pool)
{
    icp_register_t *reg;
    apr_uid_t uid = 0;
    apr_gid_t gid = 0;
    int locked;
    if (worker) ICP_TRY(find_worker(&uid, &gid, worker, pool));
    ICP_TRY(icp_register_make_directory(path, pool));
    ICP_TRY(icp_register_bare(&reg, path, actor, pool));
    ICP_TRY(icp_register_lock(&locked, reg, 1, pool));
    icp_error_t *error = create_locked(reg, worker, uid, gid, pool);
    icp_register_unlock(reg);
    return error;
}
