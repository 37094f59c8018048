/* SPDX-License-Identifier: MIT */
/* event.c - see event.h.  The counter of an eventfd cannot be full here. */
#include "base/event.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/thread.h"

int weir__fd_lift(int fd)
{
    int above, error;

    if (fd > 2 || fd < 0)
        return fd;
    above = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    error = errno;
    weir__event_close(fd);
    errno = error;
    return above;
}

int weir__event_create(void)
{
    return weir__fd_lift(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
}

void weir__event_set(int fd)
{
    bool could = weir__thread_let_cancel(false);

    eventfd_write(fd, 1);
    weir__thread_let_cancel(could);
}

void weir__event_clear(int fd)
{
    bool could = weir__thread_let_cancel(false);
    uint64_t count;
    ssize_t got = read(fd, &count, sizeof(count));

    (void)got; /* it does not block, so no signal interrupts it */
    weir__thread_let_cancel(could);
}

void weir__event_close(int fd)
{
    bool could = weir__thread_let_cancel(false);

    close(fd);
    weir__thread_let_cancel(could);
}

bool weir__event_poll(struct pollfd *what, size_t count, weir_deadline deadline)
{
    int found;

    do {
        struct timespec left =
            weir__timespec(weir_deadline_remaining(deadline));

        errno = 0;
        found =
            ppoll(what, count, weir__is_forever(deadline) ? NULL : &left, NULL);
    } while (found < 0 && errno == EINTR);
    return found > 0;
}

void weir__event_wait(int fd, weir_deadline deadline)
{
    struct pollfd what = {.fd = fd, .events = POLLIN};
    bool could = weir__thread_let_cancel(false);

    weir__event_poll(&what, 1, deadline);
    weir__thread_let_cancel(could);
}
