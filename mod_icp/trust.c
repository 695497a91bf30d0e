/* Looks at owners and modes as the kernel would for the worker user, access lists aside. */
#include "trust.h"

#include <grp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <apr_strings.h>
#include <httpd.h>
#include <unixd.h>

#include "bell.h"

#define GROUPS 64

static int in_group(gid_t wanted)
{
    gid_t groups[GROUPS];
    int count = GROUPS;
    if (wanted == ap_unixd_config.group_id) return 1;
    if (!ap_unixd_config.user_name || getgrouplist(ap_unixd_config.user_name, ap_unixd_config.group_id, groups, &count) < 0) {
        return 0;
    }
    for (int i = 0; i < count; i++) {
        if (groups[i] == wanted) return 1;
    }
    return 0;
}

static int worker_can_write(const char *path)
{
    struct stat info;
    if (stat(path, &info)) return 0;
    return info.st_uid == ap_unixd_config.user_id || (info.st_mode & S_IWOTH) || ((info.st_mode & S_IWGRP) && in_group(info.st_gid));
}

icp_error_t *icp_trust_check(const char *register_path, apr_pool_t *pool)
{
    const char *paths[] = {register_path, icp_bell_path(register_path, pool), ap_make_dirstr_parent(pool, register_path)};
    if (geteuid() != 0 || ap_unixd_config.user_id == 0) return NULL;
    for (unsigned i = 0; i < sizeof paths / sizeof *paths; i++) {
        if (worker_can_write(paths[i])) {
            return icp_error(pool, ICP_REFUSED,
                             apr_psprintf(pool, "give it to root and take the others' right to write: chown root:root %s && chmod go-w %s",
                                          paths[i], paths[i]),
                             "%s can be written by httpd's workers (user %s), and with it any site suspended or re-enabled",
                             paths[i], ap_unixd_config.user_name ? ap_unixd_config.user_name : "unknown");
        }
    }
    return NULL;
}
