/* How an application stands, from staff to its client's link. The worker finds the file by the token's hash and opens it with the token,
 * so that nobody else can tell one from another, though all of them can be read.
 */
#include "intake_files.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <apr_strings.h>

#include "digest.h"
#include "json.h"
#include "register_files.h"

#define STATE_MAX (256 * 1024) /* bytes */

static icp_error_t *file_name(const char **name, const char *token, apr_pool_t *pool)
{
    icp_digest_t *digest;
    char *hex = apr_palloc(pool, 65);
    if (!icp_token_is(token)) return icp_error(pool, ICP_NOT_FOUND, NULL, "that is no link of an application");
    ICP_TRY(icp_digest_begin(&digest, pool));
    icp_digest_add(digest, token, strlen(token));
    ICP_TRY(icp_digest_end(hex, digest, pool));
    *name = hex;
    return NULL;
}

icp_error_t *icp_intake_progress(json_t **state, const char *progress, const char *token, apr_pool_t *pool)
{
    const char *name;
    const void *sealed, *text;
    apr_size_t length;
    ICP_TRY(file_name(&name, token, pool));
    int fd = open(progress, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return icp_error_os(pool, errno, "cannot look into %s", progress);
    icp_error_t *error = icp_intake_read(&sealed, &length, fd, name, 0, STATE_MAX, pool);
    close(fd);
    if (!error) error = icp_unseal_by_token(&text, &length, token, name, sealed, length, pool);
    if (error) return error;
    *state = icp_json_keep(json_loadb(text, length, 0, NULL), pool);
    if (json_is_object(*state)) return NULL;
    return icp_error(pool, ICP_FAULT, NULL, "the state of an application in %s is no JSON object", progress);
}

static icp_error_t *write_state(const char *part, const void *bytes, apr_size_t length, apr_pool_t *pool)
{
    ICP_TRY(icp_file_remove(part, pool));
    ICP_TRY(icp_file_create(part, 0644, pool));
    int fd = open(part, O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
    ssize_t put = fd < 0 ? -1 : write(fd, bytes, length);
    int fault = put < 0 ? errno : put != (ssize_t)length ? ENOSPC : fsync(fd) != 0 ? errno : 0;
    if (fd >= 0) close(fd);
    return fault ? icp_error_os(pool, fault, "cannot write %s", part) : NULL;
}

icp_error_t *icp_intake_publish(const char *register_path, const char *token, const json_t *state, apr_pool_t *pool)
{
    const char *name;
    const void *sealed;
    apr_size_t length;
    ICP_TRY(file_name(&name, token, pool));
    const char *text = icp_json_text(state, JSON_COMPACT, pool);
    if (!text || strlen(text) > STATE_MAX / 2) {
        return icp_error(pool, ICP_FAULT, NULL, "the state of an application is too large to be published");
    }
    ICP_TRY(icp_seal_to_token(&sealed, &length, token, name, text, strlen(text), pool));

    const char *file = apr_pstrcat(pool, icp_register_companion(register_path, ICP_INTAKE_PROGRESS, pool), "/", name, NULL);
    const char *part = apr_psprintf(pool, "%s.%ld.part", file, (long)getpid());
    icp_error_t *error = write_state(part, sealed, length, pool);
    if (!error) error = icp_file_rename(part, file, pool);
    if (error) unlink(part);
    return error;
}

icp_error_t *icp_intake_unpublish(const char *register_path, const char *token, apr_pool_t *pool)
{
    const char *name;
    ICP_TRY(file_name(&name, token, pool));
    return icp_file_remove(apr_pstrcat(pool, icp_register_companion(register_path, ICP_INTAKE_PROGRESS, pool), "/", name, NULL), pool);
}
