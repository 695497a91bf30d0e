/* What an uploaded file is, by its own bytes: see form.h. Each kind is followed from its first byte to its end, so that nothing
 * stands before or behind it.
 */
#include "form.h"

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

/* Chunks from IHDR to IEND, and nothing after it. */
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
        if (!memcmp(file.at + 4, "IEND", 4)) return has_picture && !length && file.end - file.at == 12;
        file.at += 12 + length;
    }
    return 0;
}

/* Segments up to the picture, and the mark of its end at the end; cameras fill up with zeros. */
static int is_jpeg(span_t file)
{
    int has_frame = 0;
    if (file.end - file.at < 4 || memcmp(file.at, "\xff\xd8\xff", 3)) return 0;
    while (file.end > file.at && !file.end[-1]) file.end--;
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
        if (mark == 0xda) return has_frame && file.end - file.at > 2 && !memcmp(file.end - 2, "\xff\xd9", 2);
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
    const unsigned char *archive = file.end - file.at > 65600 ? file.end - 65600 : file.at; /* the end of a zip, and its comment */
    return memmem(tail, file.end - tail, "startxref", 9) && !memmem(archive, file.end - archive, "PK\5\6", 4);
}

const char *icp_form_document_type(const void *bytes, apr_size_t length)
{
    span_t file = {bytes, (const unsigned char *)bytes + length};
    if (is_pdf(file)) return "application/pdf";
    if (is_jpeg(file)) return "image/jpeg";
    return is_png(file) ? "image/png" : NULL;
}
