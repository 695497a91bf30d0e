/* Arguments, by getopt_long over the options of all commands together, so that an option can stand before the noun;
 * whether the command takes it is looked at afterwards. */
#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <apr_strings.h>
#include <unistr.h>

#include "suggest.h"

static const icp_option_t *find_option(const icp_option_t *options, const char *name)
{
    for (; options && options->name; options++) {
        if (!strcmp(options->name, name)) return options;
    }
    return NULL;
}

static const icp_option_t *find_anywhere(const char *name)
{
    const icp_option_t *option = find_option(icp_global_options, name);
    for (int i = 0; !option && icp_commands[i]; i++) {
        option = find_option(icp_commands[i]->options, name);
    }
    return option;
}

static void push_words(apr_array_header_t *words, const icp_option_t *options)
{
    for (; options && options->name; options++) {
        APR_ARRAY_PUSH(words, const char *) = options->name;
    }
}

/* Every option of every command once, for getopt_long. */
static struct option *all_options(apr_pool_t *pool)
{
    apr_array_header_t *words = apr_array_make(pool, 64, sizeof(const char *));
    push_words(words, icp_global_options);
    for (int i = 0; icp_commands[i]; i++) {
        push_words(words, icp_commands[i]->options);
    }
    struct option *list = apr_pcalloc(pool, (words->nelts + 1) * sizeof *list);
    int count = 0;
    for (int i = 0; i < words->nelts; i++) {
        const char *name = APR_ARRAY_IDX(words, i, const char *);
        int known = 0;
        for (int k = 0; k < count; k++) {
            known |= !strcmp(list[k].name, name);
        }
        if (known) continue;
        list[count].name = name;
        list[count].has_arg = find_anywhere(name)->value ? required_argument : no_argument;
        count++;
    }
    return list;
}

static const char *see_help(const icp_command_t *command, apr_pool_t *pool)
{
    if (!command) return "see: icpadmin help";
    return apr_psprintf(pool, "see: icpadmin help %s", icp_command_name(command, pool));
}

static icp_error_t *unknown_option(const icp_cli_t *cli, const char *given)
{
    apr_array_header_t *words = apr_array_make(cli->pool, 64, sizeof(const char *));
    push_words(words, icp_global_options);
    for (int i = 0; icp_commands[i]; i++) {
        if (!cli->command || cli->command == icp_commands[i]) push_words(words, icp_commands[i]->options);
    }
    const char *bare = apr_pstrndup(cli->pool, given, strcspn(given, "="));
    const char *near = icp_suggest(bare + strspn(bare, "-"), words);
    const char *remedy = near ? apr_psprintf(cli->pool, "did you mean --%s?", near) : see_help(cli->command, cli->pool);
    if (cli->command) {
        return icp_error(cli->pool, ICP_USAGE, remedy, "`icpadmin %s` has no option %s",
                         icp_command_name(cli->command, cli->pool), bare);
    }
    return icp_error(cli->pool, ICP_USAGE, remedy, "there is no option %s", bare);
}

static icp_error_t *find_command(icp_cli_t *cli, const char *noun, const char *verb)
{
    apr_array_header_t *nouns = apr_array_make(cli->pool, 32, sizeof(const char *));
    apr_array_header_t *verbs = apr_array_make(cli->pool, 8, sizeof(const char *));
    for (int i = 0; icp_commands[i]; i++) {
        const icp_command_t *command = icp_commands[i];
        APR_ARRAY_PUSH(nouns, const char *) = command->noun;
        if (strcmp(command->noun, noun)) continue;
        if (!command->verb || (verb && !strcmp(command->verb, verb))) {
            cli->command = command;
            return NULL;
        }
        APR_ARRAY_PUSH(verbs, const char *) = command->verb;
    }
    if (!verbs->nelts) {
        const char *near = icp_suggest(noun, nouns);
        return icp_error(cli->pool, ICP_USAGE,
                         near ? apr_psprintf(cli->pool, "did you mean `icpadmin %s`?", near) : "see: icpadmin help",
                         "there is no command `%s`", noun);
    }
    const char *list = apr_array_pstrcat(cli->pool, verbs, '|');
    if (!verb) {
        return icp_error(cli->pool, ICP_USAGE, apr_psprintf(cli->pool, "say: icpadmin %s %s", noun, list),
                         "`icpadmin %s` is not complete", noun);
    }
    const char *near = icp_suggest(verb, verbs);
    return icp_error(cli->pool, ICP_USAGE,
                     near ? apr_psprintf(cli->pool, "did you mean `icpadmin %s %s`?", noun, near)
                          : apr_psprintf(cli->pool, "say: icpadmin %s %s", noun, list),
                     "there is no command `%s %s`", noun, verb);
}

static icp_error_t *check_options(icp_cli_t *cli)
{
    const icp_command_t *command = cli->command;
    for (int i = 0; i < cli->options->nelts; i++) {
        const icp_given_t *given = &APR_ARRAY_IDX(cli->options, i, icp_given_t);
        const icp_option_t *option = find_option(icp_global_options, given->name);
        if (!option) option = find_option(command->options, given->name);
        if (!option) return unknown_option(cli, apr_pstrcat(cli->pool, "--", given->name, NULL));
        if (option->value && !(option->flags & ICP_OPTION_MANY) && icp_option_all(cli, option->name)->nelts > 1) {
            return icp_error(cli->pool, ICP_USAGE, NULL, "--%s is given twice", option->name);
        }
    }
    for (const icp_option_t *option = command->options; option && option->name; option++) {
        if ((option->flags & ICP_OPTION_REQUIRED) && !icp_option(cli, option->name)) {
            return icp_error(cli->pool, ICP_USAGE,
                             apr_psprintf(cli->pool, "add --%s %s: %s", option->name, option->value, option->help),
                             "`icpadmin %s` needs --%s", icp_command_name(command, cli->pool), option->name);
        }
    }
    return NULL;
}

static icp_error_t *check_arguments(const icp_cli_t *cli)
{
    const icp_command_t *command = cli->command;
    const char *name = icp_command_name(command, cli->pool);
    if (cli->arguments->nelts < command->least) {
        return icp_error(cli->pool, ICP_USAGE, see_help(command, cli->pool), "`icpadmin %s` needs %s", name,
                         command->arguments);
    }
    if (command->most >= 0 && cli->arguments->nelts > command->most) {
        return icp_error(cli->pool, ICP_USAGE, see_help(command, cli->pool), "`icpadmin %s` takes no argument `%s`",
                         name, APR_ARRAY_IDX(cli->arguments, command->most, const char *));
    }
    return NULL;
}

static const char *default_actor(apr_pool_t *pool)
{
    const char *name = getenv("SUDO_USER");
    if (name && *name) return apr_pstrdup(pool, name);
    name = getlogin();
    if (name && *name) return apr_pstrdup(pool, name);
    const struct passwd *user = getpwuid(geteuid());
    return user ? apr_pstrdup(pool, user->pw_name) : apr_psprintf(pool, "uid %lu", (unsigned long)geteuid());
}

static icp_error_t *apply_globals(icp_cli_t *cli)
{
    const char *path = getenv("ICP_REGISTER");
    if (!path || !*path) path = ICP_REGISTER_DEFAULT;
    if (icp_option(cli, "register")) path = icp_option(cli, "register");
    cli->register_path = path;
    cli->json = icp_option(cli, "json") != NULL;
    cli->dry_run = icp_option(cli, "dry-run") != NULL;
    cli->yes = icp_option(cli, "yes") != NULL;
    cli->quiet = icp_option(cli, "quiet") != NULL;
    cli->actor = icp_option(cli, "actor");
    if (cli->actor && !cli->actor[strspn(cli->actor, " \t")]) {
        return icp_error(cli->pool, ICP_USAGE, "give the name of who makes the change", "--actor is empty");
    }
    if (!cli->actor) cli->actor = default_actor(cli->pool);
    if (u8_check((const uint8_t *)cli->actor, strlen(cli->actor))) cli->actor = "unknown";
    if (!*path) return icp_error(cli->pool, ICP_USAGE, "give the register's file", "--register is empty");
    return NULL;
}

static icp_error_t *read_options(icp_cli_t *cli, int argc, char **argv)
{
    struct option *list = all_options(cli->pool);
    int index = 0, letter;
    opterr = 0;
    optind = 1;
    while ((letter = getopt_long(argc, argv, ":h", list, &index)) != -1) {
        icp_given_t given = {"help", NULL};
        if (letter == 0) {
            given.name = list[index].name;
            given.value = optarg;
        }
        else if (letter == ':') {
            return icp_error(cli->pool, ICP_USAGE, see_help(NULL, cli->pool), "%s needs a value", argv[optind - 1]);
        }
        else if (letter == '?') {
            const char *word = optopt ? apr_psprintf(cli->pool, "-%c", optopt) : argv[optind - 1];
            const char *bare = apr_pstrndup(cli->pool, word, strcspn(word, "="));
            const icp_option_t *known = strncmp(bare, "--", 2) ? NULL : find_anywhere(bare + 2);
            if (known) return icp_error(cli->pool, ICP_USAGE, NULL, "%s takes no value", bare);
            return unknown_option(cli, word);
        }
        APR_ARRAY_PUSH(cli->options, icp_given_t) = given;
    }
    for (int i = optind; i < argc; i++) {
        APR_ARRAY_PUSH(cli->arguments, const char *) = argv[i];
    }
    return NULL;
}

static void drop_front(apr_array_header_t *array, int count)
{
    memmove(array->elts, array->elts + (apr_size_t)count * array->elt_size,
            (apr_size_t)(array->nelts - count) * array->elt_size);
    array->nelts -= count;
}

icp_error_t *icp_options_parse(icp_cli_t *cli, int argc, const char *const *argv)
{
    cli->arguments = apr_array_make(cli->pool, 8, sizeof(const char *));
    cli->options = apr_array_make(cli->pool, 8, sizeof(icp_given_t));
    for (int i = 1; i < argc; i++) {
        if (u8_check((const uint8_t *)argv[i], strlen(argv[i]))) {
            return icp_error(cli->pool, ICP_USAGE, "set the terminal to UTF-8", "argument %d is not UTF-8 text", i);
        }
    }
    char **words = apr_pmemdup(cli->pool, argv, (argc + 1) * sizeof *words); /* getopt_long permutes it */
    ICP_TRY(read_options(cli, argc, words));
    if (icp_option(cli, "help") || icp_option(cli, "version")) {
        cli->command = &icp_cmd_help;
        return NULL;
    }
    if (!cli->arguments->nelts) {
        return icp_error(cli->pool, ICP_USAGE, "see: icpadmin help", "no command given");
    }
    const char *noun = APR_ARRAY_IDX(cli->arguments, 0, const char *);
    const char *verb = cli->arguments->nelts > 1 ? APR_ARRAY_IDX(cli->arguments, 1, const char *) : NULL;
    ICP_TRY(find_command(cli, noun, verb));
    drop_front(cli->arguments, cli->command->verb ? 2 : 1);
    ICP_TRY(check_options(cli));
    ICP_TRY(check_arguments(cli));
    return apply_globals(cli);
}

const char *icp_option(const icp_cli_t *cli, const char *name)
{
    for (int i = cli->options->nelts - 1; i >= 0; i--) {
        const icp_given_t *given = &APR_ARRAY_IDX(cli->options, i, icp_given_t);
        if (!strcmp(given->name, name)) return given->value ? given->value : "";
    }
    return NULL;
}

apr_array_header_t *icp_option_all(const icp_cli_t *cli, const char *name)
{
    apr_array_header_t *values = apr_array_make(cli->pool, 4, sizeof(const char *));
    for (int i = 0; i < cli->options->nelts; i++) {
        const icp_given_t *given = &APR_ARRAY_IDX(cli->options, i, icp_given_t);
        if (!strcmp(given->name, name) && given->value) APR_ARRAY_PUSH(values, const char *) = given->value;
    }
    return values;
}

icp_error_t *icp_option_duration(apr_interval_time_t *duration, const char *text, apr_interval_time_t most,
                                 apr_pool_t *pool)
{
    static const struct {
        char letter;
        int seconds;
    } units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}};
    char *end = NULL;
    errno = 0;
    long long count = strtoll(text, &end, 10);
    if (*text >= '0' && *text <= '9' && !errno && *end && !end[1]) {
        for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
            if (*end != units[i].letter) continue;
            if (count < 1 || count > apr_time_sec(most) / units[i].seconds) {
                return icp_error(pool, ICP_USAGE,
                                 apr_psprintf(pool, "at most %d days", (int)(apr_time_sec(most) / 86400)),
                                 "%s is not a time that can be asked for", text);
            }
            *duration = apr_time_from_sec(count * units[i].seconds);
            return NULL;
        }
    }
    return icp_error(pool, ICP_USAGE, "write it as 90s, 30m, 2h or 7d", "`%s` is not a length of time", text);
}

icp_error_t *icp_option_number(apr_int64_t *number, const icp_cli_t *cli, const char *name, apr_int64_t least,
                               apr_int64_t most)
{
    const char *text = icp_option(cli, name);
    char *end = NULL;
    if (!text) return NULL;
    errno = 0;
    *number = strtoll(text, &end, 10);
    if (*text < '0' || *text > '9' || errno || *end || *number < least || *number > most) {
        return icp_error(cli->pool, ICP_USAGE, NULL,
                         "--%s takes a number from %" APR_INT64_T_FMT " to %" APR_INT64_T_FMT ", not `%s`", name, least,
                         most, text);
    }
    return NULL;
}
