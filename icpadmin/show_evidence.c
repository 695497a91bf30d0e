/* Evidence for people, for programs and for a court: see show_evidence.h. The bytes of a stranger's page never reach a terminal. */
#include "show_evidence.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <apr_hash.h>
#include <apr_strings.h>

#include "audit.h"
#include "json.h"
#include "version.h"

#define SITE_MAX 100 /* bytes of a site's name in a file's */

static json_t *facts_of(const icp_evidence_t *evidence)
{
    json_t *object = json_object(), *inspection = json_loads(evidence->detail, 0, NULL);
    json_object_set_new(object, "id", json_integer(evidence->id));
    json_object_set_new(object, "site", icp_text_json(evidence->site));
    json_object_set_new(object, "at", icp_time_json(evidence->at));
    json_object_set_new(object, "url", icp_text_json(evidence->url));
    json_object_set_new(object, "address", icp_text_json(evidence->address));
    json_object_set_new(object, "status", json_integer(evidence->status));
    json_object_set_new(object, "verdict", icp_text_json(evidence->verdict));
    json_object_set_new(object, "inspection", inspection ? inspection : json_null());
    json_object_set_new(object, "sha256", icp_text_json(evidence->sha256));
    json_object_set_new(object, "bytes", json_integer(evidence->bytes));
    json_object_set_new(object, "kept", json_integer(evidence->kept));
    json_object_set_new(object, "kept_sha256", icp_text_json(*evidence->file ? evidence->file : NULL));
    return object;
}

json_t *icp_show_evidence_json(const apr_array_header_t *list)
{
    json_t *array = json_array();
    for (int i = 0; i < list->nelts; i++) json_array_append_new(array, facts_of(&APR_ARRAY_IDX(list, i, icp_evidence_t)));
    return array;
}

static const char *bytes_text(const icp_evidence_t *evidence, apr_pool_t *pool)
{
    const char *bytes = apr_psprintf(pool, "%" APR_INT64_T_FMT, evidence->bytes);
    if (evidence->kept == evidence->bytes) return bytes;
    if (!*evidence->file) return apr_pstrcat(pool, bytes, ", not kept", NULL);
    return apr_psprintf(pool, "%s, %" APR_INT64_T_FMT " kept", bytes, evidence->kept);
}

void icp_show_evidence_table(const icp_cli_t *cli, const apr_array_header_t *list)
{
    icp_list_t *table = icp_list_begin(cli, "LOOKED AT|VERDICT|STATUS|ADDRESS|BYTES|SHA-256");
    for (int i = 0; i < list->nelts; i++) {
        const icp_evidence_t *evidence = &APR_ARRAY_IDX(list, i, icp_evidence_t);
        icp_list_row(table, icp_time_text(evidence->at, cli->pool), evidence->verdict, apr_itoa(cli->pool, evidence->status),
                     *evidence->address ? evidence->address : "-", bytes_text(evidence, cli->pool), evidence->sha256, NULL);
    }
    icp_list_end(table, "no evidence is kept of it");
}

typedef struct saving_t {
    icp_cli_t *cli;
    const char *folder;
    int fd;
    apr_hash_t *pages; /* by hash: pages that are written */
} saving_t;

/* A site may have any name; a file's is of harmless characters and does not begin with a dot or a dash. */
static const char *base_name(const icp_evidence_t *evidence, apr_pool_t *pool)
{
    static const char harmless[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_";
    char *name = apr_pstrndup(pool, evidence->site, SITE_MAX);
    for (char *at = name; *at; at++) {
        if (!strchr(harmless, *at) || (at == name && (*at == '.' || *at == '-'))) *at = '_';
    }
    return apr_psprintf(pool, "%s-%06" APR_INT64_T_FMT, name, evidence->id);
}

static const char *page_name(const icp_evidence_t *evidence, apr_pool_t *pool)
{
    return *evidence->file ? apr_pstrcat(pool, evidence->file, ".page", NULL) : NULL;
}

static icp_error_t *exists(const saving_t *saving, const char *name)
{
    struct stat status;
    if (!name || fstatat(saving->fd, name, &status, AT_SYMLINK_NOFOLLOW) != 0) return NULL;
    return icp_error(saving->cli->pool, ICP_REFUSED, "name another folder", "%s/%s exists; nothing was written", saving->folder,
                     name);
}

static icp_error_t *write_new(const saving_t *saving, const char *name, const char *bytes, apr_size_t length)
{
    int fault = 0, fd = openat(saving->fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0) fault = errno;
    while (!fault && length) {
        ssize_t put = write(fd, bytes, length);
        if (put < 0 && errno == EINTR) continue;
        if (put <= 0) {
            fault = put < 0 ? errno : ENOSPC;
            break;
        }
        bytes += put;
        length -= (apr_size_t)put;
    }
    if (fd >= 0 && (fsync(fd) != 0) + (close(fd) != 0) && !fault) fault = errno;
    return fault ? icp_error_os(saving->cli->pool, fault, "cannot write %s/%s", saving->folder, name) : NULL;
}

/* *fault: why there is no page, NULL if there is one. */
static icp_error_t *save_page(const char **fault, saving_t *saving, const icp_evidence_t *evidence, apr_pool_t *pool)
{
    const char *bytes;
    *fault = "it was not kept";
    if (!*evidence->file) return NULL;
    *fault = apr_hash_get(saving->pages, evidence->file, APR_HASH_KEY_STRING);
    if (*fault) {
        if (!**fault) *fault = NULL;
        return NULL;
    }
    icp_error_t *error = icp_evidence_page(&bytes, saving->cli->reg, evidence, pool);
    *fault = error ? apr_pstrdup(saving->cli->pool, error->message) : NULL;
    apr_hash_set(saving->pages, evidence->file, APR_HASH_KEY_STRING, *fault ? *fault : "");
    if (error) {
        icp_warn(saving->cli, "a page of %s cannot be saved: %s", evidence->site, error->message);
        saving->cli->status = ICP_FAULT;
        return NULL;
    }
    return write_new(saving, page_name(evidence, pool), bytes, (apr_size_t)evidence->kept);
}

static icp_error_t *save_one(saving_t *saving, const icp_evidence_t *evidence, apr_pool_t *pool)
{
    const char *base = base_name(evidence, pool), *headers = apr_pstrcat(pool, base, ".headers", NULL), *fault;
    ICP_TRY(save_page(&fault, saving, evidence, pool));
    ICP_TRY(write_new(saving, headers, evidence->headers, strlen(evidence->headers)));
    json_t *facts = facts_of(evidence);
    json_object_set_new(facts, "page_file", icp_text_json(fault ? NULL : page_name(evidence, pool)));
    json_object_set_new(facts, "page_fault", icp_text_json(fault));
    json_object_set_new(facts, "headers_file", icp_text_json(headers));
    json_object_set_new(facts, "saved_at", icp_time_json(apr_time_now()));
    json_object_set_new(facts, "saved_by", icp_text_json(saving->cli->actor));
    json_object_set_new(facts, "saved_from", icp_text_json(saving->cli->register_path));
    json_object_set_new(facts, "program", json_string("icpadmin (mod_icp) " ICP_VERSION));
    const char *text = icp_json_text(facts, JSON_INDENT(2), pool);
    json_decref(facts);
    return write_new(saving, apr_pstrcat(pool, base, ".json", NULL), text ? text : "", text ? strlen(text) : 0);
}

typedef struct taking_t {
    const char *site, *folder;
    int looks;
} taking_t;

static icp_error_t *change_tell(icp_register_t *reg, void *baton, apr_pool_t *pool)
{
    const taking_t *taking = baton;
    json_t *after = json_pack("{s:i, s:s}", "looks", taking->looks, "into", taking->folder);
    icp_error_t *error = icp_audit_event(reg, "evidence.export", taking->site, NULL, after, NULL, pool);
    json_decref(after);
    return error;
}

static icp_error_t *save_all(saving_t *saving, const apr_array_header_t *list)
{
    apr_pool_t *scratch;
    apr_pool_create(&scratch, saving->cli->pool);
    for (int i = 0; i < list->nelts; i++) {
        const icp_evidence_t *evidence = &APR_ARRAY_IDX(list, i, icp_evidence_t);
        apr_pool_clear(scratch);
        ICP_TRY(exists(saving, page_name(evidence, scratch)));
        ICP_TRY(exists(saving, apr_pstrcat(scratch, base_name(evidence, scratch), ".headers", NULL)));
        ICP_TRY(exists(saving, apr_pstrcat(scratch, base_name(evidence, scratch), ".json", NULL)));
    }
    taking_t taking = {APR_ARRAY_IDX(list, 0, icp_evidence_t).site, saving->folder, list->nelts};
    ICP_TRY(icp_register_change(saving->cli->reg, change_tell, &taking, saving->cli->pool));
    for (int i = 0; i < list->nelts; i++) {
        apr_pool_clear(scratch);
        ICP_TRY(save_one(saving, &APR_ARRAY_IDX(list, i, icp_evidence_t), scratch));
    }
    apr_pool_destroy(scratch);
    return NULL;
}

icp_error_t *icp_show_evidence_save(icp_cli_t *cli, const apr_array_header_t *list, const char *folder)
{
    saving_t saving = {.cli = cli, .folder = folder, .pages = apr_hash_make(cli->pool)};
    if (!list->nelts) return NULL;
    if (mkdir(folder, 0700) != 0 && errno != EEXIST) return icp_error_os(cli->pool, errno, "cannot make the folder %s", folder);
    saving.fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (saving.fd < 0) return icp_error_os(cli->pool, errno, "cannot write into %s", folder);
    icp_error_t *error = save_all(&saving, list);
    close(saving.fd);
    if (!error) icp_remark(cli, "%d looks saved in %s", list->nelts, folder);
    return error;
}
