/* What libcurl tells its debug call-back is how we know where a dialogue ended: the commands it sends and the replies. Passwords, which pass
 * there too, are not kept. */
#include "smtp.h"

#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include <apr_strings.h>
#include <curl/curl.h>

#include "text.h"

#define CONNECT_SECONDS 10
#define STRIKES 2      /* connections in a row that broke in the middle of a mail */
#define REPLY_MAX 500  /* bytes */

typedef enum phase_e { CONNECTING, GREETING, SECURING, SIGNING_IN, SENDER, RECIPIENT, DATA, CONTENT } phase_e;

static const char *const phase_texts[] = {"on connecting", "at EHLO",    "at STARTTLS", "at AUTH",
                                          "at MAIL FROM",  "at RCPT TO", "at DATA",     "after the text"};

struct icp_smtp_t {
    icp_smtp_settings_t settings;
    CURL *easy;
    int strikes, leaving; /* leaving: QUIT was sent */
    phase_e phase;
    char reply[REPLY_MAX + 1]; /* the newest, lines joined */
    apr_size_t length;
    char fault[CURL_ERROR_SIZE];
    const char *message; /* what is left of it */
};

icp_error_t *icp_smtp_check(const char *server, apr_pool_t *pool)
{
    char *scheme = NULL, *path = NULL, *user = NULL, *query = NULL, *host = NULL;
    CURLU *url = curl_url();
    int good = url && !curl_url_set(url, CURLUPART_URL, server, 0) && !curl_url_get(url, CURLUPART_SCHEME, &scheme, 0) &&
               (!strcmp(scheme, "smtp") || !strcmp(scheme, "smtps")) && !curl_url_get(url, CURLUPART_HOST, &host, 0) &&
               !curl_url_get(url, CURLUPART_PATH, &path, 0) && !strcmp(path, "/") && curl_url_get(url, CURLUPART_USER, &user, 0) &&
               curl_url_get(url, CURLUPART_QUERY, &query, 0);
    curl_free(scheme);
    curl_free(host);
    curl_free(path);
    curl_free(user);
    curl_free(query);
    curl_url_cleanup(url);
    if (good) return NULL;
    return icp_error(pool, ICP_USAGE, "write it as smtp://mail.example.cn:587 or smtps://mail.example.cn; user and password stand in the file mail-netrc",
                     "`%s` is no mail server", icp_text_printable(server, 200, pool));
}

static void add_reply(icp_smtp_t *smtp, const char *data, size_t size)
{
    for (size_t i = 0; i < size && smtp->length < REPLY_MAX; i++) {
        if (data[i] == '\r' || (data[i] == '\n' && !smtp->length)) continue;
        smtp->reply[smtp->length++] = data[i] == '\n' ? ' ' : data[i];
    }
    smtp->reply[smtp->length] = '\0';
}

static phase_e phase_of(phase_e before, const char *command, size_t size)
{
    static const struct {
        const char *command;
        phase_e phase;
    } commands[] = {{"EHLO", GREETING}, {"HELO", GREETING}, {"STARTTLS", SECURING}, {"AUTH", SIGNING_IN}, {"MAIL", SENDER}, {"RCPT", RECIPIENT}, {"DATA", DATA}};
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        size_t length = strlen(commands[i].command);
        if (size >= length && !strncasecmp(command, commands[i].command, length)) return commands[i].phase;
    }
    return before;
}

/* A refusal stays what it was while the connection is being closed; the next mail begins with EHLO or MAIL. */
static int observe(CURL *easy, curl_infotype type, char *data, size_t size, void *baton)
{
    icp_smtp_t *smtp = baton;
    if (type == CURLINFO_HEADER_IN && !smtp->leaving) add_reply(smtp, data, size);
    if (type != CURLINFO_HEADER_OUT && type != CURLINFO_DATA_OUT) return 0;
    phase_e phase = type == CURLINFO_DATA_OUT ? CONTENT : phase_of(smtp->phase, data, size);
    if (type == CURLINFO_HEADER_OUT && size >= 4 && !strncasecmp(data, "QUIT", 4)) smtp->leaving = 1;
    else if (phase == GREETING || phase == SENDER) smtp->leaving = 0;
    if (smtp->leaving) return 0;
    smtp->length = 0;
    *smtp->reply = '\0';
    smtp->phase = phase;
    return 0;
}

static size_t give(char *buffer, size_t size, size_t count, void *baton)
{
    icp_smtp_t *smtp = baton;
    size_t length = strlen(smtp->message);
    if (length > size * count) length = size * count;
    memcpy(buffer, smtp->message, length);
    smtp->message += length;
    return length;
}

static icp_error_t *check_netrc(const char *file, apr_pool_t *pool)
{
    struct stat status;
    if (stat(file, &status)) return icp_error_os(pool, APR_FROM_OS_ERROR(errno), "cannot read %s, which has the mail server's password", file);
    if (S_ISREG(status.st_mode) && !(status.st_mode & 077) && (status.st_uid == geteuid() || !status.st_uid)) return NULL;
    return icp_error(pool, ICP_DENIED, apr_psprintf(pool, "chown root %s && chmod 600 %s", file, file),
                     "others may read or change %s, which has the mail server's password", file);
}

static apr_status_t drop(void *data)
{
    curl_easy_cleanup(((icp_smtp_t *)data)->easy);
    return APR_SUCCESS;
}

/* Whoever offers no TLS is trusted with the mail under `try`, so whoever does needs no certificate; a password is another matter. */
static void set_tls(icp_smtp_t *smtp)
{
    CURL *easy = smtp->easy;
    const icp_smtp_settings_t *settings = &smtp->settings;
    int never = !strcmp(settings->tls, "never"), lax = !strcmp(settings->tls, "try") && !*settings->netrc;
    int implicit = !strncasecmp(settings->server, "smtps:", 6);
    curl_easy_setopt(easy, CURLOPT_USE_SSL, (long)(never ? CURLUSESSL_NONE : lax ? CURLUSESSL_TRY : CURLUSESSL_ALL));
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, (long)(!lax || implicit));
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, !lax || implicit ? 2L : 0L);
    if (*settings->ca) curl_easy_setopt(easy, CURLOPT_CAINFO, settings->ca);
}

icp_error_t *icp_smtp_open(icp_smtp_t **result, const icp_smtp_settings_t *settings, apr_pool_t *pool)
{
    ICP_TRY(icp_smtp_check(settings->server, pool));
    if (*settings->netrc) ICP_TRY(check_netrc(settings->netrc, pool));
    icp_smtp_t *smtp = apr_pcalloc(pool, sizeof *smtp);
    CURL *easy = smtp->easy = curl_easy_init();
    if (!easy) return icp_error(pool, ICP_FAULT, NULL, "libcurl gives no handle");
    apr_pool_cleanup_register(pool, smtp, drop, apr_pool_cleanup_null);
    smtp->settings = *settings;
    curl_easy_setopt(easy, CURLOPT_URL, settings->server);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(easy, CURLOPT_READFUNCTION, give);
    curl_easy_setopt(easy, CURLOPT_READDATA, smtp);
    curl_easy_setopt(easy, CURLOPT_VERBOSE, 1L);
    curl_easy_setopt(easy, CURLOPT_DEBUGFUNCTION, observe);
    curl_easy_setopt(easy, CURLOPT_DEBUGDATA, smtp);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, smtp->fault);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT, (long)(settings->seconds < CONNECT_SECONDS ? settings->seconds : CONNECT_SECONDS));
    curl_easy_setopt(easy, CURLOPT_TIMEOUT, (long)settings->seconds);
    set_tls(smtp);
    if (*settings->netrc) {
        curl_easy_setopt(easy, CURLOPT_NETRC, (long)CURL_NETRC_REQUIRED);
        curl_easy_setopt(easy, CURLOPT_NETRC_FILE, settings->netrc);
    }
    *result = smtp;
    return NULL;
}

static CURLcode perform(icp_smtp_t *smtp, const char *message)
{
    smtp->message = message;
    smtp->phase = CONNECTING;
    smtp->leaving = 0;
    smtp->length = 0;
    *smtp->reply = *smtp->fault = '\0';
    return curl_easy_perform(smtp->easy);
}

static int reply_class(const icp_smtp_t *smtp)
{
    return *smtp->reply >= '2' && *smtp->reply <= '5' ? *smtp->reply - '0' : 0;
}

/* 421 closes the connection; anything said before the recipient is about us, not about this mail. */
static icp_delivery_e judge(icp_smtp_t *smtp, CURLcode result)
{
    int said = reply_class(smtp);
    if (result == CURLE_OK) return ICP_DELIVERED;
    if (smtp->phase < RECIPIENT || !strncmp(smtp->reply, "421", 3) || result == CURLE_OPERATION_TIMEDOUT) return ICP_NOTHING;
    if (said == 5) return ICP_NEVER;
    if (said == 4) return ICP_LATER;
    return ++smtp->strikes < STRIKES ? ICP_LATER : ICP_NOTHING;
}

icp_delivery_t icp_smtp_send(icp_smtp_t *smtp, const char *from, const char *to, const char *message, apr_pool_t *pool)
{
    struct curl_slist *recipients = curl_slist_append(NULL, to);
    long fresh = 1;
    curl_easy_setopt(smtp->easy, CURLOPT_MAIL_FROM, from);
    curl_easy_setopt(smtp->easy, CURLOPT_MAIL_RCPT, recipients);
    curl_easy_setopt(smtp->easy, CURLOPT_INFILESIZE, (long)strlen(message));
    CURLcode result = perform(smtp, message);
    curl_easy_getinfo(smtp->easy, CURLINFO_NUM_CONNECTS, &fresh);
    if (result != CURLE_OK && !fresh && smtp->phase < RECIPIENT) { /* the server had enough of this connection */
        curl_easy_setopt(smtp->easy, CURLOPT_FRESH_CONNECT, 1L);
        result = perform(smtp, message);
        curl_easy_setopt(smtp->easy, CURLOPT_FRESH_CONNECT, 0L);
    }
    curl_slist_free_all(recipients);
    if (result == CURLE_OK || reply_class(smtp)) smtp->strikes = 0;

    icp_delivery_t delivery = {judge(smtp, result), icp_text_printable(icp_text_trim(smtp->reply, pool), REPLY_MAX, pool)};
    if (result == CURLE_OK) return delivery;
    int refused = reply_class(smtp) >= 4;
    const char *what = refused ? delivery.answer : *smtp->fault ? smtp->fault : curl_easy_strerror(result);
    delivery.answer = apr_psprintf(pool, "%s %s: %s", smtp->settings.server, phase_texts[smtp->phase], what);
    return delivery;
}
