/* watching.c: shows a run while it goes. One thread reads events and folds them; the other, the painter, draws, minds the clock, and takes
   the signals. The mutex guards the state, the picture and standard output. The painter holds it while it draws and the reader while it
   folds. */
#include "cli/watching.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "cli/board.h"
#include "cli/display.h"
#include "cli/failures.h"
#include "cli/follow.h"
#include "cli/report.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { TICK_MS = 100, REPAINT_MS = 1000, EXIT_INTERRUPTED = 130 };

struct watcher {
    struct cli *cli;
    uint64_t run;
    const char *server; /* words for the commands that we print */
    const struct watching *watching;
    bool live; /* a picture, not lines */
    bool colour;
    pthread_mutex_t mutex;
    pthread_t painter;
    const struct run_state *state; /* NULL until the plan is there, and again at the end */
    struct explanation *explanation;
    size_t painted_lines;
    int64_t painted_us;
    bool dirty, ended, waits, footed;
    int failed; /* errno of standard output; nothing is written any more */
};

static void put(struct watcher *watcher, const struct text *text)
{
    int failed = text->size && !watcher->failed ? file_write_all(STDOUT_FILENO, text->bytes, text->size) : 0;
    if (failed) watcher->failed = -failed;
}

/* Puts the cursor on the picture's first line and clears all below. */
static void lift(struct watcher *watcher, struct text *out)
{
    if (watcher->painted_lines) text_add_format(out, "\r\x1b[%zuA\x1b[J", watcher->painted_lines);
    watcher->painted_lines = 0;
}

static size_t count_lines(const char *text)
{
    size_t lines = 0;
    for (; (text = strchr(text, '\n')); text++)
        lines++;
    return lines;
}

/* Draws over the old picture line by line, so that nothing flickers. */
static void paint(struct watcher *watcher)
{
    if (!watcher->live || !watcher->state) return;
    struct text picture = {0}, out = {0};
    const struct board board = {watcher->state, watcher->explanation, watcher->run, watcher->server, &watcher->cli->out, clock_now_ms()};
    board_draw(&board, &picture);
    size_t lines = count_lines(text_view(&picture));
    if (watcher->painted_lines) text_add_format(&out, "\r\x1b[%zuA", watcher->painted_lines);
    for (const char *at = text_view(&picture), *end; (end = strchr(at, '\n')); at = end + 1) {
        text_add_bytes(&out, at, (size_t)(end - at));
        text_add(&out, "\x1b[K\n");
    }
    if (watcher->painted_lines > lines) text_add(&out, "\x1b[J");
    put(watcher, &out);
    watcher->painted_lines = lines;
    watcher->painted_us = clock_monotonic_us();
    watcher->dirty = false;
    text_release(&picture);
    text_release(&out);
}

/* A line above the picture, or a further line. */
static void print_line(struct watcher *watcher, const char *line, enum display_keep keep, enum style style)
{
    struct text out = {0};
    lift(watcher, &out);
    text_add(&out, style_open(style, watcher->colour));
    display_add(&out, line, keep);
    text_add(&out, style_close(style, watcher->colour));
    if (!text_ends(text_view(&out), "\n")) text_add_char(&out, '\n');
    put(watcher, &out);
    text_release(&out);
    paint(watcher);
}

/* Ctrl-C: the run is the server's and goes on; says how to stop it. */
static _Noreturn void leave(struct watcher *watcher)
{
    const char *server = watcher->server;
    unsigned long long run = (unsigned long long)watcher->run;
    fprintf(stderr, "\nrun %llu goes on\n  crescendo watch%s %llu   shows it again\n  crescendo cancel%s %llu  stops it\n", run, server,
        run, server, run);
    fflush(NULL);
    _exit(EXIT_INTERRUPTED);
}

static void watched_signals(sigset_t *set)
{
    sigemptyset(set);
    sigaddset(set, SIGINT);
    sigaddset(set, SIGTERM);
    sigaddset(set, SIGWINCH);
    sigaddset(set, SIGUSR1); /* from the reader: look at `ended` */
}

static void *painter_main(void *context)
{
    struct watcher *watcher = context;
    sigset_t set;
    watched_signals(&set);
    for (;;) {
        int signal = sigtimedwait(&set, NULL, &(struct timespec){.tv_nsec = TICK_MS * 1000L * 1000});
        pthread_mutex_lock(&watcher->mutex);
        if (signal == SIGINT || signal == SIGTERM) leave(watcher);
        if (signal == SIGWINCH) terminal_measure(&watcher->cli->out, STDOUT_FILENO);
        bool due = clock_monotonic_us() - watcher->painted_us > REPAINT_MS * 1000;
        if (!watcher->ended && (watcher->dirty || due || signal == SIGWINCH)) paint(watcher);
        bool ended = watcher->ended;
        pthread_mutex_unlock(&watcher->mutex);
        if (ended) return NULL;
    }
}

static void on_begun(void *context, const struct run_state *state)
{
    struct watcher *watcher = context;
    pthread_mutex_lock(&watcher->mutex);
    watcher->state = state;
    watcher->dirty = true;
    pthread_mutex_unlock(&watcher->mutex);
}

/* The last picture, while the state still lives. */
static void on_over(void *context)
{
    struct watcher *watcher = context;
    pthread_mutex_lock(&watcher->mutex);
    paint(watcher);
    watcher->footed = watcher->painted_lines > 0;
    watcher->state = NULL;
    pthread_mutex_unlock(&watcher->mutex);
}

/* The reducer's words do not know which server this is: the command that they name is completed. Caller frees. */
static char *complete(const char *line, const char *server)
{
    static const char command[] = "crescendo approve";
    const char *at = *server ? strstr(line, command) : NULL;
    if (!at) return mem_copy_text(line);
    size_t before = (size_t)(at - line) + sizeof command - 1;
    return mem_format("%.*s%s%s", (int)before, line, server, line + before);
}

static bool on_event(void *context, const struct run_state *state, const struct event *event)
{
    struct watcher *watcher = context;
    watcher->dirty = true;
    explanation_add(watcher->explanation, state, event);
    if (!watcher->live && !run_status_at_rest(state->status)) { /* the run's own end is told by the closing line */
        AUTO(free_text) char *line = narrate(state, event, watcher->colour);
        AUTO(free_text) char *whole = line ? complete(line, watcher->server) : NULL;
        if (whole) print_line(watcher, whole, watcher->colour ? DISPLAY_COLOUR : DISPLAY_LINES, STYLE_PLAIN);
    }
    watcher->waits = state->status == RUN_waiting && state->wait == WAIT_approval;
    return watcher->failed || (watcher->waits && watcher->watching->stop_at_approval);
}

static bool still_waits(void *context, const json_t *run)
{
    struct watcher *watcher = context;
    return watcher->failed ||
           (text_equal(json_text(run, "state", ""), "waiting") && text_equal(json_text(run, "waiting_for", ""), "approval"));
}

static void on_note(void *context, const char *line)
{
    struct watcher *watcher = context;
    pthread_mutex_lock(&watcher->mutex);
    print_line(watcher, line, DISPLAY_LINE, STYLE_WAIT);
    pthread_mutex_unlock(&watcher->mutex);
}

static int follow(struct watcher *watcher, json_t **ret_run, struct error *err)
{
    sigset_t set, before;
    watched_signals(&set);
    pthread_sigmask(SIG_BLOCK, &set, &before);
    if (pthread_create(&watcher->painter, NULL, painter_main, watcher))
        return error_set(err, ERROR_INTERNAL, NOWHERE, "cannot start a thread");
    struct follower follower = {.mutex = &watcher->mutex,
        .begun = on_begun,
        .over = on_over,
        .event = on_event,
        .still = still_waits,
        .note = on_note,
        .context = watcher};
    int failed = follow_run(&watcher->cli->client, watcher->run, &follower, ret_run, err);
    pthread_mutex_lock(&watcher->mutex);
    watcher->ended = true;
    pthread_mutex_unlock(&watcher->mutex);
    pthread_kill(watcher->painter, SIGUSR1);
    pthread_join(watcher->painter, NULL);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return failed;
}

static void close_with(struct watcher *watcher, const json_t *run)
{
    struct text out = {0};
    if (watcher->footed && !watcher->waits) text_add(&out, "\r\x1b[1A\x1b[J"); /* the picture's last line: the closing one says more */
    bool explained = report_failures(&watcher->cli->client, run, !watcher->live, &watcher->cli->out, &out);
    if (watcher->waits) report_approvals(&watcher->cli->client, run, &watcher->cli->out, &out);
    report_end(run, explained, &watcher->cli->out, &out);
    put(watcher, &out);
    text_release(&out);
}

/* Nobody would see how it goes: the run goes on, watching it ends. */
static int cannot_show(const struct watcher *watcher, struct error *err)
{
    error_set_errno(err, watcher->failed, "standard output");
    return error_hint(err, "run %llu is not lost: crescendo watch%s %llu", (unsigned long long)watcher->run, watcher->server,
        (unsigned long long)watcher->run);
}

int watching_run(struct cli *cli, uint64_t run, const struct watching *watching, struct error *err)
{
    AUTO(free_text) char *server = report_server_words(&cli->client);
    struct watcher watcher = {.cli = cli,
        .server = server,
        .run = run,
        .watching = watching,
        .live = cli->out.is_tty && !watching->plain,
        .colour = cli->out.colour,
        .explanation = explanation_new(),
        .mutex = PTHREAD_MUTEX_INITIALIZER};
    AUTO(free_json) json_t *end = NULL;
    fflush(stdout);
    int failed = follow(&watcher, &end, err);
    explanation_free(&watcher.explanation);
    if (failed) return failed;
    close_with(&watcher, end);
    return watcher.failed ? cannot_show(&watcher, err) : report_exit_code(end);
}
