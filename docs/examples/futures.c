/* SPDX-License-Identifier: MIT */
/* futures.c - one task's answer, and changing one's mind about another. */
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

int main(void)
{
    weir_task_spec spec = WEIR_TASK_SPEC_INIT;
    weir_outcome outcome = WEIR_OUTCOME_INIT;
    weir_future *answer, *regretted;
    weir_pool *pool;
    int right;

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
    weir_pool_destroy(pool);
    return !right;
}
