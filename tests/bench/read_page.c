/* MB a second of CPU time at which a page is read: by a full inspection, and by a bare pass of libxml2's HTML push parser over the
 * same bytes, with call-backs that do nothing. usage: read_page FILE; prints both numbers on one line. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <apr_general.h>
#include <libxml/HTMLparser.h>

#include "page.h"
#include "verdict.h"

#define CHUNK 8000 /* about what a bucket of httpd holds */
#define ROUNDS 200

static void inspect(const char *data, size_t length, apr_pool_t *pool)
{
    icp_page_t *page = icp_page_create("text/html", 0, pool);
    for (size_t at = 0; at < length; at += CHUNK) {
        icp_page_feed(page, data + at, length - at < CHUNK ? length - at : CHUNK);
    }
    const icp_inspection_t *inspection = icp_verdict_judge(icp_page_finish(page, 1), NULL, NULL, pool);
    if (inspection->verdict != ICP_DISPLAYED) {
        fputs("read_page: the page was not judged as displayed\n", stderr);
        exit(1);
    }
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
    for (size_t at = 0; at < length; at += CHUNK) {
        htmlParseChunk(parser, data + at, (int)(length - at < CHUNK ? length - at : CHUNK), 0);
    }
    htmlParseChunk(parser, NULL, 0, 1);
    htmlFreeParserCtxt(parser);
}

static double speed(void (*read)(const char *, size_t, apr_pool_t *), const char *data, size_t length, apr_pool_t *pool)
{
    struct timespec start, end;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &start);
    for (int i = 0; i < ROUNDS; i++) {
        read(data, length, pool);
        apr_pool_clear(pool);
    }
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &end);
    double seconds = (double)(end.tv_sec - start.tv_sec) + (double)(end.tv_nsec - start.tv_nsec) / 1e9;
    return ROUNDS * (double)length / 1e6 / seconds;
}

int main(int argc, char **argv)
{
    static char data[1 << 20];
    FILE *file = argc == 2 ? fopen(argv[1], "rb") : NULL;
    if (!file) {
        fputs("usage: read_page FILE\n", stderr);
        return 2;
    }
    size_t length = fread(data, 1, sizeof data, file);
    fclose(file);

    apr_pool_t *pool;
    apr_initialize();
    apr_pool_create(&pool, NULL);
    double inspection = speed(inspect, data, length, pool);
    printf("%.0f %.0f\n", inspection, speed(parse, data, length, pool));
    apr_terminate();
    return 0;
}
