#include "sightings.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <apr_strings.h>
#include <jansson.h>

#include "json.h"
#include "lock.h"
#include "text.h"
#include "verdict.h"

#define WRITE_TIMEOUT_MS 500
#define READ_TIMEOUT_MS 2000
#define DETAIL_MAX 16384 /* bytes of a detail that staff are shown */
#define TEXT_MAX 512     /* of a string in it */
#define DEPTH_MAX 4
#define FILE_MAX (1 << 28)
#define STEPS_MAX                                                                                                      \
    20000 /* calls back of SQLite's, one per 1000 of its instructions: well above what any real file takes */

/* Locks on the file belong to the process: closing it anywhere would drop those of a writer in another thread. */
static pthread_mutex_t at_the_file = PTHREAD_MUTEX_INITIALIZER;

static icp_error_t *write_batch(icp_db_t *db, const icp_sighting_t *batch, int count)
{
    icp_stmt_t *stmt;
    apr_int64_t now = apr_time_sec(apr_time_now());
    ICP_TRY(icp_db_run(db, ICP_STMT_SIGHTINGS_CREATE));
    ICP_TRY(icp_db_run(db, ICP_STMT_SIGHTINGS_BEGIN));
    for (int i = 0; i < count; i++) {
        ICP_TRY(icp_db_statement(&stmt, db, ICP_STMT_SIGHTINGS_PUT, "sssii", batch[i].site, batch[i].verdict,
                                 batch[i].detail, (apr_int64_t)apr_time_sec(batch[i].at), now));
        ICP_TRY(icp_stmt_run(stmt));
    }
    return icp_db_run(db, ICP_STMT_SIGHTINGS_COMMIT);
}

icp_error_t *icp_sightings_write(const char *path, const icp_sighting_t *batch, int count, apr_pool_t *pool)
{
    icp_error_t *error = NULL;
    pthread_mutex_lock(&at_the_file);
    for (int attempt = 0; attempt < 2; attempt++) {
        icp_db_t *db;
        error = icp_db_open(&db, path, ICP_DB_CREATE, WRITE_TIMEOUT_MS, pool);
        if (!error) {
            error = write_batch(db, batch, count);
            icp_db_close(db);
        }
        int cause = error ? error->cause & 0xff : SQLITE_OK;
        if (cause != SQLITE_CORRUPT && cause != SQLITE_NOTADB) break;
        unlink(path); /* hints come again with the traffic: a damaged file is begun anew */
    }
    pthread_mutex_unlock(&at_the_file);
    return error;
}

static int count_down(void *baton)
{
    int *left = baton;
    return --*left < 0;
}

/* A copy of `value` with every string in it printable, and nothing in it deep or long. */
static json_t *printable(json_t *value, int depth, apr_pool_t *pool)
{
    const char *key;
    json_t *item, *copy;
    size_t index;
    if (json_is_string(value)) return json_string(icp_text_printable(json_string_value(value), TEXT_MAX, pool));
    if (depth >= DEPTH_MAX) return json_null();
    if (json_is_object(value)) {
        copy = json_object();
        json_object_foreach(value, key, item)
            json_object_set_new(copy, icp_text_printable(key, TEXT_MAX, pool), printable(item, depth + 1, pool));
        return copy;
    }
    if (json_is_array(value)) {
        copy = json_array();
        json_array_foreach(value, index, item) json_array_append_new(copy, printable(item, depth + 1, pool));
        return copy;
    }
    return json_incref(value);
}

static const char *take_detail(const char *text, apr_pool_t *pool)
{
    const char *result = "{}";
    json_t *value = text && strlen(text) <= DETAIL_MAX ? json_loads(text, 0, NULL) : NULL;
    if (json_is_object(value)) {
        json_t *copy = printable(value, 0, pool);
        result = icp_json_text(copy, JSON_COMPACT, pool);
        json_decref(copy);
    }
    json_decref(value);
    return result;
}

static icp_error_t *read_rows(icp_db_t *db, const char *path, const char *site, icp_sighting_fn *fn, void *baton,
                              apr_pool_t *pool)
{
    icp_stmt_t *stmt;
    int row;
    apr_int64_t plain;
    apr_pool_t *row_pool;

    ICP_TRY(icp_db_statement(&stmt, db, ICP_STMT_SIGHTINGS_SHAPE, ""));
    ICP_TRY(icp_stmt_step(&row, stmt));
    plain = row ? icp_stmt_int(stmt, 0) : 0;
    icp_stmt_reset(stmt);
    if (!plain) return icp_error(pool, ICP_FAULT, "remove it: httpd makes a new one", "%s holds no sightings", path);

    ICP_TRY(icp_db_statement(&stmt, db, ICP_STMT_SIGHTINGS_READ, "s", site));
    apr_pool_create(&row_pool, pool);
    for (;;) {
        apr_pool_clear(row_pool);
        ICP_TRY(icp_stmt_step(&row, stmt));
        if (!row) break;
        const char *name = icp_stmt_text(stmt, 0, row_pool), *verdict = icp_stmt_text(stmt, 1, row_pool);
        apr_int64_t at = icp_stmt_int(stmt, 3), now = apr_time_sec(apr_time_now());
        if (!name || !verdict || icp_verdict_parse(verdict) == ICP_VERDICT_COUNT) continue;
        icp_sighting_t sighting = {.site = icp_text_printable(name, ICP_TEXT_NAME_MAX, row_pool),
                                   .verdict = verdict,
                                   .detail = take_detail(icp_stmt_text(stmt, 2, row_pool), row_pool),
                                   .at = apr_time_from_sec(at < 0     ? 0
                                                           : at > now ? now
                                                                      : at)};
        ICP_TRY(fn(&sighting, baton, row_pool));
    }
    apr_pool_destroy(row_pool);
    return NULL;
}

static icp_error_t *not_plain(const char *path, apr_pool_t *pool)
{
    return icp_error(pool, ICP_FAULT, "look who put it there, and remove it: httpd makes a new one",
                     "the sightings %s are not read: it is no plain file, or an enormous one", path);
}

/* All that is in the file, from sqlite3_malloc64. */
static icp_error_t *read_all(unsigned char **image, apr_size_t length, int fd, const char *path, apr_pool_t *pool)
{
    apr_size_t done = 0;
    ssize_t got = 1;
    *image = sqlite3_malloc64(length + 1);
    if (!*image) return icp_error(pool, ICP_FAULT, NULL, "the sightings %s are not read: there is no memory for them", path);
    while (done < length && got > 0) {
        got = pread(fd, *image + done, length - done, (off_t)done);
        if (got > 0) done += (apr_size_t)got;
    }
    int fault = got < 0 ? errno : 0;
    if (done == length) return NULL;
    sqlite3_free(*image);
    return fault ? icp_error_os(pool, fault, "cannot read the sightings %s", path)
                 : icp_error(pool, ICP_FAULT, "try again", "the sightings %s changed while they were read", path);
}

/* Under a lock that keeps writers out. */
static icp_error_t *take_image(unsigned char **image, apr_size_t *length, int fd, const char *path, apr_pool_t *pool)
{
    struct stat info;
    if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) return not_plain(path, pool);
    if (!icp_lock_share(fd, READ_TIMEOUT_MS)) {
        const char *who = icp_lock_holders(path, pool);
        return icp_error(pool, ICP_FAULT, "try again", "the sightings %s are locked by %s", path, who ? who : "a process that cannot be seen");
    }
    if (icp_lock_hot(path, pool)) {
        return icp_error(pool, ICP_FAULT, "the next sighting that httpd writes puts that right",
                         "the sightings %s are not read: writing them was interrupted", path);
    }
    if (fstat(fd, &info) != 0 || info.st_size > FILE_MAX) return not_plain(path, pool);
    *length = (apr_size_t)info.st_size;
    return read_all(image, *length, fd, path, pool);
}

/* The folder is the worker user's: SQLite itself would open, write and cut short what lies beside the file under the names of a journal
 * or of shared memory. So the one file is read, and nothing else is touched. */
static icp_error_t *open_copy(icp_db_t **db, const char *path, apr_pool_t *pool)
{
    unsigned char *image = NULL;
    apr_size_t length = 0;
    pthread_mutex_lock(&at_the_file);
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    int fault = fd < 0 ? errno : 0;
    icp_error_t *error = !fault ? take_image(&image, &length, fd, path, pool)
                         : fault == ELOOP ? not_plain(path, pool) : icp_error_os(pool, fault, "cannot read the sightings %s", path);
    if (fd >= 0) close(fd);
    pthread_mutex_unlock(&at_the_file);
    return error ? error : icp_db_open_image(db, path, image, length, pool);
}

icp_error_t *icp_sightings_each(const char *path, const char *site, icp_sighting_fn *fn, void *baton, apr_pool_t *pool)
{
    icp_db_t *db;
    int left = STEPS_MAX;

    ICP_TRY(open_copy(&db, path, pool));
    sqlite3_limit(icp_db_handle(db), SQLITE_LIMIT_LENGTH, 1 << 20);
    sqlite3_db_config(icp_db_handle(db), SQLITE_DBCONFIG_ENABLE_VIEW, 0, NULL);
    sqlite3_db_config(icp_db_handle(db), SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
    sqlite3_progress_handler(icp_db_handle(db), 1000, count_down, &left);
    icp_error_t *error = read_rows(db, path, site, fn, baton, pool);
    icp_db_close(db);
    return error;
}
