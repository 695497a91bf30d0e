/* The intake's folders, and the worker's half: see intake.h. */
#include "intake_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <apr_encode.h>
#include <apr_strings.h>
#include <apr_user.h>
#include <openssl/rand.h>

#include "digest.h"
#include "form.h"
#include "json.h"
#include "register.h"
#include "room.h"

#define TOKEN_BYTES 24
#define WAIT_TURNS 50 /* for another request with the same submission */
#define WAIT_TURN apr_time_from_msec(100)

const char *const icp_intake_actions[ICP_INTAKE_ACTIONS] = {"submit", "correct", "withdraw"};

int icp_token_is(const char *token)
{
    static const char base64url[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    return strlen(token) == ICP_TOKEN_LENGTH && strspn(token, base64url) == ICP_TOKEN_LENGTH;
}

icp_error_t *icp_token_make(const char **token, apr_pool_t *pool)
{
    unsigned char bytes[TOKEN_BYTES];
    if (RAND_bytes(bytes, sizeof bytes) != 1) return icp_error(pool, ICP_FAULT, NULL, "the system gives no random bytes");
    *token = apr_pencode_base64_binary(pool, bytes, sizeof bytes, APR_ENCODE_BASE64URL, NULL);
    return NULL;
}

const char *icp_intake_document_file(int index, apr_pool_t *pool)
{
    return apr_psprintf(pool, "document-%d", index);
}

int icp_intake_is_entry(const char *name, const char *ending)
{
    return strspn(name, "0123456789abcdef") == ICP_INTAKE_ID_LENGTH && !strcmp(name + ICP_INTAKE_ID_LENGTH, ending);
}

/* --- folders and key --------------------------------------------------------------------------------- */

/* Those of the worker user: given by name, or the ones that init gave sightings/. */
static icp_error_t *find_group(apr_gid_t *gid, const char *register_path, const char *worker, apr_pool_t *pool)
{
    apr_uid_t uid;
    struct stat info;
    const char *sightings = icp_register_companion(register_path, "sightings", pool);
    if (!worker) {
        *gid = stat(sightings, &info) == 0 ? info.st_gid : getegid();
        return NULL;
    }
    if (apr_uid_get(&uid, gid, worker, pool) == APR_SUCCESS) return NULL;
    return icp_error(pool, ICP_NOT_FOUND, "name the user that httpd's children run as (www-data on Debian)", "there is no user %s", worker);
}

typedef struct folder_t {
    const char *name;
    mode_t mode;
    int is_workers; /* its group is the worker's */
} folder_t;

static const folder_t folders[] = {{ICP_INTAKE_FOLDER, 01730, 1}, {ICP_INTAKE_REFUSED, 0700, 0}, {ICP_INTAKE_PROGRESS, 0711, 0}};

static icp_error_t *make_folder(const folder_t *folder, const char *register_path, apr_gid_t gid, apr_pool_t *pool)
{
    struct stat info;
    const char *path = icp_register_companion(register_path, folder->name, pool);
    if (mkdir(path, 0700) != 0 && errno != EEXIST) return icp_error_os(pool, errno, "cannot create %s", path);
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    int fault = fd < 0 || fstat(fd, &info) != 0 ? errno : 0;
    if (!fault && (info.st_uid != geteuid() || (folder->is_workers && info.st_gid != gid))
        && fchown(fd, geteuid(), folder->is_workers ? gid : (gid_t)-1) != 0) fault = errno;
    if (!fault && (info.st_mode & 07777) != folder->mode && fchmod(fd, folder->mode) != 0) fault = errno;
    if (fd >= 0) close(fd);
    if (!fault) return NULL;
    icp_error_t *error = icp_error_os(pool, fault, "cannot set the owner and mode of %s", path);
    error->remedy = "run the command as root";
    return error;
}

icp_error_t *icp_intake_create(const char *register_path, const char *worker, apr_pool_t *pool)
{
    apr_gid_t gid = 0;
    ICP_TRY(find_group(&gid, register_path, worker, pool));
    for (unsigned i = 0; i < sizeof folders / sizeof *folders; i++) ICP_TRY(make_folder(folders + i, register_path, gid, pool));
    return icp_seal_create(icp_register_companion(register_path, ICP_SEAL_KEY, pool),
                           icp_register_companion(register_path, ICP_SEAL_CERTIFICATE, pool), pool);
}

icp_error_t *icp_intake_inspect(const char *register_path, apr_pool_t *pool)
{
    static const char remedy[] = "icpadmin doctor --repair, as root, sets it right";
    icp_unseal_t *unseal;
    apr_gid_t gid = 0;
    ICP_TRY(find_group(&gid, register_path, NULL, pool));
    for (unsigned i = 0; i < sizeof folders / sizeof *folders; i++) {
        struct stat info;
        const char *path = icp_register_companion(register_path, folders[i].name, pool);
        if (lstat(path, &info) != 0) {
            icp_error_t *error = icp_error_os(pool, errno, "%s", path);
            error->remedy = remedy;
            return error;
        }
        if (!S_ISDIR(info.st_mode) || (info.st_mode & 07777) != folders[i].mode || (info.st_uid != 0 && info.st_uid != geteuid())
            || (folders[i].is_workers && info.st_gid != gid)) {
            return icp_error(pool, ICP_DENIED, remedy, "%s is not a folder of root's%s with mode %04o", path,
                             folders[i].is_workers ? " and the worker's group" : "", (unsigned)folders[i].mode);
        }
    }
    return icp_unseal_load(&unseal, icp_register_companion(register_path, ICP_SEAL_KEY, pool),
                           icp_register_companion(register_path, ICP_SEAL_CERTIFICATE, pool), pool);
}

/* --- the worker's half ------------------------------------------------------------------------------- */

/* A folder has a link for itself, one for its name, and one for each folder in it: so the worker knows how many wait and cannot
 * list them. File systems that do not count give 1, and there the free space alone is the bound. */
icp_error_t *icp_intake_room(const char *folder, apr_int64_t most, apr_pool_t *pool)
{
    struct stat info;
    if (stat(folder, &info) != 0) return icp_error_os(pool, errno, "cannot look at the intake %s", folder);
    if ((apr_int64_t)info.st_nlink - 2 >= most) {
        return icp_error(pool, ICP_REFUSED, "let icpadmin application pull take them over, and see why it does not",
                         "%" APR_INT64_T_FMT " submissions wait in %s already", most, folder);
    }
    return icp_room_check(folder, ICP_INTAKE_BYTES_MAX, pool);
}

/* A new file, synced; 0 or an errno. */
static int write_file(int fd, const char *name, const void *bytes, apr_size_t length)
{
    int file = openat(fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (file < 0) return errno;
    int fault = 0;
    for (apr_size_t done = 0; !fault && done < length;) {
        ssize_t put = write(file, (const char *)bytes + done, length - done);
        if (put > 0) done += put;
        else if (put == 0) fault = ENOSPC;
        else if (errno != EINTR) fault = errno;
    }
    if (!fault && fsync(file) != 0) fault = errno;
    if (close(file) != 0 && !fault) fault = errno;
    return fault;
}

/* The envelope: what the documents are, and their digests, so that none can be exchanged for another's. */
static icp_error_t *describe(const void **text, apr_size_t *length, const icp_submission_t *submission, apr_pool_t *pool)
{
    json_t *documents = json_array();
    for (int i = 0; submission->documents && i < submission->documents->nelts; i++) {
        const icp_intake_document_t *document = &APR_ARRAY_IDX(submission->documents, i, icp_intake_document_t);
        char sha256[65];
        icp_digest_t *digest;
        icp_error_t *error = icp_digest_begin(&digest, pool);
        if (!error) {
            icp_digest_add(digest, document->bytes, document->length);
            error = icp_digest_end(sha256, digest, pool);
        }
        if (error) {
            json_decref(documents);
            return error;
        }
        json_array_append_new(documents, json_pack("{s:s, s:s, s:s, s:I, s:s}", "kind", document->kind, "name", document->name, "type",
                                                   document->type, "bytes", (json_int_t)document->length, "sha256", sha256));
    }
    json_t *envelope = json_pack("{s:i, s:s, s:s, s:s, s:I, s:O?, s:o}", "version", 1, "id", submission->id, "action",
                                 icp_intake_actions[submission->action], "token", submission->token, "at",
                                 (json_int_t)apr_time_sec(submission->at), "form", submission->form, "documents", documents);
    *text = icp_json_text(envelope, JSON_COMPACT, pool);
    json_decref(envelope);
    if (!*text) return icp_error(pool, ICP_FAULT, NULL, "the submission cannot be written as JSON");
    *length = strlen(*text);
    return NULL;
}

static icp_error_t *write_sealed(int fd, const char *name, const char *folder, const icp_seal_t *seal, const void *bytes,
                                 apr_size_t length, apr_pool_t *parent)
{
    apr_pool_t *pool;
    const void *sealed;
    apr_size_t sealed_length;
    apr_pool_create(&pool, parent);
    icp_error_t *error = icp_seal(&sealed, &sealed_length, seal, bytes, length, pool);
    int fault = error ? 0 : write_file(fd, name, sealed, sealed_length);
    if (error) error = icp_error(parent, error->status, NULL, "%s", error->message);
    else if (fault) error = icp_error_os(parent, fault, "cannot write a submission to %s", folder);
    apr_pool_destroy(pool);
    return error;
}

static icp_error_t *write_all(int fd, const char *folder, const icp_seal_t *seal, const icp_submission_t *submission, apr_pool_t *pool)
{
    const void *text = NULL;
    apr_size_t length = 0;
    for (int i = 0; submission->documents && i < submission->documents->nelts; i++) {
        const icp_intake_document_t *document = &APR_ARRAY_IDX(submission->documents, i, icp_intake_document_t);
        ICP_TRY(write_sealed(fd, icp_intake_document_file(i, pool), folder, seal, document->bytes, document->length, pool));
    }
    ICP_TRY(describe(&text, &length, submission, pool));
    return write_sealed(fd, ICP_INTAKE_FORM, folder, seal, text, length, pool);
}

int icp_intake_remove(int fd, const char *name)
{
    int inside = openat(fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), count = 0;
    DIR *list = inside >= 0 ? fdopendir(inside) : NULL;
    struct dirent *entry;
    if (!list) {
        if (inside >= 0) close(inside);
        return unlinkat(fd, name, 0) == 0;
    }
    while ((entry = readdir(list)) != NULL && count <= ICP_INTAKE_DOCUMENTS_MAX + 1) {
        if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, "..")) count++;
    }
    if (count <= ICP_INTAKE_DOCUMENTS_MAX + 1) {
        unlinkat(dirfd(list), ICP_INTAKE_FORM, 0); /* first, so that what is left of it is no submission */
        rewinddir(list);
        for (int turn = 0; turn < 2 * ICP_INTAKE_DOCUMENTS_MAX && (entry = readdir(list)) != NULL; turn++) unlinkat(dirfd(list), entry->d_name, 0);
    }
    closedir(list);
    return unlinkat(fd, name, AT_REMOVEDIR) == 0;
}

/* The same submission, sent twice by a double click: the first one's request writes it. Nonzero: it is there. */
static int wait_for_other(const char *draft, const char *ready)
{
    struct stat info;
    for (int turn = 0; turn < WAIT_TURNS && lstat(draft, &info) == 0; turn++) apr_sleep(WAIT_TURN);
    return lstat(ready, &info) == 0;
}

icp_error_t *icp_intake_submit(int *again, const char *folder, const icp_seal_t *seal, const icp_submission_t *submission, apr_pool_t *pool)
{
    struct stat info;
    const char *draft = apr_pstrcat(pool, folder, "/", submission->id, ICP_INTAKE_NEW, NULL);
    const char *ready = apr_pstrcat(pool, folder, "/", submission->id, ICP_INTAKE_READY, NULL);
    if (again) *again = 0;
    if (lstat(ready, &info) == 0) {
        if (again) *again = 1;
        return NULL;
    }
    if (mkdir(draft, 0700) != 0) {
        int fault = errno;
        if (fault == EEXIST && wait_for_other(draft, ready)) {
            if (again) *again = 1;
            return NULL;
        }
        return icp_error_os(pool, fault, "cannot add to the intake %s", folder);
    }
    int fd = open(draft, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    icp_error_t *error = fd < 0 ? icp_error_os(pool, errno, "cannot add to the intake %s", folder) : write_all(fd, folder, seal, submission, pool);
    if (!error && (fsync(fd) != 0 || rename(draft, ready) != 0)) error = icp_error_os(pool, errno, "cannot hand a submission over in %s", folder);
    if (error) {
        icp_intake_remove(AT_FDCWD, draft);
    }
    else if (fsync(fd) != 0) { /* journalling file systems put its new name on disk with it; the folder itself is not ours to open */
        error = icp_error_os(pool, errno, "cannot hand a submission over in %s", folder);
    }
    if (fd >= 0) close(fd);
    return error;
}
