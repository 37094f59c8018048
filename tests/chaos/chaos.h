/* SPDX-License-Identifier: MIT */
/*
 * chaos.h - what the rooms of the chaos run share.
 *
 * THE IDEA
 *
 * Threads submit tasks to a few pools of different manners (houses).  What a
 * task does is its kind, one row of a table (kinds.c), drawn by lot from the
 * seed so that every block of SHARES tasks has the same mixture.  Others
 * disturb meanwhile (trouble.c).  Then all is to be quiet, and everything is
 * counted: see account.c.
 *
 * Each task has a slot for as long as it lives.  The slot's life says where it
 * is; a step out of order (settled twice, released before it is settled, or
 * while an attempt is at it, run after it was released) ends the run.
 *
 * INVARIANTS
 *
 *   1. A slot is given back by whoever hears of its release: on_release; the
 *      attempt itself, in a house without callbacks; the submitter, if the task
 *      was refused.
 *   2. What is counted here is counted by the library, too, and the sums are
 *      the same when all is quiet.
 */
#ifndef CHAOS_H
#define CHAOS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <weir/group.h>
#include <weir/pool.h>

#include "base/atomic.h"

enum { OUTCOMES = WEIR_OUTCOME_DROPPED + 1, MOST_KINDS = 48 };

/* Of so many tasks in a row each kind has its share. */
enum { SHARES = 1000 };

/* The pools, each with a manner of its own. */
enum house_id {
    HOUSE_PLAIN,    /* nobody hears of a task but the ledger */
    HOUSE_RICH,     /* callbacks, futures, retries */
    HOUSE_DROPPING, /* drops the oldest when it is full */
    HOUSE_REFUSING, /* refuses when it is full */
    HOUSE_CALLERS,  /* has submitters run what finds no room */
    HOUSE_HASTY,    /* interrupts, and abandons threads that overstay */
    HOUSE_TRAP,     /* catches faults */
    HOUSE_ELASTIC,  /* has more workers while tasks wait */
    HOUSE_PROCESS,  /* runs its handlers in child processes */
    HOUSES
};

/* ------------------------------------------------------------------ options */

struct wish {
    uint64_t tasks;   /* a round */
    uint64_t minutes; /* rounds go on for so long; 0: one round */
    uint64_t seed;
    uint32_t workers;
    const char *only;    /* kinds, with commas; NULL: all */
    const char *command; /* how the user calls us */
};
extern struct wish wish;

/* Says what is wrong and how to see it again; ends the run.  Any thread. */
_Noreturn void
fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* A pseudo-random number below `below`; each thread has a state of its own. */
uint32_t draw(uint32_t *state, uint32_t below);
/* A state from the seed, for the thread or thing of that number. */
uint32_t seeded(uint32_t number);

/* The moment when whoever still waits has met a hang. */
weir_deadline hang(void);

void nap_us(uint32_t us);
int64_t now_ns(void);

/* -------------------------------------------------------------------- kinds */

struct slot;

struct kind {
    const char *name;
    unsigned share;    /* of SHARES tasks; 0: others submit it */
    unsigned houses;   /* set of 1 << house_id: where it goes */
    unsigned expected; /* set of 1 << outcome: each must come */
    unsigned allowed;  /* the same: may come as well */
    unsigned burst;    /* so many at once; 0: 1 */
    /* What the handler does; NULL: nothing. */
    int (*act)(weir_task *task, struct slot *slot);
    bool odd_end;       /* it may not return */
    bool crashes;       /* it does not come back at all: no clean-up runs */
    bool cancelled;     /* somebody cancels its future */
    bool waited;        /* somebody waits for its future, or lets it go */
    bool grouped;       /* a burst is a group, joined, cancelled or let go */
    bool no_sanitizer;  /* cannot be run under one */
    bool is_remote;     /* for HOUSE_PROCESS: `act` gets no slot */
    int64_t timeout_ns; /* 0: none; in HOUSE_PLAIN the pool's */
    int64_t lives_ns;   /* time to live; 0: no limit */
    const weir_retry *retry;
    uint32_t attempts; /* of one that is DONE or FAILED; 0: any number */
    /* What the callbacks do beside counting; they may end their thread. */
    void (*on_settled)(weir_pool *pool);
    void (*on_release)(weir_pool *pool);
};
extern const struct kind kinds[];
extern const size_t kind_count;

/* Of kinds that are left out here nothing is submitted. */
bool kind_is_in(const struct kind *kind);
size_t kind_number(const struct kind *kind);
/* The names of --only are names of kinds. */
bool kinds_check_only(void);

/* The handler of all tasks, and of those in child processes, where there are
 * no slots. */
int handle(weir_task *task, void *item);
int handle_remotely(weir_task *task, void *item);

/* -------------------------------------------------------------------- slots */

/* What a handler gets, by address or as a copy. */
struct ticket {
    struct slot *slot;
    uint64_t serial;
    uint32_t kind, random; /* for who has no slots */
};

enum life { LIFE_FREE, LIFE_OUT, LIFE_SETTLED, LIVES };

struct slot {
    struct weir__counter life; /* serial * LIVES + enum life */
    struct weir__flag running; /* an attempt is at it */
    struct ticket ticket;      /* for who gets the address */
    const struct kind *kind;   /* from here on set while it is LIFE_OUT */
    enum house_id house;
    uint32_t random;
    uint32_t worker;
    struct slot *next; /* while it is free */
};

void slots_create(void);
void slots_destroy(void);
/* NULL: none is free, and `may_wait` is false. */
struct slot *slot_take(const struct kind *kind, enum house_id house,
                       uint32_t random, bool may_wait);
/* From one step of its life to the next; another order ends the run. */
void slot_step(const struct ticket *ticket, enum life from, enum life to,
               const char *what);
/* That it is in somebody's hands. */
void slot_check(const struct ticket *ticket, const char *what);
/* Whether it is. */
bool slot_is_out(const struct ticket *ticket);
/* After its last step. */
void slot_give_back(struct slot *slot);
/* How many are in somebody's hands. */
uint64_t slots_out(void);

/* ------------------------------------------------------------------- houses */

/* By kind. */
struct tally {
    struct weir__counter offered, accepted, attempts, settled, released;
    struct weir__counter outcomes[OUTCOMES];
};

struct house {
    const char *name;
    bool is_deaf; /* without callbacks */
    weir_pool *pool;
    struct tally tallies[MOST_KINDS];
    uint32_t wanted; /* workers, by the last resize */
    struct weir__counter refused;
    struct weir__counter stand_ins; /* attempts that a submitter made */
};
extern struct house houses[HOUSES];

void houses_open(void);
/* Stops and destroys them. */
void houses_close(void);

/* Submits one task, if a slot is free; does not wait. */
void submit_one(const struct kind *kind, enum house_id house, uint32_t random);
/* Submits one task of that kind, or as many as come at once. */
void submit_kind(const struct kind *kind, uint32_t *random);
/* From inside; does not wait. */
void submit_child(enum house_id house, uint32_t random);
/* The house that this is the pool of. */
enum house_id house_of(const weir_pool *pool);

/* An attempt has begun; it is over, as far as its handler can tell. */
void attempt_begins(weir_task *task, struct slot *slot);
void attempt_ends(struct slot *slot);

/* Futures that somebody has to see to; see trouble.c. */
void hand_over(weir_future *future, const struct kind *kind);

/* ------------------------------------------------------------------ trouble */

/* What the disturbers did. */
struct troubles {
    struct weir__counter resizes, resize_failures, joins, looks, faults,
        refused_for_memory, refused_degraded, abandoned_seen, growth_seen,
        lists, signals_sent, signals_met, waits, waits_any, cancels,
        group_joins, group_cancels, short_lives;
};
extern struct troubles troubles;

void troubles_start(void);
/* And waits until what they were at is over. */
void troubles_stop(void);

/* ------------------------------------------------------------------ account */

/* Everything is quiet: what is not as it must be ends the run. */
void account_check(void);
/* That workers who came because tasks waited leave again: it takes seconds. */
void account_await_leanness(void);
/* That each kind came, and ended in each way that it must. */
void account_check_mixture(void);
void account_print(void);
/* So far, accepted or not. */
uint64_t tasks_offered(void);

/* What a process has: taken before the first pool, or when all is quiet. */
struct belongings {
    uint64_t memory_kib, descriptors, threads;
};
struct belongings belongings_now(void);
/* That memory has not grown since, by more than it may. */
void account_check_memory(const struct belongings *before,
                          const struct belongings *after);
/* That nothing else is left. */
void account_check_remains(const struct belongings *before);

/* Whether a sanitizer sees us. */
bool is_sanitized(void);

#endif /* CHAOS_H */
