/* Ringing: the word always moves forward, the file is never cut or replaced, and no link is followed. */
#include "register_fixture.h"

#include <sched.h>
#include <sys/mount.h>

#include "bell.h"

static const char *bell_file(void)
{
    return icp_bell_path(path, pool);
}

START_TEST(test_ring)
{
    icp_bell_t *bell;
    struct stat before, after;
    ok(icp_bell_create(path, pool));
    ok(icp_bell_map(&bell, path, pool));
    ck_assert_uint_eq(icp_bell_read(bell), 0);
    ck_assert_int_eq(stat(bell_file(), &before), 0);
    ck_assert_int_eq(before.st_mode & 0777, 0644);
    uint64_t last = 0, now = apr_time_now();
    for (int i = 0; i < 1000; i++) {
        ok(icp_bell_ring(path, pool));
        ck_assert_uint_gt(icp_bell_read(bell), last);
        last = icp_bell_read(bell);
    }
    ck_assert_uint_ge(last, now);
    ck_assert_int_eq(stat(bell_file(), &after), 0);
    ck_assert(before.st_ino == after.st_ino && before.st_size == after.st_size);
    /* A clock set back does not take the word back. */
    uint64_t future = last + 3600000000u;
    int fd = open(bell_file(), O_WRONLY);
    ck_assert_int_eq(pwrite(fd, &future, sizeof future, 0), sizeof future);
    close(fd);
    ok(icp_bell_ring(path, pool));
    ck_assert_uint_eq(icp_bell_read(bell), future + 1);
    /* Making one where there is one changes nothing. */
    ok(icp_bell_create(path, pool));
    ck_assert_uint_eq(icp_bell_read(bell), future + 1);
}
END_TEST

START_TEST(test_missing_or_short)
{
    umask(077);
    ok(icp_bell_ring(path, pool));
    ck_assert_uint_ne(icp_bell_peek(path, pool), 0);
    ck_assert_int_eq(truncate(bell_file(), 3), 0);
    ok(icp_bell_ring(path, pool));
    struct stat status;
    ck_assert_int_eq(stat(bell_file(), &status), 0);
    ck_assert_int_ge(status.st_size, 4096);
    ck_assert_int_eq(status.st_mode & 0777, 0644);
}
END_TEST

START_TEST(test_not_a_bell)
{
    ck_assert_int_eq(symlink(in_folder("victim"), bell_file()), 0);
    fails(icp_bell_ring(path, pool), ICP_DENIED, "symbolic link");
    ck_assert(!icp_file_exists(in_folder("victim")));
    unlink(bell_file());
    ck_assert_int_eq(mkdir(bell_file(), 0755), 0);
    ck_assert_ptr_nonnull(icp_bell_ring(path, pool));
    rmdir(bell_file());
    ck_assert_int_eq(mkfifo(bell_file(), 0644), 0);
    ck_assert_ptr_nonnull(icp_bell_ring(path, pool));
}
END_TEST

/* The page of a bell that was cut short cannot be had again. */
START_TEST(test_no_space)
{
    char page[4096] = "x";
    if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL)) return; /* only root may */
    ck_assert_int_eq(mount("tmpfs", in_folder("."), "tmpfs", 0, "size=4k"), 0);
    close(open(bell_file(), O_CREAT | O_WRONLY, 0644));
    int fd = open(in_folder("full"), O_CREAT | O_WRONLY, 0644);
    ck_assert_int_eq(write(fd, page, sizeof page), sizeof page);
    close(fd);
    fails(icp_bell_ring(path, pool), ICP_FAULT, "No space left");
    unlink(in_folder("full"));
    ok(icp_bell_ring(path, pool));
    umount2(in_folder("."), MNT_DETACH);
}
END_TEST

int main(void)
{
    apr_initialize();
    const TTest *tests[] = {test_ring, test_missing_or_short, test_not_a_bell, test_no_space};
    return run_suite("bell", tests, sizeof tests / sizeof tests[0], setup_folder);
}
