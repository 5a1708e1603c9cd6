/* keep.h: the parts of `crescendo-shim --keep KEEP`, the keeper of one domain, and what they share. It stands on the shim: the same loop,
   stages, steps and log. An instance is a step in a stage of its own; what would go to RUN/reports comes to instances_hear() instead.
   Invariants: what was answered is in KEEP/state; everything else (processes, HAProxy's servers, routes) is brought in line with it by
   keep_turn(), which runs after every event and may run at any time, so a restart is only: read the state, take a turn. */
#ifndef CRESCENDO_SHIM_KEEP_H
#define CRESCENDO_SHIM_KEEP_H

#include "base/mem.h"
#include "base/text.h"
#include "crescendo/error.h"
#include "exec/shim/shim.h"
#include "exec/telemetry.h"

enum {
    SHARE_WHOLE = 10000,
    KEEP_LINE_BYTES = 64 * 1024,
    KEEP_KEYS = 10000,
    KEEP_PORTS = 64,     /* at most, of the domain's range */
    KEEP_SERVICES = 128, /* at most, in the domain */
    KEEP_REPLICAS = 64,  /* at most, of a service */
    KEEP_ARMS = 4,       /* backends of a port: two services in use, two that are on their way out */
    NAME_BYTES = 64,
    TAIL_BYTES = 400, /* of an instance's last lines */
};

/* What to do about a file of the keeper that cannot be written. */
#define KEEP_WRITE_HINT "nothing was changed; make room or make the folder writable, then ask again"

/* --- words.c: lines of the protocol and of the state file --- */
struct word {
    char *name, *value;
};
struct line {
    char *verb;
    struct word *words;
    size_t count;
};
int line_read(const char *bytes, size_t size, struct line *ret, struct error *err) MUST_CHECK;
void line_release(struct line *line);
const char *line_text(const struct line *line, const char *name); /* NULL: not there */
/* In [least, most]; fallback where it is missing, an error when fallback is outside. */
int line_number(
    const struct line *line, const char *name, int64_t least, int64_t most, int64_t fallback, int64_t *ret, struct error *err) MUST_CHECK;
int line_name(const struct line *line, const char *name, const char **ret, struct error *err) MUST_CHECK; /* needed; of safe characters */
char **line_list(const struct line *line, const char *name);                                              /* NULL-ended */
uint64_t line_hash(const struct line *line);                                                              /* without its key and epoch */
void add_word(struct text *out, const char *name, const char *value);
void add_number(struct text *out, const char *name, int64_t value);
void list_release(char ***list);

/* --- instances --- */
enum instance_state { INSTANCE_BACKOFF, INSTANCE_STARTING, INSTANCE_HEALTHY, INSTANCE_UNHEALTHY, INSTANCE_DRAINING, INSTANCE_STOPPING };
enum server_state { SERVER_ABSENT, SERVER_DOWN, SERVER_READY, SERVER_DRAINING }; /* in HAProxy, as far as it was told */

/* health.c: one question at a time, never waited for. */
struct check {
    struct watch watch;
    int64_t next_us, deadline_us; /* 0 = none */
    char answer[16];
    size_t got;
    bool asked;
    int status;        /* of the last answer; 0 = none */
    unsigned failures; /* in a row */
};
/* output.c: the file that takes what it prints. */
struct output {
    int fd; /* -1: none yet */
    uint64_t size_bytes;
    bool in_line; /* what was printed last had no end of line */
};
struct instance {
    struct service *service;
    uint32_t number, id, attempt, stage; /* id: its step's number */
    enum instance_state state;
    enum server_state server;
    int server_port; /* as HAProxy was told */
    int *ports;      /* one for each of the service's; 0 before the first start */
    pid_t pid;       /* 0 = no process */
    bool running;    /* a step of the shim's that has not ended */
    bool ended;      /* by us: message says why */
    bool without_sandbox;
    unsigned restarts, failures; /* failures: starts in a row that came to nothing */
    int64_t healthy_us;          /* since when */
    int64_t ask_us;              /* HAProxy is asked about it again then */
    int64_t next_us;             /* back-off ends, start_ms ends, or drain_ms ends */
    struct check check;
    char tail[TAIL_BYTES + 1]; /* of its output */
    size_t tail_size;
    char last_tail[TAIL_BYTES + 1]; /* of the process before this one: what it printed before what message says */
    size_t last_tail_size;
    char message[MESSAGE_BYTES]; /* how its last process ended */
    char isolation[MESSAGE_BYTES];
    struct output output;
    struct instance *next;
};

struct service {
    char *name, *family_name, *version, *folder, *health; /* health: NULL = the port accepts */
    char **command, **environment, **ports;               /* ports: "http=8080" */
    struct family *family;
    uint32_t replicas, arm; /* arm: its number in telemetry/arms */
    unsigned backend;       /* 'a' + this */
    int64_t share;          /* what it was given last; what it gets is service_share() */
    int64_t memory_bytes, cpu_thousandths, disk_bytes, start_ms, drain_ms, grace_ms;
    int64_t lease_ms, lease_wall_us, before; /* lease_ms 0: none; before: the share that it goes back to */
    int64_t lease_us;                        /* now_us() when it ends; from lease_wall_us when the state is read */
    bool lost, introduced, stopping;         /* introduced: an instance was healthy once, so its share counts */
    int64_t started_us;
    uint64_t open; /* requests under way, when HAProxy was last asked */
    struct instance *instances;
    struct service *next;
};
struct family {
    char *name;
    int port;
    struct family *next;
};
struct port {
    int number, fd;
    char route[160]; /* as HAProxy was told */
};
struct key {
    char *name, *answer;
    uint64_t hash;
};

/* --- haproxy.c, runtime.c --- */
struct haproxy {
    pid_t pid;
    int socket;      /* its runtime API's listener, which is ours so that it outlives it */
    int log_ends[2]; /* one record a line */
    int words_end;   /* what it prints goes here */
    struct watch log, words;
    int64_t started_us, retry_us, poll_us;
    unsigned failures;
    uint64_t dropped, dropped_before; /* of this process; of those before it */
    uint64_t unlogged;                /* counted and never logged */
    uint64_t requests_before;
    char tail[TAIL_BYTES + 1];
    size_t tail_size;
};

/* --- records.c: telemetry/ --- */
struct records {
    int folder, segment, index, arms;
    uint32_t number, count;  /* of the segment; records in it */
    uint64_t total;          /* recorded since the keeper's start */
    uint64_t failed, untold; /* could not be written; and no gap says so yet */
    struct telemetry_index block;
    char *rest; /* a line that is not whole yet */
    size_t rest_size;
    struct wire pending;
    int64_t flush_us;
};

/* --- talk.c --- */
struct client {
    struct watch watch;
    struct wire in, out;
    bool writing, ending;
    struct client *next;
};

struct keep {
    struct shim shim; /* first: the shim's hooks hand it back */
    char *domain, *address;
    int first_port, last_port;
    struct port ports[KEEP_PORTS];
    unsigned port_count;
    struct family *families;
    struct service *services;
    struct key *keys; /* oldest first */
    size_t key_count;
    uint32_t next_arm, attempts, next_port;
    struct haproxy haproxy;
    struct records records;
    struct watch listener;
    struct client *clients, *graves;
    int64_t asked_us, opened_us;
    bool reconfigured; /* HAProxy was told something that haproxy.cfg does not say yet */
    int guardian;      /* told of what it is to hold */
    int ended;         /* how the keeper before this one did; 0: there was none */
    bool moved;        /* other ports were said: as soon as nobody asks it ends, and the next keeper has them */
    bool unsaved;      /* something of the state changed by itself: a lease was lost, a service is gone */
    int64_t save_us;
};

/* keep.c */
struct shim *keep_new(void);
void keep_open(struct shim *shim);
void keep_close(struct shim *shim);
int64_t earliest(int64_t a, int64_t b); /* of two deadlines; 0 = none */

/* members.c */
struct service *service_find(const struct keep *keep, const char *name);
struct family *family_find(const struct keep *keep, const char *name);
void service_free(struct service *service);
void family_free(struct family *family);
void family_release(struct keep *keep, struct family *family); /* where no service has it any more */

/* guard.c. guard_keeper() returns in each keeper that the guardian starts, and in the guardian never. */
void guard_keeper(struct shim *shim, int parent);
void guard_hold(const struct keep *keep, const struct port *port); /* it outlives us */
void guard_ready(const struct keep *keep);
void guard_over(const struct keep *keep); /* we end, and no other keeper is needed */

/* talk.c, verbs.c, status.c */
void talk_open(struct keep *keep);
void talk_bury(struct keep *keep);
int verb_do(struct keep *keep, const struct line *line, struct text *out, struct error *err) MUST_CHECK;
int verb_start(struct keep *keep, const struct line *line, struct text *out, struct error *err) MUST_CHECK;
int verb_status(struct keep *keep, const struct line *line, struct text *out, struct error *err) MUST_CHECK;

/* state.c */
int state_save(struct keep *keep, struct error *err) MUST_CHECK;
void state_load(struct keep *keep);
void state_write(const struct keep *keep, struct text *out);
int state_read(struct keep *keep, const char *bytes, size_t size, struct error *err) MUST_CHECK; /* failed: half of it is in keep */
int service_read(const struct line *line, struct service **ret, struct error *err) MUST_CHECK;   /* of a start or a state line */
const struct key *key_find(const struct keep *keep, const char *name);
void key_add(struct keep *keep, const char *name, uint64_t hash, const char *answer);
void key_drop_last(struct keep *keep);

/* shares.c: no side effects but on shares and leases */
struct service *service_beside(const struct keep *keep, const struct service *service); /* the other one in use; NULL */
int64_t service_share(const struct keep *keep, const struct service *service);          /* what it gets now */
unsigned service_ready(const struct service *service);                                  /* its healthy instances */
void family_route(const struct keep *keep, const struct family *family, char *route, size_t room);
bool leases_expire(struct keep *keep, int64_t now); /* true: one did */
void lease_set(struct service *service, int64_t lease_ms);
void lease_end(struct service *service);
int64_t lease_left_ms(const struct service *service);

/* instances.c, life.c */
void service_turn(struct keep *keep, struct service *service, int64_t now); /* towards what is wanted */
int64_t service_deadline(const struct service *service);
void instances_hear(struct keep *keep); /* the shim's reports */
struct instance *instance_of_step(const struct keep *keep, uint32_t id);
void instance_start(struct keep *keep, struct instance *instance);
void instance_end(struct keep *keep, struct instance *instance); /* SIGTERM, after the grace SIGKILL */
void instance_free(struct keep *keep, struct instance *instance);
void instance_again(struct instance *instance, int64_t now); /* with back-off */
bool instance_is_wanted(const struct instance *instance);
bool instance_is_held(const struct instance *instance); /* its server stays although it is gone: requests wait for the next one */
void tail_add(char tail[TAIL_BYTES + 1], size_t *size, const char *bytes, size_t more);
bool instance_choose_ports(struct keep *keep, struct instance *instance);
char **instance_environment(const struct instance *instance);
char **instance_command(const struct instance *instance, char *const *environment);

/* output.c: KEEP/logs */
void output_add(const struct keep *keep, struct instance *instance, const char *bytes, size_t size);
void output_say(const struct keep *keep, struct instance *instance, const char *format, ...) __attribute__((format(printf, 3, 4)));
void output_close(struct output *output);

/* health.c */
void check_start(struct keep *keep, struct instance *instance, int64_t now);
void check_stop(struct keep *keep, struct instance *instance);
void check_turn(struct keep *keep, struct instance *instance, int64_t now);

/* ports.c */
void ports_hold(struct keep *keep);
void ports_look_again(struct keep *keep);
struct port *port_of(struct keep *keep, int number);
int family_port(struct keep *keep, struct family *family, struct error *err) MUST_CHECK;

/* haproxy.c */
void haproxy_open(struct keep *keep);
void haproxy_turn(struct keep *keep, int64_t now); /* starts it where it is missing and wanted */
int64_t haproxy_deadline(const struct keep *keep);
bool haproxy_reaped(struct keep *keep, pid_t pid, int status);
void haproxy_configure(struct keep *keep); /* haproxy.cfg and shares/ as they should be now */

/* runtime.c: its runtime API. A HAProxy that does not answer is killed and started anew. */
bool runtime_ask(struct keep *keep, const char *command, struct text *answer);
void server_sync(struct keep *keep, struct instance *instance);
bool server_remove(struct keep *keep, struct instance *instance); /* false: not yet */
bool server_is_idle(struct keep *keep, const struct instance *instance);
void routes_sync(struct keep *keep);
uint64_t runtime_requests(struct keep *keep); /* since the keeper's start */
void runtime_poll(struct keep *keep);         /* what it lost */

/* records.c */
void records_open(struct keep *keep);
void records_read(struct keep *keep, bool all); /* what HAProxy logged; all: until the pipe is empty */
void records_gap(struct keep *keep, uint64_t dropped);
void records_flush(struct keep *keep);
int arm_new(struct keep *keep, struct service *service, struct error *err); /* numbers it, and writes that down */

#endif
