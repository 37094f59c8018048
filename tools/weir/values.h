/* SPDX-License-Identifier: MIT */
/*
 * values.h - what may stand behind an option.
 *
 * Each function reads the whole text or refuses it: false, and *out is as it
 * was.  None depends on the locale.
 */
#ifndef WEIR_TOOL_VALUES_H
#define WEIR_TOOL_VALUES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The most workers a pool takes, and what `-j 0` stands for. */
enum { JOBS_MAX = 65536, JOBS_MANY = 252 };

struct backoff {
    int64_t base_ns;
    double factor;  /* 0: not given */
    int64_t cap_ns; /* 0: not given */
};

/* "2", "1.5s", "200ms", "1h30m"; a bare number is seconds. */
bool value_duration(const char *text, int64_t *out);

/* "65536", "64K", "256M", "1G", in powers of 1024; 1 or more. */
bool value_size(const char *text, size_t *out);

/* As GNU parallel's -j: "4"; "+2" and "-1" from the number of usable
 * processors; "50%" of it; "0" for as many as possible. */
bool value_jobs(const char *text, uint32_t *out);

/* A whole number from 1 to `most`. */
bool value_count(const char *text, uint32_t most, uint32_t *out);

/* As xargs -d: one byte, or an escape such as \n, \t, \0, \x1f, \037. */
bool value_delimiter(const char *text, char *out);

/* BASE[,FACTOR[,CAP]]. */
bool value_backoff(const char *text, struct backoff *out);

/* The processors this process may run on, 1 or more. */
uint32_t usable_processors(void);

#endif /* WEIR_TOOL_VALUES_H */
