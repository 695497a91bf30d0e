/* Files by their hash: see depot.h. */
#include "depot.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <apr_strings.h>
#include <zlib.h>

#include "digest.h"
#include "log.h"
#include "register_files.h"

#define GZIP (15 + 16) /* zlib's window bits for a gzip header */
#define CHUNK 65536
#define NAME_LENGTH 64

const char *icp_depot_path(const char *path, const char *folder, const char *name, apr_pool_t *pool)
{
    return apr_psprintf(pool, "%s/%.2s/%s.gz", icp_register_companion(path, folder, pool), name, name + 2);
}

static icp_error_t *digest_of(char hex[65], const void *bytes, apr_size_t length, apr_pool_t *pool)
{
    icp_digest_t *digest;
    ICP_TRY(icp_digest_begin(&digest, pool));
    icp_digest_add(digest, bytes, length);
    return icp_digest_end(hex, digest, pool);
}

/* The folder, for its owner alone; a link in its place is refused by what is opened below it. */
static icp_error_t *make_folder(const char *folder, apr_pool_t *pool)
{
    struct stat status;
    if (mkdir(folder, 0700) == 0) return icp_file_sync_directory(folder, pool);
    int fault = errno;
    if (fault == EEXIST && lstat(folder, &status) == 0 && S_ISDIR(status.st_mode)) return NULL;
    return icp_error_os(pool, fault == EEXIST ? ENOTDIR : fault, "cannot make the folder %s", folder);
}

static icp_error_t *deflate_all(unsigned char **packed, apr_size_t *size, const void *bytes, apr_size_t length, apr_pool_t *pool)
{
    z_stream stream = {0};
    int result = deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, GZIP, 8, Z_DEFAULT_STRATEGY);
    if (result == Z_OK) {
        uLong bound = deflateBound(&stream, length);
        *packed = apr_palloc(pool, bound);
        stream.next_in = (unsigned char *)bytes;
        stream.avail_in = (uInt)length;
        stream.next_out = *packed;
        stream.avail_out = (uInt)bound;
        result = deflate(&stream, Z_FINISH);
        *size = stream.total_out;
        deflateEnd(&stream);
    }
    return result == Z_STREAM_END ? NULL : icp_error(pool, ICP_FAULT, NULL, "zlib cannot compress (%d)", result);
}

/* errno, or 0. */
static int write_all(int fd, const unsigned char *bytes, apr_size_t length)
{
    while (length) {
        ssize_t put = write(fd, bytes, length);
        if (put < 0 && errno == EINTR) continue;
        if (put <= 0) return put < 0 ? errno : ENOSPC;
        bytes += put;
        length -= (apr_size_t)put;
    }
    return fsync(fd) == 0 ? 0 : errno;
}

static icp_error_t *write_file(const char *file, const unsigned char *packed, apr_size_t size, apr_pool_t *pool)
{
    char *next = apr_pstrcat(pool, icp_register_companion(file, ".put-XXXXXX", pool), NULL);
    int fd = mkostemp(next, O_CLOEXEC); /* 0600 */
    if (fd < 0) return icp_error_os(pool, errno, "cannot create a file for %s", file);
    int fault = write_all(fd, packed, size);
    if (close(fd) != 0 && !fault) fault = errno;
    if (!fault && rename(next, file) != 0) fault = errno;
    if (!fault) return icp_file_sync_directory(file, pool);
    unlink(next);
    return icp_error_os(pool, fault, "cannot write %s", file);
}

icp_error_t *icp_depot_put(char name[65], const char *path, const char *folder, const void *bytes, apr_size_t length,
                           apr_pool_t *pool)
{
    unsigned char *packed = NULL;
    apr_size_t size = 0;
    ICP_TRY(digest_of(name, bytes, length, pool));
    const char *file = icp_depot_path(path, folder, name, pool);
    icp_error_t *there = icp_depot_get(NULL, path, folder, name, length, pool);
    if (!there && utimensat(AT_FDCWD, file, NULL, AT_SYMLINK_NOFOLLOW) == 0) return NULL;
    if (there && there->status != ICP_NOT_FOUND) icp_log(ICP_LOG_WARNING, "%s; it is written anew", there->message);
    ICP_TRY(make_folder(icp_register_companion(path, folder, pool), pool));
    ICP_TRY(make_folder(apr_pstrmemdup(pool, file, strlen(file) - (NAME_LENGTH - 2) - sizeof ".gz"), pool));
    ICP_TRY(deflate_all(&packed, &size, bytes, length, pool));
    return write_file(file, packed, size, pool);
}

static icp_error_t *altered(const char *file, const char *how, apr_pool_t *pool)
{
    return icp_error(pool, ICP_FAULT, "take the file from a copy of the folder; its content must have the SHA-256 that is its name",
                     "%s is not as it was put there: %s", file, how);
}

/* What comes out of the file goes to `out` (NULL: nowhere) and the digest; more than `length` bytes are too many. */
static icp_error_t *inflate_file(int fd, const char *file, char *out, apr_size_t length, icp_digest_t *digest, apr_pool_t *pool)
{
    z_stream stream = {0};
    unsigned char *from = apr_palloc(pool, CHUNK), *to = apr_palloc(pool, CHUNK);
    int result = Z_OK, fault = 0, more = inflateInit2(&stream, GZIP) == Z_OK;
    while (more && result != Z_STREAM_END) {
        ssize_t got = read(fd, from, CHUNK);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) {
            fault = got < 0 ? errno : 0;
            break;
        }
        stream.next_in = from;
        stream.avail_in = (uInt)got;
        while (more && result == Z_OK && (stream.avail_in || !stream.avail_out)) {
            apr_size_t before = stream.total_out;
            stream.next_out = to;
            stream.avail_out = CHUNK;
            result = inflate(&stream, Z_NO_FLUSH);
            apr_size_t came = stream.total_out - before;
            more = stream.total_out <= length && (result == Z_OK || result == Z_STREAM_END);
            if (more) icp_digest_add(digest, to, came);
            if (more && out) memcpy(out + before, to, came);
            if (result == Z_BUF_ERROR) result = Z_OK;
        }
    }
    apr_size_t total = stream.total_out;
    inflateEnd(&stream);
    if (fault) return icp_error_os(pool, fault, "cannot read %s", file);
    if (result != Z_STREAM_END) return altered(file, "it is no whole gzip file of that length", pool);
    return total == length ? NULL : altered(file, "its content is shorter or longer", pool);
}

icp_error_t *icp_depot_get(const char **bytes, const char *path, const char *folder, const char *name, apr_size_t length,
                           apr_pool_t *pool)
{
    char hex[65];
    icp_digest_t *digest;
    struct stat status;
    const char *file = icp_depot_path(path, folder, name, pool);
    char *out = bytes ? apr_palloc(pool, length + 1) : NULL;
    int fd = open(file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0 && errno == ELOOP) return altered(file, "it is a symbolic link", pool);
    if (fd < 0) return icp_error_os(pool, errno, "cannot read %s", file);
    icp_error_t *error = fstat(fd, &status) || !S_ISREG(status.st_mode) ? altered(file, "it is no file", pool) : NULL;
    if (!error) error = icp_digest_begin(&digest, pool);
    if (!error) error = inflate_file(fd, file, out, length, digest, pool);
    if (!error) error = icp_digest_end(hex, digest, pool);
    close(fd);
    if (error) return error;
    if (strcmp(hex, name)) return altered(file, apr_psprintf(pool, "its content has the SHA-256 %s", hex), pool);
    if (bytes) {
        out[length] = '\0';
        *bytes = out;
    }
    return NULL;
}

/* The hash that a file's place says, NULL if it is of an interrupted put; *known 0: not ours. */
static const char *name_of(int *known, const char *part, const char *entry, apr_pool_t *pool)
{
    apr_size_t length = strspn(entry, "0123456789abcdef");
    *known = !strncmp(entry, ".put-", 5) || (length == NAME_LENGTH - 2 && !strcmp(entry + length, ".gz"));
    return *known && *entry != '.' ? apr_psprintf(pool, "%s%.*s", part, NAME_LENGTH - 2, entry) : NULL;
}

static icp_error_t *each_in(const char *folder, const char *part, icp_depot_fn *fn, void *baton, apr_pool_t *pool)
{
    const char *directory = apr_pstrcat(pool, folder, "/", part, NULL);
    DIR *entries = opendir(directory);
    icp_error_t *error = NULL;
    struct dirent *entry;
    struct stat status;
    apr_pool_t *scratch;
    if (!entries) return icp_error_os(pool, errno, "cannot read the folder %s", directory);
    apr_pool_create(&scratch, pool);
    while (!error && (entry = readdir(entries))) {
        int known;
        apr_pool_clear(scratch);
        const char *name = name_of(&known, part, entry->d_name, scratch);
        const char *file = apr_pstrcat(scratch, directory, "/", entry->d_name, NULL);
        if (!known || lstat(file, &status) != 0) continue;
        error = fn(file, name, apr_time_from_sec(status.st_mtime), baton, pool);
    }
    apr_pool_destroy(scratch);
    closedir(entries);
    return error;
}

icp_error_t *icp_depot_each(const char *path, const char *folder, icp_depot_fn *fn, void *baton, apr_pool_t *pool)
{
    const char *top = icp_register_companion(path, folder, pool);
    DIR *parts = opendir(top);
    icp_error_t *error = NULL;
    struct dirent *part;
    if (!parts) return errno == ENOENT ? NULL : icp_error_os(pool, errno, "cannot read the folder %s", top);
    while (!error && (part = readdir(parts))) {
        if (strlen(part->d_name) != 2 || strspn(part->d_name, "0123456789abcdef") != 2) continue;
        error = each_in(top, part->d_name, fn, baton, pool);
    }
    closedir(parts);
    return error;
}
