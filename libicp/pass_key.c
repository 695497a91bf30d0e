#include "pass_key.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <apr_escape.h>
#include <apr_strings.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>

#include "register_files.h"

#define LINE (2 * ICP_PASS_KEY_BYTES + 1)

/* The keys in `text`; the last line may lack its end. */
static int parse(icp_pass_key_t *key, const char *text, ssize_t length)
{
    for (key->count = 0; length > 0; key->count++) {
        apr_size_t bytes = 0;
        if (key->count == ICP_PASS_KEYS || length < LINE - 1 || (length >= LINE && text[LINE - 1] != '\n')) return 0;
        if (apr_unescape_hex(key->bytes[key->count], text, LINE - 1, 0, &bytes) != APR_SUCCESS || bytes != ICP_PASS_KEY_BYTES) {
            return 0;
        }
        text += LINE;
        length -= LINE;
    }
    return key->count > 0;
}

icp_error_t *icp_pass_key_read(icp_pass_key_t *key, const char *file, apr_pool_t *pool)
{
    char text[ICP_PASS_KEY_FILE_MOST + 1];
    struct stat info;
    int fd = open(file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) return icp_error_os(pool, errno, "cannot open the pass key %s", file);

    if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) {
        close(fd);
        return icp_error(pool, ICP_FAULT, NULL, "the pass key %s is no plain file", file);
    }
    if ((info.st_mode & (S_IRWXG | S_IRWXO)) || (info.st_uid != 0 && info.st_uid != geteuid())) {
        close(fd);
        return icp_error(pool, ICP_FAULT, apr_psprintf(pool, "run 'chown root %s' and 'chmod 600 %s'", file, file),
                         "others than root can read or write the pass key %s", file);
    }
    ssize_t got = read(fd, text, sizeof text);
    close(fd);
    int good = parse(key, text, got);
    OPENSSL_cleanse(text, sizeof text);
    if (good) return NULL;
    OPENSSL_cleanse(key, sizeof *key);
    return icp_error(pool, ICP_FAULT, "restore it from a backup, or make a new one with 'icpadmin pass --rotate-key --now'",
                     "%s holds no pass key: one or two lines of 64 hexadecimal digits are expected", file);
}

/* A file of keys that was not there before, synced. */
static icp_error_t *write_keys(const char *file, const icp_pass_key_t *key, apr_pool_t *pool)
{
    char text[ICP_PASS_KEY_FILE_MOST + 1];
    int fd = open(file, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0) return icp_error_os(pool, errno, "cannot create the pass key %s", file);

    for (int i = 0; i < key->count; i++) {
        apr_escape_hex(text + i * LINE, key->bytes[i], ICP_PASS_KEY_BYTES, 0, NULL);
        text[i * LINE + LINE - 1] = '\n';
    }
    ssize_t length = (ssize_t)key->count * LINE;
    errno = 0;
    int written = write(fd, text, (size_t)length) == length && fsync(fd) == 0;
    int saved = errno ? errno : ENOSPC;
    OPENSSL_cleanse(text, sizeof text);
    if (close(fd) != 0 || !written) {
        unlink(file);
        return icp_error_os(pool, saved, "cannot write the pass key %s", file);
    }
    return NULL;
}

static icp_error_t *draw(unsigned char bytes[ICP_PASS_KEY_BYTES], const char *file, apr_pool_t *pool)
{
    if (RAND_bytes(bytes, ICP_PASS_KEY_BYTES) == 1) return NULL;
    return icp_error(pool, ICP_FAULT, NULL, "the system gives no random bytes for the pass key %s", file);
}

icp_error_t *icp_pass_key_create(const char *file, apr_pool_t *pool)
{
    icp_pass_key_t key = {.count = 1};
    ICP_TRY(draw(key.bytes[0], file, pool));
    icp_error_t *error = write_keys(file, &key, pool);
    OPENSSL_cleanse(&key, sizeof key);
    return error;
}

icp_error_t *icp_pass_key_prepare(const char *file, const char *next, int alone, apr_pool_t *pool)
{
    icp_pass_key_t key = {.count = 0};
    if (!alone) ICP_TRY(icp_pass_key_read(&key, file, pool));
    memcpy(key.bytes[1], key.bytes[0], ICP_PASS_KEY_BYTES);
    key.count = alone ? 1 : 2;
    icp_error_t *error = draw(key.bytes[0], file, pool);
    if (!error) error = icp_file_remove(next, pool);
    if (!error) error = write_keys(next, &key, pool);
    OPENSSL_cleanse(&key, sizeof key);
    return error;
}
