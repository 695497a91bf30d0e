/* Distance between words (optimal string alignment). It knows nothing of commands. */
#include "suggest.h"

#include <string.h>

#define LONGEST 24

static int least(int a, int b)
{
    return a < b ? a : b;
}

static int distance(const char *a, const char *b)
{
    int rows[LONGEST + 1][LONGEST + 1];
    int n = (int)strlen(a), m = (int)strlen(b);
    if (n > LONGEST || m > LONGEST) return 2 * LONGEST;
    for (int i = 0; i <= n; i++) {
        for (int k = 0; k <= m; k++) {
            if (!i || !k) {
                rows[i][k] = i + k;
                continue;
            }
            rows[i][k] = least(least(rows[i - 1][k], rows[i][k - 1]) + 1, rows[i - 1][k - 1] + (a[i - 1] != b[k - 1]));
            if (i > 1 && k > 1 && a[i - 1] == b[k - 2] && a[i - 2] == b[k - 1]) {
                rows[i][k] = least(rows[i][k], rows[i - 2][k - 2] + 1);
            }
        }
    }
    return rows[n][m];
}

const char *icp_suggest(const char *word, const apr_array_header_t *words)
{
    const char *best = NULL;
    int nearest = 1 + (int)strlen(word) / 3;
    for (int i = 0; i < words->nelts; i++) {
        const char *candidate = APR_ARRAY_IDX(words, i, const char *);
        int edits = distance(word, candidate);
        if (edits <= nearest && edits < (int)strlen(candidate)) {
            if (edits < nearest || !best) best = candidate;
            nearest = edits;
        }
    }
    return best;
}
