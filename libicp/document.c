#include "document.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <apr_file_io.h>
#include <apr_strings.h>

#include "depot.h"
#include "document_type.h"
#include "text.h"

#define NAME_LIMIT 200 /* bytes of a file's name that are kept */
#define YOUNG apr_time_from_sec(3600)

static const struct {
    const char *type, *extension;
} types[] = {{"application/pdf", "pdf"}, {"image/jpeg", "jpg"}, {"image/png", "png"}, {"image/bmp", "bmp"}};
#define TYPES (sizeof types / sizeof *types)

static const char *extension_of(const char *type)
{
    for (size_t i = 0; i < TYPES; i++) {
        if (!strcmp(types[i].type, type)) return types[i].extension;
    }
    return "bin";
}

static const char *last_part(const char *file)
{
    const char *slash = strrchr(file, '/');
    return slash ? slash + 1 : file;
}

/* A pipe or a device never ends, so only files are read. */
static icp_error_t *read_file(icp_document_t *document, int fd, const char *file, apr_pool_t *pool)
{
    struct stat status;
    apr_size_t got = 0;
    if (fstat(fd, &status) != 0) return icp_error_os(pool, errno, "cannot read %s", file);
    if (!S_ISREG(status.st_mode))
        return icp_error(pool, ICP_REFUSED, "give a PDF, JPEG, PNG or BMP file", "%s is no file", file);
    if (status.st_size > ICP_DOCUMENT_LIMIT) {
        return icp_error(pool, ICP_REFUSED, "scan it anew with fewer dots per inch, or as JPEG",
                         "%s is larger than %d MB", file, ICP_DOCUMENT_LIMIT / 1024 / 1024);
    }
    apr_size_t room = (apr_size_t)status.st_size;
    char *data = apr_palloc(pool, room + 1);
    while (got < room) {
        ssize_t count = read(fd, data + got, room - got);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return icp_error_os(pool, errno, "cannot read %s", file);
        if (!count) break;
        got += (apr_size_t)count;
    }
    document->data = data;
    document->bytes = (apr_int64_t)got;
    document->type = icp_document_type(data, got);
    if (document->type) return NULL;
    return icp_error(pool, ICP_REFUSED, "give a PDF, JPEG, PNG or BMP file; its name does not count",
                     got ? "%s is of another type by its content, or damaged" : "%s is empty", file);
}

icp_error_t *icp_document_read(icp_document_t **result, const char *file, apr_pool_t *pool)
{
    icp_document_t *document = apr_pcalloc(pool, sizeof *document);
    int fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) return icp_error_os(pool, errno, "cannot open %s", file);
    document->name = icp_text_printable(last_part(file), NAME_LIMIT, pool);
    icp_error_t *error = read_file(document, fd, file, pool);
    close(fd);
    *result = document;
    return error;
}

icp_error_t *icp_document_keep(icp_document_t *document, icp_register_t *reg, apr_pool_t *pool)
{
    char *name = apr_palloc(pool, 65);
    ICP_TRY(icp_depot_put(name, reg->path, ICP_DOCUMENT_FOLDER, document->data, (apr_size_t)document->bytes, pool));
    document->sha256 = name;
    document->data = NULL;
    return NULL;
}

icp_error_t *icp_document_save(const char **file, const icp_document_t *document, icp_register_t *reg,
                               const char *folder, const char *name, apr_pool_t *pool)
{
    const char *bytes;
    apr_file_t *handle;
    *file = apr_psprintf(pool, "%s/%s.%s", folder, name, extension_of(document->type));
    ICP_TRY(icp_depot_get(&bytes, reg->path, ICP_DOCUMENT_FOLDER, document->sha256, (apr_size_t)document->bytes, pool));
    apr_status_t rv =
        apr_file_open(&handle, *file, APR_FOPEN_WRITE | APR_FOPEN_CREATE | APR_FOPEN_EXCL | APR_FOPEN_BINARY,
                      APR_FPROT_UREAD | APR_FPROT_UWRITE, pool);
    if (APR_STATUS_IS_EEXIST(rv)) {
        return icp_error(pool, ICP_REFUSED, "remove it, or save into another folder", "there is a file %s already",
                         *file);
    }
    if (rv != APR_SUCCESS) return icp_error_os(pool, rv, "cannot create %s", *file);
    rv = apr_file_write_full(handle, bytes, (apr_size_t)document->bytes, NULL);
    apr_status_t closed = apr_file_close(handle);
    if (rv == APR_SUCCESS) rv = closed;
    return rv == APR_SUCCESS ? NULL : icp_error_os(pool, rv, "cannot write %s", *file);
}

static icp_error_t *is_used(int *used, icp_register_t *reg, const char *sha256)
{
    icp_stmt_t *stmt;
    ICP_TRY(icp_db_statement(&stmt, reg->db, ICP_STMT_DOCUMENT_USED, "s", sha256));
    ICP_TRY(icp_stmt_step(used, stmt));
    icp_stmt_reset(stmt);
    return NULL;
}

static icp_error_t *remove_file(const char *file, apr_pool_t *pool)
{
    apr_status_t rv = apr_file_remove(file, pool);
    return rv == APR_SUCCESS || APR_STATUS_IS_ENOENT(rv) ? NULL : icp_error_os(pool, rv, "cannot remove %s", file);
}

icp_error_t *icp_document_forget(icp_register_t *reg, const char *sha256, apr_pool_t *pool)
{
    int used;
    ICP_TRY(is_used(&used, reg, sha256));
    return used ? NULL : remove_file(icp_depot_path(reg->path, ICP_DOCUMENT_FOLDER, sha256, pool), pool);
}

typedef struct cleaning_t {
    icp_register_t *reg;
    apr_time_t before;
    int count;
} cleaning_t;

static icp_error_t *clean_file(const char *file, const char *name, apr_time_t at, void *baton, apr_pool_t *pool)
{
    cleaning_t *cleaning = baton;
    int used = 0;
    if (at > cleaning->before) return NULL;
    if (name) ICP_TRY(is_used(&used, cleaning->reg, name));
    if (used) return NULL;
    if (!cleaning->reg->dry_run) ICP_TRY(remove_file(file, pool));
    cleaning->count++;
    return NULL;
}

icp_error_t *icp_document_clean(int *count, icp_register_t *reg, apr_pool_t *pool)
{
    cleaning_t cleaning = {reg, apr_time_now() - YOUNG, 0};
    icp_error_t *error = icp_depot_each(reg->path, ICP_DOCUMENT_FOLDER, clean_file, &cleaning, pool);
    *count = cleaning.count;
    return error;
}
