/* launch.c: a step of the plan becomes a program to start: its sandbox, arguments, environment and input. */
#include "run/live.h"

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "run/core_socket.h"
#include "run/secrets.h"
#include "run/shelf.h"
#include "spec/beside.h"

#include <libgen.h>
#include <stdlib.h>
#include <string.h>

struct words { /* a NULL-ended list of texts that it owns */
    char **items;
    size_t count, capacity;
};

static void words_add(struct words *words, char *text)
{
    words->items = mem_grow(words->items, &words->capacity, words->count + 2, sizeof *words->items);
    words->items[words->count++] = text;
    words->items[words->count] = NULL;
}

static void words_release(struct words *words)
{
    for (size_t i = 0; i < words->count; i++)
        free(words->items[i]);
    free(words->items);
}

static const char *const *words_view(const struct words *words)
{
    return (const char *const *)words->items;
}

/* What the sandbox of a step must let it reach beyond its workspace: a checkout reads the source, a typed step needs its program and
   a place for what it makes, one that speaks with a domain the machine's network and the socket of our own core. Steps with equal
   permissions share one sandbox, named by the first of them. */
enum reach { REACH_WORKSPACE, REACH_PROGRAM, REACH_SOURCE, REACH_DOMAIN };

static const struct step_type *type_of(const struct engine *engine, const struct plan_step *step)
{
    for (step_types *type = engine->options.types; *type; type++)
        if (strcmp((*type)->name, step->type) == 0) return *type;
    return NULL;
}

static enum reach reach_of(const struct engine *engine, const struct plan_step *step)
{
    if (strcmp(step->type, "run") == 0) return REACH_WORKSPACE;
    if (strcmp(step->type, "checkout") == 0) return REACH_SOURCE;
    const struct step_type *type = type_of(engine, step);
    return type && type->reaches_out ? REACH_DOMAIN : REACH_PROGRAM;
}

static uint32_t sandbox_of(const struct live_run *run, const struct plan_step *step)
{
    const struct engine *engine = run->engine;
    const struct plan *plan = run->plan;
    const struct plan_stage *stage = &plan->stages[step->stage];
    for (uint32_t at = stage->first_step; at < step->index; at++) {
        const struct plan_step *earlier = &plan->steps[at];
        if (reach_of(engine, earlier) == reach_of(engine, step) &&
            (earlier->sandbox == step->sandbox || json_equal(earlier->sandbox, step->sandbox)))
            return at;
    }
    return step->index;
}

/* The program of a typed step: ours with the type as its argument, or an executable crescendo-step-NAME of the path. */
static char *program_of(const struct live_run *run, const char *type)
{
    char *external = run->engine->options.external_program ? run->engine->options.external_program(type) : NULL;
    return external ? external : mem_copy_text(run->engine->options.step);
}

static void add_reachable(const struct live_run *run, const struct plan_step *step, struct words *read_only)
{
    enum reach reach = reach_of(run->engine, step);
    if (reach == REACH_WORKSPACE) return;
    if (reach == REACH_DOMAIN && run->engine->options.core_socket) {
        AUTO(free_text) char *socket = mem_copy_text(run->engine->options.core_socket);
        core_socket_share(socket);
        words_add(read_only, mem_copy_text(dirname(socket))); /* its folder, for a new server makes a new socket */
    }
    AUTO(free_text) char *program = program_of(run, step->type);
    words_add(read_only, mem_copy_text(dirname(program)));
    const char *source = json_text(run->accepted, "source", NULL);
    if (reach == REACH_SOURCE && source) words_add(read_only, mem_copy_text(source));
    const json_t *input;
    size_t index;
    json_array_foreach(json_object_get(step->with, "inputs"), index, input)
    {
        for (uint32_t stage = 0; stage < run->plan->stage_count; stage++)
            if (text_equal(run->plan->stages[stage].path, json_text(input, "stage", ""))) words_add(read_only, workspace_path(run, stage));
    }
}

static int request_sandbox(struct live_run *run, const struct plan_step *step, uint32_t sandbox, const char *workspace, struct error *err)
{
    if (run->has_sandbox[sandbox]) return 0;
    bool none = text_equal(json_text(step->sandbox, "mode", "default"), "none");
    enum reach reach = reach_of(run->engine, step);
    bool host = reach == REACH_DOMAIN || text_equal(json_text(step->sandbox, "network", "none"), "host");
    if (none && !run->engine->options.allow_no_sandbox) {
        error_set(err, ERROR_DENIED, NOWHERE, "this server does not allow `sandbox: none`");
        return error_hint(err, "remove it from the file, or start the server with --allow-no-sandbox");
    }
    AUTO(words_release) struct words read_only = {0};
    add_reachable(run, step, &read_only);
    AUTO(free_text) char *state = mem_format("%s/state", run->folder);
    const char *const read_write[] = {state, NULL};
    if (workspace_make(run, step->stage, workspace, err) < 0) return -(int)err->code;
    supervisor_sandbox(run->supervisor, &(struct sandbox_request){.stage = sandbox,
                                            .workspace = workspace,
                                            .mode = none ? SANDBOX_NONE : SANDBOX_DEFAULT,
                                            .network_host = host,
                                            .memory_bytes = (uint64_t)json_whole(step->sandbox, "memory", 0),
                                            .disk_bytes = (uint64_t)json_whole(step->sandbox, "disk", 0),
                                            .cpu_thousandths = (uint32_t)(json_number_value(json_object_get(step->sandbox, "cpu")) * 1000),
                                            .processes = (uint32_t)json_whole(step->sandbox, "processes", 0),
                                            .read_only = words_view(&read_only),
                                            .read_write = reach == REACH_WORKSPACE ? NULL : read_write});
    run->has_sandbox[sandbox] = true;
    return 0;
}

/* --- the environment --- */

/* By hand: each step has a dozen of them. */
static void add_variable(struct words *environment, const char *name, const char *value)
{
    if (!value) return;
    size_t name_size = strlen(name), value_size = strlen(value);
    char *text = mem_alloc(name_size + value_size + 2);
    memcpy(text, name, name_size);
    text[name_size] = '=';
    memcpy(text + name_size + 1, value, value_size);
    words_add(environment, text);
}

static void add_facts(struct words *environment, const struct live_run *run, const struct plan_step *step)
{
    const json_t *facts = run->accepted;
    add_variable(environment, "PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
    add_variable(environment, "LANG", "C.UTF-8");
    add_variable(environment, "CI", "true");
    add_variable(environment, "CRESCENDO_PIPELINE", run->plan->name);
    add_variable(environment, "CRESCENDO_REPOSITORY", json_text(facts, "repository", NULL));
    add_variable(environment, "CRESCENDO_REF", json_text(facts, "ref", NULL));
    add_variable(environment, "CRESCENDO_COMMIT", json_text(facts, "commit", NULL));
    add_variable(environment, "CRESCENDO_STAGE", run->plan->stages[step->stage].path);
    add_variable(environment, "CRESCENDO_STEP", step->path);
    add_variable(environment, "CRESCENDO_RUN_FOLDER", run->folder); /* by this supervisor_sweep knows what a lost shim left */
    words_add(environment, mem_format("CRESCENDO_RUN=%llu", (unsigned long long)run->number));
    words_add(environment, mem_format("CRESCENDO_ATTEMPT=%u", run->state->steps[step->index].attempt));
}

static int add_own(struct words *environment, const json_t *env, struct error *err)
{
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)env, name, value)
    {
        if (json_is_string(value))
            add_variable(environment, name, json_string_value(value));
        else if (json_is_boolean(value))
            add_variable(environment, name, json_is_true(value) ? "true" : "false");
        else if (json_is_integer(value))
            words_add(environment, mem_format("%s=%lld", name, (long long)json_integer_value(value)));
        else if (json_is_real(value))
            words_add(environment, mem_format("%s=%.17g", name, json_real_value(value)));
        else if (!json_text(value, "$secret", NULL)) /* secrets.c hands it over */
            return error_set(
                err, ERROR_INVALID, NOWHERE, "env: %s is null or a list; only text, a number or a boolean can be passed", name);
    }
    return 0;
}

/* --- arguments and input --- */

static void add_shell(struct words *arguments, const json_t *with)
{
    bool bash = text_equal(json_text(with, "shell", "sh"), "bash");
    words_add(arguments, mem_copy_text(bash ? "/bin/bash" : "/bin/sh"));
    words_add(arguments, mem_copy_text("-e"));
    if (bash) words_add(arguments, mem_copy_text("-o")), words_add(arguments, mem_copy_text("pipefail"));
    words_add(arguments, mem_copy_text("-c"));
    words_add(arguments, mem_copy_text(json_text(with, "script", "")));
}

/* The domain as the plan pinned it, with an address that can be used, and whether its file is another one by now. */
static int add_domain(const struct live_run *run, const struct plan_step *step, json_t *facts, struct error *err)
{
    const struct step_type *type = type_of(run->engine, step);
    const char *key = type ? step_type_domain_key(type) : NULL, *name = key ? json_text(step->with, key, NULL) : NULL;
    json_t *pinned = name ? json_object_get(run->plan->domains, name) : NULL;
    const char *socket = run->engine->options.core_socket;
    AUTO(free_text) char *core = socket ? mem_format("unix:%s", socket) : NULL;
    if (type && type->reaches_out) json_put_text(facts, "core", core);
    if (!pinned) return 0;
    json_t *domain = json_copy(pinned);
    json_put(facts, "domain", domain);
    const char *shelf = run->engine->options.domains;
    if (shelf && shelf_differs(shelf, name, json_text(pinned, "digest", NULL))) json_put_flag(domain, "changed", true);
    if (!text_equal(json_text(pinned, "url", NULL), "embedded")) return 0;
    if (!core) {
        error_set(
            err, ERROR_UNAVAILABLE, NOWHERE, "the domain \"%s\" is this server's own core's, and this server has none embedded", name);
        return error_hint(err, "start the server with its core, or write the `url` of the core into domains/%s.yaml", name);
    }
    json_put_text(domain, "url", core);
    return 0;
}

static json_t *facts_for_step(const struct live_run *run, const struct plan_step *step, const char *workspace)
{
    static const char *const copied[] = {"repository", "commit", "ref", "source", "work_tree", "author"};
    json_t *facts = json_object();
    for (size_t i = 0; i < COUNT_OF(copied); i++)
        json_put(facts, copied[i], json_incref(json_object_get(run->accepted, copied[i])));
    json_put_whole(facts, "run", (int64_t)run->number);
    json_put_text(facts, "stage", run->plan->stages[step->stage].path);
    json_put_text(facts, "step", step->path);
    json_put_whole(facts, "attempt", run->state->steps[step->index].attempt);
    json_put_text(facts, "workspace", workspace);
    json_put_whole(facts, "timeout_ms", step->timeout_ms); /* of this attempt, so that what waits can end before it is ended */
    AUTO(free_text) char *state = mem_format("%s/state", run->folder);
    json_put_text(facts, "state", state);
    json_put(facts, "service", json_incref(run->plan->service_descriptor));
    return facts;
}

/* `inputs` name stages; the step is told their folders. */
static void locate_inputs(const struct live_run *run, json_t *with)
{
    json_t *input;
    size_t index;
    json_array_foreach(json_object_get(with, "inputs"), index, input)
    {
        for (uint32_t stage = 0; stage < run->plan->stage_count; stage++) {
            if (!text_equal(run->plan->stages[stage].path, json_text(input, "stage", ""))) continue;
            AUTO(free_text) char *from = workspace_path(run, stage);
            json_put_text(input, "from", from);
        }
    }
}

static int input_of(const struct live_run *run, const struct plan_step *step, const json_t *with, const char *workspace, char **ret_input,
    struct error *err)
{
    AUTO(free_json) json_t *copy = json_deep_copy(with);
    locate_inputs(run, copy);
    AUTO(free_json) json_t *input = json_object(), *facts = facts_for_step(run, step, workspace);
    int failed = add_domain(run, step, facts, err);
    if (failed) return failed;
    json_put_whole(input, "protocol", 1);
    json_put(input, "with", json_incref(copy));
    json_put(input, "facts", take(&facts));
    json_put(input, "checkpoint", json_incref(run->state->steps[step->index].checkpoint));
    if (run->state->steps[step->index].status == STEP_compensating) json_put(input, "compensate", run_state_undo(run->state, step->index));
    *ret_input = json_canonical(input);
    return 0;
}

static int resolve(const struct live_run *run, const json_t *value, json_t **ret_value, struct error *err)
{
    struct scope scope = run_state_scope(run->state);
    return plan_resolve(value, &scope, ret_value, err);
}

/* The step before it in its stage, while its end is not known: the shim waits for that, and drops what waits for a step it has not. */
static uint32_t predecessor(const struct live_run *run, const struct plan_step *step)
{
    if (step->index == run->plan->stages[step->stage].first_step) return NO_STEP;
    return step_status_at_rest(run->state->steps[step->index - 1].status) ? NO_STEP : step->index - 1;
}

int launch_prepare(struct live_run *run, uint32_t index, struct error *err)
{
    const struct plan_step *step = &run->plan->steps[index];
    AUTO(free_text) char *workspace = workspace_path(run, step->stage);
    return request_sandbox(run, step, sandbox_of(run, step), workspace, err);
}

/* The first step that a shim is handed brings all secrets of the run along, to be hidden from then on. What an earlier engine handed over
   may wait in the shim with a secret that is gone by now: it must not start. */
static int add_secrets(struct live_run *run, uint32_t index, const json_t *env, struct secrets *ret, struct error *err)
{
    int failed = secrets_gather(run, env, !run->secrets_told, ret, err);
    if (failed)
        supervisor_cancel(run->supervisor, index, run->state->steps[index].attempt);
    else
        run->secrets_told = true;
    return failed;
}

int launch_step(struct live_run *run, uint32_t index, struct error *err)
{
    const struct plan_step *step = &run->plan->steps[index];
    AUTO(free_json) json_t *with = NULL;
    AUTO(free_json) json_t *env = NULL;
    AUTO(words_release) struct words arguments = {0};
    AUTO(words_release) struct words environment = {0};
    AUTO(secrets_release) struct secrets secrets = {0};
    AUTO(free_text) char *workspace = workspace_path(run, step->stage);
    AUTO(free_text) char *input = NULL;
    uint32_t sandbox = sandbox_of(run, step);
    bool talks = strcmp(step->type, "run") != 0;

    if (resolve(run, step->with, &with, err) < 0 || resolve(run, step->env, &env, err) < 0) return -(int)err->code;
    add_facts(&environment, run, step);
    if (add_own(&environment, env, err) < 0) return -(int)err->code;
    if (talks) {
        words_add(&arguments, program_of(run, step->type));
        words_add(&arguments, mem_copy_text(step->type));
        if (input_of(run, step, with, workspace, &input, err) < 0) return -(int)err->code;
    } else {
        add_shell(&arguments, with);
    }
    if (add_secrets(run, index, env, &secrets, err) < 0) return -(int)err->code;
    if (request_sandbox(run, step, sandbox, workspace, err) < 0) return -(int)err->code; /* last: what cannot start needs none */
    supervisor_start(run->supervisor, &(struct start_request){.step = index,
                                          .attempt = run->state->steps[index].attempt,
                                          .stage = sandbox,
                                          .after = predecessor(run, step),
                                          .flags = talks ? START_TALKS : 0,
                                          .timeout_ms = (uint64_t)step->timeout_ms,
                                          .grace_ms = (uint64_t)step->grace_ms,
                                          .argv = words_view(&arguments),
                                          .environment = words_view(&environment),
                                          .input = input,
                                          .title = step->path,
                                          .secrets = (const char *const *)secrets.environment,
                                          .hidden = (const char *const *)secrets.hidden});
    return 0;
}
