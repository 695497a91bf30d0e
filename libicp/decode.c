#include "decode.h"

#include <string.h>

#include <apr_cstr.h>
#include <apr_strings.h>
#include <brotli/decode.h>
#include <zlib.h>

#define WINDOW 16384 /* bytes of output per step */

typedef enum coding_e { CODING_GZIP, CODING_DEFLATE, CODING_BROTLI } coding_e;

/* One coding; its output is the next layer's input, the last one's the sink's. */
typedef struct layer_t {
    coding_e coding;
    struct layer_t *next;
    icp_decode_t *decode;
    z_stream zlib;
    BrotliDecoderState *brotli;
    int begun; /* has seen input */
    int ended;
    unsigned char out[WINDOW];
} layer_t;

struct icp_decode_t {
    layer_t *first;
    icp_decode_sink_t *sink;
    void *baton;
    icp_decode_e state;
};

static apr_status_t layer_close(void *data)
{
    layer_t *layer = data;
    if (layer->coding == CODING_BROTLI) {
        BrotliDecoderDestroyInstance(layer->brotli);
    }
    else {
        inflateEnd(&layer->zlib);
    }
    return APR_SUCCESS;
}

static layer_t *layer_create(icp_decode_t *decode, coding_e coding, apr_pool_t *pool)
{
    layer_t *layer = apr_pcalloc(pool, sizeof *layer);
    layer->coding = coding;
    layer->decode = decode;
    if (coding == CODING_BROTLI) {
        layer->brotli = BrotliDecoderCreateInstance(NULL, NULL, NULL);
        if (!layer->brotli) return NULL;
    }
    else if (inflateInit2(&layer->zlib, coding == CODING_GZIP ? 15 + 16 : 15) != Z_OK) {
        return NULL;
    }
    apr_pool_cleanup_register(pool, layer, layer_close, apr_pool_cleanup_null);
    return layer;
}

icp_decode_t *icp_decode_create(const char *content_encoding, icp_decode_sink_t *sink, void *baton, apr_pool_t *pool)
{
    icp_decode_t *decode = apr_pcalloc(pool, sizeof *decode);
    char *last, *list = apr_pstrdup(pool, content_encoding);
    int layers = 0;

    decode->sink = sink;
    decode->baton = baton;
    for (char *word = apr_strtok(list, ", \t", &last); word; word = apr_strtok(NULL, ", \t", &last)) {
        coding_e coding;
        if (!apr_cstr_casecmp(word, "identity")) continue;
        if (!apr_cstr_casecmp(word, "gzip") || !apr_cstr_casecmp(word, "x-gzip")) coding = CODING_GZIP;
        else if (!apr_cstr_casecmp(word, "deflate")) coding = CODING_DEFLATE;
        else if (!apr_cstr_casecmp(word, "br")) coding = CODING_BROTLI;
        else return NULL;

        if (++layers > ICP_DECODE_LAYERS) return NULL;
        layer_t *layer = layer_create(decode, coding, pool);
        if (!layer) return NULL;
        layer->next = decode->first; /* applied last, undone first */
        decode->first = layer;
    }
    return decode;
}

static icp_decode_e layer_feed(layer_t *layer, const unsigned char *bytes, apr_size_t length);

static icp_decode_e emit(layer_t *layer, apr_size_t length)
{
    if (!length) return ICP_DECODE_MORE;
    if (layer->next) return layer_feed(layer->next, layer->out, length);
    icp_decode_t *decode = layer->decode;
    return decode->sink(decode->baton, (const char *)layer->out, length) ? ICP_DECODE_MORE : ICP_DECODE_FULL;
}

static icp_decode_e zlib_feed(layer_t *layer, const unsigned char *bytes, apr_size_t length)
{
    z_stream *zlib = &layer->zlib;
    zlib->next_in = (unsigned char *)bytes;
    zlib->avail_in = (uInt)length;
    /* "deflate" is zlib by RFC 9110, but raw deflate is sent under that name too: a zlib header's first byte has 8 in its low half. */
    if (!layer->begun && layer->coding == CODING_DEFLATE && (bytes[0] & 15) != 8) inflateReset2(zlib, -15);
    layer->begun = 1;

    for (;;) {
        zlib->next_out = layer->out;
        zlib->avail_out = WINDOW;
        int rv = inflate(zlib, Z_NO_FLUSH);
        if (rv != Z_OK && rv != Z_STREAM_END && rv != Z_BUF_ERROR) {
            return layer->ended ? ICP_DECODE_MORE : ICP_DECODE_BAD; /* after the end: trailing garbage */
        }
        icp_decode_e state = emit(layer, WINDOW - zlib->avail_out);
        if (state != ICP_DECODE_MORE) return state;
        if (rv == Z_STREAM_END) {
            layer->ended = 1;
            if (layer->coding != CODING_GZIP || !zlib->avail_in) return ICP_DECODE_MORE;
            inflateReset(zlib); /* the next member */
        }
        else if (zlib->avail_out) {
            return ICP_DECODE_MORE; /* input used up */
        }
    }
}

static icp_decode_e brotli_feed(layer_t *layer, const unsigned char *bytes, apr_size_t length)
{
    for (;;) {
        unsigned char *out = layer->out;
        size_t room = WINDOW;
        BrotliDecoderResult rv = BrotliDecoderDecompressStream(layer->brotli, &length, &bytes, &room, &out, NULL);
        if (rv == BROTLI_DECODER_RESULT_ERROR) return ICP_DECODE_BAD;
        icp_decode_e state = emit(layer, WINDOW - room);
        if (state != ICP_DECODE_MORE) return state;
        if (rv == BROTLI_DECODER_RESULT_SUCCESS) layer->ended = 1;
        if (rv != BROTLI_DECODER_RESULT_NEEDS_MORE_OUTPUT) return ICP_DECODE_MORE;
    }
}

static icp_decode_e layer_feed(layer_t *layer, const unsigned char *bytes, apr_size_t length)
{
    if (layer->ended && layer->coding != CODING_GZIP) return ICP_DECODE_MORE;
    return layer->coding == CODING_BROTLI ? brotli_feed(layer, bytes, length) : zlib_feed(layer, bytes, length);
}

icp_decode_e icp_decode_feed(icp_decode_t *decode, const char *bytes, apr_size_t length)
{
    if (decode->state != ICP_DECODE_MORE || !length) return decode->state;
    if (!decode->first) {
        decode->state = decode->sink(decode->baton, bytes, length) ? ICP_DECODE_MORE : ICP_DECODE_FULL;
    }
    while (decode->first && length && decode->state == ICP_DECODE_MORE) {
        /* zlib counts in unsigned int */
        apr_size_t part = length < (1u << 30) ? length : (1u << 30);
        decode->state = layer_feed(decode->first, (const unsigned char *)bytes, part);
        bytes += part;
        length -= part;
    }
    return decode->state;
}

int icp_decode_ended(const icp_decode_t *decode)
{
    for (const layer_t *layer = decode->first; layer; layer = layer->next) {
        if (!layer->ended) return 0;
    }
    return 1;
}
