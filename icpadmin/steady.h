/* How long something takes, whatever becomes of the clock, which an administrator or a time server may set at any moment. For waits and
 * deadlines; what goes on file is dated with apr_time_now(). */
#ifndef ICP_STEADY_H
#define ICP_STEADY_H

#include <apr_time.h>
#include <time.h>

/* Microseconds since a moment that stays the same while the machine runs, never 0. */
static inline apr_time_t icp_steady_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return apr_time_from_sec(1 + now.tv_sec) + now.tv_nsec / 1000;
}

#endif
