/* What the status page shows beside what the gate has in memory: read from register.db and sightings.db, read-only, and kept for a second
 * or longer where reading took long. It gives way to the gate at any moment: then what was read before is shown. */
#ifndef MOD_ICP_SURVEY_H
#define MOD_ICP_SURVEY_H

#include <apr_time.h>

#include "error.h"
#include "verdict.h"

#define ICP_SURVEY_SIGHTINGS 10

typedef struct icp_survey_sighting_t {
    char site[256], verdict[16];
    apr_time_t at;
} icp_survey_sighting_t;

typedef struct icp_survey_t {
    apr_time_t at;                                   /* when it was read; 0: never yet */
    char fault[256], sightings_fault[256];           /* why the newest could not be read; "": it could */
    apr_int64_t verdicts[ICP_VERDICT_COUNT + 1];     /* sites by the verdict of icpadmin's newest look; the last: none was made */
    apr_time_t sweep_started, sweep_ended;           /* of the newest sweep; 0: there was none, it has not ended */
    int sweep_enforces, sweep_braked;
    apr_int64_t sweep_total, sweep_done, sweep_compliant, sweep_failing, sweep_for_person, sweep_to_suspend, sweep_suspended;
    apr_int64_t brake_holds; /* sites that the newest enforcing sweep would suspend, which the brake stopped and nobody has approved; 0: none */
    int sighting_count;
    icp_survey_sighting_t sightings[ICP_SURVEY_SIGHTINGS]; /* newest first */
} icp_survey_t;

/* Any thread. */
void icp_survey_read(icp_survey_t *survey, apr_pool_t *pool);

#endif
