/* SPDX-License-Identifier: MIT */
/* weir/result.h - how a call of a service went, as a breaker or an adaptive
 * limit is told. */
#ifndef WEIR_RESULT_H
#define WEIR_RESULT_H

#include <weir/api.h>

WEIR_BEGIN_DECLS

typedef enum weir_result {
    WEIR_RESULT_OK,
    WEIR_RESULT_FAILED,
    WEIR_RESULT_OVERLOADED, /* it says that it has too much to do (429, 503) or
                               answered too late; a failure to a breaker */
    WEIR_RESULT_IGNORED     /* says nothing about the service */
} weir_result;

WEIR_END_DECLS

#endif /* WEIR_RESULT_H */
