/* template.c: ${{ }} in a scalar: a whole value keeps its type, text around expressions becomes concat(...) (rule 2);
   where expressions may not stand they are refused (rule 3); $${{ is the literal ${{. */
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "spec/fields.h"
#include "spec/value.h"

#include <string.h>

/* The "}}" that ends the expression at text, not one within quotes; NULL when there is none. */
static const char *find_end(const char *text)
{
    for (bool quoted = false; *text; text++) {
        if (*text == '\'') quoted = !quoted; /* a doubled quote turns it off and on again */
        if (!quoted && text[0] == '}' && text[1] == '}') return text;
    }
    return NULL;
}

static void add_refusal(struct reader *reader, const struct field *field, struct location at)
{
    const char *hint = "write the value itself: expressions stand in values of steps, env and with";
    if (field->flags & FIELD_SCRIPT)
        hint = "hand it over in the environment: env: { NAME: \"${{ ... }}\" }, then \"$NAME\" in the script";
    else if (field->type == FIELD_CONDITION)
        hint = "write the bare expression: if: run.branch == 'main'";
    diagnostics_add(reader->list, "expression-not-allowed", at, 3, hint,
        field->flags & FIELD_SCRIPT ? "an expression in a script: it would become part of the program" : "\"%s\" cannot hold ${{ }}",
        field->name);
}

static bool refuses_expressions(const struct field *field)
{
    return field->flags & (FIELD_LITERAL | FIELD_SCRIPT) || field->type == FIELD_CONDITION;
}

static void add_site(struct reader *reader, const char *text, struct location at, enum field_type type)
{
    reader->sites = mem_grow(reader->sites, &reader->site_capacity, reader->site_count + 1, sizeof *reader->sites);
    reader->sites[reader->site_count++] = (struct site){text, at, type, false, reader->stage, reader->step};
}

static void add_quoted(struct text *out, const char *bytes, size_t size)
{
    text_add_char(out, '\'');
    for (size_t i = 0; i < size; i++) {
        if (bytes[i] == '\'') text_add_char(out, '\'');
        text_add_char(out, bytes[i]);
    }
    text_add_char(out, '\'');
}

struct template
{
    struct reader *reader;
    const struct yaml_node *node;
    const struct field *field;
    struct yaml_cursor cursor;
    struct text literal; /* since the last expression */
    struct text folded;  /* the arguments of concat */
    size_t first_site, expressions;
    bool has_text;
};

static void template_release(struct template *template)
{
    text_release(&template->literal);
    text_release(&template->folded);
}

static void end_literal(struct template *template)
{
    if (!template->literal.size) return;
    if (template->folded.size) text_add(&template->folded, ", ");
    add_quoted(&template->folded, text_view(&template->literal), template->literal.size);
    template->has_text = true;
    template->literal.size = 0;
}

/* text stands behind "${{", which stands at `at`. Where the expression ends; NULL after a mistake. */
static const char *add_expression(struct template *template, const char *text, struct location at)
{
    struct reader *reader = template->reader;
    if (refuses_expressions(template->field)) {
        add_refusal(reader, template->field, at);
        return NULL;
    }
    const char *end = find_end(text);
    if (!end) {
        diagnostics_add(reader->list, "unterminated-expression", at, 3, "close it with }}, or write $${{ for the characters ${{ themselves",
            "the expression is not closed");
        return NULL;
    }
    for (const char *inner = text; (inner = strstr(inner, "${{")) && inner < end; inner++)
        yaml_locate_next(reader->document, template->node, &template->cursor);
    at.column += 3;
    const char *bare = arena_copy_bytes(reader->arena, text, (size_t)(end - text));
    add_site(reader, bare, at, template->field->type);
    end_literal(template);
    if (template->folded.size) text_add(&template->folded, ", ");
    bare += strspn(bare, " \t\r\n");
    size_t size = strlen(bare);
    while (size && strchr(" \t\r\n", bare[size - 1]))
        size--;
    text_add_bytes(&template->folded, bare, size);
    template->expressions++;
    return end + 2;
}

/* Goes through the text once. false after a mistake. */
static bool split(struct template *template)
{
    for (const char *at = template->node->text; *at;) {
        const char *found = strstr(at, "${{");
        text_add_bytes(&template->literal, at, found ? (size_t)(found - at) : strlen(at));
        if (!found) break;
        struct location location = yaml_locate_next(template->reader->document, template->node, &template->cursor);
        if (found > at && found[-1] == '$') { /* $${{: the second $ begins the literal, the first one goes */
            template->literal.size--;
            text_add(&template->literal, "${{");
            at = found + 3;
            continue;
        }
        at = add_expression(template, found + 3, location);
        if (!at) return false;
    }
    return true;
}

static bool takes_text_beside(const struct reader *reader, const struct field *field, struct location at)
{
    if (field->type == FIELD_TEXT || field->type == FIELD_PATH || field->type == FIELD_NAME || field->type == FIELD_ANY ||
        field->type == FIELD_TEXT_LIST || field->type == FIELD_CHOICE)
        return true;
    diagnostics_add(reader->list, "wrong-type", at, 3, "let the expression be the whole value",
        "\"%s\" must be %s: no text can stand beside ${{ }}", field->name, value_type_phrase(field->type));
    return false;
}

static json_t *expression_value(struct template *template)
{
    struct reader *reader = template->reader;
    struct site *first = &reader->sites[template->first_site];
    end_literal(template);
    if (template->expressions > 1 || template->has_text) {
        if (!takes_text_beside(reader, template->field, first->at)) return NULL;
        for (size_t i = template->first_site; i < reader->site_count; i++)
            reader->sites[i].within_text = true;
        AUTO(free_text) char *arguments = text_take(&template->folded);
        text_add_format(&template->folded, "concat(%s)", arguments);
    }
    AUTO(free_text) char *at = mem_format("%s:%u:%u", first->at.file, first->at.line, first->at.column);
    return json_pack(
        "{s:s, s:s, s:s}", "$expression", text_view(&template->folded), "$type", field_type_name(template->field->type), "$at", at);
}

json_t *template_read(struct reader *reader, const struct yaml_node *node, const struct field *field)
{
    AUTO(template_release) struct template template = {.reader = reader, .node = node, .field = field, .first_site = reader->site_count};
    if (!strstr(node->text, "${{")) {
        struct location at = node->at;
        at.column += !node->plain;
        if (field->type == FIELD_CONDITION) add_site(reader, node->text, at, field->type);
        return json_string(node->text);
    }
    if (!split(&template)) return NULL;
    if (template.expressions) return expression_value(&template);
    return json_stringn(text_view(&template.literal), template.literal.size);
}
