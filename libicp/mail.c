/* Text in header fields goes by RFC 2047 where it is not plain ASCII, the body in base64: whatever a fact, a recipient or a
 * policy holds, no line can end early, begin with a dot or be too long. */
#include "mail.h"

#include <string.h>

#include <apr_base64.h>
#include <apr_lib.h>
#include <apr_strings.h>
#include <unistr.h>

#define PLAIN_MAX 60 /* characters of a text that stands as it is */
#define WORD_BYTES 39 /* of text in an encoded word: 64 characters, so that a line with "Subject: " stays under 76 */
#define LINE_BYTES 57 /* of text in a line of base64: 76 characters */

static const char *base64(const char *bytes, apr_size_t length, apr_pool_t *pool)
{
    char *text = apr_palloc(pool, (apr_size_t)apr_base64_encode_len((int)length));
    apr_base64_encode_binary(text, (const unsigned char *)bytes, (int)length);
    return text;
}

static int is_plain(const char *text)
{
    if (strlen(text) > PLAIN_MAX || strstr(text, "=?") || *text == ' ' || !*text) return 0;
    for (; *text; text++) {
        if (!apr_isascii(*text) || apr_iscntrl(*text)) return 0;
    }
    return 1;
}

/* Valid UTF-8 on one line. */
static const char *one_line(const char *text, apr_pool_t *pool)
{
    char *line = apr_pstrdup(pool, text);
    for (uint8_t *at = (uint8_t *)line; (at = (uint8_t *)u8_check(at, strlen((char *)at))) != NULL; at++) *at = '?';
    for (char *at = line; *at; at++) {
        if (apr_iscntrl(*at)) *at = ' ';
    }
    return line;
}

/* Encoded words, a line each; a character is never divided. */
static const char *encoded(const char *text, apr_pool_t *pool)
{
    const char *words = "";
    do {
        apr_size_t length = 0;
        while (text[length]) {
            int next = u8_mblen((const uint8_t *)text + length, strlen(text + length));
            if (next < 1 || length + (apr_size_t)next > WORD_BYTES) break;
            length += (apr_size_t)next;
        }
        words = apr_pstrcat(pool, words, *words ? "\r\n " : "", "=?UTF-8?B?", base64(text, length, pool), "?=", NULL);
        text += length;
    } while (*text);
    return words;
}

static const char *unstructured(const char *text, apr_pool_t *pool)
{
    const char *line = one_line(text, pool);
    return is_plain(line) || !*line ? line : encoded(line, pool);
}

/* A display name: a quoted string, or encoded words. */
static const char *phrase(const char *name, apr_pool_t *pool)
{
    const char *line = one_line(name, pool);
    if (!is_plain(line)) return encoded(line, pool);
    char *quoted = apr_palloc(pool, 2 * strlen(line) + 3), *to = quoted;
    *to++ = '"';
    for (; *line; line++) {
        if (*line == '"' || *line == '\\') *to++ = '\\';
        *to++ = *line;
    }
    *to++ = '"';
    *to = '\0';
    return quoted;
}

/* "Tue, 24 Nov 2026 09:30:00 +0800" */
static const char *date_text(apr_time_t date, apr_pool_t *pool)
{
    apr_time_exp_t t;
    apr_time_exp_lt(&t, date);
    int offset = t.tm_gmtoff / 60, away = offset < 0 ? -offset : offset;
    return apr_psprintf(pool, "%s, %d %s %d %02d:%02d:%02d %c%02d%02d", apr_day_snames[t.tm_wday], t.tm_mday,
                        apr_month_snames[t.tm_mon], t.tm_year + 1900, t.tm_hour, t.tm_min, t.tm_sec, offset < 0 ? '-' : '+',
                        away / 60, away % 60);
}

static const char *body(const char *text, apr_pool_t *pool)
{
    apr_size_t left = strlen(text);
    char *lines = apr_palloc(pool, (left / LINE_BYTES + 1) * (4 * LINE_BYTES / 3 + 2) + 1), *to = lines;
    while (left) {
        apr_size_t length = left < LINE_BYTES ? left : LINE_BYTES;
        to += apr_base64_encode_binary(to, (const unsigned char *)text, (int)length) - 1;
        *to++ = '\r';
        *to++ = '\n';
        text += length;
        left -= length;
    }
    *to = '\0';
    return lines;
}

/* Lines of a text in base64 end as lines do in mail. */
static const char *with_crlf(const char *text, apr_pool_t *pool)
{
    char *result = apr_palloc(pool, 2 * strlen(text) + 1), *to = result;
    for (; *text; text++) {
        if (*text == '\n') *to++ = '\r';
        if (*text != '\r') *to++ = *text;
    }
    *to = '\0';
    return result;
}

const char *icp_mail_compose(const icp_mail_t *mail, apr_pool_t *pool)
{
    const char *from = apr_pstrcat(pool, "<", mail->from, ">", NULL);
    if (*mail->from_name) from = apr_pstrcat(pool, phrase(mail->from_name, pool), "\r\n ", from, NULL);
    return apr_pstrcat(pool, "Date: ", date_text(mail->date, pool), "\r\nFrom: ", from, "\r\nTo: <", mail->to,
                       ">\r\nSubject: ", unstructured(mail->subject, pool), "\r\nMessage-ID: <", mail->message_id,
                       ">\r\nAuto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n"
                       "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n",
                       body(with_crlf(mail->text, pool), pool), NULL);
}
