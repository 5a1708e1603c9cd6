/* logs.c: `crescendo logs`: what the steps printed. On a terminal colours stay and all else that could take it over goes; elsewhere, and
   with --raw, the bytes are as they were. It is a stream of any size, of which nothing is kept here. A log only ever grows, so a
   lost connection is mended by asking again and leaving out what was printed. */
#include "base/encode.h"
#include "base/file.h"
#include "base/mem.h"
#include "cli/commands.h"
#include "cli/display.h"

#include <errno.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

enum { TRIES = 200, PAUSE_MS = 300, STOP = 1 };

struct printing {
    struct display_filter filter;
    bool clean;
    bool line_open;         /* the last line has no end yet */
    uint64_t printed, skip; /* bytes of the stream: taken so far; still to leave out on this connection */
    int failed;             /* errno of standard output */
};

static int print_bytes(void *context, const char *bytes, size_t size)
{
    struct printing *printing = context;
    size_t left_out = printing->skip < size ? (size_t)printing->skip : size;
    printing->skip -= left_out;
    bytes += left_out;
    size -= left_out;
    printing->printed += size;
    struct text out = {0};
    if (printing->clean) display_filter_add(&printing->filter, bytes, size, &out);
    int failed = printing->clean ? file_write_all(STDOUT_FILENO, text_view(&out), out.size) : file_write_all(STDOUT_FILENO, bytes, size);
    if (out.size) printing->line_open = out.bytes[out.size - 1] != '\n';
    text_release(&out);
    if (failed) printing->failed = -failed;
    return failed ? STOP : 0;
}

static int add_query(const struct options *options, uint64_t run, bool follow, struct text *path, struct error *err)
{
    int64_t attempt = 0;
    const char *step = options_value(options, "step");
    int failed = options_number(options, "attempt", 1, 0, &attempt, err);
    if (failed) return failed;
    text_add_format(path, "/v1/runs/%llu/logs?format=%s", (unsigned long long)run, options_flag(options, "raw") ? "raw" : "text");
    text_add(path, follow ? "&follow=1" : "&all=1");
    if (attempt) text_add_format(path, "&attempt=%lld", (long long)attempt);
    if (!step) return 0;
    text_add(path, "&step=");
    percent_encode(step, path);
    return 0;
}

/* Asks until the answer ends in order. */
static int print_log(struct cli *cli, const char *path, bool follow, struct printing *printing, struct error *err)
{
    for (unsigned try = 0;; try++) {
        uint64_t before = printing->printed;
        printing->skip = before;
        int failed = client_stream(&cli->client, path, follow ? -1 : 30 * 1000, NULL, print_bytes, printing, err);
        if (printing->failed) return error_set_errno(err, printing->failed, "standard output");
        if (!failed) return 0;
        bool passing = failed == -ERROR_UNAVAILABLE || failed == -ERROR_PROTOCOL || failed == -ERROR_IO;
        if (!follow || !passing || !before || try >= TRIES) return failed;
        if (try == 0) fputs("crescendo: the connection to the server is lost; waiting for it\n", stderr);
        if (printing->printed > before) try = 0;
        nanosleep(&(struct timespec){.tv_nsec = PAUSE_MS * 1000L * 1000}, NULL);
    }
}

int logs_run(struct cli *cli, struct error *err)
{
    uint64_t run = 0;
    struct text path = {0};
    int failed = client_run_number(&cli->client, options_argument(&cli->options, 0), &run, err);
    bool follow = options_flag(&cli->options, "follow");
    if (!failed) failed = add_query(&cli->options, run, follow, &path, err);
    struct printing printing = {.filter = {.keep = cli->out.colour ? DISPLAY_COLOUR : DISPLAY_LINES},
        .clean = isatty(STDOUT_FILENO) && !options_flag(&cli->options, "raw")};
    if (!failed) failed = print_log(cli, text_view(&path), follow, &printing, err);
    text_release(&path);
    struct text rest = {0};
    if (printing.clean) display_filter_end(&printing.filter, &rest);
    if (printing.line_open || rest.size) text_add_char(&rest, '\n'); /* the next prompt stands in a line of its own */
    (void)file_write_all(STDOUT_FILENO, text_view(&rest), rest.size);
    text_release(&rest);
    return failed;
}
