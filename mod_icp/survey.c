#include "survey.h"

#include <pthread.h>
#include <string.h>

#include <apr_strings.h>

#include "config.h"
#include "sightings.h"
#include "view.h"

#define KEPT apr_time_from_sec(1)
#define SHARE 20 /* reading takes at most this part of the time */

static pthread_mutex_t reading = PTHREAD_MUTEX_INITIALIZER;
static icp_survey_t kept;
static apr_time_t due;

static icp_error_t *read_verdicts(icp_survey_t *survey, icp_db_t *db, apr_pool_t *pool)
{
    icp_stmt_t *stmt;
    int row;
    memset(survey->verdicts, 0, sizeof survey->verdicts);
    ICP_TRY(icp_db_statement(&stmt, db, ICP_STMT_OVERVIEW_VERDICTS, ""));
    for (;;) {
        ICP_TRY(icp_stmt_step(&row, stmt));
        if (!row) return NULL;
        survey->verdicts[icp_verdict_parse(icp_stmt_text(stmt, 0, pool))] = icp_stmt_int(stmt, 1);
    }
}

static icp_error_t *read_sweep(icp_survey_t *survey, icp_db_t *db)
{
    icp_stmt_t *stmt;
    int row;
    ICP_TRY(icp_db_statement(&stmt, db, ICP_STMT_SWEEP_NEWEST, "i", (apr_int64_t)0));
    ICP_TRY(icp_stmt_step(&row, stmt));
    if (!row) return NULL;
    survey->sweep_started = apr_time_from_sec(icp_stmt_int(stmt, 1));
    survey->sweep_ended = apr_time_from_sec(icp_stmt_int(stmt, 2));
    survey->sweep_enforces = icp_stmt_int(stmt, 3) != 0;
    survey->sweep_total = icp_stmt_int(stmt, 4);
    survey->sweep_done = icp_stmt_int(stmt, 5);
    survey->sweep_compliant = icp_stmt_int(stmt, 6);
    survey->sweep_failing = icp_stmt_int(stmt, 7);
    survey->sweep_for_person = icp_stmt_int(stmt, 8);
    survey->sweep_to_suspend = icp_stmt_int(stmt, 9);
    survey->sweep_suspended = icp_stmt_int(stmt, 10);
    survey->sweep_braked = icp_stmt_int(stmt, 11) != 0;
    icp_stmt_reset(stmt);
    return NULL;
}

static icp_error_t *read_brake(icp_survey_t *survey, icp_db_t *db, apr_pool_t *pool)
{
    icp_stmt_t *stmt;
    int row;
    survey->brake_holds = 0;
    ICP_TRY(icp_db_statement(&stmt, db, ICP_STMT_SWEEP_NEWEST, "i", (apr_int64_t)1));
    ICP_TRY(icp_stmt_step(&row, stmt));
    if (row && icp_stmt_int(stmt, 11) && !icp_stmt_text(stmt, 12, pool)) survey->brake_holds = icp_stmt_int(stmt, 9);
    icp_stmt_reset(stmt);
    return NULL;
}

static icp_error_t *read_register(icp_db_t *db, void *survey, apr_pool_t *pool)
{
    ICP_TRY(read_verdicts(survey, db, pool));
    ICP_TRY(read_sweep(survey, db));
    return read_brake(survey, db, pool);
}

/* Keeps the newest, in order. */
static icp_error_t *add_sighting(const icp_sighting_t *sighting, void *baton, apr_pool_t *pool)
{
    icp_survey_t *survey = baton;
    int at = survey->sighting_count;
    while (at > 0 && survey->sightings[at - 1].at < sighting->at) at--;
    if (at == ICP_SURVEY_SIGHTINGS) return NULL;
    if (survey->sighting_count < ICP_SURVEY_SIGHTINGS) survey->sighting_count++;
    icp_survey_sighting_t *slot = &survey->sightings[at];
    memmove(slot + 1, slot, (size_t)(survey->sighting_count - 1 - at) * sizeof *slot);
    apr_cpystrn(slot->site, sighting->site, sizeof slot->site);
    apr_cpystrn(slot->verdict, sighting->verdict, sizeof slot->verdict);
    slot->at = sighting->at;
    return NULL;
}

static void refresh(apr_pool_t *pool)
{
    apr_time_t begun = apr_time_now();
    icp_survey_t fresh = {.at = begun};
    icp_error_t *error = icp_view_consult(read_register, &fresh, pool);
    if (error) {
        icp_survey_t before = kept;
        fresh = before;
        apr_cpystrn(fresh.fault, error->message, sizeof fresh.fault);
        fresh.sighting_count = 0;
    }
    error = icp_sightings_each(icp_main_conf()->sightings_path, NULL, add_sighting, &fresh, pool);
    apr_cpystrn(fresh.sightings_fault, error && error->status != ICP_NOT_FOUND ? error->message : "", sizeof fresh.sightings_fault);
    kept = fresh;
    apr_time_t now = apr_time_now();
    due = now + KEPT + (now - begun) * SHARE;
}

void icp_survey_read(icp_survey_t *survey, apr_pool_t *pool)
{
    apr_pool_t *scratch;
    pthread_mutex_lock(&reading);
    apr_time_t now = apr_time_now();
    if (now >= due || due - now > apr_time_from_sec(3600)) {
        apr_pool_create(&scratch, pool);
        refresh(scratch);
        apr_pool_destroy(scratch);
    }
    *survey = kept;
    pthread_mutex_unlock(&reading);
}
