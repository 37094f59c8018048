/* SPDX-License-Identifier: MIT */
/* outcome.c - see outcome.h. */
#include "task/outcome.h"

#include <stddef.h>

struct wording {
    const char *name;
    const char *message;
};

static const struct wording wordings[] = {
    [WEIR_OUTCOME_DONE] = {"done", ""},
    [WEIR_OUTCOME_FAILED] = {"failed", "the handler returned an error code"},
    [WEIR_OUTCOME_TIMED_OUT] = {"timed out", "the attempt's deadline passed"},
    [WEIR_OUTCOME_CRASHED] = {"crashed", "the handler crashed"},
    [WEIR_OUTCOME_EXITED] = {"exited", "the handler ended its thread"},
    [WEIR_OUTCOME_CANCELLED] = {"cancelled", "the task was cancelled"},
    [WEIR_OUTCOME_EXPIRED] = {"expired", "the task waited too long to be run"},
    [WEIR_OUTCOME_DROPPED] = {"dropped",
                              "the task was dropped to make room for another"},
};

static const struct wording *wording_of(weir_outcome_kind kind)
{
    if ((size_t)kind >= sizeof(wordings) / sizeof(wordings[0]))
        return NULL;
    return &wordings[kind];
}

const char *weir_outcome_name(weir_outcome_kind kind)
{
    const struct wording *wording = wording_of(kind);

    return wording ? wording->name : "unknown outcome";
}

const char *weir__outcome_message(weir_outcome_kind kind)
{
    const struct wording *wording = wording_of(kind);

    return wording ? wording->message : "";
}
