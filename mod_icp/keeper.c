/* A thread of the parent that sleeps until the bell is rung (inotify) or a second has passed, and then looks. httpd forks
 * children from another thread meanwhile: icp_view_hold keeps that from happening in the middle of a look. */
#include "keeper.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <apr_lib.h>
#include <apr_strings.h>
#include <http_config.h>
#include <http_core.h>
#include <http_log.h>

#include "bell.h"
#include "view.h"

APLOG_USE_MODULE(icp);

static struct {
    pthread_t thread;
    pid_t process; /* a child inherits all this, but not the thread */
    int bell;      /* inotify, on the bell's folder: the bell itself may be put in place anew */
    int end;       /* eventfd */
    sem_t begun;
    const char *bell_name;
} keeper;

/* Takes what has happened in the folder; was it the bell? */
static int rung(void)
{
    _Alignas(struct inotify_event) char buffer[4096];
    int found = 0;
    ssize_t length;
    while ((length = read(keeper.bell, buffer, sizeof buffer)) > 0) {
        for (ssize_t at = 0; at < length;) {
            const struct inotify_event *event = (const struct inotify_event *)(buffer + at);
            if (event->len && !strcmp(event->name, keeper.bell_name)) found = 1;
            at += (ssize_t)(sizeof *event + event->len);
        }
    }
    return found;
}

static void *keep(void *unused)
{
    struct pollfd waited[] = {{.fd = keeper.end, .events = POLLIN}, {.fd = keeper.bell, .events = POLLIN}};
    sem_post(&keeper.begun);
    for (;;) {
        int count = poll(waited, 2, 1000);
        if (waited[0].revents) return NULL;
        if (count == 0 || (count > 0 && rung())) icp_view_look();
    }
}

static apr_status_t end(void *unused)
{
    if (keeper.process == getpid()) {
        uint64_t one = 1;
        if (write(keeper.end, &one, sizeof one) == (ssize_t)sizeof one) pthread_join(keeper.thread, NULL);
    }
    close(keeper.end);
    close(keeper.bell);
    return APR_SUCCESS;
}

/* Signals are for httpd's own thread. Returns once this one is at its work: httpd forks next, and a thread that is still being set up may
 * hold locks that no icp_view_hold knows of, of an allocator put in the place of the C library's. */
static int start_thread(void)
{
    sigset_t all, before;
    sigfillset(&all);
    sem_init(&keeper.begun, 0, 0);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int fault = pthread_create(&keeper.thread, NULL, keep, NULL);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    while (!fault && sem_wait(&keeper.begun) && errno == EINTR) {
    }
    sem_destroy(&keeper.begun);
    return fault;
}

static int start(apr_pool_t *pconf, const char *register_path)
{
    const char *bell = icp_bell_path(register_path, pconf);
    keeper.bell_name = apr_filepath_name_get(bell);
    keeper.process = getpid();
    keeper.end = eventfd(0, EFD_CLOEXEC);
    keeper.bell = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    if (keeper.end < 0 || keeper.bell < 0) return errno;
    if (inotify_add_watch(keeper.bell, ap_make_dirstr_parent(pconf, bell), IN_CLOSE_WRITE | IN_MODIFY | IN_MOVED_TO) < 0) {
        return errno;
    }
    return start_thread();
}

void icp_keeper_start(apr_pool_t *pconf, const char *register_path, server_rec *server)
{
    static int guarded;
    if (ap_exists_config_define("DEBUG") || ap_exists_config_define("ONE_PROCESS")) return; /* nobody is forked */
#ifdef __SANITIZE_THREAD__
    return; /* it gives up on children of a process with threads */
#endif
    if (!guarded++ && pthread_atfork(icp_view_hold, icp_view_let_go, icp_view_let_go)) return;
    int fault = start(pconf, register_path);
    if (!fault) {
        apr_pool_cleanup_register(pconf, NULL, end, apr_pool_cleanup_null);
        return;
    }
    ap_log_error(APLOG_MARK, APLOG_WARNING, APR_FROM_OS_ERROR(fault), server,
                 "The parent cannot watch the bell, and so learns of a change only within about ten seconds");
}
