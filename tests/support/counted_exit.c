/* SPDX-License-Identifier: MIT */
/*
 * counted_exit.c - with gcov: what a process has run counts, though it ends by
 * _exit, as children and the fork server do.  Linked with --wrap=_exit.
 */
#include <stdnoreturn.h>

void __gcov_dump(void);
noreturn void __real__exit(int status);
noreturn void __wrap__exit(int status);

noreturn void __wrap__exit(int status)
{
    __gcov_dump();
    __real__exit(status);
}
