/* What is seen of SQLite's locks and journals from outside. */
#include "register_fixture.h"

#include <signal.h>

#include "lock.h"

#define RESERVED 0x40000001 /* SQLite's file format: the byte that a writer locks */
#define LOOKS 50000

static const char *journal(void)
{
    return apr_pstrcat(pool, path, "-journal", NULL);
}

static void make(const char *file)
{
    int fd = open(file, O_RDWR | O_CREAT | O_TRUNC, 0600);
    ck_assert_int_eq(write(fd, "x", 1), 1);
    close(fd);
}

static int lock_reserved(short type)
{
    static int fd = -1;
    struct flock lock = {.l_type = type, .l_whence = SEEK_SET, .l_start = RESERVED, .l_len = 1};
    if (fd < 0) fd = open(path, O_RDWR | O_CLOEXEC);
    return fcntl(fd, F_OFD_SETLK, &lock);
}

START_TEST(test_a_journal_that_nobody_writes)
{
    make(path);
    ck_assert_int_eq(icp_lock_hot(path, pool), 0);
    make(journal());
    ck_assert_int_eq(icp_lock_hot(path, pool), 1);
    ck_assert_int_eq(lock_reserved(F_WRLCK), 0);
    ck_assert_int_eq(icp_lock_hot(path, pool), 0);
    ck_assert_int_eq(lock_reserved(F_UNLCK), 0);
    ck_assert_int_eq(icp_lock_hot(path, pool), 1);
    ck_assert_int_eq(truncate(journal(), 0), 0);
    ck_assert_int_eq(icp_lock_hot(path, pool), 0);
}
END_TEST

/* Between two of them there is no lock, and then the next one's journal. */
START_TEST(test_commits_back_to_back_leave_no_journal)
{
    const char *name = journal();
    make(path);
    pid_t writer = fork();
    while (!writer) {
        lock_reserved(F_WRLCK);
        make(name);
        unlink(name);
        lock_reserved(F_UNLCK);
    }
    int hot = 0;
    for (int i = 0; i < LOOKS; i++) hot += icp_lock_hot(path, pool);
    kill(writer, SIGKILL);
    waitpid(writer, NULL, 0);
    ck_assert_int_eq(hot, 0);
}
END_TEST

int main(void)
{
    apr_initialize();
    const TTest *tests[] = {test_a_journal_that_nobody_writes, test_commits_back_to_back_leave_no_journal};
    return run_suite("lock", tests, sizeof tests / sizeof tests[0], setup_folder);
}
