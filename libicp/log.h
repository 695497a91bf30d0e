/* Messages that are no error of the caller's: waiting for a lock, completing an interrupted change.
 * libicp does not know where messages go; each program installs its printer once, before its first call.
 */
#ifndef ICP_LOG_H
#define ICP_LOG_H

typedef enum icp_log_level_e { ICP_LOG_WARNING, ICP_LOG_NOTICE } icp_log_level_e;

/* `message` has no newline and lives only as long as the call. May be called from any thread. */
typedef void icp_log_printer_t(icp_log_level_e level, const char *message, void *baton);

/* NULL turns messages off, which is also how it starts. */
void icp_log_install(icp_log_printer_t *printer, void *baton);

void icp_log(icp_log_level_e level, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
