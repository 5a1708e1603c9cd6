/* hook.h: the parts of the program crescendo-hook, which git runs as hooks/post-receive of a bare repository. It reads the pipeline's
   files at the pushed commit, stores the push in crescendo-spool/, hands it to the server, prints what that says and follows the run.
   A push is in the spool until a server has it on disk, so neither a crash nor a missing server loses one; the spool is synced when the
   server does not answer at once, and before anything is said without it. Static, no libraries. */
#ifndef CRESCENDO_TRIGGER_HOOK_H
#define CRESCENDO_TRIGGER_HOOK_H

#include "base/text.h"

#include <limits.h>
#include <sys/types.h>

struct child { /* a git of ours, with its standard input and output */
    pid_t pid;
    int in, out;
    char *buffer;
    size_t from, to, room;
};

enum { HOOK_RUNS_MAX = 32 };
#define HOOK_SERVER "unix:../../crescendo.sock" /* repositories stand in DATA/repositories */

struct hook {
    char name[NAME_MAX]; /* the repository's */
    const char *server, *token;
    int64_t follow_seconds;
    bool colour;
    struct child cat;                       /* git cat-file --batch, started for the first object that objects.c cannot read */
    unsigned spooled;                       /* files made so far */
    unsigned long long runs[HOOK_RUNS_MAX]; /* those that were started, to be followed */
    unsigned run_count;
};

struct update { /* one line of git's */
    char old[65], new[65];
    const char *ref;
};

/* git.c: a git with its pipes. All return false when git is gone. */
bool child_start(struct child *child, const char *const *argv);
void child_end(struct child *child);
bool child_say(struct child *child, const char *bytes, size_t size);
bool child_read_until(struct child *child, char delimiter, struct text *out); /* appends up to the delimiter, which is taken and left out */
bool child_read(struct child *child, size_t size, size_t keep, struct text *out); /* appends size bytes; beyond keep they are dropped */
/* What `cat-file --batch` answers next: an object of this type, or that there is none. */
bool read_object(struct child *cat, const char *type, size_t keep, struct text *out, bool *ret_found);

/* json.c: as much of JSON as is needed. */
void json_add(struct text *out, const char *bytes, size_t size);     /* a string, quoted */
bool json_find(const char *json, const char *key, struct text *out); /* a member's text, number or word; replaces nothing in out */

/* body.c: the push as the body of POST /v1/pushes. False: git could not read the commit. */
bool make_body(struct hook *hook, const struct update *update, struct text *body);

/* spool.c: the file that holds a push until a server has it. */
struct spooled {
    char *path; /* NULL: nothing is stored */
    int fd;
    bool synced; /* it outlives a power failure */
};
bool spool_write(struct spooled *spooled, const struct text *body, unsigned number); /* false: errno says why */
void spool_sync(void *spooled);                                                      /* also local_request.late */
void spool_remove(struct spooled *spooled);                                          /* the server has it */
void spool_reject(struct spooled *spooled);                                          /* the server will never take it: set aside */
void spool_forget(struct spooled *spooled);                                          /* closes; the file stays as it is */

/* answer.c: the server's answers, printed to who pushed. */
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
void hand_over(struct hook *hook, const struct text *body, struct spooled *spooled);
void follow(const struct hook *hook); /* one run after the other, within follow_seconds in all */

#endif
