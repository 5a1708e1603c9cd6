/* references.c: what a file refers to must be there when it is needed: expressions are parsed, typed as far as a file tells, and each
   reference in them is looked up (rule 5); `inputs:` come from stages that are waited for. */
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "spec/expression.h"
#include "spec/loader.h"
#include "spec/reference_types.h"
#include "spec/secret.h"

#include <string.h>

struct check {
    struct file *file;
    const struct site *site;
    struct reach reach;
};

static void add(
    struct check *check, const char *code, struct location at, const char *hint, const char *format, const char *a, const char *b)
{
    AUTO(text_release) struct text message = {0};
    for (; *format; format++) {
        if (*format == '1')
            text_add(&message, a);
        else if (*format == '2')
            text_add(&message, b);
        else
            text_add_char(&message, *format);
    }
    diagnostics_add(check->file->reader.list, code, at, 0, hint, "%s", text_view(&message));
}

static const char *near_hint(struct check *check, const char *name, const char *const *candidates, const char *otherwise)
{
    const char *near = check->file->reader.list->dropped ? NULL : text_nearest(name, candidates); /* enough said: save the time */
    return near ? arena_format(check->file->reader.arena, "did you mean \"%s\"?", near) : otherwise;
}

/* --- params and run --- */

static void check_param(struct check *check, const char *name, struct location at)
{
    const struct pipeline *pipeline = check->file->pipeline;
    const char *names[PARAMS_MAX + 1] = {NULL};
    for (size_t i = 0; i < pipeline->param_count; i++) {
        names[i] = pipeline->params[i].name;
        if (strcmp(names[i], name) == 0) return;
    }
    add(check, "unknown-param", at, near_hint(check, name, names, "declare it under params:"), "there is no param \"1\"", name, "");
}

static void check_run(struct check *check, const char *name, struct location at)
{
    static const char *const facts[] = {"repository", "ref", "branch", "commit", "author", "trigger", NULL};
    for (const char *const *fact = facts; *fact; fact++)
        if (strcmp(*fact, name) == 0) return;
    add(check, "unknown-reference", at, near_hint(check, name, facts, "there are repository, ref, branch, commit, author and trigger"),
        "there is no run.1", name, "");
}

/* --- secrets --- */

static const char *const PLACE_OF_SECRETS = "write env: { NAME: \"${{ secrets.NAME }}\" } at a run step, then \"$NAME\" in its script";

/* Where a secret may stand around this site: the env of a run step, or what a stage hands to the file that it uses; NULL: nowhere. */
static json_t *map_of_secrets(const struct file *file, const struct site *site)
{
    if (site->stage >= file->pipeline->stage_count) return NULL;
    const struct pipeline_stage *stage = &file->stages[site->stage];
    if (site->step == SITE_NONE) return stage->secrets;
    const struct pipeline_step *step = site->step < stage->step_count ? &stage->steps[site->step] : NULL;
    return step && step->type && strcmp(step->type->name, "run") == 0 ? step->env : NULL;
}

/* The member whose whole value is this site's expression; NULL: it stands elsewhere. */
static const char *member_of(json_t *map, const struct site *site)
{
    AUTO(free_text) char *at = mem_format("%s:%u:%u", site->at.file, site->at.line, site->at.column);
    const char *name;
    json_t *value;
    json_object_foreach(map, name, value) if (text_equal(json_text(value, "$at", NULL), at)) return site->within_text ? NULL : name;
    return NULL;
}

/* Is the expression this reference, and nothing else? */
static bool is_alone(const struct site *site, const char *name)
{
    const char *text = site->text + strspn(site->text, " \t\r\n");
    size_t size = strlen(name);
    if (strncmp(text, "secrets.", 8) != 0 || strncmp(text + 8, name, size) != 0) return false;
    return text[8 + size + strspn(text + 8 + size, " \t\r\n")] == '\0';
}

/* Its value is known to nobody but the server that hands it over, so that nothing can be made of it here: the reference takes the place of
   the expression. */
static void place_secret(struct check *check, const char *name, struct location at)
{
    json_t *map = map_of_secrets(check->file, check->site);
    const char *member = map ? member_of(map, check->site) : NULL;
    if (!member || !is_alone(check->site, name))
        add(check, "secret-not-allowed", at, PLACE_OF_SECRETS,
            "a secret can only be a whole value in the env of a run step, or in the secrets of a stage with \"use\"", "", "");
    else
        json_object_set_new(map, member, json_pack("{s:s}", "$secret", name));
}

static void check_secret(struct check *check, const char *name, struct location at)
{
    const struct pipeline *pipeline = check->file->pipeline;
    const char *names[SECRETS_MAX + 1] = {NULL};
    for (size_t i = 0; i < pipeline->secret_count; i++) {
        names[i] = pipeline->secrets[i].name;
        if (strcmp(names[i], name) == 0) return place_secret(check, name, at);
    }
    const char *declare = arena_format(check->file->reader.arena, "declare it: secrets: { %.63s: %s%.63s }", name,
        check->file->is_used ? SECRET_GIVEN : "file:", check->file->is_used ? "" : name);
    add(check, "unknown-secret", at, near_hint(check, name, names, declare), "there is no secret \"1\"", name, "");
}

/* --- steps --- */

bool step_find(struct file *file, uint32_t stage, const char *id, uint32_t *ret_index)
{
    const struct pipeline_stage *owner = &file->stages[stage];
    struct arena *arena = file->reader.arena;
    if (!file->step_tables) file->step_tables = arena_alloc_array(arena, file->pipeline->stage_count, sizeof *file->step_tables);
    struct name_table *table = &file->step_tables[stage];
    if (!table->slots) {
        names_init(table, arena, owner->step_count);
        for (uint32_t i = 0; i < owner->step_count; i++)
            if (owner->steps[i].id) names_add(table, owner->steps[i].id, i);
    }
    return names_find(table, id, ret_index);
}

static const char *step_suggestion(struct check *check, const struct pipeline_stage *stage, const char *id)
{
    const char *names[128];
    size_t count = 0;
    for (size_t i = 0; i < stage->step_count && count < COUNT_OF(names) - 1; i++)
        if (stage->steps[i].id) names[count++] = stage->steps[i].id;
    names[count] = NULL;
    return near_hint(check, id, names, "give the step that makes the value an id: id: NAME");
}

static void check_step_output(struct check *check, const struct pipeline_step *step, const char *output, struct location at)
{
    const char *names[OUTPUTS_MAX + 1];
    size_t count = 0;
    if (!step->type || output_find(step->outputs, step->output_count, output)) return;
    for (size_t i = 0; i < step->output_count && count < COUNT_OF(names) - 1; i++)
        names[count++] = step->outputs[i].name;
    names[count] = NULL;
    const char *declare = arena_format(check->file->reader.arena, "declare it at the step: outputs: [%s]", output);
    add(check, "unknown-output", at,
        near_hint(check, output, names, step->type->outputs ? "docs/reference/pipeline.md lists its outputs" : declare),
        "the step \"1\" has no output \"2\"", step->id ? step->id : "", output);
}

static void check_step_reference(struct check *check, const char *const *parts, struct location at)
{
    const struct site *site = check->site;
    uint32_t index;
    if (site->stage >= check->file->pipeline->stage_count || site->step == SITE_NONE) {
        add(check, "unknown-reference", at, "steps are known to the steps behind them; elsewhere write stages.STAGE.ID.OUTPUT",
            "steps.1 means nothing here: this is not in a step", parts[0], "");
        return;
    }
    const struct pipeline_stage *stage = &check->file->stages[site->stage];
    if (!stage->steps) return;
    if (!step_find(check->file, site->stage, parts[0], &index)) {
        if (!check->file->broken[site->stage])
            add(check, "unknown-step", at, step_suggestion(check, stage, parts[0]), "there is no step \"1\" in this stage", parts[0], "");
    } else if (index >= site->step) {
        add(check, "unknown-step", at, "a step sees only the steps above it",
            index == site->step ? "the step \"1\" refers to itself" : "the step \"1\" runs after this one", parts[0], "");
    } else {
        check_step_output(check, &stage->steps[index], parts[1], at);
    }
}

/* --- stages --- */

/* The needs: line that would make a reference right. */
static const char *needs_hint(struct check *check, uint32_t from, uint32_t wanted)
{
    const struct pipeline_stage *stage = &check->file->stages[from];
    if (reach_has(&check->reach, wanted, from)) return "that stage itself waits for this one: turn their order round";
    AUTO(text_release) struct text line = {0};
    text_add(&line, "add to this stage: needs: [");
    for (size_t i = 0; i < stage->need_count && i < 8; i++)
        text_add_format(&line, "%s, ", stage->needs[i].stage);
    text_add_format(&line, "%s]", check->file->stages[wanted].id);
    return arena_copy_text(check->file->reader.arena, text_view(&line));
}

/* Does the stage wait for the other one? Says so when not. */
static bool check_needed(struct check *check, uint32_t from, uint32_t wanted, struct location at)
{
    struct file *file = check->file;
    const struct pipeline_stage *stage = &file->stages[from];
    if (from == wanted) {
        add(check, "not-needed", at, "within a stage write steps.ID.OUTPUT", "the stage \"1\" refers to itself", stage->id ? stage->id : "",
            "");
        return false;
    }
    if (file->graph_is_broken) return true; /* nobody can tell */
    for (size_t i = 0; i < stage->need_count; i++)
        if (strcmp(stage->needs[i].stage, file->stages[wanted].id) == 0) return true;
    reach_make(file, &check->reach);
    if (reach_has(&check->reach, from, wanted)) return true;
    add(check, "not-needed", at, needs_hint(check, from, wanted), "the stage \"1\" does not wait for \"2\"", stage->id,
        file->stages[wanted].id);
    return false;
}

static void check_used_output(
    struct check *check, const struct pipeline_stage *stage, const char *const *parts, size_t part_count, struct location at)
{
    const char *names[OUTPUTS_MAX + 1];
    size_t count = 0;
    if (part_count != 2) {
        add(check, "unknown-output", at, "write stages.STAGE.OUTPUT; the used file's outputs: names what can be seen",
            "the steps of the used stage \"1\" cannot be seen from here", stage->id, "");
        return;
    }
    if (output_find(stage->used->outputs, stage->used->output_count, parts[1])) return;
    for (size_t i = 0; i < stage->used->output_count && count < COUNT_OF(names) - 1; i++)
        names[count++] = stage->used->outputs[i].name;
    names[count] = NULL;
    add(check, "unknown-output", at, near_hint(check, parts[1], names, "declare it under outputs: in the used file"),
        "the used stage \"1\" has no output \"2\"", stage->id, parts[1]);
}

static void check_stage_output(struct check *check, uint32_t index, const char *const *parts, size_t part_count, struct location at)
{
    const struct pipeline_stage *stage = &check->file->stages[index];
    uint32_t step;
    if (check->file->broken[index]) return;
    if (stage->used) {
        check_used_output(check, stage, parts, part_count, at);
    } else if (stage->approve) {
        add(check, "unknown-output", at, "only steps and used files have outputs", "the approval \"1\" has no outputs", stage->id, "");
    } else if (part_count != 3) {
        add(check, "unknown-output", at, "write stages.STAGE.ID.OUTPUT", "the stage \"1\" has steps: which one's \"2\"?", stage->id,
            parts[1]);
    } else if (!step_find(check->file, index, parts[1], &step)) {
        add(check, "unknown-step", at, step_suggestion(check, stage, parts[1]), "there is no step \"1\" in the stage \"2\"", parts[1],
            stage->id);
    } else {
        check_step_output(check, &stage->steps[step], parts[2], at);
    }
}

static void check_stage_reference(struct check *check, const char *const *parts, size_t part_count, struct location at)
{
    struct file *file = check->file;
    uint32_t wanted;
    if (check->site->stage == SITE_NONE) {
        add(check, "unknown-reference", at, "write it in the env of the stage that needs it",
            "stages.1 means nothing here: no stage has run yet", parts[0], "");
    } else if (strchr(parts[0], '/')) {
        add(check, "unknown-stage", at, "only the outputs of a used file can be seen: stages.STAGE.OUTPUT", "\"1\" is inside a used file",
            parts[0], "");
    } else if (!names_find(&file->stage_names, parts[0], &wanted)) {
        const char *near = stage_suggestion(file, parts[0]);
        if (!file->stage_names.slots) return; /* no stages at all: said */
        add(check, "unknown-stage", at, near ? near : "name a stage of this file", "there is no stage \"1\"", parts[0], "");
    } else if (check->site->stage == SITE_OUTPUTS || check_needed(check, check->site->stage, wanted, at)) {
        check_stage_output(check, wanted, parts, part_count, at);
    }
}

static int visit(void *context, const char *root, const char *const *parts, size_t part_count, struct location at)
{
    struct check *check = context;
    if (strcmp(root, "params") == 0)
        check_param(check, parts[0], at);
    else if (strcmp(root, "run") == 0)
        check_run(check, parts[0], at);
    else if (strcmp(root, "secrets") == 0)
        check_secret(check, parts[0], at);
    else if (strcmp(root, "steps") == 0)
        check_step_reference(check, parts, at);
    else if (strcmp(root, "stages") == 0)
        check_stage_reference(check, parts, part_count, at);
    else if (check->site->type != FIELD_CONDITION)
        add(check, "unknown-reference", at, "move the question to an if:", "1() can only stand in a condition", root, "");
    return 0;
}

/* --- all of them --- */

static void free_expression(struct expression **expression)
{
    expression_free(expression);
}

static void check_site(struct check *check, const struct site *site)
{
    AUTO(free_expression) struct expression *expression = NULL;
    struct diagnostics *list = check->file->reader.list;
    struct error err;
    check->site = site;
    if (expression_parse(site->text, site->at, &expression, &err)) {
        diagnostics_add(list, err.code == ERROR_UNSUPPORTED ? "not-in-this-version" : "expression", err.at, 0,
            err.hint[0] ? err.hint : NULL, "%s", err.message);
        return;
    }
    size_t errors_before = list->error_count;
    expression_references(expression, visit, check);
    if (list->error_count == errors_before) check_expression_type(check->file, site, expression);
}

static void check_inputs(struct check *check, uint32_t index)
{
    struct file *file = check->file;
    const struct pipeline_stage *stage = &file->stages[index];
    for (size_t i = 0; i < stage->input_count; i++) {
        const struct input_declaration *input = &stage->inputs[i];
        uint32_t wanted;
        if (!names_find(&file->stage_names, input->stage, &wanted)) {
            const char *near = stage_suggestion(file, input->stage);
            diagnostics_add(file->reader.list, "unknown-stage", input->at, (unsigned)strlen(input->stage),
                near ? near : "name a stage of this file", "there is no stage \"%s\"", yaml_excerpt(file->reader.arena, input->stage));
        } else if (check_needed(check, index, wanted, input->at) && (file->stages[wanted].used || file->stages[wanted].approve)) {
            add(check, "wrong-type", input->at, "take files from a stage with steps", "the stage \"1\" has no workspace of its own",
                input->stage, "");
        }
    }
}

void check_references(struct file *file)
{
    struct check check = {.file = file};
    for (uint32_t i = 0; i < file->pipeline->stage_count; i++)
        check_inputs(&check, i);
    for (size_t i = 0; i < file->reader.site_count; i++)
        check_site(&check, &file->reader.sites[i]);
    reach_release(&check.reach);
}
