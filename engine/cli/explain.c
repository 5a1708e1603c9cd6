/* explain.c: `crescendo explain`: why a run is where it is, in lines. */
#include "base/clock.h"
#include "base/encode.h"
#include "base/mem.h"
#include "cli/commands.h"
#include "cli/display.h"
#include "cli/facts.h"
#include "cli/output.h"
#include "cli/report.h"
#include "cli/shell_words.h"
#include "cli/when.h"

#include <time.h>

struct page {
    const struct terminal *terminal;
    const char *server; /* words for the commands that are shown */
    int64_t now_ms;
    bool with_date; /* not all of it was today */
    struct text out;
};

static bool is_today(int64_t ms, int64_t now_ms)
{
    time_t then = (time_t)(ms / 1000), now = (time_t)(now_ms / 1000);
    struct tm one, other;
    return localtime_r(&then, &one) && localtime_r(&now, &other) && one.tm_yday == other.tm_yday && one.tm_year == other.tm_year;
}

static void add_clock(struct text *out, int64_t ms, bool with_date)
{
    time_t seconds = (time_t)(ms / 1000);
    struct tm local;
    if (!localtime_r(&seconds, &local)) return;
    if (with_date) text_add_format(out, "%04d-%02d-%02d ", local.tm_year + 1900, local.tm_mon + 1, local.tm_mday);
    text_add_format(out, "%02d:%02d:%02d", local.tm_hour, local.tm_min, local.tm_sec);
}

static enum style style_of_link(const char *kind)
{
    static const struct {
        const char *kind;
        enum style style;
    } styles[] = {{"failed", STYLE_BAD}, {"not_undone", STYLE_BAD}, {"unknown", STYLE_BAD}, {"goes_back", STYLE_WAIT},
        {"undone", STYLE_WAIT}, {"cancel", STYLE_WAIT}, {"verdict", STYLE_STRONG}, {"more", STYLE_QUIET}, {"went_well", STYLE_QUIET}};
    for (size_t i = 0; i < COUNT_OF(styles); i++)
        if (text_equal(styles[i].kind, kind)) return styles[i].style;
    return STYLE_PLAIN;
}

static void add_link(struct page *page, const json_t *link)
{
    AUTO(text_release) struct text time = {0};
    enum style style = style_of_link(json_text(link, "kind", ""));
    add_clock(&time, json_whole(link, "at_ms", 0), page->with_date);
    text_add_styled(&page->out, STYLE_QUIET, page->terminal->colour, text_view(&time));
    text_add(&page->out, "  ");
    text_add(&page->out, style_open(style, page->terminal->colour));
    display_add_wrapped(&page->out, json_text(link, "words", "?"), page->terminal->columns, time.size + 2);
    text_add(&page->out, style_close(style, page->terminal->colour));
    text_add_char(&page->out, '\n');
}

/* "since 12:30:05 (1 m 20 s), until 12:40:05" */
static void add_times(struct page *page, const json_t *wait)
{
    int64_t since_ms = json_whole(wait, "since_ms", 0), until_ms = json_whole(wait, "until_ms", 0);
    if (!since_ms && !until_ms) return;
    text_add(&page->out, "  ");
    if (since_ms) {
        text_add(&page->out, "since ");
        add_clock(&page->out, since_ms, !is_today(since_ms, page->now_ms));
        text_add(&page->out, " (");
        when_add_took(&page->out, since_ms, 0, page->now_ms);
        text_add_char(&page->out, ')');
    }
    if (until_ms) {
        const char *what = json_object_get(wait, "canary") ? "next look at" : "until";
        text_add_format(&page->out, "%s%s ", since_ms ? ", " : "", what);
        add_clock(&page->out, until_ms, !is_today(until_ms, page->now_ms));
    }
    text_add_char(&page->out, '\n');
}

static void add_command(struct page *page, const json_t *words)
{
    size_t i;
    json_t *word;
    struct text line = {0};
    json_array_foreach(words, i, word)
    {
        text_add_format(&line, "%s%s", i == 0 ? "  crescendo " : " ", i == 1 ? page->server : "");
        if (i == 1 && *page->server) text_add_char(&line, ' ');
        shell_add_word(&line, json_string_value(word) ? json_string_value(word) : "");
    }
    display_add(&page->out, text_view(&line), DISPLAY_LINE);
    text_add_char(&page->out, '\n');
    text_release(&line);
}

static void add_wait(struct page *page, const json_t *wait)
{
    size_t i;
    json_t *command;
    text_add(&page->out, style_open(STYLE_WAIT, page->terminal->colour));
    display_add_wrapped(&page->out, json_text(wait, "words", "?"), page->terminal->columns, 0);
    text_add(&page->out, style_close(STYLE_WAIT, page->terminal->colour));
    text_add_char(&page->out, '\n');
    add_times(page, wait);
    json_array_foreach(json_object_get(wait, "commands"), i, command) add_command(page, command);
}

static void add_page(struct page *page, const json_t *told)
{
    const json_t *chain = json_object_get(told, "chain"), *now = json_object_get(told, "now");
    const char *step = json_text(told, "step", NULL);
    AUTO(free_text) char *verb = report_verb(told);
    AUTO(free_text)
    char *head = mem_format("run %lld %s%s%s", (long long)json_whole(told, "run", 0), verb, step ? ": " : "", step ? step : "");
    size_t i;
    json_t *item;
    fact_add_head(&page->out, page->terminal, json_text(told, "state", ""), head);
    json_array_foreach(chain, i, item) page->with_date |= !is_today(json_whole(item, "at_ms", 0), page->now_ms);
    text_add_char(&page->out, '\n');
    json_array_foreach(chain, i, item) add_link(page, item);
    if (json_array_size(now)) text_add_char(&page->out, '\n');
    json_array_foreach(now, i, item) add_wait(page, item);
}

int explain_run(struct cli *cli, struct error *err)
{
    uint64_t run = 0;
    const char *step = options_argument(&cli->options, 1);
    AUTO(free_json) json_t *told = NULL;
    AUTO(text_release) struct text name = {0};
    int failed = client_run_number(&cli->client, options_argument(&cli->options, 0), &run, err);
    if (failed) return failed;
    if (step) percent_encode(step, &name);
    failed =
        client_get(&cli->client, &told, err, "/v1/runs/%llu/explain%s%s", (unsigned long long)run, step ? "?step=" : "", text_view(&name));
    if (failed) return failed;
    if (options_flag(&cli->options, "json")) return print_json(told);
    AUTO(free_text) char *server = report_server_words(&cli->client);
    struct page page = {.terminal = &cli->out, .server = *server ? server + 1 : server, .now_ms = clock_now_ms()};
    add_page(&page, told);
    print_text(&page.out);
    return 0;
}
