#include "decode.h"

#include <errno.h>
#include <iconv.h>
#include <string.h>

#include "block.h"
#include "gb.h"
#include "scan.h"
#include "utf8.h"

#define REPLACEMENT "\xEF\xBF\xBD"

struct icp_decoder_t {
    const icp_charset_t *charset;
    iconv_t iconv;
};

static apr_status_t close_iconv(void *data)
{
    iconv_close(((icp_decoder_t *)data)->iconv);
    return APR_SUCCESS;
}

icp_decoder_t *icp_decoder_create(const icp_charset_t *charset, apr_pool_t *pool)
{
    icp_decoder_t *decoder = apr_pcalloc(pool, sizeof *decoder);
    decoder->charset = charset;
    if (!charset->iconv) return decoder;
    decoder->iconv = iconv_open("UTF-8", charset->iconv);
    if (decoder->iconv == (iconv_t)-1) { /* a libc without its tables */
        decoder->charset = icp_charset_by_label("utf-8", 5);
        return decoder;
    }
    apr_pool_cleanup_register(pool, decoder, close_iconv, apr_pool_cleanup_null);
    return decoder;
}

/* A character such as nearly all of Chinese: three bytes, the first of which leaves the others their whole range. */
static int is_han(const char *p)
{
    unsigned char lead = (unsigned char)*p;
    return lead > 0xE0 && lead < 0xF0 && lead != 0xED && (p[1] & 0xC0) == 0x80 && (p[2] & 0xC0) == 0x80;
}

/* Five of them, in the first fifteen of sixteen bytes? */
static int are_han(const char *p)
{
    static const icp_block_t mask = {0xF0, 0xC0, 0xC0, 0xF0, 0xC0, 0xC0, 0xF0, 0xC0, 0xC0, 0xF0, 0xC0, 0xC0, 0xF0, 0xC0, 0xC0};
    static const icp_block_t form = {0xE0, 0x80, 0x80, 0xE0, 0x80, 0x80, 0xE0, 0x80, 0x80, 0xE0, 0x80, 0x80, 0xE0, 0x80, 0x80};
    icp_block_t block = icp_block_load(p);
    return !icp_block_any((icp_block_t)((block & mask) != form) | (icp_block_t)(block == 0xE0) | (icp_block_t)(block == 0xED));
}

/* The end of what can be taken as it is: valid UTF-8 without zero bytes. *size: what icp_utf8_next says of the rest. */
static const char *valid_end(const char *p, const char *end, int *size)
{
    *size = 1;
    while (p < end) {
        if ((signed char)*p > 0) {
            p = icp_scan_ascii(p, end);
            continue;
        }
        const char *han = p;
        while (end - p >= ICP_BLOCK && are_han(p)) p += 15;
        while (end - p > 2 && is_han(p)) p += 3;
        if (p > han) continue;
        *size = icp_utf8_next(p, end);
        if (*size <= 1) break;
        p += *size;
    }
    return p;
}

static apr_size_t read_utf8(char *out, const char *bytes, apr_size_t length, apr_size_t *used, int last)
{
    const char *p = bytes, *end = bytes + length;
    char *to = out;
    while (p < end) {
        int size;
        const char *valid = valid_end(p, end, &size);
        memcpy(to, p, (apr_size_t)(valid - p));
        to += valid - p;
        p = valid;
        if (p == end) break;
        if (size > 0) { /* a zero byte */
            p++;
            continue;
        }
        if (size == 0) {
            if (!last) break;
            size = -(int)(end - p);
        }
        memcpy(to, REPLACEMENT, 3);
        to += 3;
        p -= size;
    }
    *used = (apr_size_t)(p - bytes);
    return (apr_size_t)(to - out);
}

/* How many bytes to give up where iconv does not know how to go on. */
static apr_size_t unreadable(const icp_decoder_t *decoder, const char *p, apr_size_t rest)
{
    switch (decoder->charset->how) {
    case ICP_DECODE_WIDE: return rest < 2 ? rest : 2;
    case ICP_DECODE_GB: return rest > 1 && (unsigned char)p[0] != 0x80 && (unsigned char)p[0] != 0xFF && (unsigned char)p[1] >= 0x80 ? 2 : 1;
    default: return 1;
    }
}

static apr_size_t without_zeros(char *out, apr_size_t length)
{
    char *to = memchr(out, '\0', length);
    if (!to) return length;
    for (char *p = to; p < out + length; p++) {
        if (*p) *to++ = *p;
    }
    return (apr_size_t)(to - out);
}

static apr_size_t read_by_iconv(icp_decoder_t *decoder, char *out, const char *bytes, apr_size_t length, apr_size_t *used, int last)
{
    char *in = (char *)bytes, *to = out;
    apr_size_t rest = length, room = ICP_DECODED_MAX(length);
    while (rest > 0) {
        if (iconv(decoder->iconv, &in, &rest, &to, &room) != (size_t)-1) continue;
        if (errno == E2BIG || (errno == EINVAL && !last)) break;
        apr_size_t skip = errno == EINVAL ? rest : unreadable(decoder, in, rest);
        in += skip;
        rest -= skip;
        if (room < 3) break;
        memcpy(to, REPLACEMENT, 3);
        to += 3;
        room -= 3;
    }
    *used = length - rest;
    return without_zeros(out, (apr_size_t)(to - out));
}

/* ASCII is copied, pairs are looked up; what is left is asked of iconv, as many bytes as one character can have. */
static apr_size_t read_gb(icp_decoder_t *decoder, char *out, const char *bytes, apr_size_t length, apr_size_t *used, int last)
{
    const char *p = bytes, *end = bytes + length;
    char *to = out;
    while (p < end) {
        const char *plain = icp_scan_ascii(p, end);
        memcpy(to, p, (apr_size_t)(plain - p));
        to += plain - p;
        p = plain;
        to += icp_gb_pairs(to, &p, end);
        if (p == end || (signed char)*p > 0) continue;
        apr_size_t taken, few = end - p > 4 ? 4 : (apr_size_t)(end - p);
        to += read_by_iconv(decoder, to, p, few, &taken, last && p + few == end);
        p += taken;
        if (taken == 0) break;
    }
    *used = (apr_size_t)(p - bytes);
    return (apr_size_t)(to - out);
}

apr_size_t icp_decoder_read(icp_decoder_t *decoder, char *out, const char *bytes, apr_size_t length, apr_size_t *used, int last)
{
    if (decoder->charset->how == ICP_DECODE_UTF8) return read_utf8(out, bytes, length, used, last);
    if (decoder->charset->how == ICP_DECODE_NOTHING) {
        *used = length;
        return 0;
    }
    if (decoder->charset->how == ICP_DECODE_GB) return read_gb(decoder, out, bytes, length, used, last);
    return read_by_iconv(decoder, out, bytes, length, used, last);
}
