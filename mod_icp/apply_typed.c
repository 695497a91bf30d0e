#include "apply_typed.h"

#include <stdlib.h>

#include <apr_strings.h>

#include "document.h"
#include "json.h"
#include "text.h"

/* Bytes as they came: the form's checks say whether they are text. Browsers end lines with CR LF. */
static json_t *as_typed(const char *text, apr_pool_t *pool)
{
    char *copy = apr_pstrdup(pool, text), *to = copy;
    for (const char *from = copy; *from; from++) {
        if (*from != '\r' || from[1] != '\n') *to++ = *from;
    }
    *to = '\0';
    return json_string_nocheck(copy);
}

static void take_field(json_t *object, const icp_form_field_t *field, const icp_multipart_t *upload, const char *id, apr_pool_t *pool)
{
    const char *text = icp_multipart_field(upload, id);
    if (!*text) return;
    json_t *value = as_typed(text, pool);
    json_object_set_new(object, field->name, strcmp(field->name, "hosts") ? value : json_pack("[o]", value));
}

static json_t *take_website(const icp_multipart_t *upload, int kind, int number, apr_pool_t *pool)
{
    json_t *website = json_object();
    for (const icp_form_field_t *field = icp_form_fields; field->name; field++) {
        if (!strcmp(field->group, "websites") && icp_form_asks(field, kind, "")) {
            take_field(website, field, upload, apr_psprintf(pool, "websites.%d.%s", number, field->name), pool);
        }
    }
    return website;
}

/* In a change no website need be named: an empty one is none. */
static json_t *take_websites(const icp_multipart_t *upload, int kind, int add, int leave_out, apr_pool_t *pool)
{
    json_t *websites = json_array();
    int count = atoi(icp_multipart_field(upload, "websites"));
    if (count < 1 || count > ICP_FORM_WEBSITES_MAX) count = 1;
    for (int i = 0; i < count; i++) {
        if (i != leave_out) json_array_append_new(websites, take_website(upload, kind, i, pool));
    }
    if (add && count < ICP_FORM_WEBSITES_MAX) json_array_append_new(websites, json_object());
    while (!add && kind == ICP_FORM_CHANGE && json_array_size(websites) && !json_object_size(json_array_get(websites, json_array_size(websites) - 1))) {
        json_array_remove(websites, json_array_size(websites) - 1);
    }
    return websites;
}

static int add_confirmed(void *list, const char *name, const char *value)
{
    if (strlen(value) < 100) json_array_append_new(list, json_string(value));
    return 1;
}

json_t *icp_apply_typed(const icp_multipart_t *upload, int kind, icp_language_e language, int add, int leave_out, apr_pool_t *pool)
{
    json_t *typed = json_pack("{s:s, s:s, s:{}, s:{}, s:[]}", "kind", icp_form_kinds[kind].value, "language",
                              language == ICP_LANGUAGE_EN ? "en" : "zh", "holder", "contact", "confirmed");
    icp_json_keep(typed, pool);
    for (const icp_form_field_t *field = icp_form_fields; field->name; field++) {
        if (!strcmp(field->group, "websites") || !icp_form_asks(field, kind, "")) continue;
        json_t *object = *field->group ? json_object_get(typed, field->group) : typed;
        take_field(object, field, upload, *field->group ? apr_pstrcat(pool, field->group, ".", field->name, NULL) : field->name, pool);
    }
    json_object_set_new(typed, "websites", take_websites(upload, kind, add, leave_out, pool));
    apr_table_do(add_confirmed, json_object_get(typed, "confirmed"), upload->fields, "confirmed", NULL);
    return typed;
}

/* --- documents ------------------------------------------------------------------------------------------ */

static const icp_multipart_file_t *find_file(const icp_multipart_t *upload, const char *field)
{
    for (int i = 0; i < upload->files->nelts; i++) {
        const icp_multipart_file_t *file = &APR_ARRAY_IDX(upload->files, i, icp_multipart_file_t);
        if (!strcmp(file->field, field) && (*file->name || file->length)) return file;
    }
    return NULL;
}

static int is_on_file(const json_t *kinds, const char *kind)
{
    size_t index;
    json_t *entry;
    json_array_foreach((json_t *)kinds, index, entry) {
        if (json_is_string(entry) && !strcmp(json_string_value(entry), kind)) return 1;
    }
    return 0;
}

/* The last part of what was a path, and no more of it than can be shown. */
static const char *shown_name(const char *name, apr_pool_t *pool)
{
    const char *slash = strrchr(name, '/'), *backslash = strrchr(slash ? slash : name, '\\');
    name = backslash ? backslash + 1 : slash ? slash + 1 : name;
    return icp_text_printable(*name ? name : "file", 90, pool);
}

static void refuse(apr_array_header_t *issues, const char *field, const char *english, const char *chinese)
{
    *(icp_form_issue_t *)apr_array_push(issues) = (icp_form_issue_t){field, 0, {english, chinese}};
}

apr_array_header_t *icp_apply_documents(apr_array_header_t *issues, const icp_multipart_t *upload, int kind, const char *holder,
                                        const json_t *on_file, apr_pool_t *pool)
{
    apr_array_header_t *documents = apr_array_make(pool, 4, sizeof(icp_intake_document_t));
    for (const icp_form_document_t *document = icp_form_documents; document->kind; document++) {
        if (!icp_form_document_asked(document, kind, holder)) continue;
        const char *field = apr_pstrcat(pool, "document.", document->kind, NULL);
        const icp_multipart_file_t *file = find_file(upload, field);
        int is_large = file && file->length > ICP_DOCUMENT_LIMIT;
        const char *type = file && !is_large ? icp_form_document_type(file->bytes, file->length) : NULL;
        if (type) {
            *(icp_intake_document_t *)apr_array_push(documents) =
                (icp_intake_document_t){document->kind, shown_name(file->name, pool), type, file->bytes, file->length};
        }
        else if (is_large) {
            refuse(issues, field, "This file is larger than 5 MB. Make it smaller, for instance by scanning at 150 dpi.",
                   "文件超过 5 MB，请缩小后再上传，例如以 150 dpi 扫描。");
        }
        else if (file) {
            refuse(issues, field, "This is no PDF, JPEG or PNG, whatever its name says, or it is empty or damaged. Save it anew as one of these; photos in HEIC or WebP "
                   "and Word files have to be converted.",
                   "文件内容不是 PDF、JPEG 或 PNG（与文件名无关），或是空文件，或已损坏。请重新保存为其中一种格式；HEIC、WebP 照片和 Word 文档须先转换。");
        }
        else if (icp_form_document_required(document, kind, holder) && !is_on_file(on_file, document->kind)) {
            refuse(issues, field, "Please choose this file.", "请选择此文件。");
        }
    }
    return documents;
}
