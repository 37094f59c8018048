/* SPDX-License-Identifier: MIT */
/*
 * feed.h - a thread that puts a producer's items into a pool.
 *
 * The thread asks the producer for an item and submits it, waiting while the
 * pool is full: that is how a slow consumer slows a producer.  An item that it
 * got and the pool did not accept is settled CANCELLED and released here, so
 * that every item got is settled and released once, by somebody.
 *
 * With a keeper (pool/kept.h) items go where it seats them, and releasing is
 * its affair.
 */
#ifndef WEIR_LIB_FLOW_FEED_H
#define WEIR_LIB_FLOW_FEED_H

#include <weir/producer.h>

#include "base/atomic.h"
#include "base/thread.h"
#include "flow/turns.h"
#include "pool/pool.h"

struct weir__feed {
    weir_producer producer;     /* I: a copy */
    struct weir__source source; /* I: the producer, as the pool sees it */
    weir_pool *pool;            /* I */
    struct weir__turns *turns;  /* I: to submit; NULL: at any time */
    weir_handler *handler;      /* I */
    /* I: of a keeper, else NULL: where the next item goes, NULL if nowhere. And
     * what submits it; NULL: the feed itself.  On the feed's thread, as what
     * follows. */
    void *(*seat)(void *arg);
    weir_status (*submit)(void *arg, void *item);
    /* I: an item was not accepted; the thread has ended.  With no lock held. */
    void (*turned_away)(void *arg, void *item, const weir_outcome *outcome);
    void (*ended)(void *arg, struct weir__feed *feed);
    void *arg;
    struct weir__flag asked_to_end; /* set by anybody; looked at before next */
    struct weir__thread thread;
    weir_status status;  /* of the producer; read once it has ended */
    bool was_closed;     /* not the producer: the pool, while it had more */
    char error[256];     /* what the producer's last refusal said */
    int system_error;    /* errno then */
    unsigned char *item; /* the thread's own; NULL with a keeper */
};

/* Fills in what depends on the producer; the rest is the caller's to set, and
 * the keeper before this.  Returns WEIR_OK, WEIR_ENOMEM. */
weir_status
weir__feed_init(struct weir__feed *feed, const weir_producer *producer);
void weir__feed_dispose(struct weir__feed *feed);

/* Asks for no more items: the thread ends as soon as next and the pool let it.
 * Any thread. */
void weir__feed_end(struct weir__feed *feed);

/* The words for an outcome other than DONE, unless there are some. */
void weir__word_failure(char *into, size_t room, const weir_outcome *outcome);

/* Returns WEIR_OK, WEIR_ESYSTEM. */
weir_status
weir__feed_start(struct weir__feed *feed, const char *name, size_t number);

#endif /* WEIR_LIB_FLOW_FEED_H */
