/* SPDX-License-Identifier: MIT */
/* thread.h - in place of lib/base/thread.h: threads of a world. */
#ifndef WEIR_EXPLORE_SEAM_THREAD_H
#define WEIR_EXPLORE_SEAM_THREAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <weir/status.h>

struct weir__trap;

struct weir__thread {
    unsigned seam; /* the world's number */
    bool is_gone;  /* joined or detached */
    char name[16];
    size_t stack_bytes;
    struct weir__trap *trap;
    void (*run)(void *arg);
    void (*ended)(void *arg);
    void *arg;
};

void weir__thread_set_name(struct weir__thread *thread, const char *name,
                           const char *suffix);
weir_status weir__thread_start(struct weir__thread *thread);
void weir__thread_join(struct weir__thread *thread);
void weir__thread_join_or_leave(struct weir__thread *thread);
void weir__thread_detach(struct weir__thread *thread);
size_t weir__thread_least_stack(void);
bool weir__thread_let_cancel(bool let);
void weir__thread_reset_cancel(void);
void weir__thread_test_cancel(void);
const struct weir__thread *weir__thread_mine(void);
const void *weir__thread_self(void);
void weir__thread_yield(void);
void weir__thread_wait_exactly(void);
void weir__thread_nap(int64_t ns);

/* How often spinning threads look again here (base/spin.c). */
#define WEIR__SPIN_PAUSES 1
#define WEIR__SPIN_YIELDS 1

#endif /* WEIR_EXPLORE_SEAM_THREAD_H */
