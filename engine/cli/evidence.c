/* evidence.c: `crescendo evidence`: what a run's canaries were judged by, as tables, charts, a picture, or computed again. */
#include "base/encode.h"
#include "base/file.h"
#include "base/mem.h"
#include "cli/commands.h"
#include "cli/evidence_draw.h"
#include "cli/evidence_replay.h"
#include "cli/output.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The records of each step that judged a canary. */
struct sections {
    struct evidence_record *items;
    size_t count, room;
};

static void sections_release(struct sections *sections)
{
    for (size_t i = 0; i < sections->count; i++)
        evidence_record_release(&sections->items[i]);
    free(sections->items);
}

/* --- reading --- */

/* Does the step belong to this stage, or to one inside of it? NULL: any does. */
static bool is_of_stage(const char *step, const char *stage)
{
    if (!stage) return true;
    size_t size = strlen(stage);
    return text_starts(step, stage) && (step[size] == '/' || step[size] == '\0');
}

static json_t *records_of(json_t *by_step, const char *step)
{
    json_t *list = json_object_get(by_step, step);
    if (list) return list;
    json_object_set_new(by_step, step, json_array());
    return json_object_get(by_step, step);
}

static void sort_page(const json_t *page, const char *stage, json_t *by_step)
{
    size_t index;
    json_t *record;
    json_array_foreach(json_object_get(page, "records"), index, record)
    {
        const char *step = json_text(record, "step", NULL);
        if (step && is_of_stage(step, stage)) json_array_append(records_of(by_step, step), record);
    }
}

static int read_pages(struct cli *cli, uint64_t run, json_t *by_step, struct error *err)
{
    int64_t after = 0;
    do {
        AUTO(free_json) json_t *page = NULL;
        int failed = client_get(&cli->client, &page, err, "/v1/runs/%llu/evidence?after=%lld", (unsigned long long)run, (long long)after);
        if (failed) return failed;
        sort_page(page, options_value(&cli->options, "stage"), by_step);
        int64_t next = json_whole(page, "next", 0);
        after = next > after ? next : 0;
    } while (after);
    return 0;
}

static int refuse_nothing(struct cli *cli, uint64_t run, struct error *err)
{
    const char *stage = options_value(&cli->options, "stage");
    if (stage)
        return error_set(
            err, ERROR_NOT_FOUND, NOWHERE, "run %llu has no evidence of a canary in stage %.200s", (unsigned long long)run, stage);
    error_set(err, ERROR_NOT_FOUND, NOWHERE, "run %llu has no evidence of a canary", (unsigned long long)run);
    return error_hint(err, "a step `kpi` puts it on record; `crescendo explain %llu` tells what the run did", (unsigned long long)run);
}

static int read_sections(struct cli *cli, uint64_t run, struct sections *sections, struct error *err)
{
    AUTO(free_json) json_t *by_step = json_object();
    const char *step;
    json_t *records;
    int failed = read_pages(cli, run, by_step, err);
    if (failed) return failed;
    json_object_foreach(by_step, step, records)
    {
        sections->items = mem_grow(sections->items, &sections->room, sections->count + 1, sizeof *sections->items);
        evidence_record_read(json_incref(records), &sections->items[sections->count++]);
    }
    return sections->count ? 0 : refuse_nothing(cli, run, err);
}

/* --- showing --- */

static bool is_plain(void)
{
    static const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG"};
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        const char *value = getenv(names[i]);
        if (value && *value) return !strcasestr(value, "utf-8") && !strcasestr(value, "utf8");
    }
    return true;
}

static int show(struct cli *cli, const struct sections *sections)
{
    struct text out = {0};
    for (size_t i = 0; i < sections->count; i++) {
        if (i) text_add_char(&out, '\n');
        evidence_table(&sections->items[i], &cli->out, &out);
        text_add_char(&out, '\n');
        evidence_chart(&sections->items[i], &cli->out, is_plain(), &out);
    }
    print_text(&out);
    return 0;
}

static int save_picture(struct cli *cli, uint64_t run, const struct sections *sections, struct error *err)
{
    const char *path = options_value(&cli->options, "svg");
    const struct evidence_record *only = sections->items;
    if (!only) return 0;
    if (sections->count > 1) {
        error_set(
            err, ERROR_INVALID, NOWHERE, "run %llu judged %zu canaries; one is drawn at a time", (unsigned long long)run, sections->count);
        return error_hint(err, "say which: --stage %s", only->step);
    }
    AUTO(free_text) char *heading = mem_format("run %llu, %s", (unsigned long long)run, only->step);
    struct text picture = {0};
    evidence_svg(only, heading, &picture);
    int failed = text_equal(path, "-") ? 0 : file_replace(path, picture.bytes, picture.size, 0644, err);
    if (text_equal(path, "-")) print_text(&picture);
    text_release(&picture);
    return failed;
}

/* All ticks of one canary together, whatever checkpoint they came in. */
static json_t *section_json(const struct evidence_record *evidence)
{
    static const char *const names[] = {"canary", "baseline", "versions", "family", "policy", "previous", "kpis"};
    const json_t *first = json_object_get(json_array_get(evidence->records, 0), "record");
    json_t *section = json_object(), *ticks = json_array(), *record;
    size_t index;
    json_put_text(section, "step", evidence->step);
    for (size_t i = 0; i < COUNT_OF(names); i++)
        json_put(section, names[i], json_incref(json_object_get(first, names[i])));
    json_array_foreach(evidence->records, index, record)
        json_array_extend(ticks, json_object_get(json_object_get(record, "record"), "ticks"));
    json_put(section, "ticks", ticks);
    json_put(section, "verdict", json_incref((json_t *)evidence->verdict));
    return section;
}

static int show_json(uint64_t run, const struct sections *sections)
{
    AUTO(free_json) json_t *all = json_pack("{s:I, s:[]}", "run", (json_int_t)run, "evidence");
    for (size_t i = 0; i < sections->count; i++)
        json_array_append_new(json_object_get(all, "evidence"), section_json(&sections->items[i]));
    return print_json(all);
}

static int replay_all(const struct sections *sections, struct error *err)
{
    int code = 0;
    for (size_t i = 0; i < sections->count; i++) {
        struct text line = {0};
        bool same = false;
        int failed = evidence_replay(&sections->items[i], &same, &line, err);
        if (failed) return failed;
        code |= !same;
        print_clean(text_view(&line));
        putchar('\n');
        text_release(&line);
    }
    return code;
}

int evidence_run(struct cli *cli, struct error *err)
{
    uint64_t run = 0;
    AUTO(sections_release) struct sections sections = {0};
    int failed = client_run_number(&cli->client, options_argument(&cli->options, 0), &run, err);
    if (!failed) failed = read_sections(cli, run, &sections, err);
    if (failed) return failed;
    if (options_flag(&cli->options, "replay")) return replay_all(&sections, err);
    if (options_value(&cli->options, "svg")) return save_picture(cli, run, &sections, err);
    return options_flag(&cli->options, "json") ? show_json(run, &sections) : show(cli, &sections);
}
