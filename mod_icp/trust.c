/* Asks the kernel as the worker user: a child process takes that user's identity, tries, and tells by its exit status. */
#include "trust.h"

#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <apr_strings.h>
#include <httpd.h>
#include <unixd.h>

#include "bell.h"

/* What must not be the worker user's to write, and why it is looked at. */
typedef struct place_t {
    const char *path;
    enum { A_FILE, ITS_FOLDER, ABOVE } kind; /* a file must be readable, too; above, what is in it may be kept by the sticky bit */
} place_t;

/* The child's answer: 0, or one more than the index of the place that can be written, or UNREADABLE besides. */
#define MOST 60
#define UNREADABLE 0x40
#define NO_ANSWER 0x80

static int is_sticky(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && (info.st_mode & S_ISVTX);
}

static int try_all(const apr_array_header_t *places)
{
    for (int i = 0; i < places->nelts; i++) {
        const place_t *place = &APR_ARRAY_IDX(places, i, place_t);
        if (access(place->path, W_OK) == 0 && !(place->kind == ABOVE && is_sticky(place->path))) return i + 1;
        if (place->kind == A_FILE && access(place->path, R_OK) && errno == EACCES) return (i + 1) | UNREADABLE;
    }
    return 0;
}

static int ask_as_worker(const apr_array_header_t *places)
{
    const char *name = ap_unixd_config.user_name;
    int status;
    pid_t pid = fork();
    if (pid == 0) {
        if ((name && initgroups(name, ap_unixd_config.group_id)) || setgid(ap_unixd_config.group_id)
            || setuid(ap_unixd_config.user_id)) {
            _exit(NO_ANSWER);
        }
        _exit(try_all(places));
    }
    if (pid < 0) return NO_ANSWER;
    while (waitpid(pid, &status, 0) < 0) {
        if (errno != EINTR) return NO_ANSWER;
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : NO_ANSWER;
}

/* Who owns a file can let himself write it; who owns a link can let it lead elsewhere. */
static int is_workers(const char *path)
{
    struct stat info, link;
    return (stat(path, &info) == 0 && info.st_uid == ap_unixd_config.user_id)
           || (lstat(path, &link) == 0 && link.st_uid == ap_unixd_config.user_id);
}

static void add(apr_array_header_t *places, const char *path, int kind)
{
    if (places->nelts < MOST) *(place_t *)apr_array_push(places) = (place_t){path, kind};
}

/* The folder and all above it: who can write one of them can put another folder in the place of the next. */
static void add_folders(apr_array_header_t *places, const char *folder, apr_pool_t *pool)
{
    char *path = apr_pstrdup(pool, folder), *slash;
    for (add(places, apr_pstrdup(pool, path), ITS_FOLDER); (slash = strrchr(path, '/')) != NULL && path[1];) {
        slash[slash == path] = '\0';
        add(places, apr_pstrdup(pool, path), ABOVE);
    }
}

static apr_array_header_t *places_of(const char *register_path, apr_pool_t *pool)
{
    char real[PATH_MAX];
    apr_array_header_t *places = apr_array_make(pool, 8, sizeof(place_t));
    const char *slash = strrchr(register_path, '/'); /* the path is absolute */
    const char *folder = slash == register_path ? "/" : apr_pstrmemdup(pool, register_path, (apr_size_t)(slash - register_path));
    add(places, register_path, A_FILE);
    add(places, icp_bell_path(register_path, pool), A_FILE);
    add_folders(places, folder, pool);
    if (realpath(folder, real) && strcmp(real, folder)) add_folders(places, apr_pstrdup(pool, real), pool);
    return places;
}

icp_error_t *icp_trust_check(const char *register_path, apr_pool_t *pool)
{
    const apr_array_header_t *places = places_of(register_path, pool);
    const char *user = ap_unixd_config.user_name ? ap_unixd_config.user_name : "of httpd";
    if (geteuid() != 0 || ap_unixd_config.user_id == 0) return NULL;

    int answer = ask_as_worker(places);
    if (answer & NO_ANSWER) return icp_error(pool, ICP_FAULT, NULL, "httpd cannot become the user %s to see what he may do to the register", user);
    const char *unreadable = answer & UNREADABLE ? APR_ARRAY_IDX(places, (answer & ~UNREADABLE) - 1, place_t).path : NULL;
    const char *writable = answer && !unreadable ? APR_ARRAY_IDX(places, answer - 1, place_t).path : NULL;
    for (int i = 0; !writable && i < places->nelts; i++) {
        const char *path = APR_ARRAY_IDX(places, i, place_t).path;
        if (is_workers(path)) writable = path;
    }
    if (writable) {
        return icp_error(pool, ICP_REFUSED, apr_psprintf(pool, "take that right away: chown root:root %s && chmod go-w %s", writable, writable),
                         "%s can be written by httpd's workers (user %s), and so by them any site be suspended or re-enabled", writable,
                         user);
    }
    if (!unreadable) return NULL;
    return icp_error(pool, ICP_DENIED, apr_psprintf(pool, "let them: chmod a+r %s, and a+x for the folders above it", unreadable),
                     "%s cannot be read by httpd's workers (user %s), and so no change would take effect", unreadable, user);
}
