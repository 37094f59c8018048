/* SPDX-License-Identifier: MIT */
/* textbook_processes.c - a child that sends back what it is sent, on a bare
 * SEQPACKET socket pair. */
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "contender.h"
#include "crew.h"
#include "driver.h"
#include "work.h"

struct driver_about driver_about(void)
{
    return (struct driver_about){"textbook, a bare socket pair", "", true,
                                 false};
}

const char *driver_why_not(const struct work *work)
{
    if (work->kind == WORK_CRASHES)
        return "a child that has crashed is lost";
    if (work->kind == WORK_KILLS)
        return "its tasks have no deadline";
    if (work->span_us > 0)
        return "its child only answers";
    return work->consumers > 1 ? "one child only" : NULL;
}

static void answer(int line)
{
    uint64_t item[WORK_REMOTE_WORDS];
    ssize_t got;

    while ((got = recv(line, item, sizeof(item), 0)) > 0)
        if (send(line, item, (size_t)got, MSG_NOSIGNAL) != got)
            break;
    _exit(0);
}

static void send_and_receive(struct part *part)
{
    int line = *(int *)part->queue;
    uint64_t item[WORK_REMOTE_WORDS] = {0};
    size_t size = part->work->item_size, words = size / sizeof(item[0]);

    for (uint64_t i = 1; i <= part->count; i++) {
        item[0] = item[words - 1] = i;
        if (send(line, item, size, MSG_NOSIGNAL) != (ssize_t)size ||
            recv(line, item, size, 0) != (ssize_t)size)
            contender_failed("a message was lost");
        part_take(part, item, words);
    }
}

void driver_run(const struct work *work, struct result *out)
{
    int pair[2];
    struct part part = {.run = send_and_receive,
                        .work = work,
                        .queue = &pair[0],
                        .count = work->items};
    pid_t child;

    if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) || (child = fork()) < 0)
        contender_failed("no child");
    if (child == 0) {
        close(pair[0]);
        answer(pair[1]);
    }
    close(pair[1]);
    crew_run(&part, 1, out);
    close(pair[0]);
    waitpid(child, NULL, 0);
}
