#include "confirm.h"

#include <string.h>

#include <apr_strings.h>

#define NEEDLES_MAX 8
#define AROUND_MAX 48

/* --- learning ------------------------------------------------------------------------------------ */

/* One number's digits and what was kept of where they stood. */
typedef struct needle_t {
    const char *digits;
    apr_size_t length;
    int occurrences;
    icp_pattern_t kept[ICP_PATTERNS_MAX];
} needle_t;

struct icp_learn_t {
    needle_t needles[NEEDLES_MAX];
    int count;
    apr_size_t around;
    apr_uint32_t seen[256];   /* how often each byte value came */
    unsigned char *window;    /* bytes not yet searched, and the `around` before them */
    apr_size_t held, context; /* bytes in the window; of them, already searched */
};

#define WINDOW_SIZE 4096

/* The digits that tell this license from others: the longest run, which is neither the province nor the suffix. */
static const char *longest_digits(const char *number, apr_pool_t *pool)
{
    const char *best = number;
    apr_size_t best_length = 0;
    for (const char *p = number; *p;) {
        apr_size_t length = strspn(p, "0123456789");
        if (length > best_length) {
            best = p;
            best_length = length;
        }
        p += length ? length : 1;
    }
    return best_length >= 6 ? apr_pstrndup(pool, best, best_length) : NULL;
}

icp_learn_t *icp_learn_create(const char *const *numbers, int count, int around, apr_pool_t *pool)
{
    icp_learn_t *learn = apr_pcalloc(pool, sizeof *learn);
    learn->around = around < 0 ? 0 : around > AROUND_MAX ? AROUND_MAX : around;
    learn->window = apr_palloc(pool, WINDOW_SIZE);
    for (int i = 0; i < count && learn->count < NEEDLES_MAX; i++) {
        const char *digits = longest_digits(numbers[i], pool);
        int known = 0;
        for (int j = 0; digits && j < learn->count; j++) known |= !strcmp(learn->needles[j].digits, digits);
        if (digits && !known) {
            learn->needles[learn->count].digits = digits;
            learn->needles[learn->count++].length = strlen(digits);
        }
    }
    return learn;
}

static void keep(icp_learn_t *learn, needle_t *needle, apr_size_t at)
{
    apr_size_t start = at > learn->around ? at - learn->around : 0;
    apr_size_t end = at + needle->length + learn->around;
    if (end > learn->held) end = learn->held;
    if (needle->occurrences < ICP_PATTERNS_MAX) {
        icp_pattern_t *pattern = &needle->kept[needle->occurrences];
        pattern->length = (unsigned char)(end - start);
        memcpy(pattern->bytes, learn->window + start, end - start);
    }
    needle->occurrences++;
}

/* Searches the window; `last`: no more bytes come, so that what stands at its very end counts too. */
static void search(icp_learn_t *learn, int last)
{
    apr_size_t reserve = last ? 0 : AROUND_MAX + 16; /* room for digits and what follows them */
    apr_size_t end = learn->held > reserve ? learn->held - reserve : 0;
    if (end <= learn->context && !last) return;

    for (int i = 0; i < learn->count; i++) {
        needle_t *needle = &learn->needles[i];
        const unsigned char *from = learn->window + learn->context;
        const unsigned char *stop = learn->window + learn->held;
        const unsigned char *hit;
        while ((hit = memmem(from, stop - from, needle->digits, needle->length)) && hit < learn->window + end) {
            keep(learn, needle, hit - learn->window);
            from = hit + needle->length;
        }
    }

    apr_size_t searched = end > learn->context ? end : learn->context;
    apr_size_t drop = searched > learn->around ? searched - learn->around : 0;
    memmove(learn->window, learn->window + drop, learn->held - drop);
    learn->held -= drop;
    learn->context = searched - drop;
}

void icp_learn_feed(icp_learn_t *learn, const char *bytes, apr_size_t length)
{
    while (length) {
        apr_size_t room = WINDOW_SIZE - learn->held;
        apr_size_t part = length < room ? length : room;
        for (apr_size_t i = 0; i < part; i++) learn->seen[(unsigned char)bytes[i]]++;
        memcpy(learn->window + learn->held, bytes, part);
        learn->held += part;
        bytes += part;
        length -= part;
        if (learn->held == WINDOW_SIZE) search(learn, 0);
    }
}

static unsigned char rarest(const icp_learn_t *learn, const icp_pattern_t *pattern)
{
    unsigned char best = 0;
    for (unsigned char i = 1; i < pattern->length; i++) {
        if (learn->seen[pattern->bytes[i]] < learn->seen[pattern->bytes[best]]) best = i;
    }
    return best;
}

void icp_learn_finish(icp_learn_t *learn, const char *number, icp_patterns_t *patterns)
{
    search(learn, 1);
    patterns->count = 0;
    for (int i = 0; i < learn->count; i++) {
        needle_t *needle = &learn->needles[i];
        if (!strstr(number, needle->digits) || needle->occurrences > ICP_PATTERNS_MAX) continue;
        patterns->count = needle->occurrences;
        for (int j = 0; j < needle->occurrences; j++) {
            patterns->pattern[j] = needle->kept[j];
            patterns->pattern[j].rare = rarest(learn, &needle->kept[j]);
        }
        return;
    }
}

/* --- confirming ---------------------------------------------------------------------------------- */

static int contains(const icp_pattern_t *pattern, const unsigned char *bytes, apr_size_t length)
{
    if (length < pattern->length) return 0;
    unsigned char rare = pattern->rare;
    const unsigned char *p = bytes + rare;
    const unsigned char *stop = bytes + (length - pattern->length) + rare + 1;
    while ((p = memchr(p, pattern->bytes[rare], stop - p))) {
        if (!memcmp(p - rare, pattern->bytes, pattern->length)) return 1;
        p++;
    }
    return 0;
}

void icp_confirm_begin(icp_confirm_t *confirm, const icp_patterns_t *patterns)
{
    confirm->patterns = patterns;
    confirm->found = 0;
    confirm->tail_length = 0;
}

/* Keeps the last bytes of tail and chunk together. */
static void keep_tail(icp_confirm_t *confirm, const unsigned char *bytes, apr_size_t length)
{
    apr_size_t room = sizeof confirm->tail;
    if (length >= room) {
        memcpy(confirm->tail, bytes + length - room, room);
        confirm->tail_length = (unsigned char)room;
        return;
    }
    apr_size_t old = confirm->tail_length;
    if (old + length > room) {
        memmove(confirm->tail, confirm->tail + (old + length - room), room - length);
        old = room - length;
    }
    memcpy(confirm->tail + old, bytes, length);
    confirm->tail_length = (unsigned char)(old + length);
}

int icp_confirm_feed(icp_confirm_t *confirm, const char *data, apr_size_t length)
{
    const unsigned char *bytes = (const unsigned char *)data;
    const icp_patterns_t *patterns = confirm->patterns;
    unsigned all = (1u << patterns->count) - 1;
    unsigned char seam[2 * (ICP_PATTERN_MAX - 1)]; /* what could hold a pattern that begins before this chunk */
    apr_size_t head = length < ICP_PATTERN_MAX - 1 ? length : ICP_PATTERN_MAX - 1;

    if (confirm->found == all) return 1;
    memcpy(seam, confirm->tail, confirm->tail_length);
    memcpy(seam + confirm->tail_length, bytes, head);
    for (int i = 0; i < patterns->count; i++) {
        if (confirm->found & 1u << i) continue;
        const icp_pattern_t *pattern = &patterns->pattern[i];
        if ((confirm->tail_length && contains(pattern, seam, confirm->tail_length + head))
            || contains(pattern, bytes, length)) {
            confirm->found |= 1u << i;
        }
    }
    if (confirm->found == all) return 1;
    keep_tail(confirm, bytes, length);
    return 0;
}
