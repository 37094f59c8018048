/* SPDX-License-Identifier: MIT */
/* options.h - what the command line of `weir run` asks for. */
#ifndef WEIR_TOOL_OPTIONS_H
#define WEIR_TOOL_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "logged.h"
#include "values.h"

enum progress_when { PROGRESS_NEVER, PROGRESS_AUTO, PROGRESS_ALWAYS };
enum summary_form { SUMMARY_NONE, SUMMARY_TABLE, SUMMARY_JSON };

struct options {
    uint32_t jobs;          /* attempts at once; 0: the pool's default */
    uint32_t attempts;      /* in total */
    int64_t timeout_ns;     /* per attempt; 0: none */
    int64_t grace_ns;       /* from TERM to KILL */
    struct backoff backoff; /* all zero: the library's */
    size_t max_buffer;      /* bytes of gathered output held in memory */
    const char *arg_file;   /* NULL: standard input */
    char delimiter;
    bool keep_order;
    bool dry_run;
    enum progress_when progress;
    bool watch;
    enum log_least log;
    enum summary_form summary;
    const char *trace_file, *picture_file, *metrics_file; /* NULL: none */
    char *const *command; /* part of argv, ends in NULL, not empty */
};

enum options_answer {
    OPTIONS_RUN,  /* *out says what */
    OPTIONS_HELP, /* help was asked for */
    OPTIONS_WRONG /* one line on standard error has said what and how else */
};

/*
 * Reads the arguments behind `run`; argv[0] is the word run itself.  *out
 * points into argv.
 */
enum options_answer
options_read(struct options *out, int argc, char *const *argv);

/* What `weir run --help` and `weir help` print. */
extern const char options_help[];

#endif /* WEIR_TOOL_OPTIONS_H */
