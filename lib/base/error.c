/* SPDX-License-Identifier: MIT */
/* error.c - the last refusal of each thread, in words. */
#include "base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

static _Thread_local char last_error[256];

weir_status weir__refuse(weir_status status, const char *format, ...)
{
    int error = errno;
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(last_error, sizeof(last_error), format, arguments);
    va_end(arguments);
    errno = error;
    return status;
}

const char *weir_last_error(void)
{
    return last_error;
}
