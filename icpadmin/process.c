#include "process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <apr_strings.h>

#include "steady.h"
#include "text.h"

#define SAID_MAX 300 /* bytes of standard error that are told */

typedef struct process_t {
    pid_t pid;
    int ended, in, said_fd; /* ended: a descriptor that is readable then; -1: closed */
    const char *input;
    apr_size_t left;
    char said[4096]; /* the end of its standard error */
    apr_size_t length;
} process_t;

icp_error_t *icp_process_words(apr_array_header_t **words, const char *command, apr_pool_t *pool)
{
    char *state, *text = apr_pstrdup(pool, command);
    *words = apr_array_make(pool, 8, sizeof(const char *));
    for (char *word = apr_strtok(text, " ", &state); word; word = apr_strtok(NULL, " ", &state)) {
        APR_ARRAY_PUSH(*words, const char *) = word;
    }
    const char *first = (*words)->nelts ? APR_ARRAY_IDX(*words, 0, const char *) : "";
    if (*first != '/') {
        return icp_error(pool, ICP_USAGE, "give its whole path; arguments follow after spaces", "`%s` is no command that can be run",
                         icp_text_printable(command, 200, pool));
    }
    if (access(first, X_OK)) {
        return icp_error(pool, ICP_USAGE, "see that it is there and may be executed", "%s cannot be run: %s",
                         icp_text_printable(first, 200, pool), strerror(errno));
    }
    return NULL;
}

static void close_fd(int *fd)
{
    if (*fd >= 0) close(*fd);
    *fd = -1;
}

static int start(process_t *process, const char *const *argv)
{
    static char *const environment[] = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8", "HOME=/", NULL};
    int in[2], said[2];
    sigset_t none, defaults;
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    if (pipe2(in, O_CLOEXEC)) return errno;
    if (pipe2(said, O_CLOEXEC)) {
        int fault = errno;
        close(in[0]);
        close(in[1]);
        return fault;
    }
    sigemptyset(&none);
    sigfillset(&defaults);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setsigdefault(&attributes, &defaults);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, in[0], 0);
    posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, said[1], 2);
    posix_spawn_file_actions_addchdir_np(&actions, "/");
    int fault = posix_spawn(&process->pid, argv[0], &actions, &attributes, (char *const *)argv, environment);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    close(in[0]);
    close(said[1]);
    process->in = in[1];
    process->said_fd = said[0];
    fcntl(process->in, F_SETFL, O_NONBLOCK);
    fcntl(process->said_fd, F_SETFL, O_NONBLOCK);
    if (!fault && (process->ended = pidfd_open(process->pid, 0)) < 0) fault = errno;
    return fault;
}

static void feed(process_t *process)
{
    ssize_t put = process->left ? write(process->in, process->input, process->left) : 0;
    if (put > 0) {
        process->input += put;
        process->left -= (apr_size_t)put;
    }
    if (!process->left || (put < 0 && errno != EAGAIN && errno != EINTR)) close_fd(&process->in);
}

/* Reads what is there; the end of it is kept. */
static void listen_to(process_t *process)
{
    char buffer[1024];
    for (;;) {
        ssize_t got = read(process->said_fd, buffer, sizeof buffer);
        if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) close_fd(&process->said_fd);
        if (got <= 0) return;
        apr_size_t room = sizeof process->said - 1, count = (apr_size_t)got, over = process->length + count > room ? process->length + count - room : 0;
        memmove(process->said, process->said + over, process->length - over);
        process->length -= over;
        memcpy(process->said + process->length, buffer, count);
        process->length += count;
    }
}

/* Nonzero when it has ended; 0 when the time is over. */
static int attend(process_t *process, int seconds)
{
    apr_time_t until = icp_steady_now() + apr_time_from_sec(seconds);
    for (;;) {
        apr_time_t left = until - icp_steady_now();
        struct pollfd fds[] = {{process->ended, POLLIN, 0}, {process->in, POLLOUT, 0}, {process->said_fd, POLLIN, 0}};
        if (left <= 0) return 0;
        if (poll(fds, 3, (int)apr_time_as_msec(left) + 1) < 0 && errno != EINTR) return 0;
        if (fds[1].revents) feed(process);
        if (fds[2].revents) listen_to(process);
        if (fds[0].revents) {
            if (process->said_fd >= 0) listen_to(process);
            return 1;
        }
    }
}

/* ": " and the end of what it said on one line; "" for nothing. */
static const char *said(process_t *process, apr_pool_t *pool)
{
    process->said[process->length] = '\0';
    for (apr_size_t i = 0; i < process->length; i++) {
        if (process->said[i] == '\n' || process->said[i] == '\0') process->said[i] = ' ';
    }
    const char *text = icp_text_trim(process->said, pool);
    apr_size_t length = strlen(text);
    if (length > SAID_MAX) text += length - SAID_MAX;
    return *text ? apr_pstrcat(pool, ": ", icp_text_printable(text, SAID_MAX, pool), NULL) : "";
}

static icp_error_t *run(process_t *process, const char *const *argv, int seconds, apr_pool_t *pool)
{
    int status = 0, fault = start(process, argv);
    if (fault) return icp_error(pool, ICP_FAULT, NULL, "cannot start %s: %s", argv[0], strerror(fault));
    int ended = attend(process, seconds);
    if (!ended) kill(-process->pid, SIGKILL);
    while (waitpid(process->pid, &status, 0) < 0 && errno == EINTR) continue;
    if (!ended) return icp_error(pool, ICP_FAULT, NULL, "%s was still running after %d s%s", argv[0], seconds, said(process, pool));
    if (WIFSIGNALED(status)) return icp_error(pool, ICP_REFUSED, NULL, "%s was ended by signal %d%s", argv[0], WTERMSIG(status), said(process, pool));
    if (!WEXITSTATUS(status)) return NULL;
    return icp_error(pool, ICP_REFUSED, NULL, "%s exited with %d%s", argv[0], WEXITSTATUS(status), said(process, pool));
}

icp_error_t *icp_process_run(const char *const *argv, const char *input, apr_size_t length, int seconds, apr_pool_t *pool)
{
    process_t process = {.ended = -1, .in = -1, .said_fd = -1, .input = input, .left = length};
    struct sigaction ignore = {.sa_handler = SIG_IGN}, before;
    sigaction(SIGPIPE, &ignore, &before); /* a program that does not read its input */
    icp_error_t *error = run(&process, argv, seconds, pool);
    close_fd(&process.ended);
    close_fd(&process.in);
    close_fd(&process.said_fd);
    sigaction(SIGPIPE, &before, NULL);
    return error;
}
