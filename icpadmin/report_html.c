/* The report for paper and for a screen: see report_write.h. The page's head is conf/report/head.html. */
#include <stdarg.h>
#include <string.h>

#include <apr_escape.h>
#include <apr_strings.h>

#include "icp_report_pages.h"
#include "output.h"
#include "report_write.h"
#include "suspension.h"

typedef struct page_t {
    FILE *out;
    const char *const *headings; /* of the table under way: "网站 Site" */
    apr_pool_t *pool;
} page_t;

static const char *escaped(const page_t *page, const char *text)
{
    return apr_pescape_entity(page->pool, icp_printable(text, page->pool), 0);
}

static void begin_table(page_t *page, const char *title, int rows, const char *const *headings)
{
    fprintf(page->out, "<h2>%s</h2>\n", title);
    page->headings = headings;
    if (!rows) {
        fputs("<p class=none>无 None</p>\n", page->out);
        return;
    }
    fputs("<table class=wide><thead><tr>", page->out);
    for (; *headings; headings++) fprintf(page->out, "<th scope=col>%s</th>", *headings);
    fputs("</tr></thead><tbody>\n", page->out);
}

static void end_table(const page_t *page, int rows)
{
    if (rows) fputs("</tbody></table>\n", page->out);
}

/* One cell for each heading (const char *, NULL or empty: a dash). */
static void row(const page_t *page, ...)
{
    va_list cells;
    va_start(cells, page);
    fputs("<tr>", page->out);
    for (const char *const *heading = page->headings; *heading; heading++) {
        const char *cell = va_arg(cells, const char *);
        fprintf(page->out, "<td data-label=\"%s\">%s</td>", *heading, cell && *cell ? escaped(page, cell) : "–");
    }
    va_end(cells);
    fputs("</tr>\n", page->out);
}

/* A word of the register with its Chinese before it; NULL for NULL. */
static const char *word(const page_t *page, const char *text)
{
    static const struct {
        const char *word, *chinese;
    } words[] = {{"displayed", "已显示"},     {"missing", "未显示"},     {"incorrect", "号码不符"},   {"invalid", "号码无效"},
                 {"hidden", "号码被隐藏"},    {"unreadable", "无法判断"}, {"unlicensed", "无备案"},    {"cancelled", "备案已注销"},
                 {"order", "主管部门要求"},   {"inspection", "复查"},    {"attested", "人工确认"},    {"active", "有效"},
                 {"revoked", "备案被撤销"},   {"sent", "已发出"},        {"not sent", "未发出"},      {"mailed", "已发邮件"},
                 {"no mail", "无邮件"}};
    for (size_t i = 0; text && i < sizeof words / sizeof *words; i++) {
        if (!strcmp(words[i].word, text)) return apr_pstrcat(page->pool, words[i].chinese, " ", text, NULL);
    }
    return text;
}

static void total(const page_t *page, const char *what, apr_int64_t count)
{
    fprintf(page->out, "<tr><th scope=row>%s</th><td class=n>%" APR_INT64_T_FMT "</td></tr>\n", what, count);
}

static void write_totals(const page_t *page, const icp_report_t *report)
{
    fputs("<h2>总计 Totals</h2>\n<table class=totals><tbody>\n", page->out);
    total(page, "期末在册网站 Sites on file at the end", report->sites->nelts);
    total(page, "本月移除网站 Sites removed", report->removed);
    total(page, "备案主体 Licenses on file", report->licenses->nelts);
    total(page, "检查次数 Looks at home pages", report->looks);
    total(page, "警告 Warnings", report->warnings->nelts);
    total(page, "人工复核 Reviews by a person", report->reviews->nelts);
    total(page, "豁免 Exemptions", report->exemptions->nelts);
    total(page, "期初暂停中 Suspended at the beginning", report->open_before);
    total(page, "本月暂停 Suspensions opened", report->opened);
    total(page, "本月恢复 Suspensions closed", report->closed);
    total(page, "其中人工确认 Of these by attestation", report->attested);
    total(page, "期末暂停中 Suspended at the end", report->open_after);
    fputs("</tbody></table>\n", page->out);
}

static const char *time_of(const page_t *page, apr_time_t at)
{
    apr_time_exp_t t;
    if (!at || apr_time_exp_tz(&t, at, ICP_REPORT_ZONE)) return "";
    return apr_psprintf(page->pool, "%04d-%02d-%02d %02d:%02d", t.tm_year + 1900, t.tm_mon + 1, t.tm_mday, t.tm_hour, t.tm_min);
}

static void write_cases(page_t *page, const icp_report_t *report)
{
    static const char *const headings[] = {"编号 Case",   "网站 Site",      "原因 Reason",  "暂停 Opened", "经办 By", "告知 Told", "恢复 Closed",
                                           "经办 Closed by", "时长 Hours", "依据 Ground", "备注 Note",   NULL};
    begin_table(page, "暂停与恢复 Suspensions", report->cases->nelts, headings);
    for (int i = 0; i < report->cases->nelts; i++) {
        const icp_report_case_t *found = &APR_ARRAY_IDX(report->cases, i, icp_report_case_t);
        const char *ground = word(page, found->ground);
        if (ground && found->number) ground = apr_pstrcat(page->pool, ground, ": ", found->number, NULL);
        const char *note = apr_pstrcat(page->pool, found->note ? found->note : "",
                                       found->closing && *found->closing ? " / " : "", found->closing ? found->closing : "", NULL);
        row(page, apr_psprintf(page->pool, ICP_CASE_FORMAT, found->id), found->site, word(page, found->reason), time_of(page, found->opened_at),
            found->opened_by, time_of(page, found->told_at), found->closed_at ? time_of(page, found->closed_at) : "暂停中 open", found->closed_by,
            icp_report_duration(found, report, page->pool), ground, note);
    }
    end_table(page, report->cases->nelts);
}

static void write_sites(page_t *page, const icp_report_t *report)
{
    static const char *const headings[] = {"网站 Site",    "域名 Hosts",      "备案号 Numbers", "主办单位 Holder",
                                           "检查 Looks", "最近检查 Newest look", "结果 Verdict", "状态 State",      NULL};
    begin_table(page, "期末在册网站 Sites on file at the end", report->sites->nelts, headings);
    for (int i = 0; i < report->sites->nelts; i++) {
        const icp_report_site_t *site = &APR_ARRAY_IDX(report->sites, i, icp_report_site_t);
        row(page, site->name, site->hosts, site->numbers, site->holders, apr_psprintf(page->pool, "%" APR_INT64_T_FMT, site->looks),
            time_of(page, site->looked_at), site->verdict ? word(page, site->verdict) : "未检查 never",
            site->suspended ? apr_psprintf(page->pool, "暂停 suspended, " ICP_CASE_FORMAT, site->suspended) : "开放 open");
    }
    end_table(page, report->sites->nelts);
}

static void write_licenses(page_t *page, const icp_report_t *report)
{
    static const char *const headings[] = {"备案号 License", "主办单位 Holder", "状态 Status", "自 Since", NULL};
    begin_table(page, "备案主体 Licenses", report->licenses->nelts, headings);
    for (int i = 0; i < report->licenses->nelts; i++) {
        const icp_report_license_t *license = &APR_ARRAY_IDX(report->licenses, i, icp_report_license_t);
        row(page, license->number, license->holder, word(page, license->status), time_of(page, license->since));
    }
    end_table(page, report->licenses->nelts);
}

static void write_turns(page_t *page, const icp_report_t *report)
{
    static const char *const headings[] = {"时间 At", "网站 Site", "此前 Before", "结果 Verdict", NULL};
    begin_table(page, "检查结果变化 Changes of verdict", report->turns->nelts, headings);
    for (int i = 0; i < report->turns->nelts; i++) {
        const icp_report_turn_t *turn = &APR_ARRAY_IDX(report->turns, i, icp_report_turn_t);
        row(page, time_of(page, turn->at), turn->site, word(page, turn->before), word(page, turn->verdict));
    }
    end_table(page, report->turns->nelts);
}

static void write_warnings(page_t *page, const icp_report_t *report)
{
    static const char *const headings[] = {"时间 At", "网站 Site", "检查结果 Verdict", "整改期限 Deadline", "告知 Told", NULL};
    begin_table(page, "警告 Warnings", report->warnings->nelts, headings);
    for (int i = 0; i < report->warnings->nelts; i++) {
        const icp_report_warning_t *warning = &APR_ARRAY_IDX(report->warnings, i, icp_report_warning_t);
        row(page, time_of(page, warning->at), warning->site, word(page, warning->verdict), warning->deadline ? time_of(page, warning->deadline) : NULL,
            warning->told_at ? time_of(page, warning->told_at) : word(page, icp_report_mailed(warning)));
    }
    end_table(page, report->warnings->nelts);
}

static void write_reviews(page_t *page, const icp_report_t *report)
{
    static const char *const headings[] = {"时间 At", "网站 Site", "经办 By", "检查结果 Verdict", "访客所见 Visitors got", "说明 Note", NULL};
    begin_table(page, "人工复核 Reviews by a person", report->reviews->nelts, headings);
    for (int i = 0; i < report->reviews->nelts; i++) {
        const icp_report_review_t *review = &APR_ARRAY_IDX(report->reviews, i, icp_report_review_t);
        row(page, time_of(page, review->at), review->site, review->by, word(page, review->verdict), word(page, review->sighting), review->note);
    }
    end_table(page, report->reviews->nelts);
}

static void write_exemptions(page_t *page, const icp_report_t *report)
{
    static const char *const headings[] = {"自 From", "至 Until", "网站 Site", "检查结果 Verdict", "经办 By", "撤销 Removed by", "说明 Note", NULL};
    begin_table(page, "豁免 Exemptions", report->exemptions->nelts, headings);
    for (int i = 0; i < report->exemptions->nelts; i++) {
        const icp_report_exemption_t *exemption = &APR_ARRAY_IDX(report->exemptions, i, icp_report_exemption_t);
        row(page, time_of(page, exemption->from), time_of(page, exemption->removed_at ? exemption->removed_at : exemption->until),
            exemption->site ? exemption->site : "全部 every site", exemption->verdict ? word(page, exemption->verdict) : "不限 any", exemption->by,
            exemption->removed_by, exemption->note);
    }
    end_table(page, report->exemptions->nelts);
}

void icp_report_html(FILE *out, const icp_report_t *report, apr_pool_t *pool)
{
    page_t page = {.out = out, .pool = pool};
    const char *from = time_of(&page, report->from), *until = time_of(&page, report->until);
    fputs(icp_head_html, out);
    fprintf(out, "<title>ICP %s</title>\n<h1>ICP 备案检查月报 %s</h1>\n<p>Monthly report on ICP numbers, %s<br>\n", report->month,
            report->month, report->month);
    fprintf(out, "北京时间 Beijing time: %s – %s</p>\n", from, until);
    if (!report->complete)
        fputs("<p class=under-way>本月尚未结束，数据不完整。 The month is under way: this report is incomplete.</p>\n", out);
    write_totals(&page, report);
    write_cases(&page, report);
    write_sites(&page, report);
    write_licenses(&page, report);
    write_turns(&page, report);
    write_warnings(&page, report);
    write_reviews(&page, report);
    write_exemptions(&page, report);
    fputs("</html>\n", out);
}
