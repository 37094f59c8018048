/* SPDX-License-Identifier: MIT */
/* contender.h - what a queue must answer to take part. */
#ifndef BENCH_CONTENDER_H
#define BENCH_CONTENDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * An item is item_size / 8 words.  put and get wait as long as they must;
 * what cannot go on calls contender_failed.  Calls come from any number of
 * threads, through these pointers for everyone alike.
 */
struct contender {
    const char *name;             /* as its makers call it */
    const char *(*version)(void); /* NULL: it has none */
    bool bounded;                 /* else put never waits */
    void *(*create)(size_t capacity, size_t item_size); /* NULL: no memory */
    void (*put)(void *queue, const uint64_t *item);
    void (*get)(void *queue, uint64_t *item);
    void (*destroy)(void *queue);
    /* NULL, both: it has no batches.  get_many answers 1 to count. */
    void (*put_many)(void *queue, const uint64_t *items, size_t count);
    size_t (*get_many)(void *queue, uint64_t *items, size_t count);
    bool numbers; /* only: items of 8 bytes */
};

/* Each adapter defines it. */
extern const struct contender contender;

/* Says what went wrong and ends the program. */
#ifdef __cplusplus
[[noreturn]]
#else
_Noreturn
#endif
void contender_failed(const char *what);

#ifdef __cplusplus
}
#endif

#endif /* BENCH_CONTENDER_H */
