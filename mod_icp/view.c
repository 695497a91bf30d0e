/* Keeps the view current. All reading of the register in this process happens here, under one lock: SQLite's locks belong to
 * the process, and closing the file anywhere drops them all. Nothing of SQLite is open when httpd forks. */
#include "view.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <apr_strings.h>
#include <http_log.h>
#include <sqlite3.h>

#include "bell.h"
#include "bell_guard.h"
#include "db.h"
#include "shared.h"

APLOG_USE_MODULE(icp);

#define COMMIT_WAIT_MS 10000 /* for a writer's commit, once it has rung */
#define PARENT_WAIT_MS 2000  /* the same in the parent, whose forks wait with it */
#define CONSULT_TRIES 5
#define CONSULT_PAUSE_MS 10
#define CONSULT_MOST apr_time_from_sec(1) /* so long it may keep a writer's commit waiting */
#define RETRY_WAIT_MS 200    /* when the register could not be read before */

/* What `seen` is while there is no bell: no word of any. Each request then looks at the register's fingerprint. */
#define NO_BELL UINT64_MAX

/* What the parent keeps over a restart, which unloads this module. Another build may lay out a snapshot otherwise,
 * and so has another key. */
#define RETAINED_KEY "mod_icp's snapshot, " __DATE__ " " __TIME__
typedef struct retained_t {
    icp_snapshot_t *snapshot;
    uint64_t word;
    char path[1024];
} retained_t;

/* In the parent nobody listens: it reads the bell's file now and then, and stands no risk of a SIGBUS. */
static uint64_t silence;
static const icp_bell_t nobody_listens = {.word = &silence};

icp_view_now_t icp_view_now = {.bell = &nobody_listens};

static struct {
    icp_bell_t *bell;            /* NULL in the parent */
    atomic_uint_fast64_t failed; /* the bell's word when reading failed; no request tries that again */
    apr_uint64_t fingerprint;
    const char *path;
    server_rec *server;
    apr_pool_t *scratch;
    retained_t *retained;
    int bell_faulty;
    int spare; /* in a child: a descriptor kept for reading the register when all others are taken; negative: none */
    atomic_int wanted; /* requests that wait to read a change */
    pthread_mutex_t reading; /* guards all above but what is atomic */

    pthread_mutex_t telling; /* guards the fault */
    char fault[1024];        /* "": none */
    int fault_cause;
    apr_time_t fault_since;
} view = {.spare = -1, .reading = PTHREAD_MUTEX_INITIALIZER, .telling = PTHREAD_MUTEX_INITIALIZER};

/* --- publishing ----------------------------------------------------------------------------------- */

static void destroy(icp_published_t *object)
{
    icp_view_t *old = (icp_view_t *)object;
    icp_snapshot_free(old->snapshot);
    free(old);
}

static icp_view_t *in_force(void)
{
    return (icp_view_t *)atomic_load(&icp_view_now.publish.current);
}

static void put_in_force(icp_snapshot_t *snapshot)
{
    icp_view_t *fresh = calloc(1, sizeof *fresh);
    if (!fresh) abort();
    fresh->snapshot = snapshot;
    fresh->epoch = atomic_fetch_add(&icp_view_now.epoch, 1) + 1;
    icp_publish_replace(&icp_view_now.publish, &fresh->published);
    if (view.retained) view.retained->snapshot = snapshot;
}

/* --- faults --------------------------------------------------------------------------------------- */

const char *icp_view_fault(apr_time_t *since, apr_pool_t *pool)
{
    pthread_mutex_lock(&view.telling);
    const char *fault = *view.fault ? apr_pstrdup(pool, view.fault) : NULL;
    *since = view.fault_since;
    pthread_mutex_unlock(&view.telling);
    return fault;
}

static void tell_fault(const icp_error_t *error)
{
    pthread_mutex_lock(&view.telling);
    int news = !*view.fault || view.fault_cause != error->cause;
    if (news) icp_count(&icp_shared->counts.faults);
    if (!*view.fault) view.fault_since = apr_time_now();
    view.fault_cause = error->cause;
    apr_snprintf(view.fault, sizeof view.fault, "%s%s%s", error->message, error->remedy ? "; " : "",
                 error->remedy ? error->remedy : "");
    pthread_mutex_unlock(&view.telling);
    if (!news) return;
    ap_log_error(APLOG_MARK, APLOG_ERR, 0, view.server,
                 "The register %s cannot be read, and what was last read of it stays in force: %s", view.path, view.fault);
}

static void tell_recovery(const icp_snapshot_t *snapshot)
{
    icp_snapshot_facts_t facts;
    int faulty;
    pthread_mutex_lock(&view.telling);
    faulty = *view.fault != 0;
    *view.fault = 0;
    pthread_mutex_unlock(&view.telling);
    if (!faulty) return;
    icp_snapshot_facts(snapshot, &facts);
    ap_log_error(APLOG_MARK, APLOG_NOTICE, 0, view.server,
                 "The register %s can be read again: %" APR_INT64_T_FMT " sites, %" APR_INT64_T_FMT " of them suspended",
                 view.path, facts.sites, facts.suspended);
}

static int is_faulty(void)
{
    pthread_mutex_lock(&view.telling);
    int faulty = *view.fault != 0;
    pthread_mutex_unlock(&view.telling);
    return faulty;
}

static void tell_bell(const icp_error_t *error)
{
    if (error && !view.bell_faulty) {
        ap_log_error(APLOG_MARK, APLOG_ERR, 0, view.server, "%s; until it can, a change takes effect within a second, not at once",
                     error->message);
    }
    view.bell_faulty = error != NULL;
}

/* --- reading -------------------------------------------------------------------------------------- */

static uint64_t bell_word(void)
{
    return view.bell ? icp_bell_read(view.bell) : icp_bell_peek(view.path, view.scratch);
}

/* After a loss of power the register's journal waits to be rolled back, which takes someone who may write: the parent. */
static int roll_back(void)
{
    icp_db_t *db;
    apr_int64_t ignored;
    icp_error_t *error = icp_db_open(&db, view.path, ICP_DB_WRITE, RETRY_WAIT_MS, view.scratch);
    if (error) return 0;
    error = icp_db_integer(&ignored, db, "PRAGMA schema_version");
    icp_db_close(db);
    return !error;
}

static void keep_spare(void)
{
    if (view.bell && view.spare < 0) view.spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static int give_spare(void)
{
    if (view.spare < 0) return 0;
    close(view.spare);
    view.spare = -1;
    return 1;
}

static icp_error_t *read_register(icp_snapshot_t **snapshot, icp_snapshot_t *previous, int timeout_ms)
{
    icp_error_t *error = icp_snapshot_read(snapshot, previous, view.path, timeout_ms, view.scratch);
    if (error && (error->cause & 0xff) == SQLITE_CANTOPEN && give_spare()) {
        error = icp_snapshot_read(snapshot, previous, view.path, timeout_ms, view.scratch);
    }
    keep_spare();
    if (error && !view.bell && (error->cause & 0xff) == SQLITE_READONLY && roll_back()) {
        error = icp_snapshot_read(snapshot, previous, view.path, timeout_ms, view.scratch);
    }
    return error;
}

/* With the lock held. The bell's word is taken first: what is read then holds at least what that word told of. */
static void refresh(int timeout_ms)
{
    uint64_t word = bell_word();
    apr_uint64_t known = view.fingerprint;
    icp_snapshot_t *before = in_force()->snapshot, *snapshot = NULL;
    view.fingerprint = icp_snapshot_fingerprint(view.path);
    icp_error_t *error = read_register(&snapshot, before, timeout_ms);
    if (error && !view.bell && (error->cause & 0xff) == SQLITE_BUSY) {
        view.fingerprint = known; /* commits back to back: no fault yet. It looks again, and children wait longer and tell */
    }
    else if (error) {
        tell_fault(error);
        atomic_store(&view.failed, word);
    }
    else {
        if (snapshot != before) put_in_force(snapshot);
        atomic_store(&icp_view_now.seen, word ? word : NO_BELL);
        if (view.retained) view.retained->word = word;
        tell_recovery(snapshot);
    }
    apr_pool_clear(view.scratch);
}

/* With the lock held: finds out whether there is something new to read, and reads it. */
static void look(int is_retry)
{
    int faulty = is_faulty();
    if (view.bell) tell_bell(icp_bell_follow(view.bell, view.scratch));
    uint64_t word = bell_word();
    if ((word && word != atomic_load(&icp_view_now.seen) && word != atomic_load(&view.failed)) || (faulty && is_retry)
        || icp_snapshot_fingerprint(view.path) != view.fingerprint) {
        refresh(faulty ? RETRY_WAIT_MS : view.bell ? COMMIT_WAIT_MS : PARENT_WAIT_MS);
    }
    apr_pool_clear(view.scratch);
}

__attribute__((cold)) void icp_view_catch_up(uint64_t word)
{
    if (!view.bell || (word && word == atomic_load(&view.failed))) return;
    atomic_fetch_add(&view.wanted, 1);
    pthread_mutex_lock(&view.reading);
    atomic_fetch_sub(&view.wanted, 1);
    look(0);
    pthread_mutex_unlock(&view.reading);
}

void icp_view_listen(void)
{
    if (!view.bell) return;
    uint64_t word = icp_bell_read(view.bell);
    if (word && word != atomic_load(&icp_view_now.seen)) icp_view_catch_up(word);
}

void icp_view_look(void)
{
    pthread_mutex_lock(&view.reading);
    look(1);
    icp_publish_sweep(&icp_view_now.publish);
    pthread_mutex_unlock(&view.reading);
}

static int must_end(void *until)
{
    return atomic_load(&view.wanted) || apr_time_now() > *(const apr_time_t *)until;
}

static icp_error_t *consult(icp_consult_fn *read, void *baton, apr_time_t until, apr_pool_t *pool)
{
    icp_db_t *db;
    ICP_TRY(icp_db_open(&db, view.path, ICP_DB_READ, 0, pool));
    sqlite3_progress_handler(icp_db_handle(db), 1000, must_end, &until);
    icp_error_t *error = icp_db_run(db, ICP_STMT_READ_BEGIN);
    if (!error) error = read(db, baton, pool);
    icp_db_close(db);
    if (!error || (error->cause & 0xff) != SQLITE_INTERRUPT) return error;
    return icp_error(pool, ICP_FAULT, NULL, apr_time_now() > until ? "reading the register takes longer than it may keep others waiting"
                                                                   : "the register is being read for the gate");
}

icp_error_t *icp_view_consult(icp_consult_fn *read, void *baton, apr_pool_t *pool)
{
    icp_error_t *error = icp_error(pool, ICP_FAULT, NULL, "the register is being read for the gate");
    apr_time_t until = apr_time_now() + CONSULT_MOST;
    for (int i = 0; error && i < CONSULT_TRIES && apr_time_now() <= until; i++) {
        if (i) apr_sleep(apr_time_from_msec(CONSULT_PAUSE_MS));
        if (pthread_mutex_trylock(&view.reading)) continue;
        error = consult(read, baton, until, pool);
        pthread_mutex_unlock(&view.reading);
    }
    return error;
}

void icp_view_hold(void)
{
    if (!view.bell) pthread_mutex_lock(&view.reading);
}

void icp_view_let_go(void)
{
    if (!view.bell) pthread_mutex_unlock(&view.reading);
}

/* --- start and fork ------------------------------------------------------------------------------- */

/* The snapshot outlives the view: the next generation goes on with it. A child at its end leaves all to the system. */
static apr_status_t leave_for_restart(void *baton)
{
    if (view.bell) return APR_SUCCESS;
    apr_pool_destroy(view.scratch);
    free(atomic_exchange(&icp_view_now.publish.current, NULL));
    return APR_SUCCESS;
}

static retained_t *retained(void)
{
    retained_t *kept = ap_retained_data_get(RETAINED_KEY);
    if (!kept) kept = ap_retained_data_create(RETAINED_KEY, sizeof *kept);
    if (strcmp(kept->path, view.path)) {
        if (kept->snapshot) icp_snapshot_free(kept->snapshot);
        memset(kept, 0, sizeof *kept);
        apr_cpystrn(kept->path, view.path, sizeof kept->path);
    }
    return kept;
}

icp_error_t *icp_view_start(apr_pool_t *pconf, server_rec *server)
{
    const icp_main_conf_t *conf = icp_main_conf();
    icp_snapshot_t *snapshot = NULL;

    view.path = conf->register_path;
    view.server = server;
    icp_view_now.publish.destroy = destroy;
    view.retained = retained();
    apr_pool_create_unmanaged_ex(&view.scratch, NULL, NULL); /* of no other thread's allocator */

    uint64_t word = bell_word();
    view.fingerprint = icp_snapshot_fingerprint(view.path);
    icp_error_t *error = read_register(&snapshot, view.retained->snapshot, COMMIT_WAIT_MS);
    if (!error) {
        if (view.retained->snapshot && view.retained->snapshot != snapshot) icp_snapshot_free(view.retained->snapshot);
        view.retained->word = word;
    }
    else if (view.retained->snapshot) {
        snapshot = view.retained->snapshot;
        tell_fault(error);
    }
    else {
        return icp_error(pconf, error->status, error->remedy, "httpd cannot start with ICPEngine, for there is nothing to decide by: "
                         "the register %s cannot be read: %s", view.path, error->message);
    }
    atomic_store(&icp_view_now.seen, view.retained->word ? view.retained->word : NO_BELL);
    atomic_store(&view.failed, word);
    put_in_force(snapshot);
    apr_pool_cleanup_register(pconf, NULL, leave_for_restart, apr_pool_cleanup_null);
    return NULL;
}

void icp_view_child_init(server_rec *server)
{
    /* httpd clears pchild while its threads may still be at work. What they use here ends with the process. */
    apr_pool_t *lasting;
    apr_pool_create_unmanaged_ex(&lasting, NULL, NULL);
    apr_pool_create_unmanaged_ex(&view.scratch, NULL, NULL);

    view.retained = NULL;
    icp_error_t *error = icp_bell_map(&view.bell, view.path, lasting);
    tell_bell(error);
    icp_view_now.bell = view.bell;
    keep_spare();
    if (!view.bell || (error = icp_bell_guard(view.bell, lasting))) {
        ap_log_error(APLOG_MARK, APLOG_CRIT, 0, server, "%s; this child ends", error->message);
        exit(APEXIT_CHILDSICK);
    }
}
