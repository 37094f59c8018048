/* SPDX-License-Identifier: MIT */
/* pipeline.c - words in files: read by several, what has none is dropped, told
 * in the order in which they were found. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <weir.h>

struct count {
    char *path; /* the producer's, until the item has left */
    unsigned long words;
};

static int count_words(weir_task *task, void *item)
{
    struct count count = {*(char **)item, 0};
    FILE *file = fopen(count.path, "r");
    int before = ' ', c;

    if (!file)
        return weir_task_fail(task, errno, "%s", strerror(errno));
    for (; (c = getc(file)) != EOF; before = c)
        count.words += isspace(before) && !isspace(c);
    fclose(file);
    return weir_task_result(task, &count, sizeof(count));
}

static int drop_empty(weir_task *task, void *item)
{
    const struct count *count = item;

    return count->words > 0 ? weir_task_result(task, count, sizeof(*count))
                            : 0; /* without a result it leaves here */
}

static int tell(weir_task *task, void *item)
{
    const struct count *count = item;

    (void)task;
    printf("%7lu %s\n", count->words, count->path);
    return 0;
}

static void note(void *arg, const char *stage, const void *item,
                 const weir_outcome *outcome)
{
    const char *path = *(char *const *)item;

    (void)arg;
    if (outcome->kind != WEIR_OUTCOME_DONE)
        printf("%s: %s: %s\n", path, stage, outcome->message);
}

int main(int argc, char **argv)
{
    weir_stage count = WEIR_STAGE_INIT, drop = WEIR_STAGE_INIT,
               print = WEIR_STAGE_INIT;
    const weir_stage *stages[] = {&count, &drop, &print};
    weir_pipeline_options options = WEIR_PIPELINE_OPTIONS_INIT;
    weir_report report = WEIR_REPORT_INIT;
    weir_pipeline *pipeline;
    weir_producer files;

    count.name = "count";
    count.handler = count_words;
    drop.name = "drop";
    drop.handler = drop_empty;
    drop.item_size = sizeof(struct count);
    print.name = "print";
    print.kind = WEIR_STAGE_SERIAL_IN_ORDER;
    print.handler = tell;
    print.item_size = sizeof(struct count);
    options.stages = stages;
    options.stage_count = 3;
    options.on_left = note;
    if (weir_producer_files(&files, argc > 1 ? argv[1] : ".") ||
        weir_pipeline_open(&pipeline, &files, &options)) {
        fprintf(stderr, "%s\n", weir_last_error());
        return 1;
    }
    if (weir_pipeline_wait(pipeline, &report, WEIR_FOREVER))
        fprintf(stderr, "%s\n", weir_last_error());
    weir_pipeline_destroy(pipeline);
    printf("%llu files, %llu done\n",
           (unsigned long long)report.ledger.accepted,
           (unsigned long long)report.ledger.done);
    return !(report.status == WEIR_OK && report.ledger.accepted > 0 &&
             report.ledger.accepted == report.ledger.done);
}
