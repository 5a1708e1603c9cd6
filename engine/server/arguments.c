/* arguments.c: the words behind `crescendo-server`. */
#include "server/arguments.h"

#include "base/mem.h"
#include "base/text.h"

#include <arpa/inet.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char arguments_help[] =
    "usage: crescendo-server [serve] [options]\n"
    "       crescendo-server core --data DIR [options]\n"
    "\n"
    "Takes pushes, runs pipelines, and answers on the socket DATA/crescendo.sock. All that it knows is in the data folder; killed at any\n"
    "moment, it goes on from there. The orchestration core is inside, with its data in DATA/core. With `core` it is a program by itself: "
    "it\n"
    "answers on DIR/core.sock, and its catalogue, orders and inventory are in DIR.\n"
    "\n"
    "  --data DIR            the data folder; default: $CRESCENDO_DATA, else /var/lib/crescendo for root,\n"
    "                        else $XDG_STATE_HOME/crescendo, else ~/.local/state/crescendo\n"
    "  --listen HOST:PORT    answer on TCP, too; needs --token-file, but not for `core` on a loopback address\n"
    "  --token-file FILE     who may ask over TCP: lines `NAME GROUP[,GROUP] SHA256-OF-THE-TOKEN`\n"
    "  --jobs N              stages that may be live at once; 1 to 1000; default: the number of processors\n"
    "  --keep TIME           forget runs that ended longer ago, with their logs: 90d, 12h; default: never\n"
    "  --allow-no-sandbox    pipelines may say `sandbox: none`\n"
    "  --exit-when-idle      end when no run is open and nobody is connected; for `crescendo run`\n"
    "  --ready-fd N          write a byte to this descriptor, and close it, once connections are accepted\n"
    "  --version, --help\n"
    "\n"
    "Exit codes: 0 stopped by a signal or idle, 64 wrong options, token file or address, 69 it cannot start (another server has the data\n"
    "folder, a program is missing, the port is taken), or another server, or somebody, took the journal from it; 74 the data folder cannot be\n"
    "written: the disk is full or broken.\n";

enum option_id {
    OPTION_DATA = 1,
    OPTION_LISTEN,
    OPTION_TOKEN_FILE,
    OPTION_JOBS,
    OPTION_KEEP,
    OPTION_ALLOW,
    OPTION_IDLE,
    OPTION_READY,
    OPTION_VERSION,
    OPTION_HELP,
};

static const struct option options[] = {
    {"data", required_argument, NULL, OPTION_DATA},
    {"listen", required_argument, NULL, OPTION_LISTEN},
    {"token-file", required_argument, NULL, OPTION_TOKEN_FILE},
    {"jobs", required_argument, NULL, OPTION_JOBS},
    {"keep", required_argument, NULL, OPTION_KEEP},
    {"allow-no-sandbox", no_argument, NULL, OPTION_ALLOW},
    {"no-sandbox-allowed", no_argument, NULL, OPTION_ALLOW},
    {"exit-when-idle", no_argument, NULL, OPTION_IDLE},
    {"ready-fd", required_argument, NULL, OPTION_READY},
    {"version", no_argument, NULL, OPTION_VERSION},
    {"help", no_argument, NULL, OPTION_HELP},
    {0},
};

static char *default_data(void)
{
    const char *given = getenv("CRESCENDO_DATA"), *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
    if (given && *given) return mem_copy_text(given);
    if (geteuid() == 0) return mem_copy_text("/var/lib/crescendo");
    if (state && *state == '/') return mem_format("%s/crescendo", state);
    return mem_format("%s/.local/state/crescendo", home && *home ? home : "");
}

/* Only this machine reaches it. */
static bool is_loopback(const char *listen)
{
    const char *colon = strrchr(listen, ':');
    size_t size = colon ? (size_t)(colon - listen) : strlen(listen);
    AUTO(free_text) char *host = mem_copy_bytes(listen, size);
    struct in_addr address;
    if (text_equal(host, "localhost") || text_equal(host, "[::1]")) return true;
    return inet_pton(AF_INET, host, &address) == 1 && ntohl(address.s_addr) >> 24 == 127;
}

static int check(const struct arguments *arguments, struct error *err)
{
    bool open = arguments->core && arguments->listen && is_loopback(arguments->listen);
    if (arguments->listen && !arguments->token_file && !open) {
        error_set(err, ERROR_INVALID, NOWHERE, "--listen needs --token-file: who may ask over TCP must be written down");
        return error_hint(err, "the token file's format: crescendo-server --help");
    }
    if (!arguments->core) return 0;
    if (!arguments->data) {
        error_set(err, ERROR_INVALID, NOWHERE, "`core` needs --data DIR: its data are not a server's");
        return error_hint(err, "crescendo-server --help");
    }
    if (arguments->jobs || arguments->keep_ms || arguments->allow_no_sandbox || arguments->exit_when_idle)
        return error_set(err, ERROR_INVALID, NOWHERE, "`core` takes --data, --listen, --token-file and --ready-fd only");
    return 0;
}

static int wrong(struct error *err, const char *what, const char *word)
{
    error_set(err, ERROR_INVALID, NOWHERE, "%s '%.100s'", what, word);
    return error_hint(err, "crescendo-server --help");
}

static int read_number(const char *text, int64_t min, int64_t max, int64_t *ret, const char *what, struct error *err)
{
    return text_to_integer(text, ret) && *ret >= min && *ret <= max ? 0 : wrong(err, what, text);
}

static int read_option(int option, const char *value, struct arguments *arguments, struct error *err)
{
    int64_t number = 0;
    int code = 0;
    switch (option) {
    case OPTION_DATA:
        free(arguments->data);
        arguments->data = mem_copy_text(value);
        break;
    case OPTION_LISTEN: arguments->listen = value; break;
    case OPTION_TOKEN_FILE: arguments->token_file = value; break;
    case OPTION_ALLOW: arguments->allow_no_sandbox = true; break;
    case OPTION_IDLE: arguments->exit_when_idle = true; break;
    case OPTION_JOBS:
        code = read_number(value, 1, 1000, &number, "--jobs must be a number from 1 to 1000, not", err);
        arguments->jobs = (unsigned)number;
        break;
    case OPTION_KEEP:
        code = text_to_duration_ms(value, &number) && number > 0 ? 0 : wrong(err, "--keep must be a time like 90d or 12h, not", value);
        arguments->keep_ms = number;
        break;
    case OPTION_READY:
        code = read_number(value, 0, 1 << 20, &number, "--ready-fd must be a descriptor, not", err);
        arguments->ready_fd = (int)number;
        break;
    default: break;
    }
    return code;
}

int arguments_read(int argc, char **argv, struct arguments *ret, struct error *err)
{
    struct arguments arguments = {.ready_fd = -1};
    int code = ARGUMENTS_RUN, option;
    opterr = 0;
    arguments.core = argc > 1 && text_equal(argv[1], "core");
    if (argc > 1 && (arguments.core || text_equal(argv[1], "serve"))) {
        argc--;
        argv++;
    }
    while (code == ARGUMENTS_RUN && (option = getopt_long(argc, argv, "+h", options, NULL)) != -1) {
        if (option == '?')
            code = wrong(err, "unknown option, or a value is missing:", argv[optind - 1]);
        else if (option == OPTION_HELP || option == 'h')
            code = ARGUMENTS_HELP;
        else if (option == OPTION_VERSION)
            code = ARGUMENTS_VERSION;
        else
            code = read_option(option, optarg, &arguments, err);
    }
    if (code == ARGUMENTS_RUN && optind < argc) code = wrong(err, "unexpected word", argv[optind]);
    if (code == ARGUMENTS_RUN) code = check(&arguments, err);
    if (code == ARGUMENTS_RUN && !arguments.data) arguments.data = default_data();
    *ret = arguments;
    return code;
}
