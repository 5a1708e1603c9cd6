/* diagnose_json.c: diagnostics for a program: our own JSON, and SARIF 2.1.0 (OASIS) for code hosts and editors. */
#include "base/json.h"
#include "base/mem.h"
#include "spec/diagnose.h"

#include <string.h>

static const char *severity_name(enum severity severity)
{
    return severity == SEVERITY_WARNING ? "warning" : "error";
}

static json_t *item_to_json(const struct diagnostic *item)
{
    json_t *json = json_object();
    json_put_text(json, "severity", severity_name(item->severity));
    json_put_text(json, "code", item->code);
    json_put_text(json, "file", item->at.file);
    if (item->at.line) {
        json_put_whole(json, "line", item->at.line);
        json_put_whole(json, "column", item->at.column);
        json_put_whole(json, "width", item->width ? item->width : 1);
    }
    json_put_text(json, "message", item->message);
    json_put_text(json, "hint", item->hint);
    return json;
}

json_t *diagnose_json(const struct diagnostics *list)
{
    json_t *json = json_array();
    for (size_t i = 0; i < list->count; i++)
        json_array_append_new(json, item_to_json(&list->items[i]));
    return json;
}

static json_t *sarif_location(const struct diagnostic *item)
{
    unsigned line = item->at.line ? item->at.line : 1, column = item->at.column ? item->at.column : 1,
             width = item->width ? item->width : 1;
    return json_pack("{s:{s:{s:s}, s:{s:i, s:i, s:i}}}", "physicalLocation", "artifactLocation", "uri", item->at.file, "region",
        "startLine", (int)line, "startColumn", (int)column, "endColumn", (int)(column + width));
}

static json_t *sarif_result(const struct diagnostic *item)
{
    json_t *result = json_pack("{s:s, s:s}", "ruleId", item->code, "level", severity_name(item->severity));
    json_t *message = json_object();
    AUTO(text_release) struct text text = {0};
    text_add(&text, item->message);
    if (item->hint) text_add_format(&text, " (%s)", item->hint);
    json_put_text(message, "text", text_view(&text));
    json_put(result, "message", message);
    if (item->at.file) json_put(result, "locations", json_pack("[o]", sarif_location(item)));
    return result;
}

static void add_rule(json_t *rules, const char *code)
{
    const json_t *rule;
    size_t i;
    json_array_foreach(rules, i, rule)
    {
        if (strcmp(json_text(rule, "id", ""), code) == 0) return;
    }
    json_array_append_new(rules, json_pack("{s:s}", "id", code));
}

json_t *diagnose_sarif(const struct diagnostics *list)
{
    json_t *rules = json_array(), *results = json_array();
    for (size_t i = 0; i < list->count; i++) {
        add_rule(rules, list->items[i].code);
        json_array_append_new(results, sarif_result(&list->items[i]));
    }
    json_t *driver = json_pack("{s:s, s:s, s:o}", "name", "crescendo", "version", CRESCENDO_VERSION, "rules", rules);
    json_t *run = json_pack("{s:{s:o}, s:s, s:o}", "tool", "driver", driver, "columnKind", "unicodeCodePoints", "results", results);
    return json_pack("{s:s, s:s, s:[o]}", "$schema", "https://json.schemastore.org/sarif-2.1.0.json", "version", "2.1.0", "runs", run);
}
