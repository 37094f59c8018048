/* SPDX-License-Identifier: MIT */
/* pool_quiet.h - whether a pool without tasks is as it was when it began. */
#ifndef WEIR_EXPLORE_POOL_QUIET_H
#define WEIR_EXPLORE_POOL_QUIET_H

#include <weir/pool.h>

/* All its threads wait and nobody is in a call.  Says what is not so; NULL: all
 * is. */
const char *pool_quiet_is_broken(const weir_pool *pool);

#endif /* WEIR_EXPLORE_POOL_QUIET_H */
