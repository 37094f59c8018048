/* SPDX-License-Identifier: MIT */
/*
 * weir/metrics.h - figures of pools and queues as Prometheus reads them.
 *
 * Text of its exposition format, version 0.0.4: send it as what a scrape is
 * answered, or write it to a file for the node exporter's textfile collector.
 * Names begin with weir_pool_ and weir_queue_, counters end in _total, times
 * are in seconds; a label `pool` or `queue` says whose a figure is.
 *
 * A page may hold each family of figures only once.  So what is to be on one
 * page is written by one call: several pools by weir_metrics_write_pools.
 */
#ifndef WEIR_METRICS_H
#define WEIR_METRICS_H

#include <stddef.h>

#include <weir/api.h>
#include <weir/pool.h>
#include <weir/queue.h>
#include <weir/status.h>

WEIR_BEGIN_DECLS

/*
 * Writes the figures of a pool to `fd`: what weir_pool_read_stats says at one
 * moment and, if it keeps them, its histograms of a moment later.
 *
 * Blocks:  for what write to `fd` does.
 * Returns: WEIR_OK, WEIR_ESYSTEM (a write failed: weir_last_error() says how,
 *          errno too; some may be written), WEIR_ENOMEM, WEIR_EINVAL,
 *          WEIR_FORKED.
 * Threads: any.
 */
WEIR_API WEIR_MUST_USE weir_status weir_metrics_write(const weir_pool *pool,
                                                      int fd);

/*
 * The same of several pools, as one page.  They should have names of their own:
 * of those with the same, the later ones get "-2", "-3", ... behind it.
 *
 * Blocks:  for what write to `fd` does.
 * Returns: as weir_metrics_write.
 * Threads: any.
 */
WEIR_API WEIR_MUST_USE weir_status
weir_metrics_write_pools(const weir_pool *const *pools, size_t count, int fd);

/*
 * Writes the figures of queues, of which names[i] says how queues[i] is to be
 * called there; they must differ.
 *
 * Blocks:  for what write to `fd` does.
 * Returns: as weir_metrics_write.
 * Threads: any.
 */
WEIR_API WEIR_MUST_USE weir_status
weir_metrics_write_queues(const weir_queue *const *queues,
                          const char *const *names, size_t count, int fd);

WEIR_END_DECLS

#endif /* WEIR_METRICS_H */
