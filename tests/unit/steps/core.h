/* core.h: what the tests of ordering steps share: a peer with TM Forum's APIs in a child process (fake_core.py), a step that runs against
   it with the engine's answers lying ready, and what the peer has then. */
#ifndef CRESCENDO_TESTS_STEPS_CORE_H
#define CRESCENDO_TESTS_STEPS_CORE_H

#include "support.h"

#include "../../../steps/perform.h"
#include "../../../steps/registry.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/un.h>
#include <time.h>

struct core {
    char *folder;
    pid_t pid;
};

/* The tables refer to these weakly, which alone would not link them. */
__attribute__((used)) static int (*const performers[])(struct step *step, struct error *err) = {
    publish_perform, order_perform, shift_perform, kpi_perform, scale_perform, promote_perform, retire_perform, notify_perform};

/* The engine's answers. */
#define KEPT "{\"type\":\"kept\"}\n"
#define GO(name, key) "{\"type\":\"go\",\"name\":\"" name "\",\"key\":\"" key "\"}\n"
#define FIND(name, key) "{\"type\":\"find\",\"name\":\"" name "\",\"key\":\"" key "\"}\n"
#define KEPT_OF(name) "{\"type\":\"kept\",\"name\":\"" name "\"}\n"
/* A checkpoint and one effect that goes well. */
#define ONE_EFFECT(name, key) KEPT GO(name, key) KEPT_OF(name)

UNUSED static bool answers(const char *folder)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    AUTO(free_text) char *path = mem_format("%s/core.sock", folder);
    AUTO(close_fd) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    memcpy(address.sun_path, path, strlen(path));
    return connect(fd, (struct sockaddr *)&address, sizeof address) == 0;
}

UNUSED static void core_begin(struct core *core)
{
    core->pid = fork();
    if (core->pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL); /* it ends with a test that crashes */
        execlp("python3", "python3", "-S", "tests/unit/steps/fake_core.py", core->folder, (char *)NULL);
        _exit(99);
    }
    for (int i = 0; i < 1000 && !answers(core->folder); i++)
        nanosleep(&(struct timespec){.tv_nsec = 10 * 1000 * 1000}, NULL);
}

UNUSED static void core_end(struct core *core)
{
    AUTO(free_text) char *path = mem_format("%s/core.sock", core->folder);
    if (core->pid > 0) {
        kill(core->pid, SIGKILL);
        waitpid(core->pid, NULL, 0);
    }
    core->pid = 0;
    unlink(path);
}

/* For setup: a folder with a peer that has one offering, "o1", of the service hello 1.0.0 (and "o2", of 2.0.0). */
UNUSED static int start_core(void **state)
{
    struct core *core = mem_alloc(sizeof *core);
    void *folder = NULL;
    if (make_folder(&folder)) return -1;
    core->folder = folder;
    *state = core;
    if (!shell("/", "python3 -c pass 2>/dev/null")) return 0;
    put_file(core->folder, "state.json",
        "{\"productOffering\": {"
        "\"o1\": {\"id\": \"o1\", \"name\": \"hello\", \"version\": \"1.0.0\", \"lifecycleStatus\": \"Active\", \"serviceCandidate\": "
        "{\"id\": \"c1\"}},"
        "\"o2\": {\"id\": \"o2\", \"name\": \"hello\", \"version\": \"2.0.0\", \"lifecycleStatus\": \"Active\", \"productSpecification\": "
        "{\"id\": \"p2\"}},"
        "\"old\": {\"id\": \"old\", \"name\": \"hello\", \"version\": \"0.9\", \"lifecycleStatus\": \"Retired\"}},"
        "\"productSpecification\": {\"p2\": {\"id\": \"p2\", \"serviceSpecification\": [{\"id\": \"s2\"}]}},"
        "\"serviceCandidate\": {\"c1\": {\"id\": \"c1\", \"serviceSpecification\": {\"id\": \"s1\"}}},"
        "\"serviceSpecification\": {"
        "\"s1\": {\"id\": \"s1\", \"name\": \"hello\", \"version\": \"1.0.0\", \"specCharacteristic\": [{\"name\": \"descriptor\","
        "\"characteristicValueSpecification\": [{\"value\": {\"service\": \"hello\", \"version\": \"1.0.0\", \"components\": ["
        "{\"network\": {\"name\": \"slice\"}}, {\"compute\": {\"name\": \"web\"}}, {\"user\": {\"name\": \"cameras\"}}]}}]}]},"
        "\"s2\": {\"id\": \"s2\", \"name\": \"hello\", \"version\": \"2.0.0\", \"specCharacteristic\": [{\"name\": \"descriptor\","
        "\"characteristicValueSpecification\": [{\"value\": {\"service\": \"hello\", \"version\": \"2.0.0\", \"components\": ["
        "{\"compute\": {\"name\": \"web\"}}]}}]}]}},"
        "\"serviceOrder\": {}, \"cancelServiceOrder\": {}, \"service\": {}}",
        0644);
    core_begin(core);
    return 0;
}

UNUSED static int stop_core(void **state)
{
    struct core *core = *state;
    void *folder = core->folder;
    core_end(core);
    free(core);
    return remove_folder(&folder);
}

#define NEEDS_CORE(state) \
    struct core *core = *(state); \
    if (core->pid <= 0) skip()

/* {with, facts, checkpoint}: with and checkpoint are JSON text. */
UNUSED static json_t *input_for(const struct core *core, const char *with, json_t *checkpoint)
{
    AUTO(free_text) char *url = mem_format("unix:%s/core.sock", core->folder);
    json_t *facts = json_pack("{s:i, s:s, s:s, s:s, s:s, s:s, s:{s:s, s:s, s:s, s:{s:i}}, s:i}", "run", 7, "stage", "release", "step",
        "release/step", "author", "ada", "repository", "hello", "core", url, "domain", "domain", "lab", "url", url, "dialect", "standard",
        "policy", "lease", 30000, "timeout_ms", 1500);
    json_t *input = json_pack("{s:o, s:o}", "with", parse(with), "facts", facts);
    json_put(input, "checkpoint", checkpoint ? checkpoint : json_null());
    return input;
}

/* One step from its start to its end. Release the peer. */
UNUSED static int run_step(const struct core *core, const struct step_type *type, const char *with, json_t *checkpoint, const char *lines,
    struct peer *ret_peer, struct error *err)
{
    *ret_peer = peer_begin(type, input_for(core, with, checkpoint), lines);
    int failed = type->perform(ret_peer->step, err);
    peer_end(ret_peer);
    return failed;
}

/* The same, where only the result counts; the step must go well. */
UNUSED static void must_run(const struct core *core, const struct step_type *type, const char *with, const char *lines)
{
    struct peer peer;
    struct error err = {0};
    if (run_step(core, type, with, NULL, lines, &peer, &err) < 0) fail_msg("%s: %s", type->name, err.message);
    peer_release(&peer);
}

/* The nth line of a type that was said; borrowed; NULL = there is none. */
UNUSED static const json_t *heard(const struct peer *peer, const char *type, size_t nth)
{
    size_t index;
    json_t *line;
    json_array_foreach(peer->heard, index, line) if (text_equal(json_text(line, "type", ""), type) && nth-- == 0) return line;
    return NULL;
}

/* Undoes what the nth effect of an ended step did, in a process of its own. */
UNUSED static int undo(const struct core *core, const struct step_type *type, const char *with, const struct peer *done, size_t nth,
    const char *lines, struct peer *ret_peer, struct error *err)
{
    *ret_peer = peer_begin(type, input_for(core, with, NULL), lines);
    int failed = type->compensate(ret_peer->step, heard(done, "intend", nth), json_object_get(heard(done, "outcome", nth), "outcome"), err);
    peer_end(ret_peer);
    return failed;
}

/* Does the order that undid it say so in its description? */
UNUSED static bool undo_is_said(const struct peer *back)
{
    return text_starts(json_text(json_object_get(heard(back, "intend", 0), "body"), "description", ""), "undo release/step of run 7");
}

/* Everything that the peer has. New. */
UNUSED static json_t *core_state(const struct core *core)
{
    AUTO(free_text) char *text = get_file(core->folder, "state.json");
    assert_non_null(text);
    return parse(text);
}

UNUSED static size_t core_count(const struct core *core, const char *collection)
{
    AUTO(free_json) json_t *state = core_state(core);
    return json_object_size(json_object_get(state, collection));
}

/* "active 100 2": a service's state, share and replicas, "-" for what it does not say. Caller frees. */
UNUSED static char *core_service(const struct core *core, const char *id)
{
    AUTO(free_json) json_t *state = core_state(core);
    const json_t *service = json_object_get(json_object_get(state, "service"), id);
    struct text out = {0};
    text_add(&out, json_text(service, "state", "none"));
    for (const char *const *name = (const char *const[]){"traffic.share", "replicas", NULL}; *name; name++) {
        const json_t *value = NULL;
        size_t index;
        json_t *one;
        json_array_foreach(json_object_get(service, "serviceCharacteristic"), index, one) if (text_equal(json_text(one, "name", ""), *name))
            value = json_object_get(one, "value");
        if (value)
            text_add_format(&out, " %.10g", json_number_value(value));
        else
            text_add(&out, " -");
    }
    return text_take(&out);
}

UNUSED static void assert_service(const struct core *core, const char *id, const char *wanted)
{
    AUTO(free_text) char *is = core_service(core, id);
    assert_string_equal(is, wanted);
}

UNUSED static void set_fault(const struct core *core, const char *method, const char *path, const char *fault)
{
    AUTO(free_text)
    char *text = mem_format("{\"method\": \"%s\", \"path\": \"%s\", \"fault\": \"%s\", \"times\": 1}", method, path, fault);
    put_file(core->folder, "fault.json", text, 0644);
}

#endif
