/* shim.h: the parts of crescendo-shim and what they share. One thread, one epoll; main.c owns the struct shim.
   Invariants: a step is `live` from its STARTED report to its EXITED report, and STARTED is in RUN/reports before the program runs; a step
   is over when its process and all that it left behind are gone; nothing that a step does can block the loop. */
#ifndef CRESCENDO_SHIM_H
#define CRESCENDO_SHIM_H

#include "exec/wire.h"
#include "mask.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/types.h>

enum { NO_STEP = UINT32_MAX, TALK_BUFFER_BYTES = 64 * 1024 + 1, MESSAGE_BYTES = 512, PATH_BYTES = 4096 };

/* --- what epoll hands back: the first member of everything that is watched --- */
struct shim;
struct watch {
    int fd; /* -1: not watched */
    void (*ready)(struct shim *shim, struct watch *watch, uint32_t events);
};
#define CONTAINER(pointer, type, member) ((type *)(void *)((char *)(pointer)-offsetof(type, member)))

/* --- reports.c: RUN/reports --- */
struct reports {
    int fd;
    uint64_t last; /* sequence number of the last report made */
    uint64_t acknowledged;
    uint64_t first;         /* the first that the spool holds; last + 1 = none */
    uint64_t size_bytes;    /* of the spool */
    struct wire pending;    /* made, not in the spool yet */
    uint64_t pending_first; /* the first of them */
    int64_t retry_us;       /* the spool could not be written (disk full): try again then; 0 = no */
    int failing;            /* why it could not be, as errno; 0 = it could */
    int64_t deadline_us;    /* when what is in the spool should be sent; 0 = nothing waits */
};

/* --- connection.c --- */
struct connection {
    struct watch watch;
    struct wire in, out;
    bool attached, broken, writing, hung_up;
    bool hears_stuck;        /* the engine's version knows SHIM_STUCK */
    int told;                /* the last that it was told by it, as errno */
    uint64_t sent_offset;    /* in the spool: all before it is sent or not wanted */
    struct connection *next; /* closed ones, until the loop comes round */
};

/* --- log.c: RUN/log --- */
struct log {
    int fd;
    uint64_t size_bytes, dropped_bytes;
    bool full; /* the disk was, when the last of that was dropped: each step that writes then is ended */
};

/* --- limits.c --- */
struct limits {
    uint64_t memory_bytes, disk_bytes;
    uint32_t cpu_thousandths, processes;
    char cgroup[3][256]; /* folders made for this stage: memory, cpu, pids (in v2 all the same); "" = none */
    int join[3];         /* their cgroup.procs, open for writing; -1 = none */
    bool v2;
    uint64_t memory_events, process_events; /* seen so far */
};

/* --- stage.c --- */
enum stage_state { STAGE_MAKING, STAGE_READY, STAGE_REFUSED };
struct stage {
    uint32_t id;
    enum stage_state state;
    enum sandbox_mode mode;
    enum sandbox_degree degree;
    bool network_host, ending, without_users, told;
    bool templated; /* its init was born into the template */
    bool ahead;     /* its init waits to be told what it is for */
    char *workspace, *run_name;
    char **read_only;  /* NULL-ended */
    char **read_write; /* folders besides the workspace; NULL-ended. To be bound like the workspace */
    struct limits limits;
    struct watch watch;                /* the socket to its init (namespaces) */
    pid_t init;                        /* 0 = none */
    int network;                       /* held open until the stage is over; -1 = none of its own */
    int landlock;                      /* the ruleset (Landlock degree); -1 = none */
    uint32_t sandbox_uid, sandbox_gid; /* outside's ids of its steps; UINT32_MAX = those of the shim */
    uint32_t inside_uid, inside_gid;
    unsigned live, claims; /* steps that it runs; those and all that wait for it */
    struct wire in;
    int64_t disk_check_us, walk_took_us; /* quota.c */
    struct walk *walk;
    uint64_t measured_bytes;
    char why[MESSAGE_BYTES]; /* why it is not better than its degree */
    struct stage *next;
};

/* --- step.c --- */
struct stream {
    struct watch watch;
    struct step *step;
    uint8_t kind; /* enum log_stream */
    struct carry carry;
};
struct step {
    uint32_t id, attempt, after, flags;
    struct stage *stage;
    uint64_t timeout_ms, grace_ms, output_limit_bytes;
    char **argv, **environment; /* NULL-ended, in block */
    char *input, *block;
    size_t input_size, block_size;
    char title[96];
    /* while it lives */
    bool live, exited, reaped;
    pid_t pid; /* its process, or 0 in a sandbox */
    struct stream streams[2];
    int write_ends[2]; /* the pipes' other ends stay open: end-of-file means nothing to us, and each would wake the loop */
    struct watch talk;
    char *talk_in; /* a line that is not whole yet */
    size_t talk_size;
    struct wire talk_out;
    bool talk_writing;
    char *added;                                          /* variables of ours, one behind the other */
    char *added_folder;                                   /* the second of them */
    const char *output_path;                              /* in the first */
    uint32_t output_number;                               /* of its file of outputs; 0 in namespaces */
    int64_t started_us, deadline_us, kill_us, give_up_us; /* 0 = none */
    enum shim_cause cause;
    int status;             /* as wait() gives it */
    int start_errno;        /* of an exec that failed */
    const char *start_what; /* what failed then; or what is wrong with its file of outputs */
    char what[64];
    uint64_t cpu_us, memory_bytes, log_bytes;
    uint64_t memory_events, process_events; /* of its stage, at its start */
    char *outputs;                          /* content of $CRESCENDO_OUTPUT, when its init read it */
    size_t outputs_size, outputs_room;
    char message[MESSAGE_BYTES];
    struct step *next; /* in the list of live steps, or of those that wait */
};
/* What is known of a step's number; grows with the highest number seen. */
enum slot_state { SLOT_UNKNOWN, SLOT_WAITING, SLOT_LIVE, SLOT_SUCCEEDED, SLOT_FAILED };
struct slot {
    uint32_t attempt;
    enum slot_state state;
    struct step *step;                  /* while waiting or live */
    uint32_t first_waiter, next_waiter; /* those that come after it; NO_STEP ends */
};

/* Files that their steps, which are gone, left as they were, to be the next steps'. */
enum { OUTPUTS_UNUSED = 8 };
struct output_files {
    uint32_t last; /* the highest number given out */
    uint32_t unused[OUTPUTS_UNUSED], unused_count;
};

/* What keep/ hooks into a shim that keeps a domain rather than supervises a run; all NULL in a run's. Such a shim has no RUN/reports: they
   stay in `pending` until turn() takes them. */
struct hooks {
    void (*printed)(struct shim *shim, uint32_t step, const char *bytes, size_t size); /* it takes what would go to RUN/log */
    void (*reaped)(struct shim *shim, pid_t pid, int status);                          /* a child that is no step and no stage's init */
    void (*turn)(struct shim *shim, int64_t now);                                      /* after each event and at each deadline */
    int64_t (*deadline)(const struct shim *shim);
};

/* --- template.c --- */
enum template_state { TEMPLATE_NONE, TEMPLATE_MAKING, TEMPLATE_READY, TEMPLATE_REFUSED };
struct tree_template {
    enum template_state state;
    unsigned generation;      /* how often it was made */
    pid_t builder;            /* a child; 0 = none */
    struct watch watch;       /* the socket to it, while it is making */
    int mounts;               /* the mount namespace, when ready */
    int own_mounts, own_root; /* where the shim lives */
    int machine_mounts;       /* tells when the machine's mounts are others than they were */
    int64_t copied_from;      /* the state of the files that it holds a copy of */
};

/* --- ahead.c --- */
struct ahead {
    struct stage *stage; /* of an init that no stage has yet; NULL = none */
    unsigned generation; /* of the template that it was born into */
};

/* --- ended.c --- */
enum { ENDED_MAX = 32 };
struct ended_networks {
    int networks[ENDED_MAX];
    unsigned count;
};

enum shim_root { ROOT_UNKNOWN, ROOT_REAL, ROOT_NOT };

struct shim {
    struct hooks hooks;
    enum shim_root root; /* of the whole machine? */
    struct tree_template template;
    pid_t companion; /* a child of its own that no step left behind: HAProxy; 0 = none */
    char folder[PATH_BYTES];
    int folder_fd, lock_fd, epoll_fd;
    int null_fd;      /* /dev/null, for reading */
    int children_fd;  /* what the kernel tells of our children; -1 = nothing */
    bool child_ended; /* since they were reaped last */
    struct output_files outputs;
    struct watch listener, signals, folder_watch;
    const char *lock_name;                  /* in the folder: shim.lock, keeper.lock */
    int64_t look_us;                        /* at the folder */
    int64_t orphaned_us;                    /* it was gone since; 0 = it is there */
    struct connection *connection, *closed; /* NULL = no engine */
    struct connection *newcomer;            /* connected, and has not said yet who it is */
    uint64_t epoch;                         /* 0: none was told, or it was not read yet (fence_epoch) */
    struct reports reports;
    struct log log;
    struct mask *mask; /* NULL: the run has named no secret yet */
    struct slot *slots;
    size_t slot_count;
    struct step *live, *held;           /* held: their turn has come, their sandbox is still being made */
    struct step *graves;                /* ended, freed when the loop comes round, since epoll may still name them */
    unsigned live_count, waiting_count; /* waiting: for a predecessor or a sandbox */
    struct stage *stages, *stage_graves;
    char **spare_argv; /* the process's words, while no run has it; else NULL */
    struct ended_networks ended;
    struct ahead ahead;
    bool ending;            /* the run is over */
    bool stop;              /* leave the loop */
    int64_t alone_since_us; /* no engine since; 0 = there is one */
    int id_map_fd;          /* a user namespace that maps disk's root to the sandbox's user; -1 = none yet */
};

/* main.c */
_Noreturn void shim_die(const char *what);
void shim_become_daemon(int parent);
void *shim_alloc(size_t size);                   /* zeroed; never NULL */
char *shim_copy(const char *bytes, size_t size); /* with a NUL behind */
/* Of the lock's file: of a run's supervisor or a keeper's guardian; of its keeper; of the guardian's deputy. A lock is its process's own.
 */
enum lock_byte { LOCK_BYTE, KEEPER_BYTE, DEPUTY_BYTE };
bool shim_lock(const struct shim *shim, enum lock_byte byte, int command); /* F_SETLK, F_SETLKW */
void shim_unlock(const struct shim *shim, enum lock_byte byte);
int64_t now_us(void); /* CLOCK_BOOTTIME */
int64_t wall_us(void);
void text_size(char *buffer, size_t room, uint64_t bytes);  /* "4.0 GiB" */
void text_duration(char *buffer, size_t room, uint64_t ms); /* "10 s" */

/* loop.c */
void watch_add(struct shim *shim, struct watch *watch, uint32_t events);
void watch_change(struct shim *shim, struct watch *watch, uint32_t events);
void watch_close(struct shim *shim, struct watch *watch); /* EPOLL_CTL_DEL before close: a vforked child may still hold the descriptor */
void loop_run(struct shim *shim);

/* folder.c */
void folder_open(struct shim *shim);
bool folder_turn(struct shim *shim, int64_t now); /* true: it was removed; some seconds later it stops the loop, whatever is left */
void folder_leave(struct shim *shim);             /* then, of a run: ends its steps, and the loop when there is none */
bool folder_is_ours(const struct shim *shim);

/* connection.c */
void connection_listen(struct shim *shim);
void connection_send(struct shim *shim); /* what the spool holds and the engine has not got */
void connection_close(struct shim *shim);
void connections_bury(struct shim *shim);

/* fence.c: the highest epoch that commanded us; 0 = none was ever told. */
uint64_t fence_epoch(struct shim *shim);
bool fence_pass(struct shim *shim, uint64_t epoch); /* false: it is lower; a higher one is remembered, also by who comes after us */

/* requests.c: what the engine asks. false: it broke the protocol. */
bool request_handle(struct shim *shim, unsigned type, struct view payload);

/* reports.c */
void reports_open(struct shim *shim);
size_t report_begin(struct shim *shim, enum shim_report type);
void report_finish(struct shim *shim, size_t start);
bool reports_spool(struct shim *shim);              /* writes what is pending; false: could not */
void reports_soon(struct shim *shim, bool at_once); /* when to send */
void reports_acknowledge(struct shim *shim, uint64_t sequence);
uint64_t reports_offset_after(struct shim *shim, uint64_t sequence);

/* log.c */
void log_open(struct shim *shim);
/* false: the disk is full. What is over the limit is counted and dropped. */
bool log_write(struct shim *shim, const struct step *step, uint8_t stream, const char *bytes, size_t size);
void log_say(struct shim *shim, const struct step *step, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* secrets.c */
void secret_hide(struct shim *shim, const char *value, size_t size);  /* in all that is printed from now on */
bool secret_is_in(struct shim *shim, const char *bytes, size_t size); /* in what would be reported */
bool secrets_refuse_outputs(struct shim *shim, struct step *step);    /* true: they held one, and are gone; its message says so */
ssize_t secrets_read_piece(struct shim *shim, struct stream *stream); /* as read(), and writes what is shown to the log; -1: errno */
void secrets_end_stream(struct shim *shim, struct stream *stream);    /* writes what was held back */

/* step.c */
struct slot *slot_of(struct shim *shim, uint32_t step);         /* NULL: number too high */
void step_accept(struct shim *shim, struct step *step);         /* takes it: starts it, lets it wait or drops it */
void steps_of_stage_go(struct shim *shim, struct stage *stage); /* its sandbox is there, or will never be */
void step_cancel(struct shim *shim, uint32_t id, uint32_t attempt);
void step_refuse(struct shim *shim, struct step *step, const char *message);
void step_drop(struct shim *shim, struct step *step);
void waiters_start(struct shim *shim, struct slot *slot); /* the step has succeeded: those behind it have their turn */
void waiters_drop(struct shim *shim, struct slot *slot);  /* it has not, or never ran */
void step_take_out(struct step **list, struct step *step);
void step_bury(struct shim *shim, struct step *step); /* it is freed when the loop comes round */
void steps_bury(struct shim *shim);
void step_free(struct step *step);

/* start.c */
void step_start(struct shim *shim, struct step *step); /* its stage is ready, its predecessor has succeeded */

/* ending.c */
void step_end_early(struct shim *shim, struct step *step, enum shim_cause cause, bool at_once, const char *format, ...)
    __attribute__((format(printf, 5, 6)));
void step_exited(struct shim *shim, struct step *step); /* status is set; its process is gone */
void steps_tick(struct shim *shim, int64_t now);
int64_t steps_next_deadline(const struct shim *shim);

/* streams.c: what comes out of a step and goes down to it */
void streams_open(struct shim *shim, struct step *step, const int fds[2], int talk);
void streams_drain(struct shim *shim, struct step *step); /* after its end: what is there, without waiting for end-of-file */
void streams_close(struct shim *shim, struct step *step);
void stream_write(struct shim *shim, const struct stream *stream, const char *bytes, size_t size); /* to the log, or ends the step */
void step_say(struct shim *shim, struct step *step, const char *line, size_t size);
void output_folder(struct shim *shim);
/* An empty file that only this step knows: outputs/NUMBER. */
uint32_t output_create(struct shim *shim);
void outputs_remove(struct shim *shim); /* those that wait for a step */
/* After its end: an untouched one is kept for the next step, and need not be read. false: read it. */
bool output_keep(struct shim *shim, const struct step *step);
char *output_take(struct shim *shim, const struct step *step, size_t *ret_size, const char **ret_problem);
/* Reads and removes it; NULL and *ret_problem on what is not a small regular file. */
char *output_read(int folder, const char *name, uint64_t limit, size_t *ret_size, const char **ret_problem);

/* spawn.c: a step's process without namespaces */
struct descriptors;
bool spawn_step(struct shim *shim, struct step *step, const struct descriptors *ends);

/* leftovers.c: processes that a step without namespaces left behind */
void leftovers_open(struct shim *shim);
void step_signal(struct shim *shim, struct step *step, int signal);
unsigned children_kill(pid_t but);                          /* all of ours; how many there were */
unsigned carriers_kill(const struct shim *shim, pid_t but); /* all that carry our folder's name, though they are no children; how many */
bool leftovers_kill(struct shim *shim, struct step *step);  /* true: there were some, look again at the next SIGCHLD */

/* stage.c */
struct stage *stage_blank(void); /* a description of nothing */
void stage_free(struct shim *shim, struct stage *stage);
struct stage *stage_find(struct shim *shim, uint32_t id);
void stage_open(struct shim *shim, struct view payload, bool *ret_bad);
bool stage_start_step(struct shim *shim, struct step *step, const struct descriptors *ends);
void stage_signal_step(struct stage *stage, const struct step *step, int signal);
void stage_release(struct shim *shim, struct stage *stage);            /* lets it go if it is ending and nothing of it lives */
void stage_ended(struct shim *shim, struct stage *stage);              /* its init is gone */
void stage_settled(struct shim *shim, struct stage *stage, bool good); /* its degree is decided, or none is possible */
void stages_bury(struct shim *shim);
void stages_tick(struct shim *shim, int64_t now);
int64_t stages_next_deadline(const struct shim *shim);

/* sandbox.c */
void sandbox_prepare(struct shim *shim);                   /* what the first stage would wait for; of a run, not of a keeper */
void sandbox_make(struct shim *shim, struct stage *stage); /* ends in stage_settled, now or later */

/* ahead.c: a stage's init before its stage. */
void ahead_make(struct shim *shim);
void ahead_drop(struct shim *shim);
pid_t ahead_pid(const struct shim *shim); /* 0 = there is none */

/* ended.c: the network namespace of an init, or -1; and letting go of it, some time. */
int network_hold(pid_t init);
void network_release(struct shim *shim, int network);

/* spare.c: a run takes it: its folder has this name now. false: it is nobody's spare, or that is no folder. */
bool spare_take(struct shim *shim, struct view payload);

/* template.c: the tree that all stages have alike. begin is for a run's shim that is root, and may be left out. */
void template_begin(struct shim *shim);
struct sources;
bool template_enter(struct shim *shim, const struct sources *request); /* until template_leave the shim sees no file but the template's */
void template_leave(struct shim *shim);

/* limits.c */
void limits_open(struct shim *shim, struct stage *stage);
void limits_close(struct limits *limits);
void limits_poll(struct limits *limits);                                    /* reads the counters of events */
void limits_describe(const struct limits *limits, char *text, size_t room); /* appends */

/* quota.c */
void quota_tick(struct shim *shim, struct stage *stage, int64_t now);

/* cgroup.c */
void run_cgroup_close(struct shim *shim);

#endif
