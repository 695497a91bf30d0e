/* Each kind is followed from its first byte to its own end; what may stand behind that is what phones and cameras write there. */
#include "document_type.h"

#include <string.h>

typedef struct span_t {
    const unsigned char *at, *end;
} span_t;

static unsigned long big_endian(const unsigned char *at, int bytes)
{
    unsigned long value = 0;
    while (bytes--) value = value << 8 | *at++;
    return value;
}

static unsigned long little_endian(const unsigned char *at, int bytes)
{
    unsigned long value = 0;
    while (bytes--) value = value << 8 | at[bytes];
    return value;
}

/* Chunks from IHDR to IEND. */
static int is_png(span_t file)
{
    static const char head[] = "\x89PNG\r\n\x1a\n\0\0\0\rIHDR";
    if (file.end - file.at < 33 || memcmp(file.at, head, sizeof head - 1)) return 0;
    if (!big_endian(file.at + 16, 4) || !big_endian(file.at + 20, 4)) return 0;
    int has_picture = 0;
    for (file.at += 8; file.end - file.at >= 12;) {
        unsigned long length = big_endian(file.at, 4);
        if (length > (unsigned long)(file.end - file.at - 12)) return 0;
        if (!memcmp(file.at + 4, "IDAT", 4)) has_picture = 1;
        if (!memcmp(file.at + 4, "IEND", 4)) return has_picture && !length;
        file.at += 12 + length;
    }
    return 0;
}

/* Segments up to the picture, and the mark of its end, which its data cannot hold. */
static int is_jpeg(span_t file)
{
    int has_frame = 0;
    if (file.end - file.at < 4 || memcmp(file.at, "\xff\xd8\xff", 3)) return 0;
    for (file.at += 2; file.end - file.at >= 4;) {
        int mark = file.at[1];
        if (file.at[0] != 0xff) return 0;
        if (mark == 0xff) {
            file.at++;
            continue;
        }
        unsigned long length = big_endian(file.at + 2, 2);
        if (mark < 0xc0 || (mark >= 0xd0 && mark <= 0xd9) || length < 2 || length > (unsigned long)(file.end - file.at - 2)) return 0;
        if (mark <= 0xcf && mark != 0xc4 && mark != 0xc8 && mark != 0xcc) has_frame = 1;
        file.at += 2 + length;
        if (mark == 0xda) return has_frame && memmem(file.at, file.end - file.at, "\xff\xd9", 2);
    }
    return 0;
}

static int is_blank(int c)
{
    return c == '\0' || c == '\t' || c == '\n' || c == '\f' || c == '\r' || c == ' ';
}

/* Header in the first byte, trailer at the end: readers look for both further in, which is how a file of another kind becomes one. */
static int is_pdf(span_t file)
{
    if (file.end - file.at < 32 || memcmp(file.at, "%PDF-", 5) || (file.at[5] != '1' && file.at[5] != '2') || file.at[6] != '.') return 0;
    while (is_blank(file.end[-1])) file.end--;
    if (memcmp(file.end - 5, "%%EOF", 5)) return 0;
    const unsigned char *tail = file.end - file.at > 1024 ? file.end - 1024 : file.at;
    return memmem(tail, file.end - tail, "startxref", 9) != NULL;
}

/* Two letters are no proof: the second header is one that there is, and the picture begins behind it. */
static int is_bmp(span_t file)
{
    static const unsigned char headers[] = {12, 40, 52, 56, 64, 108, 124};
    if (file.end - file.at <= 26 || memcmp(file.at, "BM", 2)) return 0;
    unsigned long header = little_endian(file.at + 14, 4), picture = little_endian(file.at + 10, 4);
    return header < 256 && memchr(headers, (int)header, sizeof headers) && picture >= 14 + header && picture < (unsigned long)(file.end - file.at);
}

/* The end of an archive, and its comment: a zip is read from behind, whatever stands before it. */
static int is_zip(span_t file)
{
    const unsigned char *tail = file.end - file.at > 65600 ? file.end - 65600 : file.at;
    return memmem(tail, file.end - tail, "PK\5\6", 4) != NULL;
}

const char *icp_document_type(const void *bytes, apr_size_t length)
{
    span_t file = {bytes, (const unsigned char *)bytes + length};
    if (is_zip(file)) return NULL;
    if (is_pdf(file)) return "application/pdf";
    if (is_jpeg(file)) return "image/jpeg";
    if (is_png(file)) return "image/png";
    return is_bmp(file) ? "image/bmp" : NULL;
}
