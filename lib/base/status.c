/* SPDX-License-Identifier: MIT */
/* status.c - the names of the answers. */
#include <weir/status.h>

#include <stddef.h>

struct label {
    const char *name;
    const char *text;
};

/* Indexed by -status. */
static const struct label labels[] = {
    [-WEIR_OK] = {"WEIR_OK", "ok"},
    [-WEIR_TIMED_OUT] = {"WEIR_TIMED_OUT", "timed out"},
    [-WEIR_CLOSED] = {"WEIR_CLOSED", "closed"},
    [-WEIR_POISONED] = {"WEIR_POISONED", "poisoned"},
    [-WEIR_FULL] = {"WEIR_FULL", "full"},
    [-WEIR_END] = {"WEIR_END", "no more items"},
    [-WEIR_CANCELLED] = {"WEIR_CANCELLED", "cancelled"},
    [-WEIR_STUCK] = {"WEIR_STUCK", "stuck attempts are left"},
    [-WEIR_DEGRADED] = {"WEIR_DEGRADED", "too many abandoned threads"},
    [-WEIR_FORKED] = {"WEIR_FORKED",
                      "the handle belongs to the parent process"},
    [-WEIR_DEADLOCK] = {"WEIR_DEADLOCK", "the call would wait for itself"},
    [-WEIR_EINVAL] = {"WEIR_EINVAL", "invalid argument"},
    [-WEIR_ENOMEM] = {"WEIR_ENOMEM", "out of memory"},
    [-WEIR_ESYSTEM] = {"WEIR_ESYSTEM", "the system refused"},
    [-WEIR_ECORRUPT] = {"WEIR_ECORRUPT", "stored bytes are corrupt"},
    [-WEIR_FAILED] = {"WEIR_FAILED", "some tasks were not done"},
};

static const struct label *find(weir_status status)
{
    size_t index = (size_t)(-(long)status);

    if (status > 0 || index >= sizeof(labels) / sizeof(labels[0]))
        return NULL;
    return &labels[index];
}

const char *weir_status_name(weir_status status)
{
    const struct label *label = find(status);

    return label ? label->name : "WEIR_?";
}

const char *weir_status_text(weir_status status)
{
    const struct label *label = find(status);

    return label ? label->text : "unknown status";
}
