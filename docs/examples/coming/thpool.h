/* SPDX-License-Identifier: MIT */
/* thpool.h - what the examples use of C-Thread-Pool
 * (github.com/Pithikos/C-Thread-Pool), declared as there, so that they compile
 * where it is not.  Not the library. */
#ifndef WEIR_EXAMPLE_THPOOL_H
#define WEIR_EXAMPLE_THPOOL_H

typedef struct thpool_ *threadpool;

threadpool thpool_init(int num_threads);
int thpool_add_work(threadpool pool, void (*function)(void *), void *arg);
void thpool_wait(threadpool pool);
void thpool_destroy(threadpool pool);

#endif /* WEIR_EXAMPLE_THPOOL_H */
