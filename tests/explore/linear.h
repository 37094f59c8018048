/* SPDX-License-Identifier: MIT */
/*
 * linear.h - whether the calls of a history have an order that explains them.
 *
 * After Wing and Gong (1993): try each call that may come next, one that ended
 * before it began being first, and step back where the model disagrees; what
 * was tried in vain is remembered.  Histories here are tiny.
 */
#ifndef WEIR_EXPLORE_LINEAR_H
#define WEIR_EXPLORE_LINEAR_H

#include <stdbool.h>

/* Of `history`, whose calls have all ended. */
bool linear_explains_history(void);

/* Another scenario: what was found out before no longer helps. */
void linear_forget(void);

#endif /* WEIR_EXPLORE_LINEAR_H */
