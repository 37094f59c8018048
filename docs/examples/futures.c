/* SPDX-License-Identifier: MIT */
/* futures.c - one task's answer, changing one's mind about another, and several
 * as they complete. */
#include <stdio.h>
#include <string.h>
#include <weir.h>

static int shout(weir_task *task, void *item)
{
    char loud[32];
    size_t n = strlen(item);

    for (size_t i = 0; i < n; i++)
        loud[i] = (char)(((char *)item)[i] - 'a' + 'A');
    return weir_task_result(task, loud, n) ? 1 : 0;
}

static int linger(weir_task *task, void *item)
{
    (void)item;
    return weir_task_sleep(task, WEIR_SECONDS(60)) ? 1 : 0;
}

static int double_it(weir_task *task, void *item)
{
    int *number = item;

    *number *= 2;
    return weir_task_result(task, number, sizeof(*number)) ? 1 : 0;
}

/* Sums up what five tasks answer, each as soon as it does. */
static int sum_of_doubles(weir_pool *pool)
{
    weir_future *futures[5] = {NULL};
    int numbers[5] = {1, 2, 3, 4, 5}, sum = 0;

    for (size_t i = 0; i < 5; i++) {
        weir_task_spec spec = WEIR_TASK_SPEC_INIT;

        spec.handler = double_it;
        spec.item = &numbers[i];
        if (weir_pool_submit_task(pool, &spec, &futures[i], WEIR_FOREVER))
            return -1;
    }
    for (int left = 5; left > 0; left--) {
        weir_outcome outcome = WEIR_OUTCOME_INIT;
        size_t i;

        if (weir_future_wait_any(futures, 5, &i, WEIR_FOREVER) ||
            weir_future_wait(futures[i], &outcome, WEIR_NOW))
            return -1;
        sum += *(const int *)outcome.result;
        weir_future_release(futures[i]);
        futures[i] = NULL; /* passed over from now on */
    }
    return sum;
}

int main(void)
{
    weir_task_spec spec = WEIR_TASK_SPEC_INIT;
    weir_outcome outcome = WEIR_OUTCOME_INIT;
    weir_future *answer, *regretted;
    weir_pool *pool;
    int right, sum;

    if (weir_pool_create(&pool, NULL))
        return 1;
    spec.handler = shout;
    spec.item = "weir";
    if (weir_pool_submit_task(pool, &spec, &answer, WEIR_FOREVER) ||
        weir_future_wait(answer, &outcome, WEIR_FOREVER))
        return 1;
    printf("the answer is %.*s\n", (int)outcome.result_size,
           (const char *)outcome.result);
    right = outcome.result_size == 4 && !memcmp(outcome.result, "WEIR", 4);
    weir_future_release(answer); /* the result was lent until here */

    spec.handler = linger;
    if (weir_pool_submit_task(pool, &spec, &regretted, WEIR_FOREVER) ||
        weir_future_cancel(regretted) ||
        weir_future_wait(regretted, &outcome, WEIR_NOW))
        return 1;
    printf("the other is %s\n", weir_outcome_name(outcome.kind));
    right = right && outcome.kind == WEIR_OUTCOME_CANCELLED;
    weir_future_release(regretted);

    sum = sum_of_doubles(pool);
    printf("the five come to %d\n", sum);
    right = right && sum == 30;
    weir_pool_destroy(pool);
    return !right;
}
