#include "scan.h"

#include <string.h>
#include <strings.h>

#define BLOCK 16
#define BLOCKS_MAX 255 /* counters of one byte each hold no more */

typedef unsigned char block_t __attribute__((vector_size(BLOCK)));

static block_t load(const char *p)
{
    block_t block;
    memcpy(&block, p, BLOCK);
    return block;
}

static int any(block_t hits)
{
    apr_uint64_t halves[2];
    memcpy(halves, &hits, sizeof halves);
    return (halves[0] | halves[1]) != 0;
}

int icp_scan_lines(const char *text, apr_size_t length)
{
    int lines = 0;
    while (length >= BLOCK) {
        block_t counts = {0};
        apr_size_t blocks = length / BLOCK < BLOCKS_MAX ? length / BLOCK : BLOCKS_MAX;
        for (apr_size_t i = 0; i < blocks; i++, text += BLOCK) counts -= (block_t)(load(text) == '\n');
        for (int i = 0; i < BLOCK; i++) lines += counts[i];
        length -= blocks * BLOCK;
    }
    for (; length > 0; length--) lines += *text++ == '\n';
    return lines;
}

const char *icp_scan_ascii(const char *p, const char *end)
{
    for (; end - p >= BLOCK; p += BLOCK) {
        block_t block = load(p);
        if (any((block_t)(block - 1 >= 0x7F))) break;
    }
    while (p < end && (signed char)*p > 0) p++;
    return p;
}

const char *icp_scan_low(const char *p, const char *end)
{
    for (; end - p >= BLOCK; p += BLOCK) {
        if (any((block_t)(load(p) <= ' '))) break;
    }
    while (p < end && (unsigned char)*p > ' ') p++;
    return p;
}

const char *icp_scan_either(const char *p, const char *end, char a, char b)
{
    for (; end - p >= BLOCK; p += BLOCK) {
        block_t block = load(p);
        if (any((block_t)(block == (unsigned char)a) | (block_t)(block == (unsigned char)b))) break;
    }
    while (p < end && *p != a && *p != b) p++;
    return p;
}

int icp_scan_words(const char *text, apr_size_t length, const icp_words_t *words)
{
    for (apr_size_t at = 0; at + 1 < length; at++) {
        if (!(words->pairs & ICP_PAIR(text[at], text[at + 1]))) continue;
        for (int i = 0; words->words[i]; i++) {
            if ((text[at] ^ words->words[i][0]) & ~0x20) continue;
            apr_size_t size = strlen(words->words[i]);
            if (size <= length - at && strncasecmp(text + at, words->words[i], size) == 0) return 1;
        }
    }
    return 0;
}
