/* error.c: filling a struct error. */
#include "crescendo/error.h"

#include "base/text.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const char *name;
    int http;
} codes[] = {
    [ERROR_NONE] = {"NONE", 200},
#define ERROR(code, text, status) [ERROR_##code] = {#code, status},
#include "crescendo/errors.def"
#undef ERROR
};

static void set_message(struct error *err, const char *format, va_list arguments)
{
    vsnprintf(err->message, sizeof err->message, format, arguments);
}

int error_set(struct error *err, enum error_code code, struct location at, const char *format, ...)
{
    if (err) {
        va_list arguments;
        *err = (struct error){.code = code, .at = at};
        va_start(arguments, format);
        set_message(err, format, arguments);
        va_end(arguments);
    }
    return -(int)code;
}

int error_hint(struct error *err, const char *format, ...)
{
    if (!err) return -ERROR_INTERNAL;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(err->hint, sizeof err->hint, format, arguments);
    va_end(arguments);
    return -(int)err->code;
}

int error_wrap(struct error *err, const char *format, ...)
{
    if (!err) return -ERROR_INTERNAL;
    struct text text = {0};
    va_list arguments;
    va_start(arguments, format);
    text_add_list(&text, format, arguments);
    va_end(arguments);
    text_add_format(&text, ": %s", err->message);
    snprintf(err->message, sizeof err->message, "%s", text_view(&text));
    text_release(&text);
    return -(int)err->code;
}

static enum error_code code_of_errno(int saved_errno)
{
    switch (saved_errno) {
    case ENOSPC:
    case EDQUOT: return ERROR_NO_SPACE;
    case ENOENT: return ERROR_NOT_FOUND;
    case EACCES:
    case EPERM: return ERROR_DENIED;
    default: return ERROR_IO;
    }
}

int error_set_errno(struct error *err, int saved_errno, const char *format, ...)
{
    if (!err) return -(int)code_of_errno(saved_errno);
    va_list arguments;
    *err = (struct error){.code = code_of_errno(saved_errno)};
    va_start(arguments, format);
    set_message(err, format, arguments);
    va_end(arguments);
    size_t used = strlen(err->message);
    snprintf(err->message + used, sizeof err->message - used, ": %s", strerror(saved_errno));
    return -(int)err->code;
}

const char *error_code_name(enum error_code code)
{
    return codes[code].name;
}

int error_code_http(enum error_code code)
{
    return codes[code].http;
}
