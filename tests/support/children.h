/* SPDX-License-Identifier: MIT */
/*
 * children.h - what the tests of pools with child processes share.
 *
 * One such pool, on the real clock, since children have no other; deeds, which
 * are items that say what the handler is to do; and a board, which is memory
 * that the test and all children share.  The teardown stops the pool, and looks
 * whether the ledger balances and the fork server has a child left.
 */
#ifndef WEIR_TESTS_CHILDREN_H
#define WEIR_TESTS_CHILDREN_H

#include <semaphore.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include <weir.h>

extern weir_pool *pool;
extern weir_pool_options options;     /* one worker */
extern weir_process_options children; /* options.process points to it */

struct board {
    sem_t begun, go;       /* posted by one side, awaited by the other */
    atomic_int child, kin; /* pids: of the latest deed, of what it started */
    atomic_int server;     /* and of the server, once a deed was done */
    atomic_int count;      /* for whatever */
    atomic_int marks[8];
};
extern struct board *board;

struct deed {
    int (*act)(weir_task *task, struct deed *deed);
    int64_t n;
    char text[48];
};

void children_setup(void); /* with a fork server */
void children_teardown(void);
void open_children(void);
void end_children(void); /* stops, looks, destroys */

/* The handler of deeds. */
int do_deed(weir_task *task, void *item);
weir_future *submit_deed(struct deed deed);
/* Waits for it, and releases it at the next call: message and result last until
 * then. */
weir_outcome outcome_of(weir_future *future);
/* Both. */
weir_outcome outcome_of_deed(struct deed deed);
void assert_kind(struct deed deed, weir_outcome_kind kind, int code);
/* That the last refusal's words contain `word`. */
void assert_says(const char *word);
/* A deed is done, so that all is well again. */
void assert_serves(void);

int act_nothing(weir_task *task, struct deed *deed);
/* Posts begun and waits for go. */
int act_await_go(weir_task *task, struct deed *deed);
/* Posts begun and never ends, nor listens. */
int act_overstay(weir_task *task, struct deed *deed);

/* Waits for the semaphore, or fails the test. */
void await_sem(sem_t *sem);
/* Waits until no such process exists, not even a zombie that is ours. */
void await_gone(pid_t pid);
bool is_there(pid_t pid);
/* Stops a process, and waits until it stands still. */
void stop_process(pid_t pid);

#endif /* WEIR_TESTS_CHILDREN_H */
