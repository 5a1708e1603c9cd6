/* secret.c: the schemes of secrets, and what a name behind one may be. */
#include "spec/secret.h"

#include "base/text.h"

#include <string.h>

static int fail_scheme(const char *source, struct error *err)
{
    static const char *const schemes[] = {"file", "env", "vault", NULL};
    char scheme[16] = "";
    const char *colon = strchr(source, ':');
    size_t size = colon ? (size_t)(colon - source) : strlen(source);
    if (size < sizeof scheme) memcpy(scheme, source, size);
    const char *near = *scheme ? text_nearest(scheme, schemes) : NULL;
    error_set(err, ERROR_INVALID, NOWHERE, "\"%.80s\" does not say where the secret is", source);
    if (near && colon) return error_hint(err, "did you mean \"%s:%.63s\"?", near, colon + 1);
    return error_hint(err, "write file:NAME, a file below the server's secrets/, or env:NAME, a variable of the server");
}

/* A relative path of ordinary parts: nothing that climbs, hides or is empty. */
static bool is_file_name(const char *name)
{
    for (const char *part = name;;) {
        size_t size = strcspn(part, "/");
        if (!size || size > 255 || part[0] == '.') return false;
        for (size_t i = 0; i < size; i++)
            if ((unsigned char)part[i] <= ' ' || part[i] == 0x7f) return false;
        if (!part[size]) return strlen(name) < 1024;
        part += size + 1;
    }
}

static bool is_variable(const char *name)
{
    size_t size = strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_");
    return size && !name[size] && size < 256 && !strchr("0123456789", name[0]);
}

int secret_source_parse(const char *source, enum secret_scheme *ret_scheme, const char **ret_name, struct error *err)
{
    bool file = text_starts(source, "file:"), env = text_starts(source, "env:");
    if (text_starts(source, "vault:")) {
        error_set(err, ERROR_UNSUPPORTED, NOWHERE, "secrets from a vault are in the language, but not in this version");
        return error_hint(err, "let the server have it in a file, file:NAME, below its secrets/");
    }
    if (!file && !env) return fail_scheme(source, err);
    const char *name = source + strlen(file ? "file:" : "env:");
    if (file && !is_file_name(name)) {
        error_set(err, ERROR_INVALID, NOWHERE, "\"%.80s\" is no file below the server's secrets/", name);
        return error_hint(err, "write a relative path without spaces or hidden parts, like file:release/key");
    }
    if (env && !is_variable(name)) {
        error_set(err, ERROR_INVALID, NOWHERE, "\"%.80s\" is no name for an environment variable", name);
        return error_hint(err, "letters, digits and _, no digit first");
    }
    if (env && (!text_starts(name, SECRET_VARIABLE_PREFIX) || !name[strlen(SECRET_VARIABLE_PREFIX)])) {
        error_set(err, ERROR_INVALID, NOWHERE, "the server hands out no variable but those that begin with " SECRET_VARIABLE_PREFIX);
        return error_hint(err, "write env:" SECRET_VARIABLE_PREFIX "%.60s, and start the server with it", name);
    }
    *ret_scheme = file ? SECRET_FILE : SECRET_ENV;
    *ret_name = name;
    return 0;
}
