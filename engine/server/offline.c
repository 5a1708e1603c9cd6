/* offline.c: the words behind `crescendo-server fsck` and its like, and how they fail. */
#include "server/offline.h"

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "server/host.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

enum { FINDINGS = 1 };

static const struct {
    const char *name;
    const char *word; /* what it wants besides its options; NULL = nothing */
    int (*run)(const struct offline *offline, struct error *err);
} tools[] = {
    {"fsck", NULL, fsck_run},
    {"replay", "a RUN", replay_run},
    {"backup", "a FILE", backup_run},
};

void offline_print(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    AUTO(free_text) char *line = mem_format_list(format, arguments);
    va_end(arguments);
    for (char *at = line; *at; at++)
        if ((unsigned char)*at < ' ' || *at == 127) *at = ' ';
    puts(line);
}

static void print_error(const struct error *err, bool json)
{
    if (!json) {
        fprintf(stderr, "crescendo: %s\n%s%s%s", err->message, err->hint[0] ? "  " : "", err->hint, err->hint[0] ? "\n" : "");
        return;
    }
    AUTO(free_json) json_t *error = json_object();
    json_put_text(error, "code", error_code_name(err->code));
    json_put_text(error, "message", err->message);
    if (err->hint[0]) json_put_text(error, "hint", err->hint);
    AUTO(free_json) json_t *whole = json_pack("{s:O}", "error", error);
    json_dumpf(whole, stderr, JSON_INDENT(2));
    fputc('\n', stderr);
}

static int read_words(int argc, char **argv, const char *wanted, struct offline *offline, struct error *err)
{
    static const struct option options[] = {{"data", required_argument, NULL, 'd'}, {"json", no_argument, NULL, 'j'}, {0}};
    int option;
    opterr = 0;
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == '?') return error_set(err, ERROR_INVALID, NOWHERE, "%s: unknown option, or a value is missing", argv[0]);
        if (option == 'd') offline->data = optarg;
        if (option == 'j') offline->json = true;
    }
    if (optind < argc) offline->word = argv[optind++];
    if (optind < argc || (offline->word && !wanted))
        return error_set(err, ERROR_INVALID, NOWHERE, "%s: unexpected word '%.100s'", argv[0], argv[argc - 1]);
    if (wanted && !offline->word) return error_set(err, ERROR_INVALID, NOWHERE, "%s wants %s", argv[0], wanted);
    return offline->data ? 0 : error_set(err, ERROR_INVALID, NOWHERE, "%s wants --data DIR", argv[0]);
}

/* What is not there, or does not fit, is an answer, too. */
static int exit_code_of(const struct error *err)
{
    bool is_answer = err->code == ERROR_NOT_FOUND || err->code == ERROR_CONFLICT || err->code == ERROR_STATE;
    return is_answer ? FINDINGS : host_exit_code(-(int)err->code);
}

bool offline_run(int argc, char **argv, int *ret_exit)
{
    for (size_t i = 0; i < COUNT_OF(tools); i++) {
        if (argc < 2 || !text_equal(argv[1], tools[i].name)) continue;
        struct offline offline = {0};
        struct error err = {0};
        int code = read_words(argc - 1, argv + 1, tools[i].word, &offline, &err);
        if (code == 0) code = tools[i].run(&offline, &err);
        if (code < 0) print_error(&err, offline.json);
        *ret_exit = code < 0 ? exit_code_of(&err) : code;
        return true;
    }
    return false;
}
