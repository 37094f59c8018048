/* SPDX-License-Identifier: MIT */
/* events.h - descriptors as those see them who poll; see base/event.h too. */
#ifndef WEIR_EXPLORE_EVENTS_H
#define WEIR_EXPLORE_EVENTS_H

#include <stdbool.h>
#include <stdint.h>

/* Waits as epoll does with EPOLLET, for a write since *seen, which is updated;
 * 0 at first. */
void events_await_edge(int fd, uint64_t *seen);
/* For what checks: no step. */
bool events_is_set(int fd);

#endif /* WEIR_EXPLORE_EVENTS_H */
