#include "text.h"

#include <string.h>

#include <apr_strings.h>
#include <apr_time.h>
#include <unictype.h>
#include <unistr.h>

/* Cc, Cf, Cs, Co, Zl and Zp; Cf has the marks that turn the direction of text. */
static int disturbs(ucs4_t character)
{
    return uc_is_general_category_withtable(character, UC_CATEGORY_MASK_C | UC_CATEGORY_MASK_Zl | UC_CATEGORY_MASK_Zp);
}

int icp_text_plain(const char *text)
{
    const uint8_t *at = (const uint8_t *)text, *end = at + strlen(text);
    while (at < end) {
        ucs4_t character;
        int length = u8_mbtoucr(&character, at, end - at);
        if (length <= 0 || disturbs(character)) return 0;
        at += length;
    }
    return 1;
}

static int is_space(ucs4_t character)
{
    return uc_is_property_white_space(character);
}

int icp_text_has_space(const char *text)
{
    const uint8_t *at = (const uint8_t *)text, *end = at + strlen(text);
    while (at < end) {
        ucs4_t character;
        at += u8_mbtouc(&character, at, end - at);
        if (is_space(character)) return 1;
    }
    return 0;
}

const char *icp_text_trim(const char *text, apr_pool_t *pool)
{
    if (!text) return "";
    const uint8_t *at = (const uint8_t *)text, *end = at + strlen(text), *start = NULL, *stop = at;
    while (at < end) {
        ucs4_t character;
        int length = u8_mbtouc(&character, at, end - at);
        if (!is_space(character) && !uc_is_general_category_withtable(character, UC_CATEGORY_MASK_Cf)) {
            if (!start) start = at;
            stop = at + length;
        }
        at += length;
    }
    return start ? apr_pstrmemdup(pool, (const char *)start, stop - start) : "";
}

const char *icp_text_printable(const char *text, apr_size_t limit, apr_pool_t *pool)
{
    static const char replacement[] = "\xEF\xBF\xBD";
    apr_size_t length = strnlen(text, limit), used = 0;
    const uint8_t *at = (const uint8_t *)text, *end = at + length;
    char *result = apr_palloc(pool, 3 * length + 1);
    while (at < end) {
        ucs4_t character;
        int size = u8_mbtoucr(&character, at, end - at);
        if (size == -2 && text[length]) break; /* the limit fell into a character */
        if (size > 0 && !disturbs(character)) {
            memcpy(result + used, at, size);
            used += size;
        }
        else {
            memcpy(result + used, replacement, sizeof replacement - 1);
            used += sizeof replacement - 1;
        }
        at += size > 0 ? size : 1;
    }
    result[used] = '\0';
    return result;
}

#define CHINA (8 * 3600)

static const char *to_the_minute(const apr_time_exp_t *t, apr_pool_t *pool)
{
    return apr_psprintf(pool, "%04d-%02d-%02d %02d:%02d", t->tm_year + 1900, t->tm_mon + 1, t->tm_mday, t->tm_hour, t->tm_min);
}

const char *icp_text_time(apr_time_t at, apr_pool_t *pool)
{
    apr_time_exp_t local;
    apr_time_exp_lt(&local, at);
    return to_the_minute(&local, pool);
}

const char *icp_text_time_china(apr_time_t at, apr_pool_t *pool)
{
    apr_time_exp_t there;
    return apr_time_exp_tz(&there, at, CHINA) == APR_SUCCESS ? to_the_minute(&there, pool) : "";
}

const char *icp_text_date(apr_time_t at, int chinese, apr_pool_t *pool)
{
    static const char *const months[] = {"January", "February", "March", "April", "May", "June", "July",
                                         "August", "September", "October", "November", "December"};
    apr_time_exp_t day;
    if (apr_time_exp_tz(&day, at, CHINA) != APR_SUCCESS) return "";
    int year = day.tm_year + 1900;
    return chinese ? apr_psprintf(pool, "%d年%d月%d日", year, day.tm_mon + 1, day.tm_mday)
                   : apr_psprintf(pool, "%d %s %d", day.tm_mday, months[day.tm_mon], year);
}
