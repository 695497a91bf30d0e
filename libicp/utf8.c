#include "utf8.h"

int icp_utf8_next(const char *p, const char *end)
{
    unsigned char lead = (unsigned char)*p, low = 0x80, high = 0xBF;
    int need;
    if (lead < 0x80) return 1;
    if (lead < 0xC2 || lead > 0xF4) return -1;
    if (lead < 0xE0) need = 1;
    else if (lead < 0xF0) need = 2;
    else need = 3;
    if (lead == 0xE0) low = 0xA0;
    else if (lead == 0xED) high = 0x9F;
    else if (lead == 0xF0) low = 0x90;
    else if (lead == 0xF4) high = 0x8F;
    for (int i = 1; i <= need; i++) {
        if (p + i == end) return 0;
        unsigned char next = (unsigned char)p[i];
        if (next < low || next > high) return -i;
        low = 0x80;
        high = 0xBF;
    }
    return need + 1;
}

apr_size_t icp_utf8_put(char *out, unsigned long c)
{
    if (c == 0 || c > 0x10FFFF || (c >= 0xD800 && c <= 0xDFFF)) c = 0xFFFD;
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    if (c < 0x800) {
        out[0] = (char)(0xC0 | c >> 6);
        out[1] = (char)(0x80 | (c & 0x3F));
        return 2;
    }
    if (c < 0x10000) {
        out[0] = (char)(0xE0 | c >> 12);
        out[1] = (char)(0x80 | (c >> 6 & 0x3F));
        out[2] = (char)(0x80 | (c & 0x3F));
        return 3;
    }
    out[0] = (char)(0xF0 | c >> 18);
    out[1] = (char)(0x80 | (c >> 12 & 0x3F));
    out[2] = (char)(0x80 | (c >> 6 & 0x3F));
    out[3] = (char)(0x80 | (c & 0x3F));
    return 4;
}
