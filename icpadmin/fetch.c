/* Which site is asked when: places for those under way, a limit for each address, and those that wait for another try.
 * What is asked and what came of it is transfer.c's. */
#include "fetch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <apr_hash.h>
#include <apr_strings.h>

#include "steady.h"
#include "transfer.h"

#define LONGEST_WAIT apr_time_from_sec(1)
#define EVENTS 64         /* sockets told of at a time */
#define BACKLOG 64        /* waiting for another try, per place; when there are more, no further site is begun */

typedef struct waiting_t {
    icp_transfer_t *transfer;
    apr_time_t due;
} waiting_t;

typedef struct fetching_t {
    const icp_fetch_settings_t *settings;
    icp_fetch_next_fn *next;
    icp_fetch_done_fn *done;
    void *baton;
    apr_pool_t *pool;
    CURLM *multi;
    int epoll;                   /* the sockets of `multi`: only those with news are looked at, not all that are open */
    apr_time_t timer;            /* when `multi` wants to be called, 0: never */
    apr_array_header_t *idle;    /* icp_client_t * */
    apr_array_header_t *waiting; /* waiting_t, in no order */
    apr_hash_t *addresses;       /* int *: requests under way, by address */
    int running, more;
} fetching_t;

icp_error_t *icp_fetch_connect(apr_array_header_t *connects, const char *text, apr_pool_t *pool)
{
    icp_connect_t connect = {NULL, NULL, 0};
    const char *address = text;
    if (!strncmp(text, "http=", 5)) connect.scheme = "http";
    if (!strncmp(text, "https=", 6)) connect.scheme = "https";
    if (connect.scheme) address = strchr(text, '=') + 1;
    const char *bracket = *address == '[' ? strchr(address, ']') : NULL,
               *colon = strchr(bracket ? bracket : address, ':');
    if (colon) {
        char *end;
        long port = strtol(colon + 1, &end, 10);
        if (end == colon + 1 || *end || port < 1 || port > 65535) address = "";
        connect.port = (int)port;
    }
    connect.address =
        colon ? apr_pstrndup(pool, address, *address ? (apr_size_t)(colon - address) : 0) : apr_pstrdup(pool, address);
    if (!*connect.address || strchr(connect.address, '=') || (*address == '[' && !bracket)) {
        return icp_error(pool, ICP_USAGE, "write it as 127.0.0.1:8080, http=127.0.0.1:8080 or https=[::1]:8443",
                         "`%s` is no address to connect to", text);
    }
    APR_ARRAY_PUSH(connects, icp_connect_t) = connect;
    return NULL;
}

static int *count_at(fetching_t *fetching, const char *address)
{
    int *count = apr_hash_get(fetching->addresses, address, APR_HASH_KEY_STRING);
    if (!count) {
        count = apr_pcalloc(fetching->pool, sizeof *count);
        apr_hash_set(fetching->addresses, apr_pstrdup(fetching->pool, address), APR_HASH_KEY_STRING, count);
    }
    return count;
}

static void wait_until(fetching_t *fetching, icp_transfer_t *transfer, apr_time_t due)
{
    waiting_t waiting = {transfer, due};
    APR_ARRAY_PUSH(fetching->waiting, waiting_t) = waiting;
}

static icp_error_t *launch(fetching_t *fetching, icp_transfer_t *transfer)
{
    icp_client_t **idle = apr_array_pop(fetching->idle), *client = idle ? *idle : icp_client_create(fetching->pool);
    if (!client) return icp_error(fetching->pool, ICP_FAULT, NULL, "libcurl gives no handle");
    ++*count_at(fetching, icp_transfer_address(transfer));
    ++fetching->running;
    curl_multi_add_handle(fetching->multi, icp_transfer_begin(transfer, client));
    return NULL;
}

static int has_room(fetching_t *fetching, const icp_transfer_t *transfer)
{
    return fetching->running < fetching->settings->parallel &&
           *count_at(fetching, icp_transfer_address(transfer)) < fetching->settings->per_address;
}

/* *held: how many are due and wait for their address only; *next_due: when the next is due, 0 if none will be. */
static icp_error_t *launch_waiting(int *held, apr_time_t *next_due, fetching_t *fetching)
{
    apr_array_header_t *list = fetching->waiting;
    apr_time_t now = icp_steady_now();
    *held = 0;
    *next_due = 0;
    for (int i = 0; i < list->nelts;) {
        waiting_t *waiting = &APR_ARRAY_IDX(list, i, waiting_t);
        if (waiting->due <= now && has_room(fetching, waiting->transfer)) {
            icp_transfer_t *transfer = waiting->transfer;
            *waiting = APR_ARRAY_IDX(list, --list->nelts, waiting_t);
            ICP_TRY(launch(fetching, transfer));
            continue;
        }
        if (waiting->due <= now)
            ++*held;
        else if (!*next_due || waiting->due < *next_due)
            *next_due = waiting->due;
        i++;
    }
    return NULL;
}

static icp_error_t *take_next(fetching_t *fetching, int *held)
{
    icp_fetch_order_t order = {NULL, NULL, NULL};
    ICP_TRY(fetching->next(&order, fetching->baton));
    if (!order.site) {
        fetching->more = 0;
        return NULL;
    }
    icp_transfer_t *transfer = icp_transfer_create(fetching->settings, &order);
    if (has_room(fetching, transfer)) return launch(fetching, transfer);
    wait_until(fetching, transfer, 0);
    ++*held;
    return NULL;
}

static icp_error_t *collect(fetching_t *fetching)
{
    CURLMsg *message;
    int left;
    while ((message = curl_multi_info_read(fetching->multi, &left))) {
        if (message->msg != CURLMSG_DONE) continue;
        CURL *easy = message->easy_handle;
        CURLcode result = message->data.result;
        icp_transfer_t *transfer = icp_transfer_of(easy);
        icp_transfer_next_e next;
        icp_client_t *client;
        apr_interval_time_t pause = 0;
        --*count_at(fetching, icp_transfer_address(transfer));
        --fetching->running;
        curl_multi_remove_handle(fetching->multi, easy);
        ICP_TRY(icp_transfer_end(&next, &pause, &client, transfer, result));
        APR_ARRAY_PUSH(fetching->idle, icp_client_t *) = client;
        if (next == ICP_TRANSFER_DONE)
            ICP_TRY(fetching->done(icp_transfer_fetched(transfer), fetching->baton));
        else if (next == ICP_TRANSFER_GO_ON && has_room(fetching, transfer))
            ICP_TRY(launch(fetching, transfer));
        else
            wait_until(fetching, transfer, pause ? icp_steady_now() + pause : 0);
    }
    return NULL;
}

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *baton, void *known)
{
    fetching_t *fetching = baton;
    struct epoll_event event = {.data.fd = fd};
    if (what == CURL_POLL_REMOVE) {
        epoll_ctl(fetching->epoll, EPOLL_CTL_DEL, fd, &event);
        return 0;
    }
    if (what & CURL_POLL_IN) event.events |= EPOLLIN;
    if (what & CURL_POLL_OUT) event.events |= EPOLLOUT;
    if (!known) curl_multi_assign(fetching->multi, fd, fetching); /* forgotten when it is removed */
    return epoll_ctl(fetching->epoll, known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &event);
}

static int on_timer(CURLM *multi, long milliseconds, void *baton)
{
    fetching_t *fetching = baton;
    fetching->timer = milliseconds < 0 ? 0 : icp_steady_now() + apr_time_from_msec(milliseconds);
    return 0;
}

/* Waits for news of a socket, but not longer than until the timer, or until `due` (0: nothing is), and hands it to libcurl. */
static icp_error_t *wait_for_news(fetching_t *fetching, apr_time_t due)
{
    struct epoll_event events[EVENTS];
    int active;
    apr_time_t now = icp_steady_now(), until = now + LONGEST_WAIT;
    CURLMcode code = CURLM_OK;
    if (due && due < until) until = due;
    if (fetching->timer && fetching->timer < until) until = fetching->timer;
    int count = epoll_wait(fetching->epoll, events, EVENTS, until > now ? (int)((until - now + 999) / 1000) : 0);
    if (count < 0 && errno != EINTR) return icp_error_os(fetching->pool, errno, "cannot wait for answers");
    for (int i = 0; i < count && !code; i++) {
        int mask = (events[i].events & EPOLLIN ? CURL_CSELECT_IN : 0) | (events[i].events & EPOLLOUT ? CURL_CSELECT_OUT : 0) |
                   (events[i].events & (EPOLLERR | EPOLLHUP) ? CURL_CSELECT_ERR : 0);
        code = curl_multi_socket_action(fetching->multi, events[i].data.fd, mask, &active);
    }
    if (!code && fetching->timer && icp_steady_now() >= fetching->timer) {
        fetching->timer = 0;
        code = curl_multi_socket_action(fetching->multi, CURL_SOCKET_TIMEOUT, 0, &active);
    }
    if (!code) return NULL;
    return icp_error(fetching->pool, ICP_FAULT, NULL, "cannot fetch: %s", curl_multi_strerror(code));
}

static icp_error_t *run(fetching_t *fetching)
{
    const icp_fetch_settings_t *settings = fetching->settings;
    int held;
    apr_time_t due;
    while (fetching->more || fetching->running || fetching->waiting->nelts) {
        if (settings->stop && *settings->stop) return NULL;
        ICP_TRY(launch_waiting(&held, &due, fetching));
        while (fetching->more && fetching->running < settings->parallel && held < settings->parallel &&
               fetching->waiting->nelts < BACKLOG * settings->parallel) {
            ICP_TRY(take_next(fetching, &held));
        }
        if (fetching->running || due) ICP_TRY(wait_for_news(fetching, due));
        ICP_TRY(collect(fetching));
    }
    return NULL;
}

static apr_status_t drop_multi(void *baton)
{
    fetching_t *fetching = baton;
    curl_multi_cleanup(fetching->multi);
    close(fetching->epoll);
    return APR_SUCCESS;
}

icp_error_t *icp_fetch_all(const icp_fetch_settings_t *settings, icp_fetch_next_fn *next, icp_fetch_done_fn *done,
                           void *baton, apr_pool_t *pool)
{
    apr_pool_t *own;
    apr_pool_create(&own, pool);
    fetching_t *fetching = apr_pcalloc(own, sizeof *fetching);
    *fetching = (fetching_t){.settings = settings, .next = next, .done = done, .baton = baton, .pool = own, .more = 1};
    fetching->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (fetching->epoll < 0) return icp_error_os(pool, errno, "cannot wait for answers");
    fetching->multi = curl_global_init(CURL_GLOBAL_DEFAULT) ? NULL : curl_multi_init();
    if (!fetching->multi) return icp_error(pool, ICP_FAULT, NULL, "libcurl cannot be initialised");
    apr_pool_cleanup_register(own, fetching, drop_multi, apr_pool_cleanup_null);
    curl_multi_setopt(fetching->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    curl_multi_setopt(fetching->multi, CURLMOPT_SOCKETDATA, fetching);
    curl_multi_setopt(fetching->multi, CURLMOPT_TIMERFUNCTION, on_timer);
    curl_multi_setopt(fetching->multi, CURLMOPT_TIMERDATA, fetching);
    fetching->idle = apr_array_make(own, settings->parallel, sizeof(icp_client_t *));
    fetching->waiting = apr_array_make(own, settings->parallel, sizeof(waiting_t));
    fetching->addresses = apr_hash_make(own);
    icp_error_t *error = run(fetching);
    if (!error) apr_pool_destroy(own);
    return error;
}
