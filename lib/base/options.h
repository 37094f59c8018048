/* SPDX-License-Identifier: MIT */
/* options.h - reading structs that begin with their size. */
#ifndef WEIR_LIB_BASE_OPTIONS_H
#define WEIR_LIB_BASE_OPTIONS_H

#include <stddef.h>

#include <weir/status.h>

/*
 * Fills in `into` (`known` bytes, our idea of the struct) from the caller's
 * `from`, which may be older and shorter, or newer and longer.  What the
 * caller lacks is zero; what we do not know must be zero, since it asks for
 * something that we could not do.  A NULL `from` gives all defaults.  The size
 * written is `known`: what was read can be read again.
 *
 * Returns WEIR_OK or WEIR_EINVAL, naming the struct `name` and its INIT.
 */
weir_status weir__options_read(void *into, size_t known, const void *from,
                               const char *name);

/* A struct to write to whose size was never set is refused: WEIR_EINVAL. */
weir_status weir__snapshot_check(const void *into, const char *name);

/*
 * Writes `from` (`known` bytes) to the caller's sized struct, as many bytes as
 * the caller has; its size stays.
 */
void weir__snapshot_write(void *into, const void *from, size_t known);

#endif /* WEIR_LIB_BASE_OPTIONS_H */
