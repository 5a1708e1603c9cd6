/* simulate.c: `crescendo simulate`: what a pipeline does when things go wrong, before it is run: its own plan, the real engine, a simulated
   world. Works on the file alone: no server, no run, nothing is changed. */
#include "cli/simulate.h"

#include "base/json.h"
#include "base/mem.h"
#include "cli/display.h"
#include "cli/output.h"
#include "cli/planning.h"

enum { SEEDS_MAX = 100 * 1000 };

/* --- which scenario --------------------------------------------------------------------------------------------------------------------
 */

static int print_scenarios(const struct cli *cli)
{
    static const struct column columns[] = {{"SCENARIO"}, {"WHAT GOES WRONG", .keep = 20}};
    struct text out = {0};
    if (options_flag(&cli->options, "json")) {
        AUTO(free_json) json_t *list = json_array();
        for (const struct odds *each = scenarios; each->name; each++)
            json_array_append_new(list, json_pack("{s:s, s:s, s:s}", "scenario", each->name, "what", each->help, "look_at", each->seen));
        return print_json(list);
    }
    struct table *table = table_new(columns, COUNT_OF(columns));
    for (const struct odds *each = scenarios; each->name; each++) {
        table_add(table, STYLE_STRONG, each->name);
        table_add(table, STYLE_PLAIN, each->help);
    }
    table_print(table, cli->out.columns, cli->out.colour, &out);
    table_free(&table);
    print_text(&out);
    return 0;
}

/* Did you mean; NULL: none is like it. */
static const char *nearest_scenario(const char *name)
{
    enum { NAMES_MAX = 40 };
    const char *names[NAMES_MAX + 1] = {NULL};
    for (size_t i = 0; i < NAMES_MAX && scenarios[i].name; i++)
        names[i] = scenarios[i].name;
    return name_nearest(name, names);
}

static int find_scenario(const char *name, const struct odds **ret, struct error *err)
{
    const char *nearest = nearest_scenario(name);
    *ret = scenario_find(name);
    if (*ret) return 0;
    error_set(err, ERROR_INVALID, NOWHERE, "there is no scenario '%.80s'", name);
    if (nearest) return error_hint(err, "did you mean --scenario %s?", nearest);
    return error_hint(err, "`crescendo simulate --scenario list` shows them");
}

/* --- the head --------------------------------------------------------------------------------------------------------------------------
 */

/* The stages that the scenario cannot touch. */
static void add_untouched(struct text *out, const struct terminal *terminal, const struct simulation *simulation)
{
    static const char *const lacks[] = {"nothing", "nothing to order", "no canary", "no approval"};
    const struct plan *plan = simulation->plan;
    const char *lack = lacks[simulation->odds->target];
    AUTO(text_release) struct text line = {0};
    if (!scenario_touches_any(simulation->odds, plan)) {
        text_add_format(&line, "It cannot touch this pipeline: there is %s in it.", lack);
    } else {
        for (uint32_t i = 0; i < plan->stage_count; i++)
            if (!scenario_touches(simulation->odds, plan, &plan->stages[i]))
                text_add_format(&line, "%s%s", line.size ? ", " : "It cannot touch ", plan->stages[i].path);
        if (line.size) text_add_format(&line, ": there is %s.", lack);
    }
    if (!line.size) return;
    display_add_wrapped(out, text_view(&line), terminal->columns, 0);
    text_add_char(out, '\n');
}

static void add_head(struct text *out, const struct cli *cli, const struct simulation *simulation, const char *seeds)
{
    const struct odds *odds = simulation->odds;
    AUTO(free_text) char *words = mem_format("Scenario %s: %s. Look at this: %s.", odds->name, odds->help, odds->seen);
    text_add(out, style_open(STYLE_STRONG, cli->out.colour));
    display_add(out, planning_file(cli), DISPLAY_LINE);
    text_add_format(out, "%s in a simulated world, %s\n", style_close(STYLE_STRONG, cli->out.colour), seeds);
    display_add_wrapped(out, words, cli->out.columns, 0);
    text_add_char(out, '\n');
    add_untouched(out, &cli->out, simulation);
    text_add_char(out, '\n');
}

/* --- one run ---------------------------------------------------------------------------------------------------------------------------
 */

static int exit_code_of(const json_t *report)
{
    if (!json_flag(report, "held", true)) return EXIT_CODE_BROKEN;
    return json_flag(report, "meant", true) ? 0 : 1;
}

static void print_story(const struct cli *cli, const struct simulation *simulation, struct story *story, const json_t *report)
{
    struct text out = {0};
    AUTO(free_text) char *seed = mem_format("seed %llu", (unsigned long long)simulation->seed);
    add_head(&out, cli, simulation, seed);
    text_add(&out, text_view(&story->out));
    text_add_char(&out, '\n');
    simulated_add_end(&out, &cli->out, report);
    print_text(&out);
}

static int simulate_one(const struct cli *cli, struct simulation *simulation)
{
    struct story story;
    bool as_json = options_flag(&cli->options, "json");
    story_begin(&story, simulation->plan, &cli->out, as_json);
    simulation->listener = story_listener(&story);
    AUTO(free_json) json_t *report = simulate(simulation);
    json_put(report, "now", story_now(&story));
    if (as_json) {
        json_put(report, "story", json_incref(story.lines));
        print_json(report);
    } else {
        print_story(cli, simulation, &story, report);
    }
    story_release(&story);
    return exit_code_of(report);
}

/* --- many runs -------------------------------------------------------------------------------------------------------------------------
 */

static int worst_of(const json_t *kinds)
{
    size_t i;
    json_t *kind;
    int worst = 0;
    json_array_foreach(kinds, i, kind)
    {
        int code = exit_code_of(kind);
        if (code > worst) worst = code;
    }
    return worst;
}

static int simulate_seeds(const struct cli *cli, const struct simulation *simulation, int64_t count)
{
    AUTO(free_json) json_t *kinds = simulate_many(simulation, count);
    unsigned long long seed = simulation->seed;
    AUTO(free_text) char *seeds = mem_format("seeds %llu to %llu", seed, seed + (unsigned long long)count - 1);
    struct text out = {0};
    int code = worst_of(kinds);
    if (options_flag(&cli->options, "json")) {
        AUTO(free_json)
        json_t *all = json_pack("{s:s, s:I, s:I, s:b, s:O}", "scenario", simulation->odds->name, "seed", (json_int_t)seed, "runs",
            (json_int_t)count, "held", code != EXIT_CODE_BROKEN, "kinds", kinds);
        print_json(all);
        return code;
    }
    add_head(&out, cli, simulation, seeds);
    simulated_add_kinds(&out, &cli->out, kinds);
    text_add_format(&out, "\n%lld runs; the promise %s.\n", (long long)count, code == EXIT_CODE_BROKEN ? "was BROKEN" : "held in each");
    print_text(&out);
    return code;
}

int simulate_run(struct cli *cli, struct error *err)
{
    int64_t seed = 1, seeds = 1;
    const char *name = options_value(&cli->options, "scenario");
    struct simulation simulation = {0};
    if (text_equal(name, "list")) return print_scenarios(cli);
    int failed = find_scenario(name ? name : "calm", &simulation.odds, err);
    if (!failed) failed = options_number(&cli->options, "seed", 0, 1, &seed, err);
    if (!failed) failed = options_number(&cli->options, "seeds", 1, 1, &seeds, err);
    if (!failed && seeds > SEEDS_MAX) failed = error_set(err, ERROR_LIMIT, NOWHERE, "--seeds is at most %d", SEEDS_MAX);
    if (!failed) failed = planning_make(cli, err);
    if (failed) return failed;
    simulation.plan = cli->plan;
    simulation.types = cli->types;
    simulation.seed = (uint64_t)seed;
    return seeds > 1 ? simulate_seeds(cli, &simulation, seeds) : simulate_one(cli, &simulation);
}
