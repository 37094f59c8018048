/* SPDX-License-Identifier: MIT */
/* faults.h - fail every single thing that can fail, one at a time. */
#ifndef WEIR_TESTS_FAULTS_H
#define WEIR_TESTS_FAULTS_H

#include <stdint.h>

#include <weir/status.h>

/*
 * Calls attempt(arg) with the first point of base/fault.h failing, then with
 * the second, and so on until nothing struck.  Each struck call must answer
 * `expected` (WEIR_OK: WEIR_ENOMEM or WEIR_ESYSTEM), the last one WEIR_OK;
 * each has to leave things as it found them.
 *
 * Returns the number of points, which is not 0.  Nothing is armed afterwards.
 */
uint64_t
fault_sweep(weir_status (*attempt)(void *arg), void *arg, weir_status expected);

#endif /* WEIR_TESTS_FAULTS_H */
