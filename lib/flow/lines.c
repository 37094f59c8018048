/* SPDX-License-Identifier: MIT */
/*
 * lines.c - the records of a file, pipe or terminal, one at a time.
 *
 * THE IDEA
 *
 * Bytes are read into a buffer that grows to the longest record; a record is
 * what lies before the next delimiter and goes out as a copy of its own.
 *
 *     buffer   [ used up | record ... | not looked at | room ]
 *                          ^ start      ^ scanned       ^ end
 *
 * Before each read the thread waits for the descriptor *and* for an event of
 * ours, so that interrupt ends a read that would wait for a terminal or a pipe.
 * A descriptor that does not block is fine for the same reason.
 */
#include "flow/producers.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/event.h"
#include "base/fault.h"

enum { READ_BYTES = 65536, DEFAULT_MOST = 1 << 20 };

struct lines {
    int fd;       /* the caller's */
    int event_fd; /* readable once interrupted, and for ever */
    char delimiter;
    bool at_end;
    size_t max_bytes;
    uint64_t number; /* of the last record */
    char *buffer;
    size_t room, start, scanned, end; /* bytes; see above */
};

/* --------------------------------------------------------------- the buffer */

/* Room for READ_BYTES behind `end`, by moving what is left or by growing. */
static weir_status make_buffer_room(struct lines *lines)
{
    size_t left = lines->end - lines->start, room = lines->room;
    char *buffer = lines->buffer;

    if (room - lines->end >= READ_BYTES)
        return WEIR_OK;
    if (room < 2 * left + READ_BYTES) {
        room = 2 * (left + READ_BYTES);
        buffer = weir__allocate(room);
        if (!buffer)
            return weir__refuse(WEIR_ENOMEM, "no memory for a record");
    }
    if (left > 0)
        memmove(buffer, lines->buffer + lines->start, left);
    if (buffer != lines->buffer)
        weir__release(lines->buffer);
    lines->buffer = buffer;
    lines->room = room;
    lines->scanned -= lines->start;
    lines->start = 0;
    lines->end = left;
    return WEIR_OK;
}

static weir_status await_bytes(const struct lines *lines)
{
    struct pollfd polled[] = {{.fd = lines->event_fd, .events = POLLIN},
                              {.fd = lines->fd, .events = POLLIN}};

    while (poll(polled, 2, -1) < 0)
        if (errno != EINTR)
            return weir__refuse(WEIR_ESYSTEM, "poll failed: %s",
                                strerror(errno));
    return polled[0].revents ? WEIR_CANCELLED : WEIR_OK;
}

static weir_status read_more(struct lines *lines)
{
    weir_status status = make_buffer_room(lines);
    ssize_t got;

    while (!status) {
        status = await_bytes(lines);
        if (status)
            break;
        got = read(lines->fd, lines->buffer + lines->end,
                   lines->room - lines->end);
        if (got >= 0) {
            lines->end += (size_t)got;
            lines->at_end = got == 0;
            break;
        }
        if (errno != EINTR && errno != EAGAIN)
            status = weir__refuse(WEIR_ESYSTEM,
                                  "reading records failed after number %llu: "
                                  "%s",
                                  (unsigned long long)lines->number,
                                  strerror(errno));
    }
    return status;
}

/* ----------------------------------------------------------------- records */

static weir_status
hand_out(struct lines *lines, size_t length, size_t used, weir_line *line)
{
    char *text = weir__allocate(length + 1);

    if (!text)
        return weir__refuse(WEIR_ENOMEM, "no memory for a record of %zu bytes",
                            length);
    if (length > 0)
        memcpy(text, lines->buffer + lines->start, length);
    lines->start += used;
    lines->scanned = lines->start;
    *line = (weir_line){text, length, ++lines->number};
    return WEIR_OK;
}

static bool find_delimiter(struct lines *lines, size_t *length)
{
    char *from, *found;

    if (lines->scanned == lines->end)
        return false;
    from = lines->buffer + lines->scanned;
    found = memchr(from, lines->delimiter, lines->end - lines->scanned);
    if (!found) {
        lines->scanned = lines->end;
        return false;
    }
    *length = (size_t)(found - (lines->buffer + lines->start));
    return true;
}

static weir_status next_line(void *self, void *item)
{
    struct lines *lines = self;
    struct pollfd event = {.fd = lines->event_fd, .events = POLLIN};
    weir_status status = WEIR_OK;
    size_t length = 0;
    bool found;

    if (poll(&event, 1, 0) > 0)
        return WEIR_CANCELLED;
    while (!(found = find_delimiter(lines, &length))) {
        length = lines->end - lines->start;
        if (lines->at_end || length > lines->max_bytes)
            break;
        status = read_more(lines);
        if (status)
            return status;
    }
    if (length > lines->max_bytes)
        return weir__refuse(WEIR_EINVAL,
                            "record %llu is longer than max_bytes, %zu: raise "
                            "it, or is the delimiter wrong?",
                            (unsigned long long)lines->number + 1,
                            lines->max_bytes);
    if (!found && length == 0)
        return WEIR_END;
    return hand_out(lines, length, length + found, item);
}

/* -------------------------------------------------------------------- life */

static void interrupt_lines(void *self)
{
    const struct lines *lines = self;

    weir__event_set(lines->event_fd);
}

static void release_line(void *self, void *item)
{
    weir_line *line = item;

    (void)self;
    weir__release(line->text);
}

static void close_lines(void *self)
{
    struct lines *lines = self;

    weir__event_close(lines->event_fd);
    weir__release(lines->buffer);
    weir__release(lines);
}

weir_status weir_producer_lines(weir_producer *out, int fd, char delimiter,
                                size_t max_bytes)
{
    weir_status status = weir__producer_check(out, sizeof(weir_line));
    int flags = fcntl(fd, F_GETFL);
    struct lines *lines;

    if (!status &&
        (flags < 0 || (flags & O_ACCMODE) == O_WRONLY || (flags & O_PATH)))
        status = weir__refuse(WEIR_EINVAL, "fd %d is not open for reading", fd);
    if (status)
        return status;
    lines = weir__producer_allocate(sizeof(*lines));
    if (!lines)
        return WEIR_ENOMEM;
    lines->fd = fd;
    lines->delimiter = delimiter;
    lines->max_bytes = max_bytes > 0 ? max_bytes : DEFAULT_MOST;
    lines->event_fd = weir__event_create();
    if (lines->event_fd < 0) {
        weir__release(lines);
        return weir__refuse(WEIR_ESYSTEM, "eventfd failed: %s",
                            strerror(errno));
    }
    *out = (weir_producer){.size = sizeof(*out),
                           .item_size = sizeof(weir_line),
                           .next = next_line,
                           .interrupt = interrupt_lines,
                           .release = release_line,
                           .close = close_lines,
                           .self = lines,
                           .has_pointers = true};
    return WEIR_OK;
}
