/* Runs work in a process that is killed before any one of the system calls by which it alters a file, or in which that call fails. */
#ifndef CRASH_FIXTURE_H
#define CRASH_FIXTURE_H

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include <check.h>

/* Can the call alter a file or a directory? Between two that can, one moment is as good as another. */
static int alters(const struct __ptrace_syscall_info *info)
{
    switch (info->entry.nr) {
    case SYS_openat:
        return (info->entry.args[2] & O_CREAT) != 0;
    case SYS_write:
    case SYS_pwrite64:
    case SYS_ftruncate:
    case SYS_unlinkat:
    case SYS_renameat:
    case SYS_renameat2:
    case SYS_fchmod:
    case SYS_fchown:
    case SYS_mkdirat:
#ifdef SYS_unlink
    case SYS_unlink:
    case SYS_rename:
    case SYS_mkdir:
    case SYS_chmod:
#endif
        return 1;
    default:
        return 0;
    }
}

static int syncs(const struct __ptrace_syscall_info *info)
{
    return info->entry.nr == SYS_fsync || info->entry.nr == SYS_fdatasync;
}

/* Begins (leaving == 0) or ends a system call that does nothing but to give EIO. 0: not known how on this machine. */
static int refuse(pid_t child, int leaving)
{
#ifdef __x86_64__
    struct user_regs_struct registers;
    if (ptrace(PTRACE_GETREGS, child, NULL, &registers) != 0) return 0;
    if (leaving) registers.rax = (unsigned long long)-EIO;
    else registers.orig_rax = (unsigned long long)-1;
    return ptrace(PTRACE_SETREGS, child, NULL, &registers) == 0;
#else
    return 0;
#endif
}

/* Runs `work` in a process that is killed before its `n`th call that alters something, or with `ended` in one in which that call, or one
 * that syncs, fails with EIO; it gets the exit status. 1: that came to pass; 0: the work came to its end before; -1: this machine does not
 * let processes be traced. */
static int run_to(int n, int *ended, void (*work)(void))
{
    int status, entering = 1, refusing = 0, refused = 0;
    pid_t child = fork();
    if (!child) {
        if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0) _exit(77);
        raise(SIGSTOP);
        work();
        _exit(0);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    if (WIFEXITED(status)) return -1;
    ck_assert_int_eq(ptrace(PTRACE_SETOPTIONS, child, NULL, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL), 0);
    for (int signal = 0;; entering = !entering) {
        if (ptrace(PTRACE_SYSCALL, child, NULL, signal) != 0) return -1;
        ck_assert_int_eq(waitpid(child, &status, 0), child);
        if (WIFEXITED(status)) {
            if (ended) *ended = WEXITSTATUS(status);
            else ck_assert_int_eq(WEXITSTATUS(status), 0);
            return refused;
        }
        signal = WSTOPSIG(status) == (SIGTRAP | 0x80) ? 0 : WSTOPSIG(status);
        if (signal) {
            entering = !entering;
            continue;
        }
        struct __ptrace_syscall_info info = {0};
        if (entering && ptrace(PTRACE_GET_SYSCALL_INFO, child, sizeof info, &info) <= 0) return -1;
        if (refusing) {
            refuse(child, 1);
            refusing = 0;
        }
        else if (entering && (alters(&info) || (ended && syncs(&info))) && --n == 0) {
            refusing = refused = ended && refuse(child, 0);
            if (refusing) continue;
            kill(child, SIGKILL);
            ck_assert_int_eq(waitpid(child, NULL, 0), child);
            return ended ? -1 : 1;
        }
    }
}

/* Two tests of one body, which takes `ended` as above. */
#define KILLED_AND_FAILING(body, killed, disk_fails) \
    START_TEST(killed)                               \
    {                                                \
        body(NULL);                                  \
    }                                                \
    END_TEST                                         \
    START_TEST(disk_fails)                           \
    {                                                \
        int ended;                                   \
        body(&ended);                                \
    }                                                \
    END_TEST

#endif
