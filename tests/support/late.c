/* SPDX-License-Identifier: MIT */
/* late.c - a library that is loaded while the program runs. */
int late_handler(void *task, void *item);

int late_handler(void *task, void *item)
{
    (void)task;
    (void)item;
    return 0;
}
