#include "workday.h"

#include <stdlib.h>
#include <string.h>

#include <apr_atomic.h>
#include <apr_file_io.h>
#include <apr_strings.h>
#include <apr_tables.h>

#include "log.h"
#include "text.h"

#define FILE_LIMIT (256 * 1024)
#define NAME_LIMIT 60  /* bytes of a holiday's name */
#define LAST_MONTH_DAYS 31 /* before a year's end, when the next year's list is out */
#define RANGE_LIMIT 31 /* days in one line: more is a slip */
#define BEIJING apr_time_from_sec(8 * 3600)
#define DAY apr_time_from_sec(86400)

typedef struct entry_t {
    icp_day_t day;
    int works, line;
    const char *zh, *en;
} entry_t;

struct icp_calendar_t {
    const entry_t *entries; /* by day */
    int count;
};

/* --- days --------------------------------------------------------------------------------------------------------- */

icp_day_t icp_day_of(apr_time_t at)
{
    apr_time_t beijing = at + BEIJING;
    return (icp_day_t)(beijing / DAY - (beijing % DAY < 0));
}

apr_time_t icp_day_begin(icp_day_t day)
{
    return day * DAY - BEIJING;
}

static void take_apart(apr_time_exp_t *parts, icp_day_t day)
{
    apr_time_exp_gmt(parts, day * DAY);
}

static int year_of(icp_day_t day)
{
    apr_time_exp_t parts;
    take_apart(&parts, day);
    return parts.tm_year + 1900;
}

const char *icp_day_text(icp_day_t day, apr_pool_t *pool)
{
    apr_time_exp_t parts;
    take_apart(&parts, day);
    return apr_psprintf(pool, "%04d-%02d-%02d", parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday);
}

/* Only a text that the day itself would give is that day: this refuses 2026-02-30, 2026-1-1 and whatever else. */
static int read_day(icp_day_t *day, const char *text, apr_pool_t *pool)
{
    apr_time_exp_t parts = {.tm_mday = 1};
    apr_time_t at;
    if (strlen(text) != 10 || strspn(text, "0123456789-") != 10) return 0;
    parts.tm_year = atoi(text) - 1900;
    parts.tm_mon = atoi(text + 5) - 1;
    parts.tm_mday = atoi(text + 8);
    if (parts.tm_year < 100 || parts.tm_year >= 300 || parts.tm_mon < 0 || parts.tm_mon > 11) return 0;
    if (apr_time_exp_gmt_get(&at, &parts) != APR_SUCCESS) return 0;
    *day = (icp_day_t)(at / DAY);
    return !strcmp(icp_day_text(*day, pool), text);
}

icp_error_t *icp_day_parse(icp_day_t *day, const char *text, apr_pool_t *pool)
{
    if (read_day(day, text, pool)) return NULL;
    return icp_error(pool, ICP_USAGE, "write it as year, month and day: 2026-11-24", "'%s' is no day",
                     icp_text_printable(text, 40, pool));
}

icp_error_t *icp_month_parse(icp_day_t *first, icp_day_t *next, const char *text, apr_pool_t *pool)
{
    apr_time_exp_t parts;
    if (!read_day(first, apr_pstrcat(pool, text, "-01", NULL), pool)) {
        return icp_error(pool, ICP_USAGE, "write it as year and month: 2026-11", "'%s' is no month", icp_text_printable(text, 40, pool));
    }
    take_apart(&parts, *first + 31);
    *next = *first + 31 - (parts.tm_mday - 1);
    return NULL;
}

/* 1 January 1970 was a Thursday. */
static int is_weekend(icp_day_t day)
{
    return ((day + 4) % 7 + 7) % 7 % 6 == 0;
}

/* --- the file ----------------------------------------------------------------------------------------------------- */

typedef struct reader_t {
    const char *file;
    int line;
    apr_array_header_t *entries; /* entry_t */
    apr_pool_t *pool;
} reader_t;

static icp_error_t *fault(const reader_t *reader, const char *what)
{
    return icp_error(reader->pool, ICP_USAGE, "its first lines say how a line is written", "%s line %d: %s",
                     reader->file, reader->line, what);
}

static icp_error_t *read_name(const char **name, const reader_t *reader, const char *text)
{
    *name = icp_text_trim(text, reader->pool);
    if (!**name) return fault(reader, "the holiday has no name");
    if (strlen(*name) > NAME_LIMIT || !icp_text_plain(*name)) {
        return fault(reader, "the holiday's name is too long or not UTF-8");
    }
    return NULL;
}

/* DATE or FIRST..LAST */
static icp_error_t *read_span(icp_day_t *first, icp_day_t *last, const reader_t *reader, const char *text)
{
    const char *dots = strstr(text, "..");
    const char *start = dots ? apr_pstrmemdup(reader->pool, text, (apr_size_t)(dots - text)) : text;
    const char *stop = dots ? dots + 2 : text, *wrong = NULL;
    if (!read_day(first, start, reader->pool))
        wrong = start;
    else if (!read_day(last, stop, reader->pool))
        wrong = stop;
    if (wrong)
        return fault(reader, apr_psprintf(reader->pool, "'%s' is no day", icp_text_printable(wrong, 40, reader->pool)));
    if (*last < *first) return fault(reader, "the last day is before the first");
    if (*last - *first >= RANGE_LIMIT) return fault(reader, "that is more than a month");
    return NULL;
}

static icp_error_t *read_line(reader_t *reader, char *text)
{
    char *fields[4] = {NULL}, *rest = text;
    int count = 0;
    icp_day_t first, last;
    entry_t entry = {.line = reader->line};

    while (rest && count < 4) {
        fields[count++] = rest;
        rest = strchr(rest, '\t');
        if (rest) *rest++ = '\0';
    }
    if (rest || count < 3) return fault(reader, "a line has three or four fields with a tab between them");
    ICP_TRY(read_span(&first, &last, reader, icp_text_trim(fields[0], reader->pool)));
    ICP_TRY(read_name(&entry.zh, reader, fields[1]));
    entry.en = entry.zh;
    if (fields[3]) ICP_TRY(read_name(&entry.en, reader, fields[3]));

    const char *kind = icp_text_trim(fields[2], reader->pool);
    entry.works = !strcmp(kind, "work");
    if (!entry.works && strcmp(kind, "off")) return fault(reader, "a day is off or work");
    for (entry.day = first; entry.day <= last; entry.day++) {
        if (entry.works && !is_weekend(entry.day)) {
            return fault(reader,
                         apr_psprintf(reader->pool, "%s is no Saturday or Sunday, so it is a working day anyway",
                                      icp_day_text(entry.day, reader->pool)));
        }
        APR_ARRAY_PUSH(reader->entries, entry_t) = entry;
    }
    return NULL;
}

static int by_day(const void *left, const void *right)
{
    const entry_t *a = left, *b = right;
    return a->day != b->day ? (a->day < b->day ? -1 : 1) : a->line - b->line;
}

static icp_error_t *sort(icp_calendar_t *calendar, reader_t *reader)
{
    entry_t *entries = (entry_t *)reader->entries->elts;
    int count = reader->entries->nelts;
    qsort(entries, (size_t)count, sizeof *entries, by_day);
    for (int i = 1; i < count; i++) {
        if (entries[i].day != entries[i - 1].day) continue;
        reader->line = entries[i].line;
        return fault(reader, apr_psprintf(reader->pool, "%s stands in line %d already",
                                          icp_day_text(entries[i].day, reader->pool), entries[i - 1].line));
    }
    calendar->entries = entries;
    calendar->count = count;
    return NULL;
}

static void tell_missing(const char *file)
{
    static apr_uint32_t told;
    if (apr_atomic_cas32(&told, 1, 0)) return;
    icp_log(ICP_LOG_WARNING, "there is no list of holidays at %s: only weekends count as days off", file);
}

icp_error_t *icp_calendar_load(icp_calendar_t **result, const char *file, apr_pool_t *pool)
{
    reader_t reader = {file, 0, apr_array_make(pool, 64, sizeof(entry_t)), pool};
    apr_file_t *handle;
    apr_size_t length = 0;

    *result = apr_pcalloc(pool, sizeof **result);
    apr_status_t rv = apr_file_open(&handle, file, APR_FOPEN_READ | APR_FOPEN_BINARY, APR_FPROT_OS_DEFAULT, pool);
    if (APR_STATUS_IS_ENOENT(rv)) {
        tell_missing(file);
        return NULL;
    }
    if (rv != APR_SUCCESS) return icp_error_os(pool, rv, "cannot open the list of holidays %s", file);
    char *text = apr_palloc(pool, FILE_LIMIT + 1);
    rv = apr_file_read_full(handle, text, FILE_LIMIT, &length);
    apr_file_close(handle);
    if (rv == APR_SUCCESS) return icp_error(pool, ICP_USAGE, NULL, "%s is too large for a list of holidays", file);
    if (rv != APR_EOF) return icp_error_os(pool, rv, "cannot read the list of holidays %s", file);
    text[length] = '\0';

    for (char *line = text + (strncmp(text, "\xEF\xBB\xBF", 3) ? 0 : 3), *next; line < text + length; line = next) {
        next = memchr(line, '\n', (size_t)(text + length - line));
        if (next)
            *next++ = '\0';
        else
            next = text + length;
        reader.line++;
        if (*line == '#' || !*icp_text_trim(line, pool)) continue;
        ICP_TRY(read_line(&reader, line));
    }
    return sort(*result, &reader);
}

/* --- what it knows ------------------------------------------------------------------------------------------------ */

static const entry_t *find(const icp_calendar_t *calendar, icp_day_t day)
{
    int low = 0, high = calendar->count;
    while (low < high) {
        int middle = low + (high - low) / 2;
        if (calendar->entries[middle].day < day)
            low = middle + 1;
        else
            high = middle;
    }
    return low < calendar->count && calendar->entries[low].day == day ? &calendar->entries[low] : NULL;
}

/* National Day, 1 October, of a year. */
static int is_national_day(icp_day_t day)
{
    apr_time_exp_t parts;
    take_apart(&parts, day);
    return parts.tm_mon == 9 && parts.tm_mday == 1;
}

/* Is that year's arrangement in the file? It is if the National Day of that year is: the last holiday of every list.
 * Outside such years only weekends are known, and what is counted is an estimate. */
static int covers(const icp_calendar_t *calendar, int year)
{
    for (int i = 0; i < calendar->count; i++) {
        const entry_t *entry = &calendar->entries[i];
        if (!entry->works && is_national_day(entry->day) && year_of(entry->day) == year) return 1;
    }
    return 0;
}

int icp_calendar_wants(const icp_calendar_t *calendar, icp_day_t day)
{
    int year = year_of(day), soon = year_of(day + LAST_MONTH_DAYS);
    if (!covers(calendar, year)) return year;
    return covers(calendar, soon) ? 0 : soon;
}

int icp_calendar_last_year(const icp_calendar_t *calendar)
{
    for (int i = calendar->count - 1; i >= 0; i--) {
        const entry_t *entry = &calendar->entries[i];
        if (!entry->works && is_national_day(entry->day)) return year_of(entry->day);
    }
    return 0;
}

static int covers_span(const icp_calendar_t *calendar, icp_day_t from, icp_day_t to)
{
    for (int year = year_of(from); year <= year_of(to); year++) {
        if (!covers(calendar, year)) return 0;
    }
    return 1;
}

int icp_calendar_works(const icp_calendar_t *calendar, icp_day_t day)
{
    const entry_t *entry = find(calendar, day);
    return entry ? entry->works : !is_weekend(day);
}

icp_day_t icp_calendar_add(const icp_calendar_t *calendar, icp_day_t day, int count, int *estimated)
{
    icp_day_t at = day;
    while (count > 0) count -= icp_calendar_works(calendar, ++at);
    while (!icp_calendar_works(calendar, at)) at++;
    if (estimated) *estimated = !covers_span(calendar, day, at);
    return at;
}

int icp_calendar_between(const icp_calendar_t *calendar, icp_day_t from, icp_day_t to, int *estimated)
{
    icp_day_t low = from < to ? from : to, high = from < to ? to : from;
    int days = 0;
    for (icp_day_t day = low + 1; day <= high; day++) days += icp_calendar_works(calendar, day);
    if (estimated) *estimated = !covers_span(calendar, low, high);
    return from < to ? days : -days;
}

int icp_calendar_long_holiday(icp_holiday_t *holiday, const icp_calendar_t *calendar, icp_day_t day, int within)
{
    for (int i = 0; i < calendar->count; i++) {
        const entry_t *entry = &calendar->entries[i];
        if (entry->works) continue;
        *holiday = (icp_holiday_t){entry->zh, entry->en, entry->day, entry->day};
        while (!icp_calendar_works(calendar, holiday->first - 1)) holiday->first--;
        while (!icp_calendar_works(calendar, holiday->last + 1)) holiday->last++;
        if (holiday->first > day + within) return 0;
        if (holiday->last >= day && holiday->last - holiday->first >= 2) return 1;
        while (i + 1 < calendar->count && calendar->entries[i + 1].day <= holiday->last) i++;
    }
    return 0;
}
