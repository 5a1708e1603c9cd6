/* messages.c: how shim, init and step-init hand each other a header, what follows it, and descriptors. */
#include "init.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

union control {
    struct cmsghdr align;
    char bytes[CMSG_SPACE(4 * sizeof(int))];
};

bool bytes_read(int fd, void *bytes, size_t size)
{
    for (char *at = bytes; size;) {
        ssize_t got = read(fd, at, size);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return false;
        at += got;
        size -= (size_t)got;
    }
    return true;
}

bool header_read(int socket, struct init_header *ret, int fds[4], unsigned *ret_count)
{
    union control control;
    struct iovec part = {ret, sizeof *ret};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
    ssize_t got;
    do
        got = recvmsg(socket, &message, MSG_CMSG_CLOEXEC | MSG_WAITALL);
    while (got < 0 && errno == EINTR);
    *ret_count = 0;
    if (got <= 0) return false;
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    if (header && header->cmsg_type == SCM_RIGHTS) {
        *ret_count = (unsigned)((header->cmsg_len - CMSG_LEN(0)) / sizeof(int));
        memcpy(fds, CMSG_DATA(header), *ret_count * sizeof(int));
    }
    return (size_t)got == sizeof *ret || bytes_read(socket, (char *)ret + got, sizeof *ret - (size_t)got);
}

static void add_descriptors(struct msghdr *message, union control *control, const int *fds, unsigned count)
{
    *control = (union control){.bytes = {0}};
    message->msg_control = control;
    message->msg_controllen = (socklen_t)CMSG_SPACE(count * sizeof(int));
    struct cmsghdr *rights = CMSG_FIRSTHDR(message);
    if (!rights) return;
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = (socklen_t)CMSG_LEN(count * sizeof(int));
    memcpy(CMSG_DATA(rights), fds, count * sizeof(int));
}

bool header_send(int socket, const struct init_header *header, const void *bytes, const int *fds, unsigned count)
{
    union control control;
    struct iovec parts[2] = {{(void *)(uintptr_t)header, sizeof *header}, {(void *)(uintptr_t)bytes, header->size}};
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = header->size ? 2 : 1};
    if (fds && count) add_descriptors(&message, &control, fds, count);
    size_t left = sizeof *header + header->size;
    for (;;) {
        ssize_t put = sendmsg(socket, &message, MSG_NOSIGNAL);
        if (put < 0 && errno == EINTR) continue;
        if (put <= 0) return false;
        left -= (size_t)put;
        if (!left) return true;
        message.msg_control = NULL;
        message.msg_controllen = 0;
        for (unsigned i = 0; i < 2; i++) {
            size_t gone = (size_t)put < parts[i].iov_len ? (size_t)put : parts[i].iov_len;
            parts[i].iov_base = (char *)parts[i].iov_base + gone;
            parts[i].iov_len -= gone;
            put -= (ssize_t)gone;
        }
    }
}
