/* SPDX-License-Identifier: MIT */
/* wire.c - see wire.h. */
#include "process/wire.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/event.h"
#include "base/fault.h"

enum { MAGIC = 0x77656972, MOST_FDS = 4 };

struct weir__wire_head
weir__wire_head(enum weir__wire_kind kind, uint64_t sequence)
{
    return (struct weir__wire_head){.magic = MAGIC,
                                    .kind = (uint32_t)kind,
                                    .sequence = sequence};
}

bool weir__wire_is(const void *message, size_t got, enum weir__wire_kind kind,
                   size_t bytes)
{
    struct weir__wire_head head;

    if (got < sizeof(head) || got < bytes)
        return false;
    memcpy(&head, message, sizeof(head));
    return head.magic == MAGIC && head.kind == (uint32_t)kind;
}

int weir__wire_pair(int pair[2])
{
    int error;

    if (weir__fault_strikes()) {
        errno = EMFILE;
        return -1;
    }
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
        return -1;
    pair[0] = weir__fd_lift(pair[0]);
    pair[1] = weir__fd_lift(pair[1]);
    if (pair[0] >= 0 && pair[1] >= 0)
        return 0;
    error = errno;
    for (int i = 0; i < 2; i++)
        if (pair[i] >= 0)
            close(pair[i]);
    errno = error;
    return -1;
}

/* Room for descriptors beside a message, laid out as the system wants it. */
union rights {
    struct cmsghdr header;
    unsigned char bytes[CMSG_SPACE(MOST_FDS * sizeof(int))];
};

bool weir__wire_send(int socket, struct iovec *parts, size_t count,
                     const int *fds, size_t fd_count, int flags)
{
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = count};
    union rights rights = {.bytes = {0}};
    ssize_t sent;

    if (fd_count > 0) {
        struct cmsghdr *header;

        message.msg_control = rights.bytes;
        message.msg_controllen = CMSG_SPACE(fd_count * sizeof(int));
        header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(fd_count * sizeof(int));
        memcpy(CMSG_DATA(header), fds, fd_count * sizeof(int));
    }
    do
        sent = sendmsg(socket, &message, MSG_NOSIGNAL | flags);
    while (sent < 0 && errno == EINTR);
    return sent >= 0;
}

bool weir__wire_say(int socket, const void *message, size_t bytes)
{
    ssize_t sent;

    do
        sent = send(socket, message, bytes, MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    return sent >= 0;
}

static void close_all(const int *fds, size_t count)
{
    for (size_t i = 0; i < count; i++)
        close(fds[i]);
}

/* How many came, the first of them in `fds`; what is too many is closed. */
static size_t take_rights(struct msghdr *message, int *fds, size_t room)
{
    struct cmsghdr *header = CMSG_FIRSTHDR(message);
    size_t count, extra;
    int all[MOST_FDS];

    if (!header || header->cmsg_level != SOL_SOCKET ||
        header->cmsg_type != SCM_RIGHTS)
        return 0;
    count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    memcpy(all, CMSG_DATA(header), count * sizeof(int));
    extra = count > room ? count - room : 0;
    close_all(all + (count - extra), extra);
    for (size_t i = 0; i < count - extra; i++)
        fds[i] = weir__fd_lift(all[i]);
    return count - extra;
}

ptrdiff_t weir__wire_receive(int socket, struct iovec *parts, size_t count,
                             int *fds, size_t *fd_count, int flags)
{
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = count};
    union rights rights;
    size_t came;
    ssize_t got;

    do {
        message.msg_control = rights.bytes;
        message.msg_controllen = sizeof(rights.bytes);
        got = recvmsg(socket, &message, flags | MSG_CMSG_CLOEXEC);
    } while (got < 0 && errno == EINTR);
    if (got < 0) {
        if (fd_count)
            *fd_count = 0;
        return -1;
    }
    came = take_rights(&message, fds, fds ? *fd_count : 0);
    if (fd_count)
        *fd_count = came;
    if (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) {
        if (fds && !(message.msg_flags & MSG_TRUNC)) {
            errno = EMFILE; /* what found a place is the caller's */
            return -1;
        }
        close_all(fds, came);
        if (fd_count)
            *fd_count = 0;
        errno = EMSGSIZE;
        return -1;
    }
    return got;
}
