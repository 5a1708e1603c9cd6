/* package.c: the step type `package`: a reproducible archive of a service, with a manifest. Performed by package_perform.c;
   the format is docs/formats/package.md. */
#include "registry.h"

#include "base/json.h"
#include "base/text.h"
#include "paths.h"

#include <string.h>

int package_perform(struct step *step, struct error *err) __attribute__((weak)); /* NULL outside crescendo-step: README.md */

static const char *const formats[] = {"tar", "csar", "helm", "oci", NULL};

static const struct field fields[] = {
    {.name = "contents", .type = FIELD_TEXT_MAP, .flags = FIELD_REQUIRED, .help = "Path in the package: file or folder in the workspace"},
    {.name = "name", .type = FIELD_TEXT, .help = "The package's name; the default is the service's, else the repository's"},
    {.name = "version",
        .type = FIELD_TEXT,
        .help = "Its version; the default is the service's, else 0.0.0+g with the commit's first 12 digits"},
    {.name = "service", .type = FIELD_PATH, .help = "The service's descriptor; the default is service.yaml where there is one"},
    {.name = "format",
        .type = FIELD_CHOICE,
        .flags = FIELD_LITERAL,
        .fallback = "tar",
        .choices = formats,
        .help = "How it is packed; only tar in this version"},
    {.name = "sign", .type = FIELD_TEXT, .flags = FIELD_LATER, .help = "The key that signs the package"},
    FIELD_END,
};

static const struct field outputs[] = {
    {.name = "file", .type = FIELD_TEXT, .help = "The archive's absolute path"},
    {.name = "digest", .type = FIELD_TEXT, .help = "sha256: and the archive's SHA-256 in hex"},
    {.name = "name", .type = FIELD_TEXT, .help = "The package's name"},
    {.name = "version", .type = FIELD_TEXT, .help = "The package's version"},
    {.name = "size", .type = FIELD_INTEGER, .help = "The archive's size in bytes"},
    FIELD_END,
};

static int check_format(const json_t *with, struct location at, struct diagnostics *list)
{
    const char *format = json_text(with, "format", "tar");
    if (strcmp(format, "tar") == 0) return 0;
    diagnostics_add(list, "not-in-this-version", at, 0, "use `format: tar`", "packages of format \"%s\" are not in this version", format);
    return -ERROR_INVALID;
}

static int check_content(const char *key, const json_t *value, struct location at, struct diagnostics *list)
{
    const char *from = json_string_value(value);
    if (!path_stays_inside(key) || strcmp(key, "manifest.json") == 0) {
        diagnostics_add(list, "wrong-path", at, 0, "relative, without \"..\"; manifest.json is written by the step itself",
            "\"%s\" cannot be a path in a package", key);
        return -ERROR_INVALID;
    }
    if (!from || path_stays_inside(from) || strcmp(from, ".") == 0) return 0;
    diagnostics_add(
        list, "wrong-path", at, 0, "name a file or folder below the workspace, without \"..\"", "\"%s\" is not inside the workspace", from);
    return -ERROR_INVALID;
}

static int check(const json_t *with, struct location at, struct diagnostics *list)
{
    int failed = check_format(with, at, list);
    json_t *contents = json_object_get(with, "contents"), *value;
    const char *key;
    if (json_is_object(contents) && json_object_size(contents) == 0) {
        diagnostics_add(list, "empty-package", at, 0, "name at least one: `contents: { bin/service: build/service }`", "contents is empty");
        failed = -ERROR_INVALID;
    }
    if (json_object_get(contents, "$expression")) return failed;
    json_object_foreach(contents, key, value)
    {
        int wrong = check_content(key, value, at, list);
        if (wrong) failed = wrong;
    }
    return failed;
}

const struct step_type package_step_type = {
    .name = "package",
    .summary = "Packs files of the workspace into a reproducible archive with a manifest",
    .fields = fields,
    .outputs = outputs,
    .check = check,
    .perform = package_perform,
};
