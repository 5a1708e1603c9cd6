/* instances.c: an instance's process: its ports, environment and command; its start as a step in a sandbox of its own; what the shim
   reports of it. */
#include "keep.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* Below the range from which the kernel takes ports for connections, so that it does not take one between our look and the bind. */
enum { FIRST_PORT = 20000, LAST_PORT = 32000 };
static const int64_t FIRST_DELAY_US = 100 * 1000, LONGEST_DELAY_US = 10 * 1000 * 1000, STABLE_US = 10 * 1000 * 1000;

static bool is_free(int number)
{
    struct sockaddr_in place = {.sin_family = AF_INET, .sin_port = htons((uint16_t)number), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return false;
    bool free_now = bind(fd, (struct sockaddr *)&place, sizeof place) == 0;
    close(fd);
    return free_now;
}

static bool is_used(const struct keep *keep, int number)
{
    if (number >= keep->first_port && number <= keep->last_port) return true;
    for (const struct service *service = keep->services; service; service = service->next)
        for (const struct instance *instance = service->instances; instance; instance = instance->next)
            for (size_t i = 0; service->ports[i]; i++)
                if (instance->ports[i] == number) return true;
    return false;
}

/* New ones for each start: a program that does not reuse addresses need not wait for the connections of the one before it. */
bool instance_choose_ports(struct keep *keep, struct instance *instance)
{
    const uint32_t range = LAST_PORT - FIRST_PORT;
    for (size_t i = 0; instance->service->ports[i]; i++) {
        uint32_t tries = 0;
        instance->ports[i] = 0;
        for (; tries < range && !instance->ports[i]; tries++) {
            int number = FIRST_PORT + (int)(keep->next_port++ % range);
            if (!is_used(keep, number) && is_free(number)) instance->ports[i] = number;
        }
        if (!instance->ports[i]) return false;
    }
    return true;
}

static void add_port(char **list, size_t *count, const char *declared, int number)
{
    size_t size = strcspn(declared, "=");
    char *variable = mem_format("PORT_%.*s=%d", (int)size, declared, number);
    for (size_t i = 5; i < 5 + size; i++)
        variable[i] = variable[i] == '-' ? '_' : (char)toupper((unsigned char)variable[i]);
    list[(*count)++] = variable;
}

static bool has(char *const *list, const char *prefix)
{
    for (; *list; list++)
        if (text_starts(*list, prefix)) return true;
    return false;
}

char **instance_environment(const struct instance *instance)
{
    const struct service *service = instance->service;
    size_t count = 0, given = 0, ports = 0;
    while (service->environment[given])
        given++;
    while (service->ports[ports])
        ports++;
    char **list = mem_alloc_array(given + ports + 4, sizeof *list);
    for (; count < given; count++)
        list[count] = mem_copy_text(service->environment[count]);
    if (!has(list, "PATH=")) list[count++] = mem_copy_text("PATH=/usr/local/bin:/usr/bin:/bin");
    if (!has(list, "PORT=")) list[count++] = mem_format("PORT=%d", instance->ports[0]);
    for (size_t i = 0; i < ports; i++)
        add_port(list, &count, service->ports[i], instance->ports[i]);
    return list;
}

/* As Kubernetes does: $(NAME) is replaced where NAME is known, $$(NAME) is $(NAME). */
static char *replace(const char *word, char *const *environment)
{
    struct text out = {0};
    text_add(&out, "");
    while (*word) {
        const char *end = word[0] == '$' && word[1] == '(' ? strchr(word, ')') : NULL;
        if (word[0] == '$' && word[1] == '$') {
            text_add_char(&out, '$');
            word += 2;
            continue;
        }
        size_t size = end ? (size_t)(end - word) - 2 : 0;
        const char *value = NULL;
        for (char *const *at = environment; end && *at; at++)
            if (strncmp(*at, word + 2, size) == 0 && (*at)[size] == '=') value = *at + size + 1;
        if (value) {
            text_add(&out, value);
            word = end + 1;
        } else {
            text_add_char(&out, *word++);
        }
    }
    return text_take(&out);
}

char **instance_command(const struct instance *instance, char *const *environment)
{
    size_t count = 0;
    while (instance->service->command[count])
        count++;
    char **list = mem_alloc_array(count + 1, sizeof *list);
    for (size_t i = 0; i < count; i++)
        list[i] = replace(instance->service->command[i], environment);
    return list;
}

/* The shim is asked in its own words, as an engine would. */
static void request(struct keep *keep, enum shim_request type, struct wire *frame)
{
    struct view payload = {frame->bytes, frame->size, false};
    request_handle(&keep->shim, type, payload);
    wire_release(frame);
}

static void ask_sandbox(struct keep *keep, const struct instance *instance)
{
    static const char *const no_more[] = {NULL}; /* folders */
    const struct service *service = instance->service;
    struct wire frame = {0};
    wire_u32(&frame, instance->stage);
    wire_text(&frame, service->folder);
    wire_u32(&frame, instance->without_sandbox ? SANDBOX_NONE : SANDBOX_DEFAULT);
    wire_u32(&frame, 1);
    wire_u64(&frame, (uint64_t)service->memory_bytes);
    wire_u32(&frame, (uint32_t)service->cpu_thousandths);
    wire_u32(&frame, 0);
    wire_u64(&frame, (uint64_t)service->disk_bytes);
    wire_list(&frame, no_more);
    wire_list(&frame, no_more);
    wire_text(&frame, service->name);
    request(keep, SHIM_SANDBOX, &frame);
}

static void ask_start(struct keep *keep, const struct instance *instance)
{
    const struct service *service = instance->service;
    AUTO(list_release) char **environment = instance_environment(instance);
    AUTO(list_release) char **command = instance_command(instance, environment);
    struct wire frame = {0};
    for (size_t i = 0; i < 5; i++)
        wire_u32(&frame, (const uint32_t[]){instance->id, instance->attempt, instance->stage, NO_STEP, 0}[i]);
    wire_u64(&frame, 0);
    wire_u64(&frame, (uint64_t)service->grace_ms);
    wire_u64(&frame, 0);
    wire_list(&frame, (const char *const *)command);
    wire_list(&frame, (const char *const *)environment);
    wire_text(&frame, "");
    wire_text(&frame, service->name);
    request(keep, SHIM_START, &frame);
}

/* The stage ends with its only step. */
static void ask_end_stage(struct keep *keep, const struct instance *instance)
{
    struct wire frame = {0};
    wire_u32(&frame, instance->stage);
    request(keep, SHIM_END_STAGE, &frame);
}

static void say(struct instance *instance, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void say(struct instance *instance, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(instance->message, sizeof instance->message, format, arguments);
    va_end(arguments);
}

void instance_again(struct instance *instance, int64_t now)
{
    if (instance->healthy_us && now - instance->healthy_us >= STABLE_US) instance->failures = 0;
    int64_t delay = FIRST_DELAY_US << (instance->failures < 7 ? instance->failures : 7);
    instance->failures++;
    instance->restarts++;
    instance->state = INSTANCE_BACKOFF;
    instance->healthy_us = 0;
    instance->next_us = now + (delay < LONGEST_DELAY_US ? delay : LONGEST_DELAY_US);
}

void instance_start(struct keep *keep, struct instance *instance)
{
    const struct service *service = instance->service;
    int64_t now = now_us();
    struct stat facts;
    if (!instance_choose_ports(keep, instance) || stat(service->folder, &facts) < 0 || !S_ISDIR(facts.st_mode)) {
        say(instance, instance->ports[0] ? "its folder %.300s is not there" : "no port is free for it%.0s", service->folder);
        return instance_again(instance, now);
    }
    instance->attempt = ++keep->attempts;
    instance->stage = instance->id * 2 + instance->restarts % 2; /* the one before may not be buried yet */
    instance->state = INSTANCE_STARTING;
    instance->running = true;
    instance->ended = false;
    instance->next_us = now + service->start_ms * 1000;
    memcpy(instance->last_tail, instance->tail, sizeof instance->tail);
    instance->last_tail_size = instance->tail_size;
    instance->tail_size = 0;
    ask_sandbox(keep, instance);
    ask_start(keep, instance);
    ask_end_stage(keep, instance);
    check_start(keep, instance, now);
    output_say(keep, instance, "started on port %d", instance->ports[0]);
}

void instance_end(struct keep *keep, struct instance *instance)
{
    struct wire frame = {0};
    check_stop(keep, instance);
    instance->state = INSTANCE_STOPPING;
    instance->next_us = 0;
    wire_u32(&frame, instance->id);
    wire_u32(&frame, instance->attempt);
    request(keep, SHIM_CANCEL, &frame);
}

void instance_free(struct keep *keep, struct instance *instance)
{
    for (struct instance **at = &instance->service->instances; *at; at = &(*at)->next)
        if (*at == instance) {
            *at = instance->next;
            break;
        }
    check_stop(keep, instance);
    output_close(&instance->output);
    free(instance->ports);
    free(instance);
}

struct instance *instance_of_step(const struct keep *keep, uint32_t id)
{
    for (const struct service *service = keep->services; service; service = service->next)
        for (struct instance *instance = service->instances; instance; instance = instance->next)
            if (instance->id == id) return instance;
    return NULL;
}

/* The last TAIL_BYTES of what was printed. */
void tail_add(char tail[TAIL_BYTES + 1], size_t *size, const char *bytes, size_t more)
{
    if (more > TAIL_BYTES) {
        bytes += more - TAIL_BYTES;
        more = TAIL_BYTES;
    }
    size_t kept = *size + more > TAIL_BYTES ? TAIL_BYTES - more : *size;
    memmove(tail, tail + *size - kept, kept);
    memcpy(tail + kept, bytes, more);
    *size = kept + more;
    tail[*size] = '\0';
}

/* --- what the shim reports --- */
static char *take_text(struct view *payload)
{
    size_t size;
    const char *text = view_text(payload, &size);
    return mem_copy_bytes(text, size);
}

static void ended(struct keep *keep, struct instance *instance)
{
    instance->running = false;
    instance->pid = 0;
    check_stop(keep, instance);
    instance_again(instance, now_us());
}

/* Where no sandbox can be had, an instance runs without one, and its message says so: a domain's operator chose its machine. */
static void refused(struct keep *keep, struct instance *instance, struct view *payload)
{
    AUTO(free_text) char *why = take_text(payload);
    const struct stage *stage = stage_find(&keep->shim, instance->stage);
    bool no_sandbox = stage && stage->state == STAGE_REFUSED && stage->degree == DEGREE_NONE && !instance->without_sandbox;
    say(instance, "%s", why);
    output_say(keep, instance, "%s", why);
    ended(keep, instance);
    if (!no_sandbox) return;
    const char *advice = strstr(why, "; enable "); /* it is for pipelines */
    instance->without_sandbox = true;
    instance->next_us = 0;
    instance->restarts--; /* it was never started */
    instance->failures--;
    instance->message[0] = '\0';
    snprintf(instance->isolation, sizeof instance->isolation, "it runs without a sandbox: %.*s", advice ? (int)(advice - why) : 400, why);
}

static void exited(struct keep *keep, struct instance *instance, struct view *payload)
{
    enum shim_cause cause = (enum shim_cause)view_u32(payload);
    uint32_t code = view_u32(payload), number = view_u32(payload);
    for (unsigned i = 0; i < 3; i++)
        view_u64(payload);
    free(take_text(payload));
    AUTO(free_text) char *message = take_text(payload);
    bool own_end = instance->ended || instance->state == INSTANCE_STOPPING;
    if (!own_end && cause == SHIM_CAUSE_EXIT)
        say(instance, "exited with code %u", code);
    else if (!own_end && cause == SHIM_CAUSE_SIGNAL)
        say(instance, "killed by signal %u (%s)", number, strsignal((int)number));
    else if (!own_end)
        say(instance, "%s", message[0] ? message : "ended");
    output_say(keep, instance, "%s", own_end ? "ended" : instance->message);
    ended(keep, instance);
}

/* All reports of a stage's degree come before its step's start. */
static void isolation(struct keep *keep, uint32_t stage, struct view *payload)
{
    uint32_t degree = view_u32(payload);
    AUTO(free_text) char *text = take_text(payload);
    for (struct service *service = keep->services; service; service = service->next)
        for (struct instance *instance = service->instances; instance; instance = instance->next)
            if (instance->stage == stage && !instance->without_sandbox)
                snprintf(instance->isolation, sizeof instance->isolation, "%s", degree == DEGREE_NAMESPACES ? "" : text);
}

static void hear(struct keep *keep, unsigned type, struct view payload)
{
    view_u64(&payload);
    view_u64(&payload);
    uint32_t id = view_u32(&payload);
    if (type == SHIM_ISOLATION) return isolation(keep, id, &payload);
    uint32_t attempt = view_u32(&payload);
    struct instance *instance = instance_of_step(keep, id);
    if (!instance || instance->attempt != attempt) return;
    switch ((enum shim_report)type) {
    case SHIM_STARTED: instance->pid = (pid_t)view_u32(&payload); return;
    case SHIM_EXITED: return exited(keep, instance, &payload);
    case SHIM_REFUSED: return refused(keep, instance, &payload);
    case SHIM_DROPPED: return ended(keep, instance);
    case SHIM_HELLO:
    case SHIM_LINE:
    case SHIM_ISOLATION:
    case SHIM_STALE:
    case SHIM_STUCK: return;
    }
}

/* What is heard may make more of them. */
void instances_hear(struct keep *keep)
{
    struct wire *pending = &keep->shim.reports.pending;
    keep->shim.reports.deadline_us = 0;
    while (pending->size) {
        struct wire now = *pending;
        *pending = (struct wire){0};
        unsigned type;
        struct view payload;
        for (size_t at = 0; frame_peek(now.bytes + at, now.size - at, &type, &payload) == 1; at += frame_size(payload))
            hear(keep, type, payload);
        wire_release(&now);
    }
    keep->shim.reports.deadline_us = 0;
}
