/* A handler of SIGBUS that knows one page and hands on every other fault. It does nothing that a signal handler may not do. */
#include "bell_guard.h"

#include <errno.h>
#include <signal.h>

static icp_bell_t *the_bell;
static struct sigaction before;

static void on_bus_error(int number, siginfo_t *info, void *context)
{
    if (icp_bell_fault(the_bell, info->si_addr)) return;
    if (before.sa_flags & SA_SIGINFO) {
        before.sa_sigaction(number, info, context);
    }
    else if (before.sa_handler != SIG_DFL && before.sa_handler != SIG_IGN) {
        before.sa_handler(number);
    }
    else {
        sigaction(SIGBUS, &before, NULL); /* the instruction faults again, and now for good */
    }
}

static apr_status_t stop(void *baton)
{
    sigaction(SIGBUS, &before, NULL);
    return APR_SUCCESS;
}

icp_error_t *icp_bell_guard(icp_bell_t *bell, apr_pool_t *pool)
{
    struct sigaction action = {.sa_sigaction = on_bus_error, .sa_flags = SA_SIGINFO};
    sigemptyset(&action.sa_mask);
    the_bell = bell;
    if (sigaction(SIGBUS, &action, &before)) return icp_error_os(pool, errno, "No handler for SIGBUS can be set");
    apr_pool_cleanup_register(pool, NULL, stop, apr_pool_cleanup_null);
    return NULL;
}
