/* Asks the kernel as the worker user: a child process takes that user's identity, tries, and tells by its exit status. */
#include "trust.h"

#include <errno.h>
#include <grp.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <apr_strings.h>
#include <httpd.h>
#include <unixd.h>

#include "bell.h"

enum { REGISTER, BELL, FOLDER, PATHS };

/* Bits of the answer: 1 << path where it can be written, UNREADABLE << path where it is there and cannot be read. */
#define UNREADABLE (1 << PATHS)
#define NO_ANSWER 0x80

static int try_all(const char *const *paths)
{
    int answer = 0;
    for (int i = 0; i < PATHS; i++) {
        if (access(paths[i], W_OK) == 0) answer |= 1 << i;
        if (i != FOLDER && access(paths[i], R_OK) && errno == EACCES) answer |= UNREADABLE << i;
    }
    return answer;
}

static int ask_as_worker(const char *const *paths)
{
    const char *name = ap_unixd_config.user_name;
    int status;
    pid_t pid = fork();
    if (pid == 0) {
        if ((name && initgroups(name, ap_unixd_config.group_id)) || setgid(ap_unixd_config.group_id)
            || setuid(ap_unixd_config.user_id)) {
            _exit(NO_ANSWER);
        }
        _exit(try_all(paths));
    }
    if (pid < 0) return NO_ANSWER;
    while (waitpid(pid, &status, 0) < 0) {
        if (errno != EINTR) return NO_ANSWER;
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : NO_ANSWER;
}

/* Who owns a file can let himself write it. */
static int is_workers(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && info.st_uid == ap_unixd_config.user_id;
}

icp_error_t *icp_trust_check(const char *register_path, apr_pool_t *pool)
{
    const char *const paths[PATHS] = {register_path, icp_bell_path(register_path, pool), ap_make_dirstr_parent(pool, register_path)};
    const char *user = ap_unixd_config.user_name ? ap_unixd_config.user_name : "of httpd";
    if (geteuid() != 0 || ap_unixd_config.user_id == 0) return NULL;

    int answer = ask_as_worker(paths);
    if (answer & NO_ANSWER) return icp_error(pool, ICP_FAULT, NULL, "httpd cannot become the user %s to see what he may do to the register", user);
    for (int i = 0; i < PATHS; i++) {
        if ((answer & (1 << i)) || is_workers(paths[i])) {
            return icp_error(pool, ICP_REFUSED,
                             apr_psprintf(pool, "take that right away: chown root:root %s && chmod go-w %s", paths[i], paths[i]),
                             "%s can be written by httpd's workers (user %s), and so by them any site be suspended or re-enabled",
                             paths[i], user);
        }
        if (answer & (UNREADABLE << i)) {
            return icp_error(pool, ICP_DENIED,
                             apr_psprintf(pool, "let them: chmod a+r %s, and a+x for the folders above it", paths[i]),
                             "%s cannot be read by httpd's workers (user %s), and so no change would take effect", paths[i], user);
        }
    }
    return NULL;
}
