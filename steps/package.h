/* package.h: the parts of making a package, each in a file of its own. */
#ifndef CRESCENDO_STEPS_PACKAGE_H
#define CRESCENDO_STEPS_PACKAGE_H

#include "crescendo/step.h"

#include <stddef.h>
#include <stdint.h>

enum { PACKAGE_FILES_MAX = 100 * 1000 };

/* What service.yaml says of itself; texts are owned, NULL where absent. */
struct descriptor {
    char *path, *service, *version, *kind;
};

/* One file of a package. */
struct package_file {
    char *path; /* in the package; owned */
    char *from; /* in the workspace; owned */
    bool executable;
    int64_t size;
    char sha256[65];
};
/* Sorted by path, none twice, none below another. Starts as {0}. */
struct package_files {
    struct package_file *items;
    size_t count, capacity;
};

/* descriptor_perform.c. -ERROR_INVALID with the file's line: not YAML, or its top is not a mapping. */
int descriptor_read(const char *workspace, const char *path, struct descriptor *ret, struct error *err) MUST_CHECK;
void descriptor_release(struct descriptor *descriptor);

/* contents_perform.c: which files a package holds. contents: {path in package: path in workspace}. Links are followed as long as they end
   at a file inside the workspace. -ERROR_NOT_FOUND with a suggestion, -ERROR_CONFLICT for two files in one place. */
int contents_collect(const char *workspace, const json_t *contents, struct package_files *ret, struct error *err) MUST_CHECK;
int contents_add(struct package_files *files, const char *workspace, const char *path, const char *from, struct error *err) MUST_CHECK;
int contents_sort(struct package_files *files, struct error *err) MUST_CHECK;
void contents_release(struct package_files *files);

/* digest_perform.c: reads each file once: size, SHA-256, and whether it holds what looks like a private key (-ERROR_DENIED). */
int contents_digest(const char *workspace, struct package_files *files, struct error *err) MUST_CHECK;
/* Does text of this size hold a private key in PEM or OpenPGP armour? Markers alone (in documentation, in a TLS library) do not count. */
bool text_holds_key(const char *bytes, size_t size);

/* archive_perform.c: writes manifest (as manifest.json) and files to `file` as tar.gz, with nothing in it that differs between two
   makings: sorted, one time, owner 0, modes 0644 and 0755. -ERROR_CONFLICT: a file changed since it was digested. */
int archive_write_package(const char *file, const char *workspace, const char *manifest, const struct package_files *files, int64_t mtime_s,
    struct error *err) MUST_CHECK;

#endif
