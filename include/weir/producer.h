/* SPDX-License-Identifier: MIT */
/*
 * weir/producer.h - where items come from.
 *
 * A producer is a struct of functions around `self`.  A run calls them so:
 * next from one thread; interrupt from another while next may be blocked;
 * settle and release from workers, the notifier and the thread of next, beside
 * next and beside each other; close once, after the last release, never while
 * an attempt holds an item.
 *
 * A constructor below fills in *out.  Give the producer to weir_run, which
 * closes it, or call out->close(out->self) yourself.
 */
#ifndef WEIR_PRODUCER_H
#define WEIR_PRODUCER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <weir/api.h>
#include <weir/queue.h>
#include <weir/status.h>
#include <weir/task.h>

WEIR_BEGIN_DECLS

typedef struct weir_producer {
    size_t size;      /* set by WEIR_PRODUCER_INIT */
    size_t item_size; /* bytes, 1 to 4096 */
    /* Writes the next item.  WEIR_OK, WEIR_END, WEIR_CANCELLED (interrupted);
     * anything else: the producer failed. */
    weir_status (*next)(void *self, void *item);
    /* From another thread: a blocked next returns WEIR_CANCELLED, and so does
     * every later one.  May be NULL. */
    void (*interrupt)(void *self);
    /* The item's outcome is known; before the pool's on_settled.  Also called,
     * with CANCELLED, for an item got but not accepted.  May be NULL. */
    void (*settle)(void *self, const void *item, const weir_outcome *outcome);
    /* Nobody touches the item any more; after the pool's on_release.  May be
     * NULL. */
    void (*release)(void *self, void *item);
    void (*close)(void *self); /* may be NULL */
    void *self;
    bool has_pointers; /* items point to memory of this process */
} weir_producer;
#define WEIR_PRODUCER_INIT WEIR_SIZED(weir_producer)

/*
 * The `count` items of an array, one after the other.  Hands out copies: what
 * a handler writes into its item is not seen in the array.
 *
 * Owns:    the array is yours and must outlive the producer.
 * Returns: WEIR_OK, WEIR_EINVAL, WEIR_ENOMEM.
 * Threads: any.
 */
WEIR_API WEIR_MUST_USE weir_status weir_producer_array(weir_producer *out,
                                                       const void *items,
                                                       size_t count,
                                                       size_t item_size);

/*
 * The numbers first, first + 1, ... as uint64_t, `count` of them, made when
 * asked for.
 *
 * Returns: WEIR_OK, WEIR_EINVAL (the last would not fit), WEIR_ENOMEM.
 * Threads: any.
 */
WEIR_API WEIR_MUST_USE weir_status weir_producer_range(weir_producer *out,
                                                       uint64_t first,
                                                       uint64_t count);

typedef struct weir_line {
    char *text;      /* ends in NUL, without the delimiter; NULs inside stay;
                        the producer frees it at release */
    size_t length;   /* bytes, without the ending NUL */
    uint64_t number; /* 1, 2, ... */
} weir_line;

/*
 * The records of a file, pipe or terminal, each up to `delimiter`; the last
 * may lack it.  Items are weir_line.  A record of more than `max_bytes` (0:
 * 1 MiB) fails the producer with WEIR_EINVAL; a read error with WEIR_ESYSTEM.
 *
 * Owns:    `fd` stays yours and open; do not read it beside the producer.
 * Returns: WEIR_OK, WEIR_EINVAL (fd is not open for reading), WEIR_ENOMEM,
 *          WEIR_ESYSTEM (it needs a descriptor of its own; with errno).
 * Threads: any.
 */
WEIR_API WEIR_MUST_USE weir_status weir_producer_lines(weir_producer *out,
                                                       int fd, char delimiter,
                                                       size_t max_bytes);

/*
 * The regular files below `root`, or `root` itself if it is one.  Items are
 * char * paths that begin with `root`; the producer frees them at release.
 * Symbolic links are not followed, order is the file system's.  A directory
 * that cannot be read does not end the walk, but then the end is WEIR_ESYSTEM
 * instead of WEIR_END, with errno and weir_last_error() of the first.
 *
 * Owns:    `root` is copied.
 * Returns: WEIR_OK, WEIR_EINVAL, WEIR_ENOMEM, WEIR_ESYSTEM (root cannot be
 *          opened; with errno).
 * Threads: any.
 */
WEIR_API WEIR_MUST_USE weir_status weir_producer_files(weir_producer *out,
                                                       const char *root);

/*
 * The items of a queue, until it is closed and empty or a pill is taken.
 * weir_queue_task_done is called at each release.
 *
 * Owns:    the queue is yours and must outlive the producer.
 * Returns: WEIR_OK, WEIR_EINVAL (item_size is not the queue's), WEIR_ENOMEM,
 *          WEIR_FORKED.
 * Threads: any.
 */
WEIR_API WEIR_MUST_USE weir_status weir_producer_queue(weir_producer *out,
                                                       weir_queue *queue,
                                                       size_t item_size);

/*
 * What next(arg, item) writes, until it answers WEIR_END.  It cannot be
 * interrupted: a next that blocks holds up the end of the run until it
 * returns; for that, fill in a weir_producer of your own.
 *
 * Owns:    `arg` is yours and must outlive the producer.
 * Returns: WEIR_OK, WEIR_EINVAL, WEIR_ENOMEM.
 * Threads: any.
 */
WEIR_API WEIR_MUST_USE weir_status weir_producer_call(
    weir_producer *out, weir_status (*next)(void *arg, void *item), void *arg,
    size_t item_size);

typedef struct weir_batch {
    size_t count;     /* items that follow, 1 or more; not yours to write */
    size_t item_size; /* bytes of each */
} weir_batch;         /* then the items, one after the other */

/* The i-th item of a batch, i < count; as long as the batch.  Any thread. */
static inline void *weir_batch_item(weir_batch *batch, size_t i)
{
    return (unsigned char *)(batch + 1) + i * batch->item_size;
}

/*
 * The items of `source`, up to `n` together: a batch leaves when it has n, or
 * `max_wait_ns` after its first item came (INT64_MAX: only with n), or with
 * the source's end.  Items are a weir_batch and room for n items, 4096 bytes
 * at most; what the handler writes to them is seen by settle and release.  A
 * batch's outcome is that of each of its items, and it is retried as a whole.
 * The source is asked by a thread of its own, from the first next on, up to n
 * items ahead; those that nobody gets settle CANCELLED when it is closed.
 * What the source says instead of an item comes after the last batch.
 *
 * Blocks:  close, while the source's next does after its interrupt.
 * Owns:    on WEIR_OK holds `source` (the struct is copied) and closes it when
 *          closed; otherwise nothing was touched.
 * Returns: WEIR_OK, WEIR_EINVAL, WEIR_ENOMEM, WEIR_ESYSTEM.
 * Threads: any.
 */
WEIR_API WEIR_MUST_USE weir_status
weir_producer_batch(weir_producer *out, const weir_producer *source, size_t n,
                    int64_t max_wait_ns);

/*
 * The items of `count` sources, all of one item_size (1 to 4092), in fair
 * turns: an item waits for at most one of each other source.  A source's item
 * is where the merged item begins; 4 bytes behind it say whose it is, and are
 * not the handler's.  Each source is asked by a thread of its own, from the
 * first next on, one item ahead; one that nobody gets settles CANCELLED when
 * it is closed.  As in weir_run a source that fails ends the asking of all:
 * what they have given comes out, then its status.
 *
 * Blocks:  close, while a source's next does after its interrupt.
 * Owns:    on WEIR_OK holds the sources (the structs are copied) and closes
 *          them when closed; otherwise nothing was touched.
 * Returns: WEIR_OK, WEIR_EINVAL, WEIR_ENOMEM, WEIR_ESYSTEM.
 * Threads: any.
 */
WEIR_API WEIR_MUST_USE weir_status weir_producer_merge(
    weir_producer *out, const weir_producer *const *sources, size_t count);

WEIR_END_DECLS

#endif /* WEIR_PRODUCER_H */
