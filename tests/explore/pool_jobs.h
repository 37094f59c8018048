/* SPDX-License-Identifier: MIT */
/* pool_jobs.h - what became of each task; for the pool's stage. */
#ifndef WEIR_EXPLORE_POOL_JOBS_H
#define WEIR_EXPLORE_POOL_JOBS_H

#include <stdbool.h>
#include <stdint.h>

#include <weir/group.h>
#include <weir/pool.h>

#include "pool_stage.h"

enum { JOBS = 8 };

struct job {
    deed *does;
    bool is_offered, is_accepted;
    bool is_cancelled; /* somebody has begun to */
    bool is_in_group;
    bool is_series;        /* not yet accepted: its firing will be */
    int64_t not_before_ns; /* 0: at once */
    bool has_semaphore;    /* of its own: others may pass it */
    unsigned most_attempts;
    int64_t offered_ns, timeout_ns, time_to_live_ns; /* 0: none */
    uint64_t id;
    unsigned begun, ended; /* attempts */
    bool is_done;          /* the latest answered 0 */
    bool has_exited;       /* the latest ended its thread */
    int64_t deadline_ns;   /* of the latest */
    bool is_told, is_released;
    bool telling, releasing;
    bool is_settled; /* we have heard of it, and how it ended */
    weir_outcome_kind kind;
    weir_future *future;
    bool acts;                         /* an action runs */
    bool is_its_last;                  /* a stop has asked the latest attempt */
    bool settled_exits, release_exits; /* end the thread, once */
};

/* By number; the first is not used. */
extern struct job jobs[JOBS + 1];

/* What jobs go by. */
extern struct pool_state {
    const struct scenario *scenario;
    weir_pool_options options;
    weir_retry retry;     /* what they point to */
    weir_group *group;    /* NULL: there is none */
    bool is_closing;      /* some stop or destroy has begun */
    bool stops_now;       /* one that cancels */
    bool starts_nothing;  /* that has returned */
    bool has_ended;       /* one has said so */
    bool predicate_exits; /* ends the thread, once */
    bool is_over;         /* the pool is destroyed */
    bool is_resized;
    bool asks_no_deadline;            /* handlers do not */
    uint64_t latest_id;               /* that an only worker has begun */
    uint64_t latest_delayed_id;       /* the same, of those with one moment */
    bool told_high, ever_high, tells; /* of pressure */
    bool pressure_exits;              /* each call ends its thread */
    bool pressure_opens;              /* the gate, when it is high */
    unsigned offered, accepted, refused;
} stage_of_pool;

void jobs_reset(void);
void deeds_reset(void);

/* The task's handler; its item is its job. */
int job_run(weir_task *task, void *item);
void job_settled(void *arg, const void *item, const weir_outcome *outcome);
void job_released(void *arg, void *item);
void stage_pressure(void *arg, bool high);
bool job_retryable(void *arg, const weir_outcome *outcome);

/* Somebody says that it ended like this. */
void job_ended(struct job *job, const weir_outcome *outcome);

/* Whether its attempt may know that it is asked to stop. */
bool job_may_be_asked(const struct job *job);

/* Whether it can have ended like this. */
bool job_may_be(const struct job *job, weir_outcome_kind kind);

/* Fails unless nothing is left to be done for it. */
void job_must_be_over(const struct job *job);

#endif /* WEIR_EXPLORE_POOL_JOBS_H */
