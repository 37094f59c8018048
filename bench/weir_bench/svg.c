/* SPDX-License-Identifier: MIT */
#include "report.h"
void svg_write(FILE *to, const struct report_frame *frame,
               const struct contest *contests, size_t count)
{
    (void)to;
    (void)frame;
    (void)contests;
    (void)count;
}
