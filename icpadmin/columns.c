#include "columns.h"

#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <unistr.h>
#include <uniwidth.h>

#define NARROWEST 20 /* below that a terminal's size is taken for none */

int icp_columns_of(const char *text)
{
    int width = u8_strwidth((const uint8_t *)text, "UTF-8");
    return width < 0 ? 0 : width;
}

int icp_columns_of_terminal(int fd)
{
    struct winsize size;
    if (!isatty(fd) || ioctl(fd, TIOCGWINSZ, &size) || size.ws_col < NARROWEST) return 0;
    return size.ws_col;
}

static size_t fitting(const char *text, size_t length, int room)
{
    size_t used = 0;
    while (used < length) {
        ucs4_t character;
        int bytes = u8_mbtoucr(&character, (const uint8_t *)text + used, length - used);
        int width = bytes > 0 ? uc_width(character, "UTF-8") : 1;
        if (width > room) break;
        if (width > 0) room -= width;
        used += bytes > 0 ? (size_t)bytes : 1;
    }
    return used;
}

size_t icp_columns_fitting(const char *text, int room)
{
    return fitting(text, strlen(text), room);
}

static void new_line(int *at, int indent)
{
    printf("\n%*s", indent, "");
    *at = indent;
}

void icp_columns_fold(const char *text, int at, int indent, int width)
{
    if (!width) {
        puts(text);
        return;
    }
    if (indent > width / 2) indent = width / 2;
    int begun = 0; /* a word has been printed */
    while (*text) {
        size_t blanks = strspn(text, " "), word = strcspn(text + blanks, " ");
        int columns = u8_width((const uint8_t *)text + blanks, word, "UTF-8");
        if (at + (int)blanks + columns > width && begun) {
            new_line(&at, indent);
            blanks = (text += blanks, 0);
        }
        printf("%*s", (int)blanks, "");
        at += (int)blanks;
        text += blanks;
        for (size_t part; at + columns > width && (part = fitting(text, word, width - at)) > 0 && part < word;) {
            columns -= u8_width((const uint8_t *)text, part, "UTF-8");
            printf("%.*s", (int)part, text);
            text += part;
            word -= part;
            new_line(&at, indent);
        }
        printf("%.*s", (int)word, text);
        at += columns;
        text += word;
        begun = 1;
    }
    putchar('\n');
}
