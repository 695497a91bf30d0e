#include "coding.h"

#include <string.h>

#include <apr_cstr.h>
#include <apr_strings.h>
#include <brotli/decode.h>
#include <zlib.h>

#define WINDOW 16384 /* bytes of output per step */

typedef enum kind_e { KIND_GZIP, KIND_DEFLATE, KIND_BROTLI } kind_e;

/* One coding of the chain; its output is the next layer's input, the last one's the sink's. */
typedef struct layer_t {
    kind_e kind;
    struct layer_t *next;
    icp_coding_t *chain;
    z_stream zlib;
    BrotliDecoderState *brotli;
    int begun; /* has seen input */
    int ended;
    unsigned char out[WINDOW];
} layer_t;

struct icp_coding_t {
    layer_t *first;
    icp_coding_sink_t *sink;
    void *baton;
    icp_coding_e state;
};

static apr_status_t layer_close(void *data)
{
    layer_t *layer = data;
    if (layer->kind == KIND_BROTLI) {
        BrotliDecoderDestroyInstance(layer->brotli);
    }
    else {
        inflateEnd(&layer->zlib);
    }
    return APR_SUCCESS;
}

static layer_t *layer_create(icp_coding_t *coding, kind_e kind, apr_pool_t *pool)
{
    layer_t *layer = apr_pcalloc(pool, sizeof *layer);
    layer->kind = kind;
    layer->chain = coding;
    if (kind == KIND_BROTLI) {
        layer->brotli = BrotliDecoderCreateInstance(NULL, NULL, NULL);
        if (!layer->brotli) return NULL;
    }
    else if (inflateInit2(&layer->zlib, kind == KIND_GZIP ? 15 + 16 : 15) != Z_OK) {
        return NULL;
    }
    apr_pool_cleanup_register(pool, layer, layer_close, apr_pool_cleanup_null);
    return layer;
}

icp_coding_t *icp_coding_create(const char *content_encoding, icp_coding_sink_t *sink, void *baton, apr_pool_t *pool)
{
    icp_coding_t *coding = apr_pcalloc(pool, sizeof *coding);
    char *last, *list = apr_pstrdup(pool, content_encoding);
    int layers = 0;

    coding->sink = sink;
    coding->baton = baton;
    for (char *word = apr_strtok(list, ", \t", &last); word; word = apr_strtok(NULL, ", \t", &last)) {
        kind_e kind;
        if (!apr_cstr_casecmp(word, "identity")) continue;
        if (!apr_cstr_casecmp(word, "gzip") || !apr_cstr_casecmp(word, "x-gzip")) kind = KIND_GZIP;
        else if (!apr_cstr_casecmp(word, "deflate")) kind = KIND_DEFLATE;
        else if (!apr_cstr_casecmp(word, "br")) kind = KIND_BROTLI;
        else return NULL;

        if (++layers > ICP_CODING_LAYERS) return NULL;
        layer_t *layer = layer_create(coding, kind, pool);
        if (!layer) return NULL;
        layer->next = coding->first; /* applied last, undone first */
        coding->first = layer;
    }
    return coding;
}

static icp_coding_e layer_feed(layer_t *layer, const unsigned char *bytes, apr_size_t length);

static icp_coding_e emit(layer_t *layer, apr_size_t length)
{
    if (!length) return ICP_CODING_MORE;
    if (layer->next) return layer_feed(layer->next, layer->out, length);
    icp_coding_t *coding = layer->chain;
    return coding->sink(coding->baton, (const char *)layer->out, length) ? ICP_CODING_MORE : ICP_CODING_FULL;
}

static icp_coding_e zlib_feed(layer_t *layer, const unsigned char *bytes, apr_size_t length)
{
    z_stream *zlib = &layer->zlib;
    zlib->next_in = (unsigned char *)bytes;
    zlib->avail_in = (uInt)length;
    /* "deflate" is zlib by RFC 9110, but raw deflate is sent under that name too: a zlib header's first byte has 8 in its low half. */
    if (!layer->begun && layer->kind == KIND_DEFLATE && (bytes[0] & 15) != 8) inflateReset2(zlib, -15);
    layer->begun = 1;

    for (;;) {
        zlib->next_out = layer->out;
        zlib->avail_out = WINDOW;
        int rv = inflate(zlib, Z_NO_FLUSH);
        icp_coding_e state = emit(layer, WINDOW - zlib->avail_out); /* also what came before a fault: the next chunk may have begun there */
        if (state != ICP_CODING_MORE) return state;
        if (rv != Z_OK && rv != Z_STREAM_END && rv != Z_BUF_ERROR) {
            return layer->ended ? ICP_CODING_MORE : ICP_CODING_BAD; /* after the end: trailing garbage */
        }
        if (rv == Z_STREAM_END) {
            layer->ended = 1;
            if (layer->kind != KIND_GZIP || !zlib->avail_in) return ICP_CODING_MORE;
            inflateReset(zlib); /* the next member */
        }
        else if (zlib->avail_out) {
            return ICP_CODING_MORE; /* input used up */
        }
    }
}

static icp_coding_e brotli_feed(layer_t *layer, const unsigned char *bytes, apr_size_t length)
{
    for (;;) {
        unsigned char *out = layer->out;
        size_t room = WINDOW;
        BrotliDecoderResult rv = BrotliDecoderDecompressStream(layer->brotli, &length, &bytes, &room, &out, NULL);
        if (rv == BROTLI_DECODER_RESULT_ERROR) return ICP_CODING_BAD;
        icp_coding_e state = emit(layer, WINDOW - room);
        if (state != ICP_CODING_MORE) return state;
        if (rv == BROTLI_DECODER_RESULT_SUCCESS) layer->ended = 1;
        if (rv != BROTLI_DECODER_RESULT_NEEDS_MORE_OUTPUT) return ICP_CODING_MORE;
    }
}

static icp_coding_e layer_feed(layer_t *layer, const unsigned char *bytes, apr_size_t length)
{
    if (layer->ended && layer->kind != KIND_GZIP) return ICP_CODING_MORE;
    return layer->kind == KIND_BROTLI ? brotli_feed(layer, bytes, length) : zlib_feed(layer, bytes, length);
}

icp_coding_e icp_coding_feed(icp_coding_t *coding, const char *bytes, apr_size_t length)
{
    if (coding->state != ICP_CODING_MORE || !length) return coding->state;
    if (!coding->first) {
        coding->state = coding->sink(coding->baton, bytes, length) ? ICP_CODING_MORE : ICP_CODING_FULL;
    }
    while (coding->first && length && coding->state == ICP_CODING_MORE) {
        /* zlib counts in unsigned int */
        apr_size_t part = length < (1u << 30) ? length : (1u << 30);
        coding->state = layer_feed(coding->first, (const unsigned char *)bytes, part);
        bytes += part;
        length -= part;
    }
    return coding->state;
}

int icp_coding_ended(const icp_coding_t *coding)
{
    for (const layer_t *layer = coding->first; layer; layer = layer->next) {
        if (!layer->ended) return 0;
    }
    return 1;
}
