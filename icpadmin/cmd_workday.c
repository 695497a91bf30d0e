/* `icpadmin workday`: by when something in working days is over, for staff on the telephone. */
#include <apr_strings.h>

#include "dates.h"
#include "options.h"
#include "output.h"

#define AHEAD 30   /* days in which a long holiday is worth a word */
#define MOST 10000 /* working days: forty years */

typedef struct answer_t {
    icp_day_t day, end;
    int works, estimated;
    apr_int64_t count;
    icp_holiday_t holiday;
    int has_holiday;
} answer_t;

static json_t *answer_json(const answer_t *answer, apr_pool_t *pool)
{
    json_t *object = json_object(), *holiday = json_null();
    if (answer->has_holiday) {
        holiday =
            json_pack("{s:s, s:s, s:s, s:s}", "zh", answer->holiday.zh, "en", answer->holiday.en, "first",
                      icp_day_text(answer->holiday.first, pool), "last", icp_day_text(answer->holiday.last, pool));
    }
    json_object_set_new(object, "day", icp_text_json(icp_day_text(answer->day, pool)));
    json_object_set_new(object, "works", json_boolean(answer->works));
    json_object_set_new(object, "count", json_integer(answer->count));
    json_object_set_new(object, "end", icp_text_json(icp_day_text(answer->end, pool)));
    json_object_set_new(object, "estimated", json_boolean(answer->estimated));
    json_object_set_new(object, "holiday", holiday);
    return object;
}

static void print(const icp_cli_t *cli, const answer_t *answer)
{
    icp_list_t *list = icp_list_begin(cli, NULL);
    icp_list_row(list, "Day", icp_day_text(answer->day, cli->pool), NULL);
    icp_list_row(list, "Working day", answer->works ? "yes" : "no", NULL);
    icp_list_row(list, apr_psprintf(cli->pool, "%" APR_INT64_T_FMT " working days later", answer->count),
                 icp_dates_text(answer->end, answer->estimated, cli->pool), NULL);
    if (answer->has_holiday) {
        icp_list_row(list, "Long holiday",
                     apr_psprintf(cli->pool, "%s to %s, %s (%s)", icp_day_text(answer->holiday.first, cli->pool),
                                  icp_day_text(answer->holiday.last, cli->pool), answer->holiday.en,
                                  answer->holiday.zh),
                     NULL);
    }
    icp_list_end(list, NULL);
}

static icp_error_t *run_workday(icp_cli_t *cli)
{
    icp_calendar_t *calendar;
    answer_t answer = {.day = icp_day_of(cli->reg->now), .count = 20};
    ICP_TRY(icp_dates_calendar(&calendar, cli));
    if (cli->arguments->nelts)
        ICP_TRY(icp_day_parse(&answer.day, APR_ARRAY_IDX(cli->arguments, 0, const char *), cli->pool));
    ICP_TRY(icp_option_number(&answer.count, cli, "add", 0, MOST));
    answer.works = icp_calendar_works(calendar, answer.day);
    answer.end = icp_calendar_add(calendar, answer.day, (int)answer.count, &answer.estimated);
    answer.has_holiday = icp_calendar_long_holiday(&answer.holiday, calendar, answer.day, AHEAD);
    if (answer.estimated) {
        int last = icp_calendar_last_year(calendar);
        icp_remark(cli,
                   last ? "the list of holidays ends with %d: further days are an estimate"
                        : "no year's holidays are listed",
                   last);
    }
    if (cli->json)
        icp_print_object(answer_json(&answer, cli->pool));
    else
        print(cli, &answer);
    return NULL;
}

static const icp_option_t options[] = {
    {"add", "N", 0, "how many working days; 0: the day itself or the next working day (default: 20, a bureau's time)"},
    {NULL, NULL, 0, NULL},
};

const icp_command_t icp_cmd_workday = {
    .noun = "workday",
    .arguments = "[DAY]",
    .most = 1,
    .need = ICP_NEED_REGISTER,
    .summary = "say by when a number of working days is over",
    .details =
        "Counted as in law: the day itself (default: today) does not count. Days are Beijing's, whatever the server's "
        "time "
        "zone. The holidays stand in the file that the policy `holidays` names; its first lines say how it is kept.",
    .json = "an object with day, works, count, end, estimated (true where a year is not in the list), and holiday: "
            "null, or an "
            "object with zh, en, first, last for a holiday of three days or more that begins within 30 days",
    .example = "icpadmin workday\nicpadmin workday 2026-09-25 --add 5",
    .options = options,
    .run = run_workday,
};
