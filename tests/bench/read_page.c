/* MB a second of CPU time at which pages are read: by a full inspection, and by a bare pass of libxml2's HTML push parser over the
 * same bytes, with call-backs that do nothing. The two take turns of a few reads, so that what else the machine does slows both.
 * usage: read_page FILE…; prints both numbers, all files together, on one line. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <apr_general.h>
#include <libxml/HTMLparser.h>

#include "page.h"
#include "verdict.h"

#define CHUNK 8000 /* about what a bucket of httpd holds */
#define ROUNDS 20 /* turns */
#define READS 5   /* in a turn */
#define BYTES 20000000 /* that a file is read at most by either */

static void inspect(const char *data, size_t length, apr_pool_t *pool)
{
    icp_page_t *page = icp_page_create("text/html", 0, pool);
    for (size_t at = 0; at < length; at += CHUNK) {
        icp_page_feed(page, data + at, length - at < CHUNK ? length - at : CHUNK);
    }
    icp_verdict_judge(icp_page_finish(page, 1), NULL, NULL, pool);
}

static void on_element(void *context, const xmlChar *name, const xmlChar **attributes)
{
}

static void on_end(void *context, const xmlChar *name)
{
}

static void on_text(void *context, const xmlChar *text, int length)
{
}

static void parse(const char *data, size_t length, apr_pool_t *pool)
{
    htmlSAXHandler nothing = {.startElement = on_element, .endElement = on_end, .characters = on_text, .cdataBlock = on_text};
    htmlParserCtxtPtr parser = htmlCreatePushParserCtxt(&nothing, NULL, NULL, 0, NULL, XML_CHAR_ENCODING_UTF8);
    htmlCtxtUseOptions(parser, HTML_PARSE_NOERROR | HTML_PARSE_NOWARNING | HTML_PARSE_IGNORE_ENC);
    for (size_t at = 0; at < length; at += CHUNK) {
        htmlParseChunk(parser, data + at, (int)(length - at < CHUNK ? length - at : CHUNK), 0);
    }
    htmlParseChunk(parser, NULL, 0, 1);
    htmlFreeParserCtxt(parser);
}

static double seconds(void (*read)(const char *, size_t, apr_pool_t *), const char *data, size_t length, apr_pool_t *pool)
{
    struct timespec start, end;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &start);
    for (int i = 0; i < READS; i++) {
        read(data, length, pool);
        apr_pool_clear(pool);
    }
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &end);
    return (double)(end.tv_sec - start.tv_sec) + (double)(end.tv_nsec - start.tv_nsec) / 1e9;
}

int main(int argc, char **argv)
{
    static char data[1 << 20];
    double megabytes = 0, inspection = 0, parser = 0;
    apr_pool_t *pool;
    apr_initialize();
    apr_pool_create(&pool, NULL);
    for (int i = 1; i < argc; i++) {
        FILE *file = fopen(argv[i], "rb");
        if (!file) {
            perror(argv[i]);
            return 1;
        }
        size_t length = fread(data, 1, sizeof data, file);
        fclose(file);
        for (int round = 0; round < ROUNDS && READS * (size_t)round * length < BYTES; round++) {
            inspection += seconds(inspect, data, length, pool);
            parser += seconds(parse, data, length, pool);
            megabytes += READS * (double)length / 1e6;
        }
    }
    apr_terminate();
    if (megabytes == 0) {
        fputs("usage: read_page FILE...\n", stderr);
        return 2;
    }
    printf("%.0f %.0f\n", megabytes / inspection, megabytes / parser);
    return 0;
}
