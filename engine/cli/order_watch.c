/* order_watch.c: watches an order until it is at rest, by asking again and again: what changed in the meantime is said line by line. */
#include "cli/order_watch.h"

#include "base/clock.h"
#include "base/mem.h"
#include "cli/board.h"
#include "cli/display.h"
#include "cli/order_report.h"
#include "cli/output.h"
#include "cli/report.h"
#include "cli/documents.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { PAUSE_MIN_MS = 50, PAUSE_MAX_MS = 500, REQUEST_MS = 3000, AWAY_LIMIT_MS = 120 * 1000, EXIT_INTERRUPTED = 130 };

struct watch {
    struct cli *cli;
    char *id, *server;
    json_t *seen;     /* the order as it was printed last; NULL = not at all */
    int64_t begun_us; /* for the line that is drawn in place */
    int64_t away_us;  /* when the core was lost; 0 = it is there */
    bool quiet;       /* --json */
    bool drawn;       /* the line is on the terminal */
};

static void lift(struct watch *watch, struct text *out)
{
    if (watch->drawn) text_add(out, "\r\x1b[K");
    watch->drawn = false;
}

static void put(struct text *out)
{
    print_text(out);
    fflush(stdout);
}

/* "● order 17 inProgress  1 of 3 done  4 s", without a line break. */
static void draw(struct watch *watch, struct text *out)
{
    const struct terminal *terminal = &watch->cli->out;
    const char *state = json_text(watch->seen, "state", "?");
    AUTO(text_release) struct text line = {0};
    if (!terminal->is_tty || watch->quiet) return;
    text_add_format(&line, "%s order %s %s  %zu of %zu done  ", symbol_of_state(state), watch->id, state, order_items_done(watch->seen),
        json_array_size(json_object_get(watch->seen, "serviceOrderItem")));
    board_add_elapsed(&line, (clock_monotonic_us() - watch->begun_us) / 1000);
    text_add(out, style_open(style_of_state(state), terminal->colour));
    display_add_cut(out, text_view(&line), terminal->columns ? terminal->columns - 1 : 79);
    text_add(out, style_close(style_of_state(state), terminal->colour));
    watch->drawn = true;
}

static void show_news(struct watch *watch, json_t *order)
{
    struct text out = {0};
    lift(watch, &out);
    if (!watch->quiet) order_add_news(watch->seen, order, &watch->cli->out, &out);
    json_decref(watch->seen);
    watch->seen = json_incref(order);
    if (!order_is_at_rest(order)) draw(watch, &out);
    put(&out);
}

static void note(struct watch *watch, const char *words)
{
    struct text out = {0};
    lift(watch, &out);
    if (!watch->quiet) text_add_format(&out, "%s\n", words);
    put(&out);
}

/* The order is the core's and goes on; says how to stop it. */
static _Noreturn void leave(struct watch *watch)
{
    fprintf(stderr, "\norder %s goes on\n  crescendo order%s show %s   shows it\n  crescendo order%s cancel %s stops it\n", watch->id,
        watch->server, watch->id, watch->server, watch->id);
    fflush(NULL);
    _Exit(EXIT_INTERRUPTED);
}

static void watched_signals(sigset_t *set)
{
    sigemptyset(set);
    sigaddset(set, SIGINT);
    sigaddset(set, SIGTERM);
}

/* Signals are taken here, between requests, which are short: so what is left on the terminal and said is always whole. */
static void pause_ms(struct watch *watch, int ms)
{
    sigset_t set;
    watched_signals(&set);
    if (sigtimedwait(&set, NULL, &(struct timespec){.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000 * 1000}) > 0) leave(watch);
}

static bool is_passing(int failed)
{
    return failed == -ERROR_UNAVAILABLE || failed == -ERROR_TIMEOUT || failed == -ERROR_PROTOCOL || failed == -ERROR_IO;
}

/* 0: try again. */
static int bear(struct watch *watch, int failed, struct error *err)
{
    int64_t now_us = clock_monotonic_us();
    if (!is_passing(failed)) return failed;
    if (!watch->away_us) {
        note(watch, "the server is gone; the order goes on, waiting for the server to come back");
        watch->away_us = now_us;
    }
    if (now_us - watch->away_us < (int64_t)AWAY_LIMIT_MS * 1000) return 0;
    return error_hint(err, "the order is not lost: start the server, then `crescendo order%s show %.40s`", watch->server, watch->id);
}

static int ask(struct watch *watch, struct error *err)
{
    AUTO(free_json) json_t *order = NULL;
    int failed = core_get(&watch->cli->client, CORE_ORDERS, watch->id, &order, err);
    if (failed) return bear(watch, failed, err);
    if (watch->away_us) note(watch, "the server is back");
    watch->away_us = 0;
    show_news(watch, order);
    return 0;
}

static int watch_to_end(struct watch *watch, struct error *err)
{
    for (int wait_ms = PAUSE_MIN_MS; !order_is_at_rest(watch->seen);
         wait_ms = wait_ms * 5 / 4 < PAUSE_MAX_MS ? wait_ms * 5 / 4 : PAUSE_MAX_MS) {
        pause_ms(watch, wait_ms);
        int failed = ask(watch, err);
        if (failed) return failed;
    }
    return 0;
}

/* As it may be printed: an id that is not harmless is not found then. */
static char *clean_id(const json_t *order)
{
    struct text id = {0};
    display_add(&id, json_text(order, "id", "?"), DISPLAY_LINE);
    return text_take(&id);
}

/* With short requests, and with signals that wait for the pauses. */
static int watch_shielded(struct watch *watch, json_t *order, struct error *err)
{
    struct client *client = &watch->cli->client;
    int timeout_ms = client->timeout_ms;
    sigset_t set, old;
    watched_signals(&set);
    sigprocmask(SIG_BLOCK, &set, &old);
    client->timeout_ms = REQUEST_MS;
    show_news(watch, order);
    int failed = watch_to_end(watch, err);
    client->timeout_ms = timeout_ms;
    sigprocmask(SIG_SETMASK, &old, NULL);
    return failed;
}

int order_watch(struct cli *cli, const json_t *order, json_t **ret, struct error *err)
{
    struct watch watch = {.cli = cli,
        .id = clean_id(order),
        .server = report_server_words(&cli->client),
        .begun_us = clock_monotonic_us(),
        .quiet = options_flag(&cli->options, "json")};
    int failed = watch_shielded(&watch, (json_t *)order, err);
    struct text out = {0};
    lift(&watch, &out);
    put(&out);
    free(watch.id);
    free(watch.server);
    if (!failed) *ret = take(&watch.seen);
    json_decref(watch.seen);
    return failed;
}

static void add_share(const json_t *service, struct text *out)
{
    AUTO(free_text) char *share = document_value_text(service, "traffic.share");
    int64_t lease_ms = json_integer_value(document_value(service, "traffic.lease"));
    if (*share) text_add_format(out, ", share %s %%", share);
    if (!lease_ms) return;
    text_add(out, ", which goes back when nobody renews it for ");
    text_add_duration(out, lease_ms);
}

static void add_address(const json_t *service, struct text *out)
{
    const json_t *specification = json_object_get(service, "serviceSpecification");
    AUTO(free_text) char *address = document_value_text(service, "address");
    AUTO(text_release) struct text line = {0};
    if (!*address) return;
    text_add_format(&line, "service %s  %s %s at %s", json_text(service, "id", "?"), json_text(specification, "name", "?"),
        json_text(specification, "version", ""), address);
    add_share(service, &line);
    display_add(out, text_view(&line), DISPLAY_LINE);
    text_add_char(out, '\n');
}

/* Where what was ordered answers: a line a service that has an address. */
static void add_addresses(struct cli *cli, const json_t *order, struct text *out)
{
    size_t i;
    json_t *item;
    json_array_foreach(json_object_get(order, "serviceOrderItem"), i, item)
    {
        AUTO(free_json) json_t *service = NULL;
        const char *id = json_text(json_object_get(item, "service"), "id", NULL);
        if (!id || text_equal(json_text(item, "action", ""), "delete")) continue;
        if (core_get(&cli->client, CORE_SERVICES, id, &service, NULL) == 0) add_address(service, out);
    }
}

static int say_where(struct cli *cli, const json_t *order)
{
    AUTO(free_text) char *server = report_server_words(&cli->client);
    struct text out = {0};
    order_add_end(order, &cli->out, &out);
    text_add_format(&out, "see it: crescendo order%s show ", server);
    display_add(&out, json_text(order, "id", "?"), DISPLAY_LINE);
    text_add_char(&out, '\n');
    print_text(&out);
    return 0;
}

int order_finish(struct cli *cli, const json_t *order, struct error *err)
{
    AUTO(free_json) json_t *ended = NULL;
    bool as_json = options_flag(&cli->options, "json");
    if (options_flag(&cli->options, "no-wait")) return as_json ? print_json(order) : say_where(cli, order);
    int failed = order_watch(cli, order, &ended, err);
    if (failed) return failed;
    struct text out = {0};
    if (as_json) {
        print_json(ended);
    } else {
        order_add_end(ended, &cli->out, &out);
        if (!order_exit_code(ended)) add_addresses(cli, ended, &out);
        print_text(&out);
    }
    return order_exit_code(ended);
}
