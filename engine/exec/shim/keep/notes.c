/* notes.c: notes between keeper, guardian and deputy: a kind, a number, perhaps a descriptor, in one packet. */
#include "guard.h"

#include <string.h>
#include <sys/socket.h>

bool note_send(int channel, enum note_kind kind, int number, int fd)
{
    struct note note = {(int32_t)kind, number};
    char control[CMSG_SPACE(sizeof fd)] = {0};
    struct iovec piece = {&note, sizeof note};
    struct msghdr message = {.msg_iov = &piece, .msg_iovlen = 1};
    if (fd >= 0) {
        message.msg_control = control;
        message.msg_controllen = sizeof control;
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        *header = (struct cmsghdr){.cmsg_len = CMSG_LEN(sizeof fd), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
        memcpy(CMSG_DATA(header), &fd, sizeof fd);
    }
    return sendmsg(channel, &message, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)sizeof note;
}

bool note_take(int channel, struct note *ret, int *ret_fd)
{
    int fd = -1;
    char control[CMSG_SPACE(sizeof fd)] = {0};
    struct iovec piece = {ret, sizeof *ret};
    struct msghdr message = {.msg_iov = &piece, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    if (channel < 0 || recvmsg(channel, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC) != (ssize_t)sizeof *ret) return false;
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    if (header && header->cmsg_type == SCM_RIGHTS) memcpy(&fd, CMSG_DATA(header), sizeof fd);
    *ret_fd = fd;
    return true;
}
