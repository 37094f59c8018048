/* SPDX-License-Identifier: MIT */
/* outcome.h - words for outcomes. */
#ifndef WEIR_LIB_TASK_OUTCOME_H
#define WEIR_LIB_TASK_OUTCOME_H

#include <weir/task.h>

/* What is said of an outcome when the handler said nothing; a constant. */
const char *weir__outcome_message(weir_outcome_kind kind);

#endif /* WEIR_LIB_TASK_OUTCOME_H */
