/* SPDX-License-Identifier: MIT */
/*
 * wire.h - what the pool, the fork server and the children say to each other.
 *
 * THE IDEA
 *
 * Three kinds of SEQPACKET socket pairs, so that each message comes whole or
 * not at all, and the end of whoever is there is seen on the other side:
 *
 *   control   this process ──▶ server    SPAWN, with far ends
 *   report    this process ◀─▶ server    one for each child
 *   line      this process ◀─▶ child     one for each child
 *
 *     worker          server            child
 *       │── SPAWN ──────▶│── fork ────────▶│
 *       │◀── STARTED ────│                 │      report, with the pidfd
 *       │── START ────────────────────────▶│      line: limits, child_start
 *       │◀────────────────────── READY ────│
 *       │── RUN ──────────────────────────▶│      an attempt: handler, item
 *       │◀───────────── PART*, ANSWER ─────│      what it answers
 *       │── ASK ────────▶│── SIGTERM ─────▶│      it is to stop
 *       │◀── ASKED ──────│                 │      and the signal is there
 *       │◀── ENDED ──────│◀── SIGCHLD ─────│      status, once it is reaped
 *
 * A large result comes in parts before the answer.  Every message begins with
 * the same head; one that does not, or whose numbers do not fit its length, is
 * none, and whoever sent it is not to be trusted any more.
 */
#ifndef WEIR_LIB_PROCESS_WIRE_H
#define WEIR_LIB_PROCESS_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include <weir/process.h>
#include <weir/task.h>

enum weir__wire_kind {
    WEIR__WIRE_SPAWN = 1,
    WEIR__WIRE_STARTED,
    WEIR__WIRE_REFUSED,
    WEIR__WIRE_ASK,
    WEIR__WIRE_ASKED,
    WEIR__WIRE_ENDED,
    WEIR__WIRE_START,
    WEIR__WIRE_READY,
    WEIR__WIRE_RUN,
    WEIR__WIRE_PART,
    WEIR__WIRE_ANSWER
};

/* Bytes of a result in one message, and of start_data. */
enum { WEIR__WIRE_PART_BYTES = 32768, WEIR__WIRE_DATA_BYTES = 4096 };

struct weir__wire_head {
    uint32_t magic;
    uint32_t kind;
    uint64_t sequence; /* of RUN, and of what answers it; else 0 */
};

/* STARTED: the pid.  REFUSED: an errno.  ENDED: as waitid has it. */
struct weir__wire_report {
    struct weir__wire_head head;
    int32_t pid;
    int32_t error;
    int32_t how;
    int32_t status;
};

/* Then data_size bytes. */
struct weir__wire_start {
    struct weir__wire_head head;
    uint64_t memory_bytes;
    int64_t cpu_ns;
    uint64_t max_result;
    uint64_t data_size;
    weir_child_start *child_start;
    uint32_t worker;
    bool core_dumps;
    char name[16];
};

/* Then item_size bytes. */
struct weir__wire_run {
    struct weir__wire_head head;
    weir_handler *handler;
    uint64_t id;
    int64_t deadline_ns;
    uint32_t attempt;
    uint32_t worker;
    uint64_t item_size;
    bool has_item;
};

/* Then the message, and then the rest of the result.  Whoever sends it may have
 * lost its mind, so there is no type here of which some bytes are no value: the
 * three are 0 or 1. */
struct weir__wire_answer {
    struct weir__wire_head head;
    int32_t code;
    uint8_t failed;
    uint8_t ends_series;
    uint8_t overloaded;
    uint64_t message_size;
    uint64_t result_size; /* with all parts */
};

struct weir__wire_head
weir__wire_head(enum weir__wire_kind kind, uint64_t sequence);

/* Whether `got` bytes at `message` are a whole one of this kind, `bytes` long
 * at least. */
bool weir__wire_is(const void *message, size_t got, enum weir__wire_kind kind,
                   size_t bytes);

/* A pair of sockets; -1 with errno. */
int weir__wire_pair(int pair[2]);

/* Sends what lies in the parts as one message, with descriptors; `flags` as of
 * sendmsg.  Never raises SIGPIPE, goes on after EINTR; false with errno. */
bool weir__wire_send(int socket, struct iovec *parts, size_t count,
                     const int *fds, size_t fd_count, int flags);
/* The same for one piece without any. */
bool weir__wire_say(int socket, const void *message, size_t bytes);

/* Receives one message.  *fd_count is room before and how many came after; they
 * are close-on-exec.  `flags` as of recvmsg.  Returns its length, 0 at the end,
 * -1 with errno.  EMSGSIZE: it was longer than the parts; EMFILE: not all
 * descriptors found a place, and those that did are the caller's. */
ptrdiff_t weir__wire_receive(int socket, struct iovec *parts, size_t count,
                             int *fds, size_t *fd_count, int flags);

#endif /* WEIR_LIB_PROCESS_WIRE_H */
