/* diagnostics.c: the sorted list of what is wrong with a file. */
#include "crescendo/diagnostics.h"

#include "base/mem.h"
#include "crescendo/limits.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static int location_compare(struct location a, struct location b)
{
    /* What stands nowhere comes first; files by name, so that the order never depends on addresses. */
    int files = strcmp(a.file ? a.file : "", b.file ? b.file : "");
    if (files) return files;
    if (a.line != b.line) return a.line < b.line ? -1 : 1;
    return (a.column > b.column) - (a.column < b.column);
}

static void diagnostic_release(struct diagnostic *item)
{
    free(item->message);
    free(item->hint);
}

/* The list is full: of what is kept and the new one, the last in the file goes. */
static bool make_room(struct diagnostics *list, struct location at)
{
    if (list->count < LIMIT_DIAGNOSTICS) return true;
    list->dropped++;
    if (location_compare(list->items[list->count - 1].at, at) <= 0) return false;
    diagnostic_release(&list->items[--list->count]);
    return true;
}

/* One place has one mistake once, however many uses of it meet it. */
static bool was_added(const struct diagnostics *list, const struct diagnostic *fresh)
{
    for (size_t i = 0; i < list->count; i++) {
        const struct diagnostic *item = &list->items[i];
        if (item->at.line && location_compare(item->at, fresh->at) == 0 && item->severity == fresh->severity &&
            strcmp(item->code, fresh->code) == 0 && strcmp(item->message, fresh->message) == 0)
            return true;
    }
    return false;
}

static void add(struct diagnostics *list, struct diagnostic fresh, const char *hint, const char *format, va_list arguments)
{
    AUTO(free_text) char *message = mem_format_list(format, arguments);
    fresh.message = message;
    if (was_added(list, &fresh)) return;
    if (fresh.severity == SEVERITY_ERROR) list->error_count++;
    if (!make_room(list, fresh.at)) return;
    fresh.hint = mem_copy_text(hint);
    fresh.message = take(&message);
    list->items = mem_grow(list->items, &list->capacity, list->count + 1, sizeof *list->items);
    size_t place = list->count++;
    for (; place > 0 && location_compare(list->items[place - 1].at, fresh.at) > 0; place--)
        list->items[place] = list->items[place - 1];
    list->items[place] = fresh;
}

void diagnostics_add(
    struct diagnostics *list, const char *code, struct location at, unsigned width, const char *hint, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    add(list, (struct diagnostic){SEVERITY_ERROR, code, at, width, NULL, NULL}, hint, format, arguments);
    va_end(arguments);
}

void diagnostics_warn(
    struct diagnostics *list, const char *code, struct location at, unsigned width, const char *hint, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    add(list, (struct diagnostic){SEVERITY_WARNING, code, at, width, NULL, NULL}, hint, format, arguments);
    va_end(arguments);
}

bool diagnostics_only_denied(const struct diagnostics *list)
{
    for (size_t i = 0; i < list->count; i++)
        if (list->items[i].severity == SEVERITY_ERROR && strcmp(list->items[i].code, "denied") != 0) return false;
    return list->error_count > 0;
}

void diagnostics_release(struct diagnostics *list)
{
    for (size_t i = 0; i < list->count; i++)
        diagnostic_release(&list->items[i]);
    free(list->items);
    *list = (struct diagnostics){0};
}
