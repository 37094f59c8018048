/* SPDX-License-Identifier: MIT */
/* error.h - what weir_last_error() says. */
#ifndef WEIR_LIB_BASE_ERROR_H
#define WEIR_LIB_BASE_ERROR_H

#include <weir/status.h>

/*
 * Notes why a call is refused, naming the thing and the remedy, and returns
 * `status` for the caller to return.  errno is kept.
 */
weir_status
weir__refuse(weir_status status, const char *format, ...) WEIR_PRINTF(2, 3);

#endif /* WEIR_LIB_BASE_ERROR_H */
