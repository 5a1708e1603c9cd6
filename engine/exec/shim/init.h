/* init.h: what a stage's init, its step-inits and the shim say to each other. They are forks of one program: structs travel as they are. */
#ifndef CRESCENDO_SHIM_INIT_H
#define CRESCENDO_SHIM_INIT_H

#include "mounts.h"

enum init_request { INIT_START = 1, INIT_SIGNAL };
enum init_answer { INIT_READY = 1, INIT_FAILED, INIT_ENDED };

struct init_header {         /* both ways, followed by size bytes; a start brings its descriptors with the header */
    uint32_t type, size, step, attempt;
    uint32_t value;          /* a signal, or what wait() said */
    int32_t error;           /* errno of what failed */
    uint64_t cpu_us, memory_bytes, limit;
    uint32_t argc, environment_count;
    char what[64];           /* what failed */
};

/* In memory that init and step-init share. */
struct step_facts {
    volatile int ended, status, error;
    struct rusage usage;
    volatile char what[64];
};

struct running {
    uint32_t step, attempt;
    uint64_t limit;
    pid_t pid;
    bool told;
    struct step_facts *facts;
    struct running *next;
};
struct init {
    struct stage *stage;
    int socket, landlock, outputs;
    int done[2];             /* a pipe: a step-init writes a byte when all of its step is gone, before the kernel takes its namespaces down */
    struct running *running;
};

_Noreturn void init_run(struct stage *stage, struct sources *sources, int socket);
/* Process 1 of a step's PID namespace; its end is the end of all that the step ever started. */
_Noreturn void step_init_run(struct launch *launch, struct step_facts *facts, int done);

#endif
