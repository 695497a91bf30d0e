#include "scan.h"

#include <string.h>
#include <strings.h>

#include "block.h"

#define BLOCKS_MAX 255 /* counters of one byte each hold no more */

int icp_scan_lines(const char *text, apr_size_t length)
{
    int lines = 0;
    while (length >= ICP_BLOCK) {
        icp_block_t counts = {0};
        apr_size_t blocks = length / ICP_BLOCK < BLOCKS_MAX ? length / ICP_BLOCK : BLOCKS_MAX;
        for (apr_size_t i = 0; i < blocks; i++, text += ICP_BLOCK) counts -= (icp_block_t)(icp_block_load(text) == '\n');
        for (int i = 0; i < ICP_BLOCK; i++) lines += counts[i];
        length -= blocks * ICP_BLOCK;
    }
    for (; length > 0; length--) lines += *text++ == '\n';
    return lines;
}

const char *icp_scan_ascii(const char *p, const char *end)
{
    for (; end - p >= ICP_BLOCK; p += ICP_BLOCK) {
        icp_block_t block = icp_block_load(p);
        if (icp_block_any((icp_block_t)(block - 1 >= 0x7F))) break;
    }
    while (p < end && (signed char)*p > 0) p++;
    return p;
}

const char *icp_scan_low(const char *p, const char *end)
{
    for (; end - p >= ICP_BLOCK; p += ICP_BLOCK) {
        if (icp_block_any((icp_block_t)(icp_block_load(p) <= ' '))) break;
    }
    while (p < end && (unsigned char)*p > ' ') p++;
    return p;
}

const char *icp_scan_either(const char *p, const char *end, char a, char b)
{
    for (; end - p >= ICP_BLOCK; p += ICP_BLOCK) {
        icp_block_t block = icp_block_load(p);
        if (icp_block_any((icp_block_t)(block == (unsigned char)a) | (icp_block_t)(block == (unsigned char)b))) break;
    }
    while (p < end && *p != a && *p != b) p++;
    return p;
}

/* Its first two characters stand together in few other places. */
const char *icp_scan_word(const char *p, const char *end, const char *word)
{
    apr_ssize_t length = (apr_ssize_t)strlen(word);
    for (; end - p >= length; p++) {
        for (; end - p > ICP_BLOCK; p += ICP_BLOCK) {
            icp_block_t first = (icp_block_t)(icp_block_load(p) == (unsigned char)word[0]), second = (icp_block_t)(icp_block_load(p + 1) == (unsigned char)word[1]);
            if (icp_block_any(first & second)) break;
        }
        const char *stop = end - p > ICP_BLOCK ? p + ICP_BLOCK : end - length + 1;
        while (p < stop && !(p[0] == word[0] && p[1] == word[1])) p++;
        if (end - p >= length && memcmp(p, word, (apr_size_t)length) == 0) return p;
    }
    return NULL;
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
