/* SPDX-License-Identifier: MIT */
/*
 * counted_exit.c - with gcov: what a process has run counts, though it ends by
 * _exit, as children and the fork server do, or raises what it may die of.
 * Linked with --wrap=_exit and --wrap=raise.
 */
#include <stdnoreturn.h>

void __gcov_dump(void);
void __gcov_reset(void);
noreturn void __real__exit(int status);
noreturn void __wrap__exit(int status);

noreturn void __wrap__exit(int status)
{
    __gcov_dump();
    __real__exit(status);
}

int __real_raise(int number);
int __wrap_raise(int number);

int __wrap_raise(int number)
{
    __gcov_dump();
    __gcov_reset();
    return __real_raise(number);
}
