#include "charset.h"

#include <string.h>

#include <apr_lib.h>
#include <apr_strings.h>

#include "utf8.h"
#include "markup.h"
#include "scan.h"

/* Those of the Encoding Standard, and the labels of each, separated by blanks. */
static const struct { icp_charset_t charset; const char *labels; } charsets[] = {
    {{"utf-8", NULL, ICP_DECODE_UTF8}, "utf-8 utf8 unicode-1-1-utf-8 unicode11utf8 unicode20utf8 x-unicode20utf8"},
    {{"gbk", "GB18030", ICP_DECODE_GB}, "gb2312 gbk gb_2312 gb_2312-80 chinese csgb2312 csiso58gb231280 iso-ir-58 x-gbk"},
    {{"gb18030", "GB18030", ICP_DECODE_GB}, "gb18030"},
    {{"big5", "BIG5-HKSCS", ICP_DECODE_TABLE}, "big5 big5-hkscs cn-big5 csbig5 x-x-big5"},
    {{"utf-16le", "UTF-16LE", ICP_DECODE_WIDE}, "utf-16 utf-16le csunicode iso-10646-ucs-2 ucs-2 unicode unicodefeff"},
    {{"utf-16be", "UTF-16BE", ICP_DECODE_WIDE}, "utf-16be unicodefffe"},
    {{"windows-1252", "CP1252", ICP_DECODE_TABLE}, "iso-8859-1 iso8859-1 iso88591 iso_8859-1 iso_8859-1:1987 latin1 l1 ascii us-ascii ansi_x3.4-1968 "
                                                   "cp1252 cp819 csisolatin1 ibm819 iso-ir-100 windows-1252 x-cp1252"},
    {{"shift_jis", "CP932", ICP_DECODE_TABLE}, "shift_jis shift-jis sjis csshiftjis ms932 ms_kanji windows-31j x-sjis"},
    {{"euc-jp", "EUC-JP", ICP_DECODE_TABLE}, "euc-jp x-euc-jp cseucpkdfmtjapanese"},
    {{"iso-2022-jp", "ISO-2022-JP", ICP_DECODE_TABLE}, "iso-2022-jp csiso2022jp"},
    {{"euc-kr", "CP949", ICP_DECODE_TABLE}, "euc-kr cseuckr csksc56011987 iso-ir-149 korean ks_c_5601-1987 ks_c_5601-1989 ksc5601 ksc_5601 windows-949"},
    {{"ibm866", "IBM866", ICP_DECODE_TABLE}, "ibm866 866 cp866 csibm866"},
    {{"iso-8859-2", "ISO-8859-2", ICP_DECODE_TABLE}, "iso-8859-2 iso8859-2 iso88592 iso_8859-2 iso_8859-2:1987 latin2 l2 csisolatin2 iso-ir-101"},
    {{"iso-8859-3", "ISO-8859-3", ICP_DECODE_TABLE}, "iso-8859-3 iso8859-3 iso88593 iso_8859-3 iso_8859-3:1988 latin3 l3 csisolatin3 iso-ir-109"},
    {{"iso-8859-4", "ISO-8859-4", ICP_DECODE_TABLE}, "iso-8859-4 iso8859-4 iso88594 iso_8859-4 iso_8859-4:1988 latin4 l4 csisolatin4 iso-ir-110"},
    {{"iso-8859-5", "ISO-8859-5", ICP_DECODE_TABLE}, "iso-8859-5 iso8859-5 iso88595 iso_8859-5 iso_8859-5:1988 cyrillic csisolatincyrillic iso-ir-144"},
    {{"iso-8859-6", "ISO-8859-6", ICP_DECODE_TABLE}, "iso-8859-6 iso8859-6 iso88596 iso_8859-6 iso_8859-6:1987 arabic asmo-708 csiso88596e csiso88596i "
                                                     "csisolatinarabic ecma-114 iso-8859-6-e iso-8859-6-i iso-ir-127"},
    {{"iso-8859-7", "ISO-8859-7", ICP_DECODE_TABLE}, "iso-8859-7 iso8859-7 iso88597 iso_8859-7 iso_8859-7:1987 greek greek8 csisolatingreek ecma-118 elot_928 "
                                                     "iso-ir-126 sun_eu_greek"},
    {{"iso-8859-8", "ISO-8859-8", ICP_DECODE_TABLE}, "iso-8859-8 iso8859-8 iso88598 iso_8859-8 iso_8859-8:1988 hebrew visual csiso88598e csisolatinhebrew "
                                                     "iso-8859-8-e iso-ir-138 csiso88598i iso-8859-8-i logical"},
    {{"iso-8859-10", "ISO-8859-10", ICP_DECODE_TABLE}, "iso-8859-10 iso8859-10 iso885910 latin6 l6 csisolatin6 iso-ir-157"},
    {{"iso-8859-13", "ISO-8859-13", ICP_DECODE_TABLE}, "iso-8859-13 iso8859-13 iso885913"},
    {{"iso-8859-14", "ISO-8859-14", ICP_DECODE_TABLE}, "iso-8859-14 iso8859-14 iso885914"},
    {{"iso-8859-15", "ISO-8859-15", ICP_DECODE_TABLE}, "iso-8859-15 iso8859-15 iso885915 iso_8859-15 csisolatin9 l9"},
    {{"iso-8859-16", "ISO-8859-16", ICP_DECODE_TABLE}, "iso-8859-16"},
    {{"koi8-r", "KOI8-R", ICP_DECODE_TABLE}, "koi8-r koi8 koi koi8_r cskoi8r"},
    {{"koi8-u", "KOI8-U", ICP_DECODE_TABLE}, "koi8-u koi8-ru"},
    {{"macintosh", "MACINTOSH", ICP_DECODE_TABLE}, "macintosh mac x-mac-roman csmacintosh"},
    {{"x-mac-cyrillic", "MAC-CYRILLIC", ICP_DECODE_TABLE}, "x-mac-cyrillic x-mac-ukrainian"},
    {{"windows-874", "CP874", ICP_DECODE_TABLE}, "windows-874 tis-620 iso-8859-11 iso8859-11 iso885911 dos-874"},
    {{"windows-1250", "CP1250", ICP_DECODE_TABLE}, "windows-1250 cp1250 x-cp1250"},
    {{"windows-1251", "CP1251", ICP_DECODE_TABLE}, "windows-1251 cp1251 x-cp1251"},
    {{"windows-1253", "CP1253", ICP_DECODE_TABLE}, "windows-1253 cp1253 x-cp1253"},
    {{"windows-1254", "CP1254", ICP_DECODE_TABLE}, "windows-1254 cp1254 x-cp1254 iso-8859-9 iso8859-9 iso88599 iso_8859-9 iso_8859-9:1989 latin5 l5 csisolatin5 "
                                                   "iso-ir-148"},
    {{"windows-1255", "CP1255", ICP_DECODE_TABLE}, "windows-1255 cp1255 x-cp1255"},
    {{"windows-1256", "CP1256", ICP_DECODE_TABLE}, "windows-1256 cp1256 x-cp1256"},
    {{"windows-1257", "CP1257", ICP_DECODE_TABLE}, "windows-1257 cp1257 x-cp1257"},
    {{"windows-1258", "CP1258", ICP_DECODE_TABLE}, "windows-1258 cp1258 x-cp1258"},
    {{"x-user-defined", "ASCII", ICP_DECODE_TABLE}, "x-user-defined"}, /* private characters beyond ASCII */
    {{"replacement", NULL, ICP_DECODE_NOTHING}, "replacement hz-gb-2312 iso-2022-cn iso-2022-cn-ext iso-2022-kr csiso2022kr"},
};

static const icp_charset_t *by_name(const char *name)
{
    for (apr_size_t i = 0; i < sizeof charsets / sizeof *charsets; i++) {
        if (strcmp(charsets[i].charset.name, name) == 0) return &charsets[i].charset;
    }
    return NULL;
}

static int in_list(const char *list, const char *word, apr_size_t length)
{
    while (*list) {
        apr_size_t next = strcspn(list, " ");
        if (next == length && strncasecmp(list, word, length) == 0) return 1;
        list += next + (list[next] == ' ');
    }
    return 0;
}

const icp_charset_t *icp_charset_by_label(const char *label, apr_size_t length)
{
    while (length > 0 && icp_is_space(*label)) label++, length--;
    while (length > 0 && icp_is_space(label[length - 1])) length--;
    for (apr_size_t i = 0; length > 0 && i < sizeof charsets / sizeof *charsets; i++) {
        if (in_list(charsets[i].labels, label, length)) return &charsets[i].charset;
    }
    return NULL;
}

/* The value after "charset" and '=' in the content of a meta element (HTML Standard, 2.5.5). */
static const icp_charset_t *by_parameter(const char *text, apr_size_t length)
{
    const char *end = text + length;
    for (const char *p = text; end - p > 7; p++) {
        if (strncasecmp(p, "charset", 7) != 0) continue;
        const char *value = p + 7;
        while (value < end && icp_is_space(*value)) value++;
        if (value == end || *value != '=') continue;
        value++;
        while (value < end && icp_is_space(*value)) value++;
        if (value == end) return NULL;
        if (*value == '"' || *value == '\'') {
            const char *close = memchr(value + 1, *value, (apr_size_t)(end - value - 1));
            return close ? icp_charset_by_label(value + 1, (apr_size_t)(close - value - 1)) : NULL;
        }
        const char *stop = value;
        while (stop < end && !icp_is_space(*stop) && *stop != ';' && *stop != ',') stop++;
        return icp_charset_by_label(value, (apr_size_t)(stop - value));
    }
    return NULL;
}

/* The first parameter of that name counts, and is quoted by " alone (MIME Sniffing Standard, 4.4). */
const icp_charset_t *icp_charset_by_type(const char *content_type)
{
    const char *p = content_type ? strchr(content_type, ';') : NULL;
    while (p && *p) {
        p += strspn(p, "; \t");
        int named = strncasecmp(p, "charset", 7) == 0 && p[7] == '=';
        p += strcspn(p, ";=");
        if (*p != '=') continue;
        const char *value = ++p;
        if (*value == '"') p = strchr(++value, '"');
        else p += strcspn(p, ";,");
        if (!p) p = value + strlen(value);
        if (named) return icp_charset_by_label(value, (apr_size_t)(p - value));
        p = strchr(p, ';');
    }
    return NULL;
}

const icp_charset_t *icp_charset_by_mark(const char *bytes, apr_size_t length, apr_size_t *mark)
{
    *mark = 0;
    if (length >= 3 && memcmp(bytes, "\xEF\xBB\xBF", 3) == 0) {
        *mark = 3;
        return by_name("utf-8");
    }
    if (length >= 2 && memcmp(bytes, "\xFF\xFE", 2) == 0) {
        *mark = 2;
        return by_name("utf-16le");
    }
    if (length >= 2 && memcmp(bytes, "\xFE\xFF", 2) == 0) {
        *mark = 2;
        return by_name("utf-16be");
    }
    if (length >= 4 && bytes[0] && !bytes[1] && bytes[2] && !bytes[3]) return by_name("utf-16le");
    if (length >= 4 && !bytes[0] && bytes[1] && !bytes[2] && bytes[3]) return by_name("utf-16be");
    return NULL;
}

/* What the search for a declaration in tags knows. */
typedef struct search_t {
    const char *bytes;
    const icp_charset_t *found;
    int head_over; /* a tag that stands in no head */
    int settled;
} search_t;

static void read_meta(search_t *search, icp_tag_t *tag)
{
    const icp_attribute_t *attribute;
    icp_attribute_t content = {0};
    const icp_charset_t *charset = NULL;
    int pragma = 0;
    icp_attributes_t at = {.tag = tag};
    while ((attribute = icp_markup_attribute(&at))) {
        if (attribute->which == ICP_ATTRIBUTE_CHARSET && !charset) charset = icp_charset_by_label(attribute->value, attribute->length);
        else if (attribute->which == ICP_ATTRIBUTE_CONTENT && !content.name) content = *attribute;
        else if (attribute->which == ICP_ATTRIBUTE_HTTP_EQUIV) {
            pragma = attribute->length == 12 && strncasecmp(attribute->value, "content-type", 12) == 0;
        }
    }
    if (!charset && pragma && content.name) charset = by_parameter(content.value, content.length);
    if (charset && charset->how == ICP_DECODE_WIDE) charset = by_name("utf-8"); /* it was read as ASCII, so it is not */
    search->found = charset;
}

#define PRESCAN 1024 /* a declaration in these bytes counts, whatever stands around it */

static void on_tag(search_t *search, icp_tag_t *tag, int in_head)
{
    if (!in_head) search->head_over = 1;
    if (search->head_over && tag->name - search->bytes >= PRESCAN) search->settled = 1;
    if (search->found || search->settled || tag->closing || tag->element->which != ICP_ELEMENT_META) return;
    read_meta(search, tag);
}

static icp_content_e on_start(void *baton, icp_tag_t *tag)
{
    static const char *const of_head[] = {"html", "head", "meta", "title", "link", "script", "style", "base", "noscript", "object", NULL};
    int in_head = 0;
    for (int i = 0; of_head[i]; i++) in_head |= strcmp(tag->element->name, of_head[i]) == 0;
    on_tag(baton, tag, in_head);
    return strcmp(tag->element->name, "noscript") == 0 ? ICP_CONTENT_MARKUP : tag->element->content; /* whether scripts run is not known yet */
}

static void on_end(void *baton, icp_tag_t *tag)
{
    on_tag(baton, tag, tag->element->which != ICP_ELEMENT_HEAD);
}

static void on_text(void *baton, char *text, apr_size_t length, int line, icp_content_e content)
{
}

static void on_comment(void *baton, const char *text, apr_size_t length, int line, int last)
{
}

static int no_cdata(void *baton)
{
    return 0;
}

static const icp_charset_t *in_xml_declaration(const char *bytes, apr_size_t length)
{
    if (length < 6 || memcmp(bytes, "<?xml", 5) != 0) return NULL;
    const char *end = memchr(bytes, '>', length), *p = end ? memmem(bytes, (apr_size_t)(end - bytes), "encoding", 8) : NULL;
    if (!p) return NULL;
    for (p += 8; p < end && (icp_is_space(*p) || *p == '='); p++) continue;
    if (p == end || (*p != '"' && *p != '\'')) return NULL;
    const char *close = memchr(p + 1, *p, (apr_size_t)(end - p - 1));
    const icp_charset_t *charset = close ? icp_charset_by_label(p + 1, (apr_size_t)(close - p - 1)) : NULL;
    return charset && charset->how == ICP_DECODE_WIDE ? by_name("utf-8") : charset;
}

const icp_charset_t *icp_charset_declared(char *bytes, apr_size_t length, int *settled)
{
    static const icp_markup_events_t events = {on_text, on_start, on_end, on_comment, no_cdata};
    search_t search = {.bytes = bytes};
    icp_markup_t markup;
    icp_markup_init(&markup, &events, &search);
    icp_markup_read(&markup, bytes, length, 0);
    if (!search.found) search.found = in_xml_declaration(bytes, length);
    *settled = search.found || search.settled;
    return search.found;
}

const icp_charset_t *icp_charset_guess(const char *bytes, apr_size_t length)
{
    const char *end = bytes + length;
    apr_size_t good = 0, bad = 0;
    while (bytes < end) {
        if ((signed char)*bytes > 0) {
            bytes = icp_scan_ascii(bytes, end);
            continue;
        }
        int size = icp_utf8_next(bytes, end);
        if (size == 0) break; /* cut by the end of the page */
        good += size > 1;
        bad += size < 0;
        bytes += size < 0 ? -size : size;
    }
    /* One broken character in a page of UTF-8 is more likely than GB18030 that reads as UTF-8 nineteen times in twenty. */
    return by_name(bad * 20 <= good ? "utf-8" : "gb18030");
}
