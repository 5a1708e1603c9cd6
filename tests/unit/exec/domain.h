/* domain.h: a real keeper with a real HAProxy in a folder of its own, asked over its socket; and a service to be kept, which is the test
   program itself: `PROGRAM --serve PORT WORD`. */
#ifndef TESTS_EXEC_DOMAIN_H
#define TESTS_EXEC_DOMAIN_H

#include "base/clock.h"
#include "base/encode.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "exec/keeper.h"
#include "exec/telemetry.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

enum { PATIENCE_MS = 20 * 1000, PORTS = 4, LINE_BYTES = 70 * 1024 };

struct domain {
    char *folder, *package;
    int port; /* the first of PORTS */
};

static inline void sleep_ms(int ms)
{
    const struct timespec pause = {ms / 1000, ms % 1000 * 1000000L};
    nanosleep(&pause, NULL);
}

static inline const char *shim_path(void)
{
    static char made[4096];
    if (getenv("CRESCENDO_SHIM")) return getenv("CRESCENDO_SHIM");
    snprintf(made, sizeof made, "%s/crescendo-shim", getenv("BUILD") ? getenv("BUILD") : "build");
    return made;
}

static inline bool has_haproxy(void)
{
    static const char *const places[] = {"/usr/local/sbin/haproxy", "/usr/sbin/haproxy", "/usr/bin/haproxy"};
    for (size_t i = 0; i < COUNT_OF(places); i++)
        if (access(places[i], X_OK) == 0) return true;
    print_message("skipped: there is no haproxy here (apt-get install haproxy)\n");
    return false;
}

/* --- asking the keeper --- */
static inline int dial(const struct domain *domain)
{
    AUTO(close_fd) int folder = open(domain->folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct timeval patience = {.tv_sec = 20};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d/keeper.sock", folder);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0) return fd;
    close(fd);
    return -1;
}

static inline bool is_last_line(const char *text, size_t size)
{
    if (!size || text[size - 1] != '\n') return false;
    size_t start = size - 1;
    while (start && text[start - 1] != '\n')
        start--;
    return strncmp(text + start, "ok", 2) == 0 || strncmp(text + start, "error", 5) == 0;
}

/* Sends bytes as they are; the whole answer, its percent-encoding taken away. Caller frees; "" when nobody answers. */
static inline char *ask_bytes(const struct domain *domain, const char *bytes, size_t size)
{
    AUTO(close_fd) int fd = dial(domain);
    struct text answer = {0};
    char piece[4096];
    text_add(&answer, "");
    ssize_t got = fd < 0 ? -1 : send(fd, bytes, size, MSG_NOSIGNAL);
    while (got > 0 && !is_last_line(answer.bytes, answer.size) && (got = recv(fd, piece, sizeof piece, 0)) > 0)
        text_add_bytes(&answer, piece, (size_t)got);
    struct text decoded = {0};
    text_add(&decoded, "");
    assert_true(percent_decode(answer.bytes, &decoded));
    text_release(&answer);
    return text_take(&decoded);
}

static inline char *ask(const struct domain *domain, const char *format, ...) __attribute__((format(printf, 2, 3)));
static inline char *ask(const struct domain *domain, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    AUTO(free_text) char *line = mem_format_list(format, arguments);
    va_end(arguments);
    AUTO(free_text) char *whole = mem_format("%s\n", line);
    return ask_bytes(domain, whole, strlen(whole));
}

#define assert_answer(domain, wanted, ...) \
    do { \
        AUTO(free_text) char *answer_ = ask(domain, __VA_ARGS__); \
        if (!strstr(answer_, wanted)) fail_msg("wanted '%s', the keeper answered: %s", wanted, answer_); \
    } while (0)

/* NAME=NUMBER of the first line of status that begins with start. -1: not there. */
static inline long long number_of(const struct domain *domain, const char *start, const char *name)
{
    AUTO(free_text) char *status = ask(domain, "status");
    AUTO(free_text) char *wanted = mem_format(" %s=", name);
    const char *line = strstr(status, start), *at = line ? strstr(line, wanted) : NULL;
    return at ? strtoll(at + strlen(wanted), NULL, 10) : -1;
}

static inline void wait_until(const struct domain *domain, const char *start, const char *name, long long value)
{
    int64_t end = clock_now_ms() + PATIENCE_MS;
    while (number_of(domain, start, name) != value) {
        if (clock_now_ms() > end) {
            AUTO(free_text) char *status = ask(domain, "status");
            fail_msg("%s of '%s' did not become %lld: %s", name, start, value, status);
        }
        sleep_ms(20);
    }
}

static inline void wait_words(const struct domain *domain, const char *words)
{
    int64_t end = clock_now_ms() + PATIENCE_MS;
    for (;;) {
        AUTO(free_text) char *status = ask(domain, "status");
        if (strstr(status, words)) return;
        if (clock_now_ms() > end) fail_msg("'%s' did not come: %s", words, status);
        sleep_ms(20);
    }
}

/* --- a domain --- */
enum { GUARDIAN_BYTE, KEEPER_BYTE, DEPUTY_BYTE };

/* Who holds a part of the domain's lock; 0: nobody. size 0: all that is behind it. */
static inline pid_t holder(const struct domain *domain, off_t byte, off_t size)
{
    AUTO(free_text) char *path = mem_format("%s/keeper.lock", domain->folder);
    AUTO(close_fd) int fd = open(path, O_RDWR | O_CLOEXEC);
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = byte, .l_len = size};
    if (fd < 0 || fcntl(fd, F_GETLK, &lock) < 0 || lock.l_type == F_UNLCK) return 0;
    return lock.l_pid;
}

/* Of the guardian, as long as it lives. */
static inline pid_t keeper_pid(const struct domain *domain)
{
    return holder(domain, GUARDIAN_BYTE, 1);
}

/* The keeper proper; keeper_pid() is its guardian's. 0: it does not answer just now. */
static inline pid_t kept_pid(const struct domain *domain)
{
    AUTO(free_text) char *answer = ask(domain, "hello");
    const char *at = strstr(answer, " pid=");
    return at ? (pid_t)strtol(at + 5, NULL, 10) : 0;
}

static inline void wait_gone(const struct domain *domain)
{
    int64_t end = clock_now_ms() + PATIENCE_MS;
    while (holder(domain, GUARDIAN_BYTE, 0)) {
        if (clock_now_ms() > end) fail_msg("the keeper did not end");
        sleep_ms(5);
    }
}

static inline void signal_all(const struct domain *domain, int number)
{
    static const off_t places[] = {DEPUTY_BYTE, GUARDIAN_BYTE, KEEPER_BYTE};
    for (size_t i = 0; i < COUNT_OF(places); i++) {
        pid_t pid = holder(domain, places[i], 1);
        if (pid) kill(pid, number);
    }
}

/* All that belongs to it, so that nobody starts it again. Who is left may have started another one meanwhile, which has no lock yet: so
   they are stopped first, and none may be seen for a while. */
static inline void kill_all(const struct domain *domain)
{
    enum { LOOKS = 20 };
    int64_t end = clock_now_ms() + PATIENCE_MS;
    for (int unseen = 0; unseen < LOOKS; sleep_ms(1)) {
        unseen = holder(domain, GUARDIAN_BYTE, 0) ? 0 : unseen + 1;
        signal_all(domain, SIGSTOP);
        signal_all(domain, SIGKILL);
        if (clock_now_ms() > end) fail_msg("it cannot be killed");
    }
}

static inline bool port_is_free(int port)
{
    struct sockaddr_in place = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    AUTO(close_fd) int fd = socket(AF_INET, SOCK_STREAM, 0);
    const int on = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    return bind(fd, (struct sockaddr *)&place, sizeof place) == 0;
}

static inline int free_ports(void)
{
    for (int port = 12000 + getpid() % 900 * PORTS;; port += PORTS) {
        int count = 0;
        while (count < PORTS && port_is_free(port + count))
            count++;
        if (count == PORTS) return port;
        assert_true(port < 19000);
    }
}

static inline void ensure(const struct domain *domain)
{
    struct error err = {0};
    if (keeper_ensure(domain->folder, shim_path(), &err) < 0) fail_msg("%s", err.message);
}

static inline void copy_self(const char *to)
{
    AUTO(free_text) char *bytes = NULL;
    size_t size;
    struct error err = {0};
    assert_int_equal(file_read("/proc/self/exe", 256 * 1024 * 1024, &bytes, &size, &err), 0);
    AUTO(close_fd) int fd = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);
    for (size_t at = 0; at < size;) {
        ssize_t put = write(fd, bytes + at, size - at);
        assert_true(put > 0);
        at += (size_t)put;
    }
}

/* small: on a disk of its own of half a megabyte; NULL where that cannot be made. */
static inline struct domain *domain_make(bool named, bool small)
{
    struct domain *domain = mem_alloc(sizeof *domain);
    char template[] = "/var/tmp/crescendo-keep-XXXXXX";
    assert_non_null(mkdtemp(template));
    domain->folder = mem_format("%s/keep", template);
    domain->package = mem_format("%s/package", template);
    assert_int_equal(mkdir(domain->package, 0755), 0);
    AUTO(free_text) char *program = mem_format("%s/service", domain->package);
    copy_self(program);
    domain->port = free_ports();
    assert_int_equal(mkdir(domain->folder, 0700), 0);
    if (small && mount("tmpfs", domain->folder, "tmpfs", 0, "size=512k") < 0) {
        assert_int_equal(file_remove_tree(template, NULL), 0);
        return NULL;
    }
    ensure(domain);
    if (named) assert_answer(domain, "ok", "domain name=edge address=127.0.0.1 ports=%d-%d", domain->port, domain->port + PORTS - 1);
    return domain;
}

static inline struct domain *domain_new(bool named)
{
    return domain_make(named, false);
}

static inline void domain_free(struct domain *domain)
{
    pid_t pid = keeper_pid(domain);
    if (pid) kill(pid, SIGTERM);
    wait_gone(domain);
    umount2(domain->folder, MNT_DETACH);
    AUTO(free_text) char *parent = mem_copy_bytes(domain->folder, strlen(domain->folder) - strlen("/keep"));
    int ignored = file_remove_tree(parent, NULL);
    (void)ignored;
    free(domain->folder);
    free(domain->package);
    free(domain);
}

/* A service of one instance that answers every request with its word. more: further fields, each with a space before. */
static inline void start_service(const struct domain *domain, const char *name, const char *word, const char *more)
{
    assert_answer(domain, "ok address=http://127.0.0.1:",
        "start key=start-%s service=%s family=hello version=%s folder=%s command=./service command=--serve command=%%24%%28PORT%%29 "
        "command=%s port=http=8080 health=/healthz share=0 drain_ms=3000 grace_ms=300%s",
        name, name, word, domain->package, word, more);
    AUTO(free_text) char *line = mem_format("service service=%s ", name);
    wait_until(domain, line, "ready", 1);
}

/* --- asking a service --- */
static inline int dial_port(int port)
{
    struct sockaddr_in place = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct timeval patience = {.tv_sec = 20};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    if (connect(fd, (struct sockaddr *)&place, sizeof place) == 0) return fd;
    close(fd);
    return -1;
}

/* GET on an open connection: the status, and the body's first letter; 0: no answer. */
static inline int get_on(int fd, const char *path, char *ret_letter)
{
    char text[4096];
    size_t size = 0;
    int length = snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: here\r\n\r\n", path);
    if (send(fd, text, (size_t)length, MSG_NOSIGNAL) != length) return 0;
    for (;;) {
        ssize_t got = recv(fd, text + size, sizeof text - 1 - size, 0);
        if (got <= 0) return 0;
        size += (size_t)got;
        text[size] = '\0';
        const char *body = strstr(text, "\r\n\r\n"), *header = strcasestr(text, "content-length:");
        if (!body) continue;
        if (!header || size < (size_t)(body + 4 - text) + strtoul(header + 15, NULL, 10)) continue;
        *ret_letter = body[4];
        return (int)strtol(text + 9, NULL, 10);
    }
}

/* Clients that ask without end, each on one connection until it breaks, and what they got. */
struct load {
    pthread_t threads[3];
    int port;
    volatile bool stop;
    volatile unsigned long letters[256]; /* answers by first letter, of status 200 */
    volatile unsigned long good, failed; /* failed: no answer, or a status that is not 200 */
};

static inline void *load_run(void *context)
{
    struct load *load = context;
    int fd = -1;
    while (!load->stop) {
        char letter = 0;
        if (fd < 0) fd = dial_port(load->port);
        int status = fd < 0 ? 0 : get_on(fd, "/", &letter);
        if (status == 200) {
            __atomic_add_fetch(&load->letters[(unsigned char)letter], 1, __ATOMIC_RELAXED);
            __atomic_add_fetch(&load->good, 1, __ATOMIC_RELAXED);
            continue;
        }
        __atomic_add_fetch(&load->failed, 1, __ATOMIC_RELAXED);
        if (fd >= 0) close(fd);
        fd = -1;
    }
    if (fd >= 0) close(fd);
    return NULL;
}

static inline struct load *load_start(int port)
{
    struct load *load = mem_alloc(sizeof *load);
    load->port = port;
    for (size_t i = 0; i < COUNT_OF(load->threads); i++)
        assert_int_equal(pthread_create(&load->threads[i], NULL, load_run, load), 0);
    return load;
}

static inline void load_end(struct load *load)
{
    load->stop = true;
    for (size_t i = 0; i < COUNT_OF(load->threads); i++)
        pthread_join(load->threads[i], NULL);
}

/* That many more answers than there are now. */
static inline void load_more(struct load *load, unsigned long count)
{
    int64_t end = clock_now_ms() + PATIENCE_MS;
    for (unsigned long before = load->good; load->good < before + count; sleep_ms(2))
        if (clock_now_ms() > end) fail_msg("only %lu of %lu answers came, %lu failed", load->good - before, count, load->failed);
}

/* --- the service --- */
static inline void serve_one(int fd, const char *word)
{
    char request[4096], answer[512];
    ssize_t got = recv(fd, request, sizeof request - 1, 0);
    if (got >= 9 && memcmp(request, "POST /die", 9) == 0) _exit(9);
    if (got >= 9 && memcmp(request, "GET /hang", 9) == 0) return; /* never answered */
    if (got > 0) {
        bool ill = access("ill", F_OK) == 0;
        int size = snprintf(answer, sizeof answer, "HTTP/1.1 %s\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n%s",
            ill ? "503 Ill" : "200 OK", strlen(word), word);
        if (send(fd, answer, (size_t)size, MSG_NOSIGNAL) > 0) shutdown(fd, SHUT_WR);
    }
    close(fd);
}

static inline int serve(int port, const char *word)
{
    struct sockaddr_in place = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(listener, (struct sockaddr *)&place, sizeof place) < 0 || listen(listener, 64) < 0) return 3;
    printf("serving %s\n", word);
    fflush(stdout);
    for (;;) {
        int fd = accept(listener, NULL, NULL);
        if (fd >= 0) serve_one(fd, word);
    }
}

/* First in main of each test. */
#define SERVE_IF_ASKED(argc, argv) \
    do { \
        if ((argc) == 4 && strcmp((argv)[1], "--serve") == 0) return serve((int)strtol((argv)[2], NULL, 10), (argv)[3]); \
    } while (0)

#endif
