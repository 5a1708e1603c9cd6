/* init.h: what a stage's init, its step-inits and the shim say to each other. They are forks of one program: structs travel as they are. */
#ifndef CRESCENDO_SHIM_INIT_H
#define CRESCENDO_SHIM_INIT_H

#include "mounts.h"

enum init_request { INIT_START = 1, INIT_SIGNAL, INIT_ADOPT };
enum init_answer { INIT_READY = 1, INIT_FAILED, INIT_OUTPUT, INIT_ENDED };
enum { INSIDE_USER = 1000 };      /* who a step is, inside, where the server is root */
enum { INIT_PIECE_BYTES = 4096 }; /* answers have several writers: each is small enough to be put into the socket whole */

struct init_header { /* both ways, followed by size bytes; a start brings its descriptors with the header */
    uint32_t type, size, step, attempt;
    uint32_t value; /* a signal, what wait() said, or, of a start, whether more will come */
    int32_t error;  /* errno of what failed */
    uint64_t cpu_us, memory_bytes, limit;
    uint32_t argc, environment_count;
    char what[64]; /* what failed */
};

/* In memory that init and step-init share. */
struct step_facts {
    volatile int told;  /* its step-init has sent the end */
    volatile int error; /* why there was no start */
    volatile char what[64];
};

/* A step-init: the spare that waits for its step, or one that has it. */
struct inside {
    uint32_t step, attempt;
    pid_t pid;
    int orders; /* where the spare is told what to run; -1 when it has been */
    struct step_facts *facts;
    struct inside *next;
};
struct init {
    struct stage *stage;
    int socket, signals, landlock, outputs;
    struct inside *running, *spare;
};

_Noreturn void init_run(struct stage *stage, struct sources *request, int socket);
void keep_only(const int *wanted, unsigned wanted_count); /* closes everything else from 3 on: the shim's sockets, its log, steps' pipes */
/* Process 1 of a step's PID namespace; its end is the end of all that the step ever started. It waits for its step on orders. */
_Noreturn void step_init_run(const struct init *init, struct step_facts *facts, int orders);

/* sandbox.c: makes stage->init, with its socket in stage->watch.fd. 0 or -errno. */
int sandbox_start_init(struct shim *shim, struct stage *stage, struct sources *sources);

/* users.c */
bool is_real_root(struct shim *shim); /* of the whole machine, who may take any user number; not a container's */
int users_make_id_map(void);          /* a user namespace that nobody lives in, or -1 */
void users_choose(struct shim *shim, struct stage *stage);
bool users_map(pid_t pid, uint32_t uid, uint32_t outside_uid, uint32_t gid, uint32_t outside_gid);
void raise_oom_score(pid_t pid);

/* ahead.c */
bool ahead_take(struct shim *shim, struct stage *stage, const struct sources *sources); /* false: there is none for this stage */
void ahead_adopt(struct init *init, struct sources *request);                           /* by the init: waits for what its stage names */

/* inside.c: the steps of a stage, by its init */
void inside_prepare(struct init *init); /* makes the spare, when there is none */
void inside_start(struct init *init, const struct init_header *header, const int *fds, unsigned count);
void inside_signal(const struct init *init, const struct init_header *header);
void inside_reap(struct init *init);
/* A header with the descriptors that came with it, and what follows it; by init and step-init. false: the other end is gone. */
bool header_read(int socket, struct init_header *ret, int fds[4], unsigned *ret_count);
bool bytes_read(int fd, void *bytes, size_t size);
/* header, size bytes behind it and descriptors, in one message where it fits. */
bool header_send(int socket, const struct init_header *header, const void *bytes, const int *fds, unsigned count);

#endif
