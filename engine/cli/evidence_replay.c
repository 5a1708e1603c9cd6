/* evidence_replay.c: records → crescendo-step → the same records, to the bit. */
#include "cli/evidence_replay.h"

#include "base/json.h"
#include "base/mem.h"
#include "cli/neighbour.h"

#include <string.h>

enum { LIMIT_BYTES = 256 * 1024 * 1024 };

/* What is handed over: the checkpoints alone. */
static json_t *checkpoints_of(const struct evidence_record *evidence)
{
    json_t *list = json_array(), *record;
    size_t index;
    json_array_foreach(evidence->records, index, record) json_array_append(list, json_object_get(record, "record"));
    return list;
}

static int compute_again(const char *input, char **ret_output, struct error *err)
{
    AUTO(free_text) char *program = NULL;
    size_t size;
    int status = 0;
    int failed = neighbour_find("crescendo-step", &program, err);
    if (failed) return failed;
    const char *const argv[] = {program, "kpi", "--replay", NULL};
    failed = neighbour_filter(argv, input, strlen(input), LIMIT_BYTES, ret_output, &size, &status, err);
    if (failed || status == 0) return failed;
    free_text(ret_output);
    error_set(err, ERROR_INVALID, NOWHERE, "the evidence cannot be computed again: crescendo-step ended with %d", status);
    return error_hint(err, "its own words are above; is it of the same version as the server that judged?");
}

/* --- where they differ ----------------------------------------------------------------------------------------------------------------
 */

static bool differs(const json_t *recorded, const json_t *computed, const char *name, struct text *line)
{
    const json_t *one = json_object_get(recorded, name), *other = json_object_get(computed, name);
    if (json_equal(one, other)) return false;
    text_add_format(line, "%s is %.17g on record and %.17g computed again", name, json_number_value(one), json_number_value(other));
    return true;
}

static bool kpi_differs(const json_t *recorded, const json_t *computed, const char *where, struct text *line)
{
    struct text value = {0};
    bool is_other = differs(recorded, computed, "harm", &value) || differs(recorded, computed, "clear", &value);
    if (is_other) text_add_format(line, "%s, %s: %s", where, json_text(recorded, "kpi", "?"), text_view(&value));
    text_release(&value);
    return is_other;
}

static bool kpis_differ(const json_t *recorded, const json_t *computed, const char *where, struct text *line)
{
    const json_t *one = json_object_get(recorded, "kpis"), *other = json_object_get(computed, "kpis");
    for (size_t i = 0; i < json_array_size(one); i++)
        if (kpi_differs(json_array_get(one, i), json_array_get(other, i), where, line)) return true;
    return false;
}

static bool checkpoint_differs(const json_t *recorded, const json_t *computed, struct text *line)
{
    const json_t *one = json_object_get(recorded, "ticks"), *other = json_object_get(computed, "ticks");
    for (size_t i = 0; i < json_array_size(one); i++) {
        const json_t *tick = json_array_get(one, i);
        AUTO(free_text) char *where = mem_format("tick %lld", (long long)json_whole(tick, "tick", 0));
        if (kpis_differ(tick, json_array_get(other, i), where, line)) return true;
    }
    return kpis_differ(json_object_get(recorded, "verdict"), json_object_get(computed, "verdict"), "the verdict", line);
}

bool evidence_difference(const json_t *recorded, const json_t *computed, struct text *line)
{
    if (json_equal(recorded, computed)) return false;
    for (size_t i = 0; i < json_array_size(recorded); i++)
        if (checkpoint_differs(json_array_get(recorded, i), json_array_get(computed, i), line)) return true;
    text_add(line, "they have other members");
    return true;
}

int evidence_replay(const struct evidence_record *evidence, bool *ret_same, struct text *line, struct error *err)
{
    AUTO(free_json) json_t *recorded = checkpoints_of(evidence), *computed = NULL;
    AUTO(free_text) char *input = json_canonical(recorded);
    AUTO(free_text) char *output = NULL;
    int failed = compute_again(input, &output, err);
    if (failed) return failed;
    output[strcspn(output, "\n")] = '\0';
    text_add_format(line, "%s: %zu ticks of %zu KPIs computed again: ", evidence->step, evidence->tick_count, evidence->kpi_count);
    *ret_same = strcmp(input, output) == 0;
    if (*ret_same) {
        text_add(line, "the same to the last bit");
        return 0;
    }
    failed = json_parse(output, strlen(output), "what crescendo-step says", &computed, err);
    if (failed) return failed;
    if (!evidence_difference(recorded, computed, line)) text_add(line, "the same numbers in other words");
    return 0;
}
