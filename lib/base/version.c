/* SPDX-License-Identifier: MIT */
/* version.c - which weir this is. */
#include <weir/version.h>

const char *weir_version(void)
{
    return WEIR_VERSION_TEXT;
}
