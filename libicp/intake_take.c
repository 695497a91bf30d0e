/* Staff's half of the intake: see intake.h. All of it was written by whoever is the worker user. */
#include "intake_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <apr_escape.h>
#include <apr_strings.h>
#include <openssl/rand.h>

#include "digest.h"
#include "form.h"
#include "json.h"
#include "log.h"
#include "register.h"
#include "text.h"

#define ROUND_MOST 1000
#define BATCH_MOST 50                      /* submissions that are given to the call-back together */
#define BATCH_BYTES ((apr_size_t)8 << 20)  /* of documents, past which no further one joins them */
#define LOOK_MOST 200000 /* entries looked at in a round */
#define STALE apr_time_from_sec(3600)

icp_error_t *icp_intake_read(const void **bytes, apr_size_t *length, int fd, const char *name, uid_t owner, apr_size_t most, apr_pool_t *pool)
{
    struct stat info;
    int file = openat(fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (file < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == EIO)) return icp_error_os(pool, errno, "cannot open %s", name);
    if (file < 0) return icp_error(pool, errno == ENOENT ? ICP_NOT_FOUND : ICP_REFUSED, NULL, "%s is %s", name, errno == ENOENT ? "not there" : "no plain file");
    const char *wrong = NULL;
    if (fstat(file, &info) != 0 || !S_ISREG(info.st_mode)) wrong = "is no plain file";
    else if (info.st_uid != owner && info.st_uid != geteuid()) wrong = "belongs to another user";
    else if (info.st_nlink != 1) wrong = "has a second name";
    else if ((apr_uint64_t)info.st_size > most) wrong = "is too large";
    char *buffer = wrong ? NULL : apr_palloc(pool, info.st_size + 1);
    apr_size_t done = 0;
    int fault = 0;
    while (!wrong && done <= (apr_size_t)info.st_size) {
        ssize_t got = read(file, buffer + done, info.st_size + 1 - done);
        if (got > 0) done += got;
        else if (got == 0) break;
        else if (errno != EINTR) {
            fault = errno;
            break;
        }
    }
    close(file);
    if (fault) return icp_error_os(pool, fault, "%s", name);
    if (!wrong && done != (apr_size_t)info.st_size) wrong = "changes while it is read";
    if (wrong) return icp_error(pool, ICP_REFUSED, NULL, "%s %s", name, wrong);
    *bytes = buffer;
    *length = done;
    return NULL;
}

/* --- one submission --------------------------------------------------------------------------------- */

static icp_error_t *read_sealed(const void **bytes, apr_size_t *length, int fd, const char *name, uid_t owner, apr_size_t most,
                                const icp_unseal_t *unseal, apr_pool_t *pool)
{
    const void *sealed;
    apr_size_t sealed_length;
    ICP_TRY(icp_intake_read(&sealed, &sealed_length, fd, name, owner, most, pool));
    icp_error_t *error = icp_unseal(bytes, length, unseal, sealed, sealed_length, pool);
    return error ? icp_error(pool, ICP_REFUSED, NULL, "%s cannot be opened: %s", name, error->message) : NULL;
}

static icp_error_t *nonsense(apr_pool_t *pool)
{
    return icp_error(pool, ICP_REFUSED, NULL, "form is not what mod_icp writes");
}

/* Short plain text, or NULL. */
static const char *text_of(const json_t *object, const char *name, apr_size_t most)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text && strlen(text) <= most && strlen(text) == json_string_length(json_object_get(object, name)) && icp_text_plain(text) ? text : NULL;
}

static icp_error_t *read_document(icp_intake_document_t *document, const json_t *facts, int fd, int index, uid_t owner,
                                  const icp_unseal_t *unseal, apr_pool_t *pool)
{
    char sha256[65];
    icp_digest_t *digest;
    const char *file = icp_intake_document_file(index, pool), *wanted = text_of(facts, "sha256", 64);
    document->kind = text_of(facts, "kind", 40);
    document->name = text_of(facts, "name", 300);
    if (!document->kind || !icp_form_document(document->kind) || !document->name || !wanted) return nonsense(pool);
    ICP_TRY(read_sealed(&document->bytes, &document->length, fd, file, owner, ICP_DOCUMENT_LIMIT + ICP_INTAKE_SEAL_ROOM, unseal, pool));
    ICP_TRY(icp_digest_begin(&digest, pool));
    icp_digest_add(digest, document->bytes, document->length);
    ICP_TRY(icp_digest_end(sha256, digest, pool));
    if (strcmp(sha256, wanted)) return icp_error(pool, ICP_REFUSED, NULL, "%s is not the one that belongs to the form", file);
    document->type = document->length <= ICP_DOCUMENT_LIMIT ? icp_form_document_type(document->bytes, document->length) : NULL;
    if (!document->type) return icp_error(pool, ICP_REFUSED, NULL, "%s is no PDF, JPEG or PNG of at most 5 MB", file);
    return NULL;
}

static icp_error_t *read_submission(icp_submission_t *submission, int fd, uid_t owner, const icp_unseal_t *unseal, apr_pool_t *pool)
{
    const void *text;
    apr_size_t length, total = 0, index;
    json_t *facts;
    ICP_TRY(read_sealed(&text, &length, fd, ICP_INTAKE_FORM, owner, ICP_INTAKE_SEALED_FORM_MAX, unseal, pool));
    const json_t *envelope = icp_json_keep(json_loadb(text, length, JSON_REJECT_DUPLICATES, NULL), pool);
    if (!envelope) return nonsense(pool);

    const char *id = text_of(envelope, "id", ICP_INTAKE_ID_LENGTH), *action = text_of(envelope, "action", 20);
    json_t *list = json_object_get(envelope, "documents");
    submission->token = text_of(envelope, "token", ICP_TOKEN_LENGTH);
    submission->form = json_object_get(envelope, "form");
    json_int_t at = json_integer_value(json_object_get(envelope, "at")); /* of any size */
    submission->at = at < 0 || at > apr_time_sec(apr_time_now()) ? apr_time_now() : apr_time_from_sec(at);
    while (submission->action < ICP_INTAKE_ACTIONS && (!action || strcmp(action, icp_intake_actions[submission->action]))) submission->action++;
    int has_form = submission->action != ICP_INTAKE_WITHDRAW;
    if (!id || strcmp(id, submission->id) || submission->action == ICP_INTAKE_ACTIONS || !submission->token || !icp_token_is(submission->token)
        || has_form != json_is_object(submission->form) || json_array_size(list) > ICP_INTAKE_DOCUMENTS_MAX) {
        return nonsense(pool);
    }
    if (!has_form) submission->form = NULL;
    apr_array_header_t *documents = apr_array_make(pool, ICP_INTAKE_DOCUMENTS_MAX, sizeof(icp_intake_document_t));
    json_array_foreach(list, index, facts) {
        icp_intake_document_t *document = apr_array_push(documents);
        ICP_TRY(read_document(document, facts, fd, (int)index, owner, unseal, pool));
        total += document->length;
    }
    submission->documents = documents;
    return total <= ICP_INTAKE_BYTES_MAX ? NULL : icp_error(pool, ICP_REFUSED, NULL, "its documents are too large together");
}

static icp_error_t *open_submission(icp_submission_t *submission, int intake, const char *name, uid_t owner, const icp_unseal_t *unseal,
                                    apr_pool_t *pool)
{
    struct stat info;
    int fd = openat(intake, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) return icp_error(pool, ICP_REFUSED, NULL, "it is no folder");
    submission->id = apr_pstrmemdup(pool, name, ICP_INTAKE_ID_LENGTH);
    icp_error_t *error = fstat(fd, &info) != 0 || (info.st_uid != owner && info.st_uid != geteuid())
                             ? icp_error(pool, ICP_REFUSED, NULL, "it does not belong to the worker user")
                             : read_submission(submission, fd, owner, unseal, pool);
    close(fd);
    return error;
}

/* --- the folder -------------------------------------------------------------------------------------- */

typedef struct entry_t {
    const char *name;
    apr_time_t at;
} entry_t;

typedef struct intake_t {
    int fd, refused_fd;
    uid_t owner; /* the worker user, as init gave it sightings/ */
    const char *path;
    icp_unseal_t *unseal;
    icp_intake_round_t *round;
    apr_pool_t *pool;
} intake_t;

static int by_age(const void *a, const void *b)
{
    const entry_t *one = a, *other = b;
    if (one->at != other->at) return one->at < other->at ? -1 : 1;
    return strcmp(one->name, other->name);
}

/* Out of the way, under a name of ours, as it is. */
static void refuse(intake_t *intake, const char *name, const char *why)
{
    unsigned char random[8];
    char place[2 * sizeof random + 1] = "";
    int moved = RAND_bytes(random, sizeof random) == 1;
    if (moved) {
        apr_escape_hex(place, random, sizeof random, 0, NULL);
        moved = renameat(intake->fd, name, intake->refused_fd, place) == 0;
    }
    const char *shown = icp_text_printable(name, 80, intake->pool);
    APR_ARRAY_PUSH(intake->round->refused, const char *) =
        moved ? apr_psprintf(intake->pool, "%s: %s; moved to " ICP_INTAKE_REFUSED "/%s", shown, why, place)
              : apr_psprintf(intake->pool, "%s: %s; it stays where it is", shown, why);
}

static void sweep_draft(intake_t *intake, const char *name)
{
    struct stat info;
    if (fstatat(intake->fd, name, &info, AT_SYMLINK_NOFOLLOW) != 0 || apr_time_now() - apr_time_from_sec(info.st_mtime) < STALE) return;
    if (!icp_intake_remove(intake->fd, name)) refuse(intake, name, "a submission that was never finished, and more");
}

/* Those handed over, oldest first; what else lies there is put away. */
static icp_error_t *list_ready(apr_array_header_t **ready, intake_t *intake)
{
    struct dirent *entry;
    int looked = 0, fd = openat(intake->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *list = fd >= 0 ? fdopendir(fd) : NULL;
    apr_array_header_t *others = apr_array_make(intake->pool, 16, sizeof(const char *));
    *ready = apr_array_make(intake->pool, 64, sizeof(entry_t));
    if (!list) {
        int fault = errno;
        if (fd >= 0) close(fd);
        return icp_error_os(intake->pool, fault, "cannot list %s", intake->path);
    }
    while ((entry = readdir(list)) != NULL && looked++ < LOOK_MOST) {
        struct stat info;
        if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..")) continue;
        const char *name = apr_pstrdup(intake->pool, entry->d_name);
        if (!icp_intake_is_entry(name, ICP_INTAKE_READY)) APR_ARRAY_PUSH(others, const char *) = name;
        else if (fstatat(intake->fd, name, &info, AT_SYMLINK_NOFOLLOW) == 0)
            *(entry_t *)apr_array_push(*ready) = (entry_t){name, apr_time_from_sec(info.st_mtim.tv_sec) + info.st_mtim.tv_nsec / 1000};
    }
    intake->round->more = entry != NULL || (*ready)->nelts > ROUND_MOST;
    closedir(list);
    for (int i = 0; i < others->nelts; i++) {
        const char *name = APR_ARRAY_IDX(others, i, const char *);
        if (icp_intake_is_entry(name, ICP_INTAKE_NEW)) sweep_draft(intake, name);
        else refuse(intake, name, "mod_icp made no such entry");
    }
    qsort((*ready)->elts, (*ready)->nelts, sizeof(entry_t), by_age);
    if ((*ready)->nelts > ROUND_MOST) (*ready)->nelts = ROUND_MOST;
    return NULL;
}

typedef struct batch_t {
    apr_array_header_t *submissions; /* icp_submission_t */
    apr_array_header_t *names;       /* const char *: their entries */
    apr_size_t bytes;                /* of their documents */
    apr_pool_t *pool;
} batch_t;

static void empty(batch_t *batch)
{
    apr_pool_clear(batch->pool);
    batch->submissions = apr_array_make(batch->pool, BATCH_MOST, sizeof(icp_submission_t));
    batch->names = apr_array_make(batch->pool, BATCH_MOST, sizeof(const char *));
    batch->bytes = 0;
}

static icp_error_t *add(batch_t *batch, intake_t *intake, const char *name)
{
    icp_submission_t submission = {0};
    icp_error_t *error = open_submission(&submission, intake->fd, name, intake->owner, intake->unseal, batch->pool);
    if (error && error->status == ICP_FAULT) return error;
    if (error) {
        refuse(intake, name, error->message);
        return NULL;
    }
    for (int i = 0; submission.documents && i < submission.documents->nelts; i++)
        batch->bytes += APR_ARRAY_IDX(submission.documents, i, icp_intake_document_t).length;
    APR_ARRAY_PUSH(batch->submissions, icp_submission_t) = submission;
    APR_ARRAY_PUSH(batch->names, const char *) = name;
    return NULL;
}

static icp_error_t *take(batch_t *batch, intake_t *intake, icp_intake_fn *fn, void *baton)
{
    int taken = 0, count = batch->names->nelts;
    if (!count) return NULL;
    ICP_TRY(fn(&taken, batch->submissions, baton, batch->pool));
    *(taken ? &intake->round->taken : &intake->round->left) += count;
    for (int i = 0; taken && i < count; i++) {
        const char *name = APR_ARRAY_IDX(batch->names, i, const char *);
        if (!icp_intake_remove(intake->fd, name)) refuse(intake, name, "it was taken over and cannot be removed");
    }
    return NULL;
}

static icp_error_t *take_all(intake_t *intake, icp_intake_fn *fn, void *baton)
{
    apr_array_header_t *ready;
    icp_error_t *error = NULL;
    batch_t batch;
    ICP_TRY(list_ready(&ready, intake));
    apr_pool_create(&batch.pool, intake->pool);
    empty(&batch);
    for (int i = 0; !error && i < ready->nelts; i++) {
        error = add(&batch, intake, APR_ARRAY_IDX(ready, i, entry_t).name);
        if (error || (batch.names->nelts < BATCH_MOST && batch.bytes < BATCH_BYTES)) continue;
        error = take(&batch, intake, fn, baton);
        if (!error) empty(&batch);
    }
    if (!error) error = take(&batch, intake, fn, baton);
    if (error) error = icp_error(intake->pool, error->status, error->remedy, "%s", error->message);
    apr_pool_destroy(batch.pool);
    return error;
}

static icp_error_t *open_folder(int *fd, const char *path, apr_pool_t *pool)
{
    *fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    return *fd < 0 ? icp_error_os(pool, errno, "cannot open %s", path) : NULL;
}

icp_error_t *icp_intake_each(icp_intake_round_t *round, const char *register_path, icp_intake_fn *fn, void *baton, apr_pool_t *pool)
{
    struct stat info;
    intake_t intake = {.fd = -1, .refused_fd = -1, .round = round, .pool = pool};
    *round = (icp_intake_round_t){.refused = apr_array_make(pool, 4, sizeof(const char *))};
    intake.path = icp_register_companion(register_path, ICP_INTAKE_FOLDER, pool);
    intake.owner = stat(icp_register_companion(register_path, "sightings", pool), &info) == 0 ? info.st_uid : geteuid();
    ICP_TRY(icp_unseal_load(&intake.unseal, icp_register_companion(register_path, ICP_SEAL_KEY, pool),
                            icp_register_companion(register_path, ICP_SEAL_CERTIFICATE, pool), pool));
    icp_error_t *error = open_folder(&intake.fd, intake.path, pool);
    if (!error) error = open_folder(&intake.refused_fd, icp_register_companion(register_path, ICP_INTAKE_REFUSED, pool), pool);
    if (!error) error = take_all(&intake, fn, baton);
    if (intake.fd >= 0) close(intake.fd);
    if (intake.refused_fd >= 0) close(intake.refused_fd);
    return error;
}
