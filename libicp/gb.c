#include "gb.h"

#include <iconv.h>
#include <pthread.h>
#include <string.h>

#define LEAD 0x81 /* the first bytes of a pair's two */
#define TRAIL 0x40
#define LEADS (0xFF - LEAD)
#define TRAILS (0xFF - TRAIL)
#define UTF8_MAX 4

static char table[LEADS][TRAILS][UTF8_MAX]; /* UTF-8, filled up with zero bytes; all zero: none */
static pthread_once_t made = PTHREAD_ONCE_INIT;

static void make(void)
{
    iconv_t gb = iconv_open("UTF-8", "GB18030");
    if (gb == (iconv_t)-1) return; /* a libc without its tables */
    for (int i = 0; i < LEADS * TRAILS; i++) {
        char pair[2] = {(char)(LEAD + i / TRAILS), (char)(TRAIL + i % TRAILS)}, *in = pair, *out = table[i / TRAILS][i % TRAILS];
        size_t rest = sizeof pair, room = UTF8_MAX;
        if (iconv(gb, &in, &rest, &out, &room) == (size_t)-1 || rest > 0) memset(table[i / TRAILS][i % TRAILS], 0, UTF8_MAX);
    }
    iconv_close(gb);
}

apr_size_t icp_gb_pairs(char *out, const char **p, const char *end)
{
    const unsigned char *at = (const unsigned char *)*p;
    char *to = out;
    pthread_once(&made, make);
    for (; (const char *)at + 1 < end && at[0] >= LEAD && at[1] >= TRAIL && at[0] < 0xFF && at[1] < 0xFF; at += 2) {
        const char *character = table[at[0] - LEAD][at[1] - TRAIL];
        unsigned first = (unsigned char)*character;
        if (!first) break;
        memcpy(to, character, UTF8_MAX);
        to += 2 + (first >= 0xE0) + (first >= 0xF0);
    }
    *p = (const char *)at;
    return (apr_size_t)(to - out);
}
