/* SPDX-License-Identifier: MIT */
/* hello.c - the files below a directory, measured by as many threads as there
 * are processors. */
#include <stdio.h>
#include <sys/stat.h>
#include <weir.h>

static int measure(weir_task *task, void *item)
{
    const char *path = *(char **)item;
    struct stat about;

    if (stat(path, &about))
        return weir_task_fail(task, 1, "cannot stat %s", path);
    return about.st_size == 0 ? weir_task_fail(task, 2, "%s is empty", path)
                              : 0;
}

int main(int argc, char **argv)
{
    weir_producer files;
    const weir_producer *producers[] = {&files};
    weir_run_options options = WEIR_RUN_OPTIONS_INIT;
    weir_report report = WEIR_REPORT_INIT;

    options.producers = producers;
    options.producer_count = 1;
    options.handler = measure;
    if (weir_producer_files(&files, argc > 1 ? argv[1] : "/etc/default") ||
        weir_run(&options, &report)) {
        fprintf(stderr, "%s\n", weir_last_error());
        return 1;
    }
    printf("%llu files, %llu fine, %llu not: %s\n",
           (unsigned long long)report.ledger.accepted,
           (unsigned long long)report.ledger.done,
           (unsigned long long)report.ledger.failed, report.first_failure);
    return !weir_ledger_balances(&report.ledger);
}
