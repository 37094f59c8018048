/* SPDX-License-Identifier: MIT */
/* sink.h - our own standard output and standard error. */
#ifndef WEIR_TOOL_SINK_H
#define WEIR_TOOL_SINK_H

#include <stdbool.h>
#include <stddef.h>

enum { STREAM_OUT, STREAM_ERR, STREAMS };

struct sink {
    bool regular[STREAMS];  /* a file: it never blocks for long */
    bool terminal[STREAMS]; /* a terminal, most likely the user's */
};

/* Looks at what the descriptors are. */
void sink_init(struct sink *sink);

/*
 * Writes all of it.
 *
 * Blocks:  as long as the reader takes; once signals_end_fd is readable, for a
 *          second at most.
 * Returns: 0 or an error number; ETIMEDOUT: the reader has stalled, and
 *          everything is to end.
 * Threads: one at a time.
 */
int sink_write(const struct sink *sink, int stream, const char *bytes,
               size_t length);

/* For people: "standard output". */
const char *sink_name(int stream);

#endif /* WEIR_TOOL_SINK_H */
