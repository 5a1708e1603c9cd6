/* diagnose.c: diagnostics for a person: what is wrong, the line with a mark under it, and what to do. */
#include "spec/diagnose.h"

#include "base/mem.h"
#include "spec/diagnose_line.h"

struct palette {
    const char *bold, *red, *yellow, *green, *blue, *reset;
};

static const struct palette *palette_of(enum diagnose_style style)
{
    static const struct palette plain = {"", "", "", "", "", ""};
    static const struct palette colour = {"\033[1m", "\033[1;31m", "\033[1;33m", "\033[1;32m", "\033[1;34m", "\033[0m"};
    return style == DIAGNOSE_COLOUR ? &colour : &plain;
}

static void add_place(struct text *out, struct location at)
{
    if (!at.file) return;
    diagnose_add_clean(out, at.file);
    if (at.line) text_add_format(out, ":%u:%u", at.line, at.column);
    text_add(out, ": ");
}

static void add_source(struct text *out, const struct diagnostic *item, const struct source_set *sources, const struct palette *palette)
{
    struct shown_line line;
    if (!diagnose_show_line(sources, item->at, item->width, &line)) return;
    text_add_format(out, "%s%5u |%s %s\n", palette->blue, item->at.line, palette->reset, text_view(&line.text));
    text_add_format(out, "%s      |%s ", palette->blue, palette->reset);
    text_add_repeated(out, ' ', line.caret);
    text_add_format(out, "%s^", palette->green);
    text_add_repeated(out, '~', line.width - 1);
    text_add_format(out, "%s\n", palette->reset);
    text_release(&line.text);
}

static void add_item(struct text *out, const struct diagnostic *item, const struct source_set *sources, const struct palette *palette)
{
    bool warning = item->severity == SEVERITY_WARNING;
    text_add(out, palette->bold);
    add_place(out, item->at);
    text_add_format(
        out, "%s%s:%s %s", warning ? palette->yellow : palette->red, warning ? "warning" : "error", palette->reset, palette->bold);
    diagnose_add_clean(out, item->message);
    text_add_format(out, "%s [%s]\n", palette->reset, item->code);
    add_source(out, item, sources, palette);
    if (!item->hint) return;
    text_add_format(out, "%s      =%s hint: ", palette->blue, palette->reset);
    diagnose_add_clean(out, item->hint);
    text_add_char(out, '\n');
}

/* A domain that is not there, or is wrong, is one mistake in the place where it should stand, however many steps name it. */
static bool is_same(const struct diagnostic *one, const struct diagnostic *other)
{
    bool is_of_domain = text_equal(one->code, "unknown-domain") || text_equal(one->code, "wrong-domain");
    return is_of_domain && text_equal(one->code, other->code) && text_equal(one->message, other->message);
}

static bool was_said(const struct diagnostics *list, size_t index)
{
    for (size_t i = 0; i < index; i++)
        if (is_same(&list->items[i], &list->items[index])) return true;
    return false;
}

/* The places of those that are the same as this one: "and 4 more places: crescendo.yaml:7:26, ..." */
static void add_more_places(struct text *out, const struct diagnostics *list, size_t index, const struct palette *palette)
{
    enum { SHOWN_MAX = 4 };
    AUTO(text_release) struct text places = {0};
    size_t count = 0;
    for (size_t i = index + 1; i < list->count; i++) {
        const struct location at = list->items[i].at;
        if (!is_same(&list->items[index], &list->items[i]) || count++ >= SHOWN_MAX) continue;
        text_add(&places, places.size ? ", " : "");
        if (at.file) diagnose_add_clean(&places, at.file);
        text_add_format(&places, ":%u:%u", at.line, at.column);
    }
    if (!count) return;
    text_add_format(out, "%s      =%s and %zu more place%s: %s%s\n", palette->blue, palette->reset, count, count == 1 ? "" : "s",
        text_view(&places), count > SHOWN_MAX ? ", ..." : "");
}

static void add_count(struct text *out, const struct diagnostics *list)
{
    size_t warnings = list->count + list->dropped - list->error_count;
    if (list->error_count) text_add_format(out, "%zu error%s", list->error_count, list->error_count == 1 ? "" : "s");
    if (list->error_count && warnings) text_add(out, ", ");
    if (warnings) text_add_format(out, "%zu warning%s", warnings, warnings == 1 ? "" : "s");
    if (list->dropped) text_add_format(out, "; the first %zu are shown", list->count);
    text_add_char(out, '\n');
}

void diagnose_text(const struct diagnostics *list, const struct source_set *sources, enum diagnose_style style, struct text *out)
{
    if (!list->count) return;
    for (size_t i = 0; i < list->count; i++) {
        if (was_said(list, i)) continue;
        add_item(out, &list->items[i], sources, palette_of(style));
        add_more_places(out, list, i, palette_of(style));
        text_add_char(out, '\n');
    }
    add_count(out, list);
}
