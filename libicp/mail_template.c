#include "mail_template.h"

#include <string.h>

#include <apr_file_info.h>
#include <apr_file_io.h>
#include <apr_hash.h>
#include <apr_strings.h>

#include "faq_link.h"
#include "icp_mail_pages.h"
#include "log.h"
#include "policy.h"
#include "template.h"
#include "text.h"
#include "workflow.h"

#define FACT_MAX 20000 /* bytes of a fact that are shown */

/* The vocabulary: facts; what the policy says; what is worked out from `reason`, or where there is none from `verdict`: "1" or
 * empty, by the names that the words of the notice use; and what an application's `kind` means: its name, and flags of the same sort. */
/* clang-format off */
#define NAMES(X)                                                                                                       \
    X(EVENT, "event") X(SUBJECT, "subject") X(SITE, "site") X(HOSTS, "hosts") X(REASON, "reason") X(VERDICT, "verdict") \
    X(CASE, "case") X(SINCE, "since") X(DEADLINE, "deadline") X(EXPECTED, "expected") X(SEEN, "seen") X(URL, "url")    \
    X(NUMBER, "number") X(APPLICATION, "application") X(HOLDER, "holder") X(KIND, "kind") X(STATE, "state")            \
    X(REASONS, "reasons") X(REASONS_ZH, "reasons-zh") X(REASONS_EN, "reasons-en") X(LINK, "link")                      \
    X(EXPECTED_BY, "expected-by") X(SITES, "sites") X(STOPPED, "stopped") X(CODE, "code") X(DOMAIN, "domain")          \
    X(REGISTRANT, "registrant") X(DOCUMENTS, "documents")                                                              \
    X(PROVIDER, "provider") X(CONTACT, "contact") X(APPLY_URL, "apply-url") X(FAQ_URL, "faq-url")                      \
    X(FAQ_ZH, "faq-zh") X(FAQ_EN, "faq-en")                                                                            \
    X(EXAMPLE, "example")                                                                                              \
    X(MISSING, "missing") X(INCORRECT, "incorrect") X(INVALID, "invalid") X(HIDDEN, "hidden")                          \
    X(UNLICENSED, "unlicensed") X(CANCELLED, "cancelled") X(ORDER, "order") X(UNREGISTERED, "unregistered")            \
    X(OTHER, "other") X(SUSPENDED, "suspended") X(REPAIR, "repair") X(FILING, "filing")                                \
    X(KIND_ZH, "kind-zh") X(KIND_EN, "kind-en") X(FIRST, "first") X(ADDS, "adds") X(CHANGE, "change")                  \
    X(CANCELS, "cancels") X(CANCEL_WEBSITE, "cancel-website") X(CANCEL_LICENSE, "cancel-license")                      \
    X(CANCEL_ACCESS, "cancel-access")
/* clang-format on */

enum {
#define ENTRY(c, name) V_##c,
    NAMES(ENTRY)
#undef ENTRY
    V_COUNT
};
static const char *const the_names[V_COUNT + 1] = {
#define ENTRY(c, name) name,
    NAMES(ENTRY)
#undef ENTRY
    NULL};

typedef struct page_t {
    const char *file, *text;
} page_t;

static const page_t built_in[] = {
#define ENTRY(file, text) {file, text},
    ICP_EMBEDDED(ENTRY)
#undef ENTRY
};
#define BUILT_IN (int)(sizeof built_in / sizeof *built_in)

typedef struct pair_t {
    icp_template_t *subject, *text;
} pair_t;

struct icp_mail_templates_t {
    apr_pool_t *pool;
    const char *folder;                  /* "" for none */
    icp_template_t *built_in_parts, *parts; /* the words, and parts.txt: built in, and in force */
    apr_hash_t *pairs;                   /* pair_t * by event */
    const char *provider, *contact, *apply_url, *faq_url;
};

static const char *find_built_in(const char *file)
{
    for (int i = 0; i < BUILT_IN; i++) {
        if (!strcmp(built_in[i].file, file)) return built_in[i].text;
    }
    return NULL;
}

static icp_error_t *parse_built_in_parts(icp_template_t **parts, apr_pool_t *pool)
{
    icp_template_t *words;
    const char *text = find_built_in("words.txt");
    ICP_TRY(icp_template_parse(&words, "words.txt", text, strlen(text), the_names, NULL, pool));
    text = find_built_in("parts.txt");
    return icp_template_parse(parts, "parts.txt", text, strlen(text), the_names, words, pool);
}

/* "Subject: …" is a template of its own; in the rest its line stays empty, so that errors name the line of the file. */
static icp_error_t *parse_pair(pair_t **result, const char *source, const char *text, const icp_template_t *parts, apr_pool_t *pool)
{
    static const char label[] = "Subject:";
    const char *end = strchr(text, '\n');
    pair_t *pair = apr_pcalloc(pool, sizeof *pair);
    if (strncmp(text, label, sizeof label - 1) || !end || *icp_text_trim(apr_pstrmemdup(pool, text, (apr_size_t)(end - text)), pool) == '\0') {
        return icp_error(pool, ICP_USAGE, "begin it with 'Subject: …' and an empty line", "%s line 1: the first line is not the subject", source);
    }
    const char *subject = icp_text_trim(apr_pstrmemdup(pool, text + sizeof label - 1, (apr_size_t)(end - text) - (sizeof label - 1)), pool);
    ICP_TRY(icp_template_parse(&pair->subject, source, subject, strlen(subject), the_names, parts, pool));
    ICP_TRY(icp_template_parse(&pair->text, source, end, strlen(end), the_names, parts, pool));
    *result = pair;
    return NULL;
}

/* Text of at most ICP_TEMPLATE_LIMIT bytes; ICP_NOT_FOUND if there is no such file. */
static icp_error_t *read_file(const char **text, const char *file, apr_pool_t *pool)
{
    apr_file_t *handle;
    apr_status_t rv = apr_file_open(&handle, file, APR_FOPEN_READ | APR_FOPEN_BINARY, APR_FPROT_OS_DEFAULT, pool);
    if (rv != APR_SUCCESS) return icp_error_os(pool, rv, "cannot open the template %s", file);
    char *buffer = apr_palloc(pool, ICP_TEMPLATE_LIMIT + 2);
    apr_size_t length = 0;
    rv = apr_file_read_full(handle, buffer, ICP_TEMPLATE_LIMIT + 1, &length);
    apr_file_close(handle);
    if (rv != APR_SUCCESS && rv != APR_EOF) return icp_error_os(pool, rv, "cannot read the template %s", file);
    if (memchr(buffer, '\0', length)) return icp_error(pool, ICP_USAGE, NULL, "%s line 1: the template is not UTF-8 text", file);
    buffer[length] = '\0';
    *text = buffer;
    return NULL;
}

static icp_error_t *load_parts(icp_template_t **parts, const char *folder, const icp_template_t *words, apr_pool_t *pool)
{
    const char *file = apr_pstrcat(pool, folder, "/parts.txt", NULL);
    return icp_template_load(parts, file, the_names, words, pool);
}

static icp_error_t *load_pair(pair_t **pair, const char *file, const icp_template_t *parts, apr_pool_t *pool)
{
    const char *text;
    ICP_TRY(read_file(&text, file, pool));
    return parse_pair(pair, file, text, parts, pool);
}

static icp_error_t *check_file(const char *folder, const char *name, const icp_template_t *parts, apr_pool_t *pool)
{
    pair_t *pair;
    const char *file = apr_pstrcat(pool, folder, "/", name, NULL);
    if (!strcmp(name, "parts.txt")) return NULL;
    if (!strcmp(name, "words.txt") || !find_built_in(name)) {
        return icp_error(pool, ICP_USAGE, "name it as one of those in docs/mail.md, or give it another ending than .txt",
                         "%s is not named after an event", file);
    }
    return load_pair(&pair, file, parts, pool);
}

icp_error_t *icp_mail_templates_check(const char *folder, apr_pool_t *pool)
{
    icp_template_t *parts;
    apr_dir_t *directory;
    apr_finfo_t entry;
    ICP_TRY(parse_built_in_parts(&parts, pool));
    if (*folder != '/') return icp_error(pool, ICP_USAGE, "give its whole path", "`%s` is no folder of templates", icp_text_printable(folder, 200, pool));
    apr_status_t rv = apr_dir_open(&directory, folder, pool);
    if (rv != APR_SUCCESS) return icp_error_os(pool, rv, "cannot read the folder of templates %s", icp_text_printable(folder, 200, pool));
    icp_error_t *error = load_parts(&parts, folder, parts, pool);
    if (error && error->status == ICP_NOT_FOUND) error = NULL;
    while (!error && apr_dir_read(&entry, APR_FINFO_NAME, directory) == APR_SUCCESS) {
        apr_size_t length = strlen(entry.name);
        if (*entry.name == '.' || length < 4 || strcmp(entry.name + length - 4, ".txt")) continue;
        error = check_file(folder, entry.name, parts, pool);
    }
    apr_dir_close(directory);
    return error;
}

icp_error_t *icp_mail_templates_open(icp_mail_templates_t **result, icp_register_t *reg, apr_pool_t *pool)
{
    icp_mail_templates_t *templates = apr_pcalloc(pool, sizeof *templates);
    templates->pool = pool;
    templates->pairs = apr_hash_make(pool);
    ICP_TRY(icp_policy_text(&templates->folder, NULL, reg, ICP_POLICY_MAIL_TEMPLATES, pool));
    ICP_TRY(icp_policy_text(&templates->provider, NULL, reg, ICP_POLICY_PROVIDER, pool));
    ICP_TRY(icp_policy_text(&templates->contact, NULL, reg, ICP_POLICY_CONTACT, pool));
    ICP_TRY(icp_policy_text(&templates->apply_url, NULL, reg, ICP_POLICY_APPLY_URL, pool));
    ICP_TRY(icp_policy_text(&templates->faq_url, NULL, reg, ICP_POLICY_FAQ_URL, pool));
    ICP_TRY(parse_built_in_parts(&templates->built_in_parts, pool));
    templates->parts = templates->built_in_parts;
    if (*templates->folder) {
        icp_error_t *error = load_parts(&templates->parts, templates->folder, templates->built_in_parts, pool);
        if (error) templates->parts = templates->built_in_parts;
        if (error && error->status != ICP_NOT_FOUND) icp_log(ICP_LOG_WARNING, "%s; the built-in parts are used", error->message);
    }
    *result = templates;
    return NULL;
}

static icp_error_t *find_pair(pair_t **pair, icp_mail_templates_t *templates, const char *event)
{
    apr_pool_t *pool = templates->pool;
    *pair = apr_hash_get(templates->pairs, event, APR_HASH_KEY_STRING);
    if (*pair) return NULL;
    const char *file = apr_pstrcat(pool, event, ".txt", NULL), *text = find_built_in(file);
    if (!text || !strchr(event, '.')) {
        return icp_error(pool, ICP_NOT_FOUND, "put EVENT.txt into the folder of templates", "there is no template for mails about %s",
                         icp_text_printable(event, 60, pool));
    }
    icp_error_t *error = NULL;
    if (*templates->folder) error = load_pair(pair, apr_pstrcat(pool, templates->folder, "/", file, NULL), templates->parts, pool);
    if (error && error->status != ICP_NOT_FOUND) icp_log(ICP_LOG_WARNING, "%s; the built-in template is used", error->message);
    if (!*pair || error) ICP_TRY(parse_pair(pair, file, text, templates->built_in_parts, pool));
    apr_hash_set(templates->pairs, apr_pstrdup(pool, event), APR_HASH_KEY_STRING, *pair);
    return NULL;
}

/* What a stranger wrote as text that shows nothing but itself; its line ends stay. */
static const char *clean(const char *text, apr_pool_t *pool)
{
    const char *result = "";
    for (const char *end; ; text = end + 1) {
        end = text + strcspn(text, "\n");
        const char *line = apr_pstrmemdup(pool, text, (apr_size_t)(end - text));
        apr_size_t length = strlen(line);
        if (length && line[length - 1] == '\r') line = apr_pstrmemdup(pool, line, length - 1);
        result = apr_pstrcat(pool, result, icp_text_printable(line, FACT_MAX, pool), *end ? "\n" : "", NULL);
        if (!*end) return result;
    }
}

static const char *fact_text(const json_t *value, apr_pool_t *pool)
{
    if (json_is_string(value)) return clean(json_string_value(value), pool);
    if (json_is_integer(value)) return apr_psprintf(pool, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    return NULL;
}

/* As the notice has them. */
static void set_flags(const char **values)
{
    const char *reason = values[V_REASON] && *values[V_REASON] ? values[V_REASON] : values[V_VERDICT];
    int known = V_OTHER;
    if (!reason || !*reason) return;
    for (int flag = V_MISSING; flag < V_OTHER; flag++) {
        if (!strcmp(the_names[flag], reason)) known = flag;
    }
    int filing = known == V_UNLICENSED || known == V_CANCELLED;
    values[known] = "1";
    values[V_FILING] = filing ? "1" : "";
    values[V_REPAIR] = filing || known == V_ORDER ? "" : "1";
    values[V_SUSPENDED] = known == V_UNLICENSED ? "" : "1";
}

/* What it is called, and what depends on it. */
static void set_kind(const char **values)
{
    int known = values[V_KIND] ? icp_form_kind(values[V_KIND]) : -1;
    if (known < 0) return;
    icp_form_kind_e kind = (icp_form_kind_e)known;
    values[V_KIND_ZH] = icp_form_kinds[kind].label[ICP_LANGUAGE_ZH];
    values[V_KIND_EN] = icp_form_kinds[kind].label[ICP_LANGUAGE_EN];
    values[V_FIRST] = kind == ICP_FORM_FIRST ? "1" : "";
    values[V_ADDS] = icp_app_adds(kind) ? "1" : "";
    values[V_CHANGE] = kind == ICP_FORM_CHANGE ? "1" : "";
    values[V_CANCELS] = icp_app_cancels(kind) ? "1" : "";
    values[V_CANCEL_WEBSITE] = kind == ICP_FORM_CANCEL_WEBSITE ? "1" : "";
    values[V_CANCEL_LICENSE] = kind == ICP_FORM_CANCEL_LICENSE ? "1" : "";
    values[V_CANCEL_ACCESS] = kind == ICP_FORM_CANCEL_ACCESS ? "1" : "";
}

/* The question of the FAQ that an event's mail leads to: the first that fits. */
static const char *question_of(const char *event, const char **values)
{
    static const struct { const char *event, *question; } questions[] = {
        {"site.enabled", "show"}, {"application.approved", "html"}, {"application.rejected", "rejected"},
        {"application.received", "time"}, {"application.corrected", "time"}, {"application.reviewing", "time"},
        {"application.bureau-review", "time"}, {"application.", "steps"}, {"domain.", "cn"}, {"outbox.", "what"}};
    for (apr_size_t i = 0; i < sizeof questions / sizeof *questions; i++) {
        if (!strncmp(event, questions[i].event, strlen(questions[i].event))) return questions[i].question;
    }
    for (int flag = V_MISSING; flag < V_OTHER; flag++) {
        if (values[flag]) return the_names[flag];
    }
    return "off";
}

static const char **make_values(const icp_mail_templates_t *templates, const char *event, const char *about, const json_t *facts,
                                apr_pool_t *pool)
{
    const char **values = apr_pcalloc(pool, V_COUNT * sizeof *values);
    for (int i = 0; i < V_PROVIDER; i++) values[i] = fact_text(json_object_get(facts, the_names[i]), pool);
    values[V_EVENT] = event;
    values[V_SUBJECT] = clean(about, pool);
    values[V_PROVIDER] = templates->provider;
    values[V_CONTACT] = templates->contact;
    values[V_APPLY_URL] = templates->apply_url;
    values[V_FAQ_URL] = templates->faq_url;
    const char *expected = values[V_EXPECTED]; /* numbers hold no space */
    values[V_EXAMPLE] = expected ? apr_pstrmemdup(pool, expected, strcspn(expected, " ,")) : NULL;
    set_flags(values);
    set_kind(values);
    const char *question = question_of(event, values), *number = strncmp(event, "site.", 5) ? NULL : values[V_EXAMPLE];
    values[V_FAQ_ZH] = icp_faq_link(templates->faq_url, 1, number, question, pool);
    values[V_FAQ_EN] = icp_faq_link(templates->faq_url, 0, number, question, pool);
    return values;
}

static const char *on_one_line(const char *text, apr_pool_t *pool)
{
    char *line = apr_pstrdup(pool, text);
    for (char *at = line; (at = strpbrk(at, "\r\n")) != NULL; at++) *at = ' ';
    return line;
}

icp_error_t *icp_mail_fill(const char **subject, const char **text, icp_mail_templates_t *templates, const char *event,
                           const char *about, const json_t *facts, apr_pool_t *pool)
{
    pair_t *pair;
    ICP_TRY(find_pair(&pair, templates, event));
    const char **values = make_values(templates, event, about, facts, pool);
    *subject = icp_text_trim(on_one_line(icp_template_render(pair->subject, NULL, values, ICP_ESCAPE_NONE, pool), pool), pool);
    *text = icp_template_render(pair->text, NULL, values, ICP_ESCAPE_NONE, pool);
    *text += strspn(*text, "\n");
    return NULL;
}
