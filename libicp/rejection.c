#include "rejection.h"

#include <string.h>

#include <apr_strings.h>

#include "json.h"
#include "text.h"

#define NOTE_MAX 2000                    /* bytes */
#define USUAL ICP_REJECTION_SMS_EXPIRED /* those before it are the bureaus' */

typedef struct rejection_t {
    const char *code;
    icp_words_t wrong, remedy;
} rejection_t;

static const rejection_t the_rejections[ICP_REJECTION_COUNT] = {
#define ROW(c, code, en, zh, do_en, do_zh) {code, {en, zh}, {do_en, do_zh}},
    ICP_REJECTIONS(ROW)
#undef ROW
};

static const rejection_t *find(const char *code)
{
    for (int i = 0; code && i < ICP_REJECTION_COUNT; i++) {
        if (!strcmp(the_rejections[i].code, code)) return &the_rejections[i];
    }
    return NULL;
}

static icp_error_t *no_code(const char *code, apr_pool_t *pool)
{
    const char *known = "";
    for (int i = 0; i < USUAL; i++)
        known = apr_pstrcat(pool, known, i ? ", " : "", the_rejections[i].code, NULL);
    return icp_error(pool, ICP_USAGE, apr_psprintf(pool, "say one of %s; anything else goes into --note", known),
                     "there is no reason `%s`", icp_text_printable(code, 60, pool));
}

icp_error_t *icp_reasons_from_codes(json_t **reasons, const apr_array_header_t *codes, const char *note, apr_pool_t *pool)
{
    const char *text = icp_text_trim(note, pool);
    *reasons = icp_json_keep(json_array(), pool);
    for (int i = 0; codes && i < codes->nelts; i++) {
        const char *code = APR_ARRAY_IDX(codes, i, const char *);
        const rejection_t *rejection = find(code);
        if (!rejection || rejection - the_rejections >= USUAL) return no_code(code, pool);
        json_array_append_new(*reasons, json_pack("{s:s}", "code", code));
    }
    if (!*text) return NULL;
    if (!icp_text_plain(text) || strlen(text) > NOTE_MAX) {
        return icp_error(pool, ICP_USAGE, "write one line of at most 2000 bytes", "the reason cannot be kept as it is");
    }
    json_array_append_new(*reasons, json_pack("{s:s}", "reason", text));
    return NULL;
}

json_t *icp_reasons_of(icp_rejection_e code, apr_pool_t *pool)
{
    return icp_json_keep(json_pack("[{s:s}]", "code", the_rejections[code].code), pool);
}

static const char *text_of(const json_t *reason, const char *name)
{
    return json_string_value(json_object_get(reason, name));
}

/* What is wrong and what to do, in that language; the latter NULL if nobody said. What staff wrote is in theirs. */
static void read_reason(const char **wrong, const char **remedy, const json_t *reason, icp_language_e language)
{
    const rejection_t *rejection = find(text_of(reason, "code"));
    const char *words = text_of(reason, language == ICP_LANGUAGE_ZH ? "zh" : "en");
    *wrong = rejection ? rejection->wrong[language] : words ? words : text_of(reason, "reason");
    *remedy = rejection ? rejection->remedy[language] : text_of(reason, "suggestion");
    if (!*wrong) *wrong = "";
}

json_t *icp_reasons_told(const json_t *reasons)
{
    static const char *const names[ICP_LANGUAGES][2] = {{"en", "suggestion_en"}, {"zh", "suggestion_zh"}};
    json_t *told = json_array();
    for (size_t i = 0; i < json_array_size(reasons); i++) {
        const json_t *reason = json_array_get(reasons, i);
        json_t *object = json_object();
        if (text_of(reason, "field")) json_object_set_new(object, "field", json_string(text_of(reason, "field")));
        for (int language = 0; language < ICP_LANGUAGES; language++) {
            const char *wrong, *remedy;
            read_reason(&wrong, &remedy, reason, (icp_language_e)language);
            json_object_set_new(object, names[language][0], json_string(wrong));
            if (remedy) json_object_set_new(object, names[language][1], json_string(remedy));
        }
        json_array_append_new(told, object);
    }
    return told;
}

/* Two sentences on one line: staff often leave the stop out. */
static const char *sentences(const char *first, const char *second, apr_pool_t *pool)
{
    static const char *const stops[] = {".", "!", "?", "。", "！", "？", "；", NULL};
    apr_size_t length = strlen(first);
    if (!second || !*second || !length) return first;
    for (const char *const *stop = stops; *stop; stop++) {
        apr_size_t width = strlen(*stop);
        if (length >= width && !strcmp(first + length - width, *stop))
            return apr_pstrcat(pool, first, width == 1 ? " " : "", second, NULL);
    }
    return apr_pstrcat(pool, first, first[length - 1] & 0x80 ? "。" : ". ", second, NULL);
}

const char *icp_reasons_text(const json_t *reasons, apr_size_t websites, icp_language_e language, apr_pool_t *pool)
{
    const char *text = "";
    for (size_t i = 0; i < json_array_size(reasons); i++) {
        const json_t *reason = json_array_get(reasons, i);
        const char *wrong, *remedy, *field = text_of(reason, "field");
        const char *label = field ? icp_form_label(field, websites, language, pool) : NULL;
        read_reason(&wrong, &remedy, reason, language);
        if (!label) label = field;
        text = apr_pstrcat(pool, text, *text ? "\n- " : "- ", label ? label : "", !label ? "" : language == ICP_LANGUAGE_ZH ? "——" : " – ",
                           sentences(wrong, remedy, pool), NULL);
    }
    return text;
}

json_t *icp_reasons_brief(const json_t *reasons)
{
    json_t *brief = json_array();
    for (size_t i = 0; i < json_array_size(reasons); i++) {
        const json_t *reason = json_array_get(reasons, i);
        const char *word = text_of(reason, "code");
        if (!word) word = text_of(reason, "field");
        json_array_append_new(brief, json_string(word ? word : "other"));
    }
    return brief;
}
