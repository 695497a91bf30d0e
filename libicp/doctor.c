/* The checks of doctor.h. Each adds one line; none decides whether another is made, but that a register which cannot be opened is not
 * looked into.
 */
#include "doctor.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <apr_strings.h>

#include "audit.h"
#include "bell.h"
#include "evidence.h"
#include "intake.h"
#include "lock.h"
#include "pass.h"
#include "policy.h"
#include "register_files.h"
#include "room.h"
#include "workday.h"

#define LOCK_LOOKS 3
#define LOCK_LOOK_MS 100
#define EVIDENCE_FAULTS 5 /* pages that are named */

typedef struct doctor_t {
    apr_array_header_t *checks;
    icp_register_t *reg; /* bare until it could be opened */
    apr_pool_t *pool;
} doctor_t;

static void tell(doctor_t *doctor, const char *name, const char *remedy, const char *message)
{
    icp_check_t *check = apr_array_push(doctor->checks);
    check->name = name;
    check->ok = remedy == NULL;
    check->message = message;
    check->remedy = remedy;
}

static void tell_error(doctor_t *doctor, const char *name, const icp_error_t *error)
{
    tell(doctor, name, error->remedy ? error->remedy : "ask for help with this message", error->message);
}

/* Mode bits that a file must have and those that it must not have. */
typedef struct file_rule_t {
    const char *suffix; /* of the register's path; or a companion's name where `companion` */
    int companion;
    mode_t need, forbid;
    const char *why;
} file_rule_t;

static const file_rule_t file_rules[] = {
    {".", 1, 0005, 0022, "httpd's workers must get at the register and must not be able to replace it"},
    {"", 0, 0004, 0022, "httpd's workers must read it and must not write it"},
    {".bell", 0, 0004, 0022, "httpd's workers must read it and must not write it"},
    {".lock", 0, 0, 0077, "whoever can open it can keep icpadmin waiting"},
    {"private.db", 1, 0, 0077, "it holds contacts and the audit log"},
};

static void check_file(doctor_t *doctor, const file_rule_t *rule)
{
    struct stat status;
    const char *path = rule->companion ? icp_register_companion(doctor->reg->path, rule->suffix, doctor->pool)
                                       : apr_pstrcat(doctor->pool, doctor->reg->path, rule->suffix, NULL);
    if (lstat(path, &status) != 0) {
        const char *remedy = strcmp(rule->suffix, ".bell") ? "put it back from a backup with icpadmin restore"
                                                           : "icpadmin doctor --repair makes a new one, as the next change does";
        tell(doctor, "files", remedy, apr_psprintf(doctor->pool, "%s: %s", path, strerror(errno)));
    }
    else if (status.st_uid != 0 && status.st_uid != geteuid()) {
        tell(doctor, "files", apr_psprintf(doctor->pool, "chown root %s", path),
             apr_psprintf(doctor->pool, "%s belongs to user %lu", path, (unsigned long)status.st_uid));
    }
    else if ((status.st_mode & rule->forbid) || (status.st_mode & rule->need) != rule->need) {
        mode_t mode = (status.st_mode & 07777 & ~rule->forbid) | rule->need;
        tell(doctor, "files", apr_psprintf(doctor->pool, "chmod %04o %s", (unsigned)mode, path),
             apr_psprintf(doctor->pool, "%s has mode %04o; %s", path, (unsigned)(status.st_mode & 07777), rule->why));
    }
}

static void check_files(doctor_t *doctor, int repair)
{
    int before = doctor->checks->nelts;
    icp_error_t *error;
    if (repair && !icp_file_exists(icp_bell_path(doctor->reg->path, doctor->pool))) {
        error = icp_bell_ring(doctor->reg->path, doctor->pool);
        if (error) tell_error(doctor, "bell", error);
        else tell(doctor, "bell", NULL, "the bell was missing; there is a new one");
    }
    for (unsigned i = 0; i < sizeof file_rules / sizeof file_rules[0]; i++) {
        check_file(doctor, file_rules + i);
    }
    if (doctor->checks->nelts == before) tell(doctor, "files", NULL, "owners and modes are as they should be");
}

static void check_pass_key(doctor_t *doctor)
{
    icp_pass_key_t key;
    const char *path = icp_register_companion(doctor->reg->path, "pass.key", doctor->pool);
    icp_error_t *error = icp_pass_key_read(&key, path, doctor->pool);
    explicit_bzero(&key, sizeof key);
    if (error) tell_error(doctor, "pass.key", error);
    else tell(doctor, "pass.key", NULL, "is a key that only its owner can read");
}

/* A restore on a new machine brings back no folders. Their owner is also how the worker user is known. */
static void check_sightings(doctor_t *doctor)
{
    struct stat status;
    const char *path = icp_register_companion(doctor->reg->path, "sightings", doctor->pool), *wrong = NULL;
    if (lstat(path, &status) != 0) wrong = strerror(errno);
    else if (!S_ISDIR(status.st_mode)) wrong = "is no folder";
    else if (!geteuid() && !status.st_uid) wrong = "belongs to root: httpd's workers cannot write what they saw";
    if (wrong) {
        tell(doctor, "sightings",
             apr_psprintf(doctor->pool, "install -d -o www-data -g www-data -m 0750 %s (with httpd's User for www-data), then icpadmin doctor "
                                        "--repair", path),
             apr_psprintf(doctor->pool, "%s: %s", path, wrong));
    }
    else tell(doctor, "sightings", NULL, "workers can leave what they saw");
}

static void check_disk(doctor_t *doctor)
{
    icp_error_t *error = icp_room_check(doctor->reg->files->directory, 0, doctor->pool);
    if (error) tell_error(doctor, "disk", error);
    else tell(doctor, "disk", NULL, "there is room for changes");
}

static void check_intake(doctor_t *doctor, int repair)
{
    icp_error_t *error = repair ? icp_intake_create(doctor->reg->path, NULL, doctor->pool) : NULL;
    if (!error) error = icp_intake_inspect(doctor->reg->path, doctor->pool);
    if (error) tell_error(doctor, "intake", error);
    else tell(doctor, "intake", NULL, "workers can add applications, and only root can list and open them");
}

/* Somebody who is there every time we look: a worker that reads a snapshot is gone at once. */
static void check_locks(doctor_t *doctor, const char *name, const char *path)
{
    icp_lock_e lock = ICP_LOCK_NONE;
    for (int i = 0; i < LOCK_LOOKS; i++) {
        if (i) apr_sleep(apr_time_from_msec(LOCK_LOOK_MS));
        lock = icp_lock_probe(path);
        if (lock == ICP_LOCK_NONE) break;
    }
    if (lock == ICP_LOCK_NONE) {
        tell(doctor, name, NULL, "nobody keeps it locked");
        return;
    }
    const char *who = icp_lock_holders(path, doctor->pool);
    tell(doctor, name,
         lock == ICP_LOCK_WRITE ? "let the change finish, or end the process" : "end the process: until then every change takes longer",
         apr_psprintf(doctor->pool, "%s is locked by %s", path, who ? who : "a process that cannot be seen from here"));
}

static void check_interrupted(doctor_t *doctor)
{
    if (icp_register_unsettled(doctor->reg, doctor->pool)) {
        tell(doctor, "interrupted", NULL, "a change was under way or interrupted when this look began");
    }
    else {
        tell(doctor, "interrupted", NULL, "no change was interrupted");
    }
}

/* The statement's first column in every row, comma separated; NULL if it gives none. */
static icp_error_t *collect(const char **found, icp_db_t *db, icp_stmt_e which, const char *schema, apr_pool_t *pool)
{
    icp_stmt_t *stmt;
    int row;
    *found = NULL;
    ICP_TRY(icp_db_statement(&stmt, db, which, schema ? "s" : "", schema));
    for (;;) {
        ICP_TRY(icp_stmt_step(&row, stmt));
        if (!row) return NULL;
        const char *text = icp_stmt_text(stmt, 0, pool);
        *found = *found ? apr_pstrcat(pool, *found, ", ", text, NULL) : text;
    }
}

static void check_query(doctor_t *doctor, const char *name, icp_stmt_e which, const char *schema, const char *well, const char *wrong,
                        const char *remedy)
{
    const char *found = NULL;
    icp_error_t *error = collect(&found, doctor->reg->db, which, schema, doctor->pool);
    if (error) tell_error(doctor, name, error);
    else if (found) tell(doctor, name, remedy, apr_pstrcat(doctor->pool, wrong, found, NULL));
    else tell(doctor, name, NULL, well);
}

static icp_error_t *check_content(icp_register_t *reg, void *baton, apr_pool_t *pool)
{
    static const char restore[] = "put the newest good backup back with icpadmin restore";
    doctor_t *doctor = baton;
    check_query(doctor, "register.db", ICP_STMT_DOCTOR_INTEGRITY, "main", "the file is whole", "the file is damaged: ", restore);
    check_query(doctor, "register.db", ICP_STMT_DOCTOR_FOREIGN_KEYS, NULL, "everything in it belongs together", "", restore);
    check_query(doctor, "private.db", ICP_STMT_DOCTOR_INTEGRITY, "private", "the file is whole", "the file is damaged: ", restore);
    check_query(doctor, "sites", ICP_STMT_DOCTOR_SITE_WITHOUT_HOST, NULL, "every site has a host name", "without a host name: ",
                "give them one with icpadmin site edit SITE --add-host NAME, or remove them");
    check_query(doctor, "sites", ICP_STMT_DOCTOR_SITE_WITHOUT_LICENSE, NULL, "no site is served without a license",
                "served without an active license: ", "register the license, or suspend them: icpadmin suspend SITE --reason unlicensed");
    return NULL;
}

static void check_audit(doctor_t *doctor)
{
    icp_chain_t chain;
    icp_error_t *error = icp_audit_verify(doctor->reg, NULL, &chain, doctor->pool);
    if (error) tell_error(doctor, "audit", error);
    else tell(doctor, "audit", NULL, apr_psprintf(doctor->pool, "%" APR_INT64_T_FMT " event%s, the chain is unbroken", chain.count, chain.count == 1 ? "" : "s"));
}

/* Dates that clients are told depend on it. */
static void check_holidays(doctor_t *doctor)
{
    apr_pool_t *pool = doctor->pool;
    icp_calendar_t *calendar;
    const char *file;
    icp_error_t *error = icp_policy_text(&file, NULL, doctor->reg, ICP_POLICY_HOLIDAYS, pool);
    if (error) {
        tell_error(doctor, "holidays", error);
        return;
    }
    const char *list = apr_psprintf(pool, "put the State Council's arrangement into %s; its first lines, or those of the one that came with "
                                          "mod_icp, say how", file);
    error = icp_calendar_load(&calendar, file, pool);
    int wanted = error ? 0 : icp_calendar_wants(calendar, icp_day_of(apr_time_now()));
    if (error) tell(doctor, "holidays", error->remedy ? error->remedy : list, error->message);
    else if (!icp_file_exists(file)) tell(doctor, "holidays", list, apr_psprintf(pool, "there is no list of holidays at %s: every date is an estimate", file));
    else if (wanted) tell(doctor, "holidays", list, apr_psprintf(pool, "%s does not list the holidays of %d: dates from then on are estimates", file, wanted));
    else tell(doctor, "holidays", NULL, apr_psprintf(pool, "%s lists them up to %d", file, icp_calendar_last_year(calendar)));
}

static void check_evidence(doctor_t *doctor)
{
    struct stat status;
    apr_array_header_t *faults;
    int count = 0;
    const char *folder = icp_register_companion(doctor->reg->path, ICP_EVIDENCE_FOLDER, doctor->pool);
    if (lstat(folder, &status) == 0 && (status.st_mode & 0077)) {
        tell(doctor, "evidence", apr_psprintf(doctor->pool, "chmod 0700 %s", folder),
             apr_psprintf(doctor->pool, "%s has mode %04o; it holds customers' pages", folder, (unsigned)(status.st_mode & 07777)));
    }
    icp_error_t *error = icp_evidence_verify(&faults, &count, doctor->reg, doctor->pool);
    if (error) {
        tell_error(doctor, "evidence", error);
        return;
    }
    for (int i = 0; i < faults->nelts && i < EVIDENCE_FAULTS; i++) {
        icp_error_t *fault = APR_ARRAY_IDX(faults, i, icp_error_t *);
        tell(doctor, "evidence",
             fault->status == ICP_NOT_FOUND ? "copy it back into the folder, or let it go: icpadmin evidence prune --lost"
                                            : fault->remedy ? fault->remedy : "see that the folder can be read",
             fault->message);
    }
    if (faults->nelts > EVIDENCE_FAULTS) {
        tell(doctor, "evidence", "as above", apr_psprintf(doctor->pool, "%d more pages", faults->nelts - EVIDENCE_FAULTS));
    }
    if (!faults->nelts) tell(doctor, "evidence", NULL, apr_psprintf(doctor->pool, "%d pages are as they were kept", count));
}

icp_error_t *icp_doctor(apr_array_header_t **checks, const char *path, const char *actor, int repair, apr_pool_t *pool)
{
    doctor_t doctor = {apr_array_make(pool, 16, sizeof(icp_check_t)), NULL, pool};
    *checks = doctor.checks;
    icp_error_t *error = icp_register_bare(&doctor.reg, path, actor, pool);
    if (!error) {
        if (icp_file_exists(doctor.reg->path)) {
            check_files(&doctor, repair);
            check_pass_key(&doctor);
            check_disk(&doctor);
            check_sightings(&doctor);
            check_intake(&doctor, repair);
            check_locks(&doctor, "register.db", doctor.reg->path);
            check_locks(&doctor, "private.db", doctor.reg->files->private_db);
        }
        check_interrupted(&doctor);
        error = icp_register_open(&doctor.reg, path, actor, pool);
    }
    if (error) {
        tell_error(&doctor, "register.db", error);
        return NULL;
    }
    error = icp_register_read(doctor.reg, check_content, &doctor, pool);
    if (error) tell_error(&doctor, "register.db", error);
    check_audit(&doctor);
    check_evidence(&doctor);
    check_holidays(&doctor);
    return NULL;
}
