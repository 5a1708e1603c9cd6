/* state.c: KEEP/state: what the keeper was told, as lines of the protocol's own form. Replaced whole and synced before anything is
 * answered. */
#include "keep.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { STATE_BYTES = 64 * 1024 * 1024, ANSWER_BYTES = 4096 };

/* --- keys --- */
const struct key *key_find(const struct keep *keep, const char *name)
{
    for (size_t i = keep->key_count; i-- > 0;)
        if (strcmp(keep->keys[i].name, name) == 0) return &keep->keys[i];
    return NULL;
}

static void key_release(struct key *key)
{
    free(key->name);
    free(key->answer);
    *key = (struct key){0};
}

void key_add(struct keep *keep, const char *name, uint64_t hash, const char *answer)
{
    if (!keep->keys) keep->keys = mem_alloc_array(KEEP_KEYS + 1, sizeof *keep->keys);
    if (keep->key_count > KEEP_KEYS) {
        key_release(&keep->keys[0]);
        memmove(keep->keys, keep->keys + 1, --keep->key_count * sizeof *keep->keys);
    }
    keep->keys[keep->key_count++] = (struct key){mem_copy_text(name), mem_copy_text(answer), hash};
}

void key_drop_last(struct keep *keep)
{
    key_release(&keep->keys[--keep->key_count]);
}

/* --- writing --- */
static void add_list(struct text *out, const char *name, char *const *list)
{
    for (; *list; list++)
        add_word(out, name, *list);
}

static void add_service(struct text *out, const struct service *service)
{
    text_add(out, "service");
    add_word(out, "service", service->name);
    add_word(out, "family", service->family_name);
    add_word(out, "version", service->version);
    add_word(out, "folder", service->folder);
    if (service->health) add_word(out, "health", service->health);
    add_list(out, "command", service->command);
    add_list(out, "env", service->environment);
    add_list(out, "port", service->ports);
    const struct {
        const char *name;
        int64_t value;
    } numbers[] = {{"replicas", service->replicas}, {"share", service->share}, {"memory", service->memory_bytes},
        {"cpu", service->cpu_thousandths}, {"disk", service->disk_bytes}, {"start_ms", service->start_ms}, {"drain_ms", service->drain_ms},
        {"grace_ms", service->grace_ms}, {"arm", service->arm}, {"backend", service->backend}, {"lease_ms", service->lease_ms},
        {"lease_wall_us", service->lease_wall_us}, {"before", service->before}, {"lost", service->lost},
        {"introduced", service->introduced}, {"stopping", service->stopping}};
    for (size_t i = 0; i < COUNT_OF(numbers); i++)
        add_number(out, numbers[i].name, numbers[i].value);
    text_add_char(out, '\n');
}

void state_write(const struct keep *keep, struct text *out)
{
    text_add(out, "keeper version=1");
    add_number(out, "next_arm", keep->next_arm);
    if (keep->domain) {
        add_word(out, "name", keep->domain);
        add_word(out, "address", keep->address);
        add_number(out, "first_port", keep->first_port);
        add_number(out, "last_port", keep->last_port);
    }
    text_add_char(out, '\n');
    for (const struct family *family = keep->families; family; family = family->next) {
        text_add(out, "family");
        add_word(out, "name", family->name);
        add_number(out, "port", family->port);
        text_add_char(out, '\n');
    }
    for (const struct service *service = keep->services; service; service = service->next)
        add_service(out, service);
    for (size_t i = 0; i < keep->key_count; i++) {
        text_add(out, "key");
        add_word(out, "name", keep->keys[i].name);
        text_add_format(out, " hash=%016llx", (unsigned long long)keep->keys[i].hash);
        add_word(out, "answer", keep->keys[i].answer);
        text_add_char(out, '\n');
    }
    text_add(out, "end\n");
}

static int write_whole(int fd, const char *bytes, size_t size)
{
    while (size) {
        ssize_t put = write(fd, bytes, size);
        if (put < 0 && errno == EINTR) continue;
        if (put <= 0) return -1;
        bytes += put;
        size -= (size_t)put;
    }
    return fsync(fd);
}

static int replace(int folder, const char *bytes, size_t size)
{
    AUTO(close_fd) int fd = openat(folder, "state.new", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0 || write_whole(fd, bytes, size) < 0) return -errno;
    if (renameat(folder, "state.new", folder, "state") < 0 || fsync(folder) < 0) return -errno;
    return 0;
}

int state_save(struct keep *keep, struct error *err)
{
    struct text out = {0};
    state_write(keep, &out);
    int failed = replace(keep->shim.folder_fd, out.bytes, out.size);
    text_release(&out);
    if (!failed) {
        keep->unsaved = false;
        return 0;
    }
    error_set_errno(err, -failed, "the state of the domain could not be written to %.150s/state", keep->shim.folder);
    return error_hint(err, KEEP_WRITE_HINT);
}

/* --- reading --- */
static int read_numbers(const struct line *line, struct service *service, struct error *err)
{
    int64_t replicas = 0;
    const struct {
        const char *name;
        int64_t least, most, fallback, *into;
    } numbers[] = {{"replicas", 0, KEEP_REPLICAS, 1, &replicas}, {"share", 0, SHARE_WHOLE, 0, &service->share},
        {"memory", 0, INT64_MAX, 0, &service->memory_bytes}, {"cpu", 0, 1000 * 1000, 0, &service->cpu_thousandths},
        {"disk", 0, INT64_MAX, 0, &service->disk_bytes}, {"start_ms", 100, 3600 * 1000, 30 * 1000, &service->start_ms},
        {"drain_ms", 0, 3600 * 1000, 10 * 1000, &service->drain_ms}, {"grace_ms", 0, 600 * 1000, 5000, &service->grace_ms}};
    for (size_t i = 0; i < COUNT_OF(numbers); i++) {
        int failed = line_number(line, numbers[i].name, numbers[i].least, numbers[i].most, numbers[i].fallback, numbers[i].into, err);
        if (failed) return failed;
    }
    service->replicas = (uint32_t)replicas;
    return 0;
}

static bool is_port(const char *text)
{
    const char *equals = strchr(text, '=');
    int64_t number;
    AUTO(free_text) char *name = equals ? mem_copy_bytes(text, (size_t)(equals - text)) : NULL;
    return name && text_is_name(name) && text_to_integer(equals + 1, &number) && number >= 0 && number <= 65535;
}

static int check_lists(const struct service *service, struct error *err)
{
    if (!service->command[0] || !service->command[0][0]) return error_set(err, ERROR_INVALID, NOWHERE, "%s has no command", service->name);
    if (!service->ports[0]) {
        error_set(err, ERROR_INVALID, NOWHERE, "%s has no port, so no request can reach it", service->name);
        return error_hint(err, "declare one in its descriptor: ports: { http: 8080 }");
    }
    for (char **port = service->ports; *port; port++)
        if (!is_port(*port)) return error_set(err, ERROR_INVALID, NOWHERE, "port=%.80s of %s is not NAME=NUMBER", *port, service->name);
    for (char **variable = service->environment; *variable; variable++)
        if (**variable == '=' || !strchr(*variable, '='))
            return error_set(err, ERROR_INVALID, NOWHERE, "env=%.80s of %s is not NAME=VALUE", *variable, service->name);
    if (service->folder[0] != '/') return error_set(err, ERROR_INVALID, NOWHERE, "folder=%.100s is not an absolute path", service->folder);
    if (service->health && (service->health[0] != '/' || service->health[strcspn(service->health, " \r\n")]))
        return error_set(err, ERROR_INVALID, NOWHERE, "health=%.80s is not a path like /healthz", service->health);
    return 0;
}

int service_read(const struct line *line, struct service **ret, struct error *err)
{
    const char *name, *family, *version, *folder = line_text(line, "folder");
    int failed = line_name(line, "service", &name, err);
    if (!failed) failed = line_name(line, "family", &family, err);
    if (!failed) failed = line_name(line, "version", &version, err);
    if (failed) return failed;
    struct service *service = mem_alloc(sizeof *service);
    service->name = mem_copy_text(name);
    service->family_name = mem_copy_text(family);
    service->version = mem_copy_text(version);
    service->folder = mem_copy_text(folder ? folder : "");
    const char *health = line_text(line, "health");
    service->health = health && *health ? mem_copy_text(health) : NULL;
    service->command = line_list(line, "command");
    service->environment = line_list(line, "env");
    service->ports = line_list(line, "port");
    service->started_us = now_us();
    failed = read_numbers(line, service, err);
    if (!failed) failed = check_lists(service, err);
    if (failed) {
        service_free(service);
        return failed;
    }
    *ret = service;
    return 0;
}

/* A deadline is absolute; a clock that was put back while nobody was here does not make it later than it was lent for. */
static void read_lease(struct service *service)
{
    int64_t left = service->lease_wall_us - wall_us();
    if (!service->lease_ms) return;
    if (left > service->lease_ms * 1000) left = service->lease_ms * 1000;
    service->lease_us = now_us() + (left > 0 ? left : 0);
}

static int load_service(struct keep *keep, const struct line *line, struct error *err)
{
    struct service *service = NULL;
    int64_t arm = 0, backend = 0, lost = 0, introduced = 0, stopping = 0;
    int failed = service_read(line, &service, err);
    if (failed) return failed;
    const struct {
        const char *name;
        int64_t most, *into;
    } numbers[] = {{"arm", UINT32_MAX, &arm}, {"backend", KEEP_ARMS - 1, &backend}, {"lease_ms", INT64_MAX / 2000, &service->lease_ms},
        {"lease_wall_us", INT64_MAX, &service->lease_wall_us}, {"before", SHARE_WHOLE, &service->before}, {"lost", 1, &lost},
        {"introduced", 1, &introduced}, {"stopping", 1, &stopping}};
    for (size_t i = 0; !failed && i < COUNT_OF(numbers); i++)
        failed = line_number(line, numbers[i].name, 0, numbers[i].most, 0, numbers[i].into, err);
    service->family = family_find(keep, service->family_name);
    if (!failed && !service->family) failed = error_set(err, ERROR_INVALID, NOWHERE, "service %s without its family", service->name);
    if (failed) {
        service_free(service);
        return failed;
    }
    service->arm = (uint32_t)arm;
    service->backend = (unsigned)backend;
    service->lost = lost;
    service->introduced = introduced;
    service->stopping = stopping;
    read_lease(service);
    struct service **end = &keep->services;
    while (*end)
        end = &(*end)->next;
    *end = service;
    return 0;
}

static int load_keeper(struct keep *keep, const struct line *line, struct error *err)
{
    int64_t arm = 0, first = 0, last = 0;
    int failed = line_number(line, "next_arm", 0, UINT32_MAX, 0, &arm, err);
    if (!failed) failed = line_number(line, "first_port", 0, 65535, 0, &first, err);
    if (!failed) failed = line_number(line, "last_port", 0, 65535, 0, &last, err);
    if (failed) return failed;
    keep->next_arm = (uint32_t)arm;
    keep->first_port = (int)first;
    keep->last_port = (int)last;
    free(keep->domain);
    free(keep->address);
    keep->domain = mem_copy_text(line_text(line, "name"));
    keep->address = mem_copy_text(line_text(line, "address"));
    return 0;
}

static int load_family(struct keep *keep, const struct line *line, struct error *err)
{
    const char *name;
    int64_t port = 0;
    int failed = line_name(line, "name", &name, err);
    if (!failed) failed = line_number(line, "port", 0, 65535, 0, &port, err);
    if (failed) return failed;
    struct family *family = mem_alloc(sizeof *family), **end = &keep->families;
    *family = (struct family){mem_copy_text(name), (int)port, NULL};
    while (*end)
        end = &(*end)->next;
    *end = family;
    return 0;
}

static int load_line(struct keep *keep, const struct line *line, struct error *err)
{
    if (strcmp(line->verb, "keeper") == 0) return load_keeper(keep, line, err);
    if (strcmp(line->verb, "family") == 0) return load_family(keep, line, err);
    if (strcmp(line->verb, "service") == 0) return load_service(keep, line, err);
    if (strcmp(line->verb, "end") == 0) return 0;
    const char *name = line_text(line, "name"), *hash = line_text(line, "hash"), *answer = line_text(line, "answer");
    if (strcmp(line->verb, "key") != 0 || !name || !hash || !answer)
        return error_set(err, ERROR_INVALID, NOWHERE, "'%.40s' is no line of a state", line->verb);
    key_add(keep, name, strtoull(hash, NULL, 16), answer);
    return 0;
}

/* A state that cannot be read is no reason to forget what runs: then there is no keeper until somebody has looked. */
static _Noreturn void refuse(const struct error *err)
{
    dprintf(STDERR_FILENO, "crescendo-shim: KEEP/state cannot be taken up: %s\n", err->message);
    _exit(1);
}

static char *read_file(int folder, size_t *ret_size)
{
    struct stat facts;
    AUTO(close_fd) int fd = openat(folder, "state", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0 && errno == ENOENT) return NULL;
    if (fd < 0 || fstat(fd, &facts) < 0 || facts.st_size > STATE_BYTES) shim_die("state");
    char *bytes = mem_alloc((size_t)facts.st_size + 1);
    size_t size = 0;
    for (ssize_t got; size < (size_t)facts.st_size && (got = read(fd, bytes + size, (size_t)facts.st_size - size)) > 0;)
        size += (size_t)got;
    *ret_size = size;
    return bytes;
}

int state_read(struct keep *keep, const char *bytes, size_t size, struct error *err)
{
    int failed = 0;
    for (size_t at = 0; !failed && at < size;) {
        const char *end = memchr(bytes + at, '\n', size - at);
        size_t length = end ? (size_t)(end - bytes) - at : size - at;
        struct line line = {0};
        failed = line_read(bytes + at, length, &line, err);
        if (!failed) failed = load_line(keep, &line, err);
        line_release(&line);
        at += length + 1;
    }
    return failed;
}

void state_load(struct keep *keep)
{
    struct error err = {0};
    size_t size = 0;
    AUTO(free_text) char *bytes = read_file(keep->shim.folder_fd, &size);
    if (bytes && state_read(keep, bytes, size, &err) < 0) refuse(&err);
}
