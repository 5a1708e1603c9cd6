/* json_reading.h: members of a plan's JSON while it is read: each is checked before it is used. */
#ifndef CRESCENDO_PLAN_JSON_READING_H
#define CRESCENDO_PLAN_JSON_READING_H

#include "plan/build.h"

struct reading {
    struct arena *arena;
    struct plan *plan;
    struct error *err;
    json_t *default_sandbox, *empty_object, *empty_array;
    int64_t default_timeout_ms, default_grace_ms;
    struct plan_stage *stages;
    struct plan_step *steps;
    json_t *stage_paths; /* path → true */
    size_t edge_count;
};

/* One member that an object may have: its name, its JSON type, whether it must be there. */
struct member {
    const char *name;
    json_type type;
    bool required;
};

/* "plan: PATH: what"; returns -ERROR_INVALID. */
int reading_fail(const struct reading *reading, const char *path, const char *what);
/* An object that has what is required and nothing but members of these types; members ends with a name of NULL. */
int reading_check(const struct reading *reading, const json_t *object, const char *path, const struct member *members) MUST_CHECK;
/* Members that are empty although they would be left out then; keys is NULL-ended. */
int reading_filled(const struct reading *reading, const json_t *object, const char *path, const char *const *keys) MUST_CHECK;
const char *reading_text(const struct reading *reading, const json_t *object, const char *key); /* NULL: there is none */
json_t *reading_shared(const struct reading *reading, const json_t *object, const char *key, json_t *fallback);
/* A number of milliseconds or the like: not negative, and not its default, which is left out. */
int reading_whole(
    const struct reading *reading, const json_t *object, const char *key, const char *path, int64_t fallback, int64_t *ret) MUST_CHECK;
/* Conditions are evaluated later; one that cannot be read is refused now. NULL: there is none. */
int reading_condition(const struct reading *reading, const char *condition, const char *path) MUST_CHECK;
/* A name in a path; the engine makes folders and argument lists of it. */
int reading_id(const struct reading *reading, const char *id, const char *path) MUST_CHECK;

/* json_read_step.c */
int reading_step(struct reading *reading, const json_t *json, const struct plan_stage *stage, struct plan_step *step) MUST_CHECK;

#endif
