/* SPDX-License-Identifier: MIT */
/* streams.c - results in order, from a producer without end, until one has
 * been found; and a map. */
#include <stdio.h>
#include <weir.h>

static int collatz(weir_task *task, void *item)
{
    uint64_t number = *(uint64_t *)item, steps = 0;

    for (; number != 1; steps++)
        number = number % 2 ? 3 * number + 1 : number / 2;
    return weir_task_result(task, &steps, sizeof(steps));
}

/* The first number that takes more than `most` steps to come to 1. */
static uint64_t find_first(weir_pool *pool, uint64_t most)
{
    weir_stream_options options = WEIR_STREAM_OPTIONS_INIT;
    uint64_t number = 0, steps = 0;
    weir_producer numbers;
    weir_stream *stream;

    options.handler = collatz;
    options.window = 64;
    options.order = WEIR_IN_ORDER;
    if (weir_producer_range(&numbers, 1, UINT64_MAX - 1) ||
        weir_stream_open(&stream, pool, &numbers, &options))
        return 0;
    while (steps <= most) {
        weir_outcome outcome = WEIR_OUTCOME_INIT;

        if (weir_stream_next(stream, &number, &outcome, WEIR_FOREVER))
            break;
        steps = *(const uint64_t *)outcome.result;
    }
    weir_stream_close(stream); /* cancels what was read ahead */
    printf("%llu takes %llu steps\n", (unsigned long long)number,
           (unsigned long long)steps);
    return number;
}

int main(void)
{
    weir_pool_options options = WEIR_POOL_OPTIONS_INIT;
    uint64_t numbers[] = {27, 97, 871}, steps[3];
    weir_pool *pool;
    uint64_t found;

    options.item_size = sizeof(uint64_t);
    options.max_result = sizeof(uint64_t);
    if (weir_pool_create(&pool, &options))
        return 1;
    found = find_first(pool, 350);

    if (weir_map(pool, collatz, numbers, 3, steps))
        return 1;
    printf("27: %llu, 97: %llu, 871: %llu\n", (unsigned long long)steps[0],
           (unsigned long long)steps[1], (unsigned long long)steps[2]);
    weir_pool_destroy(pool);
    return !(found == 106239 && steps[0] == 111 && steps[2] == 178);
}
