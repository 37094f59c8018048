/* SPDX-License-Identifier: MIT */
/* entrants.h - who may take part, who is there, and how to get the others. */
#ifndef BENCH_ENTRANTS_H
#define BENCH_ENTRANTS_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

enum entrant_side {
    ENTRANT_WEIR,
    ENTRANT_TEXTBOOK,
    ENTRANT_PEER,
    ENTRANT_BARE, /* threads without a queue: not compared, but measured by */
    ENTRANT_OWN   /* brought with --queue */
};

enum entrant_kind {
    ENTRANT_QUEUE,
    ENTRANT_POOL,
    ENTRANT_FLOW, /* what takes items through a pool, or several */
    ENTRANT_SEMAPHORE,
    ENTRANT_PROCESSES, /* a pool whose workers are processes */
    ENTRANT_KINDS
};

enum { MOST_ENTRANTS = 48, MOST_OWN = 8 };

struct entrant {
    const char *id;    /* as on the command line */
    const char *title; /* what it is, for when it is not there to say so */
    const char *needs; /* Debian packages; NULL: none */
    enum entrant_side side;
    enum entrant_kind kind;
    bool native; /* in C or C++ */
    /* What was found; see entrants_ask. */
    char path[PATH_MAX];
    bool present;
    char name[64], version[48];
    bool bounded, batches;
};

struct entrants {
    struct entrant all[MOST_ENTRANTS];
    size_t count;
};

/* The known ones, and where their programs would be: beside ours. */
void entrants_know(struct entrants *out);

/* Asks an entrant who it is; that makes it present, or not. */
void entrants_ask(struct entrant *entrant);

/* NULL: none of that kind. */
struct entrant *
entrants_find(struct entrants *of, const char *id, enum entrant_kind kind);

/* Compiles a file with the five functions of own_queue.h and adds it.  False:
 * it was said why not, on standard error. */
bool entrants_bring(struct entrants *to, const char *file);

/* Removes what entrants_bring made. */
void entrants_forget(const struct entrants *of);

#endif /* BENCH_ENTRANTS_H */
