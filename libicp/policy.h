/* The provider's policy: what it decided once, for every command. Kept in the register; what was never set has its default.
 *
 * Nothing here is secret, since workers read the register too: passwords stand in files that a policy names. */
#ifndef ICP_POLICY_H
#define ICP_POLICY_H

#include "register.h"

typedef enum icp_policy_kind_e {
    ICP_POLICY_NUMBER, /* a decimal number from `least` to `most` */
    ICP_POLICY_WORD,   /* one of the words in `words`, separated by '|' */
    ICP_POLICY_TEXT    /* one line; may be empty */
} icp_policy_kind_e;

/* X(name in C, name, kind, least, most, words, default, help) */
/* clang-format off */
#define ICP_POLICIES(X)                                                                                                \
    X(CHECKS, "checks", NUMBER, 0, 100, NULL, "2",                                                                     \
      "failing checks in a row before a suspension; 0 and 1: the first")                                               \
    X(HOURS, "hours", NUMBER, 0, 8760, NULL, "24",                                                                     \
      "hours that a site must have been failing before a suspension; 0: without warning")                              \
    X(WARN, "warn", WORD, 0, 0, "on|off", "on", "mail the holder when a site is first found failing")                  \
    X(BRAKE_SITES, "brake-sites", NUMBER, 0, 1000000, NULL, "20",                                                      \
      "a sweep that would suspend more sites than this stops and asks")                                                \
    X(BRAKE_SHARE, "brake-share", NUMBER, 0, 100, NULL, "5",                                                           \
      "and so does one that would suspend more than this percentage of the sites it looked at, but at least two")      \
    X(ATTESTED_DAYS, "attested-days", NUMBER, 0, 3650, NULL, "90",                                                     \
      "days that an attested site is not suspended for the verdict that was attested")                                 \
    X(SUFFIX, "suffix", WORD, 0, 0, "off|warn|on", "warn",                                                             \
      "the number without the suffix that the province asks for: not looked at, a finding, or incorrect")              \
    X(PARALLEL, "parallel", NUMBER, 1, 512, NULL, "32", "home pages fetched at a time by a sweep")                     \
    X(PER_ADDRESS, "per-address", NUMBER, 1, 512, NULL, "32", "of these from the same address")                        \
    X(TIMEOUT, "timeout", NUMBER, 1, 600, NULL, "30", "seconds that one site may take")                                \
    X(RETRIES, "retries", NUMBER, 0, 10, NULL, "2", "further tries after a network fault, each later than the last")   \
    X(EVIDENCE_DAYS, "evidence-days", NUMBER, 0, 36500, NULL, "180", "days that failing pages are kept")               \
    X(EVIDENCE_BYTES, "evidence-bytes", NUMBER, 0, 16777216, NULL, "2097152", "bytes of a page that are kept")         \
    X(MAIL, "mail", WORD, 0, 0, "off|smtp|command", "off", "how mail leaves")                                          \
    X(MAIL_FROM, "mail-from", TEXT, 0, 0, NULL, "", "the sender: 'Example Hosting <support@example.com>'")             \
    X(MAIL_SERVER, "mail-server", TEXT, 0, 0, NULL, "smtp://127.0.0.1:25", "smtp:// or smtps:// HOST[:PORT]")          \
    X(MAIL_TLS, "mail-tls", WORD, 0, 0, "try|require|never", "try",                                                    \
      "STARTTLS on smtp://: where it is offered, always, or never; with mail-netrc `try` is `require`")                \
    X(MAIL_CA, "mail-ca", TEXT, 0, 0, NULL, "", "a file of certificates to trust for it, instead of the system's")     \
    X(MAIL_NETRC, "mail-netrc", TEXT, 0, 0, NULL, "",                                                                  \
      "a file in netrc format, for root alone, with the server's user and password")                                   \
    X(MAIL_COMMAND, "mail-command", TEXT, 0, 0, NULL, "/usr/sbin/sendmail -oi -t",                                     \
      "reads the message from its standard input")                                                                     \
    X(MAIL_TEMPLATES, "mail-templates", TEXT, 0, 0, NULL, "", "a folder of templates instead of the built-in ones")    \
    X(ON_EVENT, "on-event", TEXT, 0, 0, NULL, "", "a command that is called as COMMAND EVENT SUBJECT")                 \
    X(MESSAGE_HOURS, "message-hours", NUMBER, 1, 8760, NULL, "120", "hours after which a message is given up")         \
    X(MESSAGE_TIMEOUT, "message-timeout", NUMBER, 1, 600, NULL, "60",                                                  \
      "seconds that a mail server or command may take for one message")                                                \
    X(MESSAGE_DAYS, "message-days", NUMBER, 1, 36500, NULL, "90", "days that sent messages are kept")                  \
    X(PROVIDER, "provider", TEXT, 0, 0, NULL, "", "the provider's name, in mails")                                     \
    X(CONTACT, "contact", TEXT, 0, 0, NULL, "", "how clients reach support, in mails")                                 \
    X(APPLY_URL, "apply-url", TEXT, 0, 0, NULL, "", "where the application form is: https://…")                        \
    X(FAQ_URL, "faq-url", TEXT, 0, 0, NULL, "", "where the questions and answers are: https://…")                      \
    X(GRACE_DAYS, "grace-days", NUMBER, 0, 365, NULL, "7",                                                             \
      "days after an approval before its sites can be suspended for what they show")                                   \
    X(REVIEW_DAYS, "review-days", NUMBER, 1, 365, NULL, "2", "working days that the provider's own review may take")   \
    X(FILING_DAYS, "filing-days", NUMBER, 1, 365, NULL, "3",                                                           \
      "working days between handing an application to the authority and its review")                                  \
    X(SMS_HOURS, "sms-hours", NUMBER, 1, 720, NULL, "24", "hours that an applicant has for the code sent by SMS")      \
    X(BUREAU_DAYS, "bureau-days", NUMBER, 1, 365, NULL, "20", "working days that a bureau has by law (MII Order 33, art. 12)") \
    X(BUREAU_DAYS_ZHEJIANG, "bureau-days-zhejiang", NUMBER, 1, 365, NULL, "30", "and that of Zhejiang")                \
    X(CORRECT_DAYS, "correct-days", NUMBER, 1, 3650, NULL, "45", "days to correct a rejected application")              \
    X(PURGE_DAYS, "purge-days", NUMBER, 1, 36500, NULL, "365",                                                         \
      "days after which the personal data of a finished application may be purged")                                    \
    X(HOLIDAYS, "holidays", TEXT, 0, 0, NULL, "/etc/icp/holidays.tsv", "the file of holidays and make-up days")        \
    X(REMIND_DAYS, "remind-days", NUMBER, 1, 365, NULL, "7", "days between reminders of missing .cn documents")
/* clang-format on */

typedef enum icp_policy_e {
#define ICP_POLICY_ENUM(c, name, kind, least, most, words, fallback, help) ICP_POLICY_##c,
    ICP_POLICIES(ICP_POLICY_ENUM)
#undef ICP_POLICY_ENUM
    ICP_POLICY_COUNT
} icp_policy_e;

typedef struct icp_policy_rule_t {
    const char *name;
    icp_policy_kind_e kind;
    apr_int64_t least, most;
    const char *words, *fallback, *help;
} icp_policy_rule_t;

extern const icp_policy_rule_t icp_policy_rules[ICP_POLICY_COUNT];

/* ICP_USAGE: no such policy. */
icp_error_t *icp_policy_find(icp_policy_e *policy, const char *name, apr_pool_t *pool);

/* In force now, and whether it was set; *set may be NULL. */
icp_error_t *icp_policy_text(const char **value, int *set, icp_register_t *reg, icp_policy_e policy, apr_pool_t *pool);
icp_error_t *icp_policy_number(apr_int64_t *value, icp_register_t *reg, icp_policy_e policy, apr_pool_t *pool);
icp_error_t *icp_policy_is(int *yes, icp_register_t *reg, icp_policy_e policy, const char *word, apr_pool_t *pool);

/* Inside a change: sets it, or with `value` NULL gives it its default again. ICP_USAGE says what is wrong with the value. */
icp_error_t *icp_policy_set(icp_register_t *reg, icp_policy_e policy, const char *value, apr_pool_t *pool);

#endif
