/* SPDX-License-Identifier: MIT */
/* sink.c - our own standard output and standard error. */
#include "sink.h"

#include <errno.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include "signals.h"

/* A pipe that poll calls writable takes this much without blocking, and a
 * write of it is not torn by another writer (PIPE_BUF). */
enum { PIPE_CHUNK = 4096, FILE_CHUNK = 1 << 20 };

/* How long a reader may stall us when everything is to end. */
enum { LAST_WAIT_MS = 1000 };

static int wait_writable(int fd);

void sink_init(struct sink *sink)
{
    struct stat status;

    for (int i = 0; i < STREAMS; i++) {
        sink->regular[i] =
            fstat(STDOUT_FILENO + i, &status) == 0 && S_ISREG(status.st_mode);
        sink->terminal[i] = isatty(STDOUT_FILENO + i);
    }
}

int sink_write(const struct sink *sink, int stream, const char *bytes,
               size_t length)
{
    size_t chunk = sink->regular[stream] ? FILE_CHUNK : PIPE_CHUNK;
    int fd = STDOUT_FILENO + stream;

    while (length > 0) {
        int error = sink->regular[stream] ? 0 : wait_writable(fd);
        ssize_t written;

        if (error)
            return error;
        written = write(fd, bytes, length < chunk ? length : chunk);
        if (written < 0 && errno != EINTR && errno != EAGAIN)
            return errno;
        if (written > 0) {
            bytes += written;
            length -= (size_t)written;
        }
    }
    return 0;
}

static int wait_writable(int fd)
{
    struct pollfd fds[] = {{.fd = fd, .events = POLLOUT},
                           {.fd = signals_end_fd(), .events = POLLIN}};
    int timeout = -1;

    for (;;) {
        int ready = poll(fds, 2, timeout);

        if (ready > 0 && fds[0].revents != 0)
            return 0;
        if (ready == 0)
            return ETIMEDOUT;
        if (ready > 0) {
            fds[1].fd = -1;
            timeout = LAST_WAIT_MS;
        } else if (errno != EINTR) {
            return errno;
        }
    }
}

const char *sink_name(int stream)
{
    return stream == STREAM_OUT ? "standard output" : "standard error";
}
