/* listen.c: listening sockets. */
#include "http/server.h"

#include "base/mem.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { BACKLOG = 511 };

/* A path longer than the kernel's 107 bytes is reached through its folder's descriptor, which *ret_folder holds open. */
static int unix_address(const char *path, struct sockaddr_un *ret_address, int *ret_folder, struct error *err)
{
    ret_address->sun_family = AF_UNIX;
    if (strlen(path) < sizeof ret_address->sun_path) {
        memcpy(ret_address->sun_path, path, strlen(path) + 1);
        return 0;
    }
    const char *slash = strrchr(path, '/');
    AUTO(free_text) char *folder = mem_copy_bytes(path, slash ? (size_t)(slash - path) + 1 : 0);
    int fd = open(*folder ? folder : ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return error_set_errno(err, errno, "%s", folder);
    *ret_folder = fd;
    int size = snprintf(ret_address->sun_path, sizeof ret_address->sun_path, "/proc/self/fd/%d/%s", fd, slash ? slash + 1 : path);
    if (size >= (int)sizeof ret_address->sun_path) return error_set(err, ERROR_LIMIT, NOWHERE, "%s: too long for a socket", path);
    return 0;
}

static bool somebody_accepts(const struct sockaddr_un *address)
{
    AUTO(close_fd) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    return fd >= 0 && (connect(fd, (const struct sockaddr *)address, sizeof *address) == 0 || errno == EAGAIN);
}

static int check_free(const struct sockaddr_un *address, const char *path, struct error *err)
{
    if (!somebody_accepts(address)) return 0;
    error_set(err, ERROR_CONFLICT, NOWHERE, "%s: another server listens there", path);
    return error_hint(err, "stop it first, or use another data folder");
}

int http_check_unix(const char *path, struct error *err)
{
    struct sockaddr_un address = {0};
    AUTO(close_fd) int folder = -1;
    return unix_address(path, &address, &folder, NULL) < 0 ? 0 : check_free(&address, path, err);
}

int http_listen_unix(const char *path, int *ret_fd, struct error *err)
{
    struct sockaddr_un address = {0};
    AUTO(close_fd) int folder = -1;
    int code = unix_address(path, &address, &folder, err);
    if (code == 0) code = check_free(&address, path, err);
    if (code < 0) return code;
    struct stat old;
    if (lstat(path, &old) == 0 && S_ISSOCK(old.st_mode)) unlink(path);
    AUTO(close_fd) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) return error_set_errno(err, errno, "cannot make a socket");
    if (bind(fd, (const struct sockaddr *)&address, sizeof address) < 0) return error_set_errno(err, errno, "%s", path);
    /* Whoever may write here may start programs as the server's user: the owner, and the group of the folder's choosing. */
    if (chmod(path, 0660) < 0) return error_set_errno(err, errno, "%s", path);
    if (listen(fd, BACKLOG) < 0) return error_set_errno(err, errno, "%s", path);
    *ret_fd = take_fd(&fd);
    return 0;
}

static void free_addresses(struct addrinfo **addresses)
{
    if (*addresses) freeaddrinfo(*addresses);
}

/* getaddrinfo would take 99999 and listen on 34463. */
static bool is_port(const char *text)
{
    int64_t port = 0;
    return *text && text[strspn(text, "0123456789")] == '\0' && text_to_integer(text, &port) && port <= UINT16_MAX;
}

/* "HOST:PORT" or "[::1]:PORT" in two. */
static int split_host_port(const char *host_port, char **ret_host, char **ret_port, struct error *err)
{
    const char *colon = strrchr(host_port, ':');
    bool bracket = host_port[0] == '[';
    if (!colon || colon == host_port || (bracket && colon[-1] != ']')) {
        error_set(err, ERROR_INVALID, NOWHERE, "'%s' is not an address to listen on", host_port);
        return error_hint(err, "write HOST:PORT, as in 127.0.0.1:8080 or [::1]:8080");
    }
    if (!is_port(colon + 1)) {
        error_set(err, ERROR_INVALID, NOWHERE, "'%s' is no port to listen on", colon + 1);
        return error_hint(err, "a port is a number from 1 to 65535; 0 lets the system choose one");
    }
    *ret_host = mem_copy_bytes(host_port + bracket, (size_t)(colon - host_port) - (bracket ? 2 : 0));
    *ret_port = mem_copy_text(colon + 1);
    return 0;
}

int http_listen_tcp(const char *host_port, int *ret_fd, struct error *err)
{
    AUTO(free_text) char *host = NULL;
    AUTO(free_text) char *port = NULL;
    int code = split_host_port(host_port, &host, &port, err);
    if (code < 0) return code;
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE};
    AUTO(free_addresses) struct addrinfo *addresses = NULL;
    int fault = getaddrinfo(host, port, &hints, &addresses);
    if (fault) return error_set(err, ERROR_INVALID, NOWHERE, "%s: %s", host_port, gai_strerror(fault));
    AUTO(close_fd) int fd = socket(addresses->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) return error_set_errno(err, errno, "cannot make a socket");
    const int on = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on); /* both are inherited by what is accepted */
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (bind(fd, addresses->ai_addr, addresses->ai_addrlen) < 0) return error_set_errno(err, errno, "cannot listen on %s", host_port);
    if (listen(fd, BACKLOG) < 0) return error_set_errno(err, errno, "cannot listen on %s", host_port);
    *ret_fd = take_fd(&fd);
    return 0;
}
