/* SPDX-License-Identifier: MIT */
/* summary.h - the ledger of a run, for people or for programs. */
#ifndef WEIR_TOOL_SUMMARY_H
#define WEIR_TOOL_SUMMARY_H

#include <stdio.h>

#include <weir/run.h>

#include "options.h"

/* Writes the ledger to `out` in this form: a table, or one line of JSON. */
void summary_write(FILE *out, enum summary_form form,
                   const weir_report *report);

#endif /* WEIR_TOOL_SUMMARY_H */
