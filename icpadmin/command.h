/* What a command of icpadmin is: one entry of the table in commands.c, from which arguments are checked, help is
 * printed and both the manual page and docs/icpadmin.md are made. A command only says what it needs; main.c opens it.
 */
#ifndef ICP_COMMAND_H
#define ICP_COMMAND_H

#include <apr_tables.h>

#include "register.h"

typedef enum icp_need_e {
    ICP_NEED_NOTHING,
    ICP_NEED_PATH,    /* the register's path, not the register itself */
    ICP_NEED_REGISTER /* opened before the command runs */
} icp_need_e;

enum {
    ICP_OPTION_REQUIRED = 1 << 0,
    ICP_OPTION_MANY = 1 << 1 /* may be given several times */
};

typedef struct icp_option_t {
    const char *name;  /* without dashes; a name takes a value in every command or in none */
    const char *value; /* what the value is called in the synopsis; NULL for a flag */
    int flags;
    const char *help;
} icp_option_t;

typedef struct icp_cli_t icp_cli_t;

typedef struct icp_command_t {
    const char *noun;
    const char *verb;      /* NULL where the noun is the whole command */
    const char *arguments; /* for the synopsis; "" for none */
    int least, most;       /* how many; most -1: any number */
    icp_need_e need;
    int changes;                 /* takes part in --dry-run */
    const char *summary;         /* one line, no final stop */
    const char *details;         /* paragraphs separated by an empty line; may be NULL */
    const char *json;            /* what --json prints, "an object with a, b"; NULL if the command knows no --json */
    const char *example;         /* command lines, one a line */
    const icp_option_t *options; /* ended by an entry without name; NULL for none */
    icp_error_t *(*run)(icp_cli_t *cli);
} icp_command_t;

struct icp_cli_t {
    apr_pool_t *pool;
    const icp_command_t *command;
    const char *register_path;
    const char *actor;
    int json, dry_run, yes, quiet;
    apr_array_header_t *arguments; /* const char *: after noun and verb */
    apr_array_header_t *options;   /* icp_given_t, in the order given */
    icp_register_t *reg;           /* NULL unless the command needs it */
    int status;                    /* what a command that came to its end exits with: ICP_REFUSED if its answer is no */
};

typedef struct icp_given_t {
    const char *name, *value; /* value NULL for a flag */
} icp_given_t;

/* Every command: declares icp_cmd_NAME, and makes the table. Their order is that of the help. */
/* clang-format off */
#define ICP_COMMANDS(X)                                                                                                \
    X(init) X(status)                                                                                                  \
    X(number) X(inspect)                                                                                               \
    X(holder_add) X(holder_list) X(holder_show) X(holder_edit)                                                         \
    X(license_add) X(license_list) X(license_show) X(license_edit) X(license_remove) X(license_cancel)                 \
    X(license_revoke) X(license_reinstate)                                                                             \
    X(license_import) X(license_export)                                                                                \
    X(site_add) X(site_list) X(site_show) X(site_edit) X(site_remove) X(site_import) X(site_discover)                  \
    X(policy_show) X(policy_set)                                                                                       \
    X(exemption_add) X(exemption_list) X(exemption_remove)                                                             \
    X(check)                                                                                                           \
    X(suspend) X(enable)                                                                                               \
    X(pass)                                                                                                            \
    X(outbox_send) X(outbox_list) X(outbox_show) X(outbox_retry) X(outbox_drop) X(outbox_test) X(outbox_prune)         \
    X(application_list) X(application_show) X(application_add) X(application_pull)                                     \
    X(application_review) X(application_return) X(application_correct) X(application_file) X(application_sms)          \
    X(application_confirm) X(application_bureau) X(application_approve) X(application_reject) X(application_withdraw)  \
    X(application_export) X(application_purge)                                                                         \
    X(queue)                                                                                                           \
    X(domain_add) X(domain_import) X(domain_list) X(domain_show) X(domain_edit) X(domain_remove) X(domain_documents)   \
    X(domain_submit) X(domain_accept) X(domain_refuse) X(domain_remind)                                                \
    X(workday)                                                                                                         \
    X(evidence_prune) X(report)                                                                                        \
    X(log)                                                                                                             \
    X(backup) X(restore) X(doctor)                                                                                     \
    X(help)
/* clang-format on */

#define ICP_COMMAND_DECLARE(name) extern const icp_command_t icp_cmd_##name;
ICP_COMMANDS(ICP_COMMAND_DECLARE)

extern const icp_command_t *const icp_commands[]; /* ended by NULL */
extern const icp_option_t icp_global_options[];   /* ended by an entry without name */

/* "site add": noun and verb. */
const char *icp_command_name(const icp_command_t *command, apr_pool_t *pool);

#endif
