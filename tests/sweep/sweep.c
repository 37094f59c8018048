/* SPDX-License-Identifier: MIT */
/* sweep.c SYMBOLS - see sweep.h; SYMBOLS lists all public calls. */
#include "sweep.h"

#include <dirent.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <weir.h>

#include "base/fault.h"

static const char *swept = "start";
static unsigned long long nth;

void sweep_fails(const char *file, int line, const char *what)
{
    fprintf(stderr, "sweep: %s, point %llu: %s:%d: not so: %s (%s)\n", swept,
            nth, file, line, what, weir_last_error());
    _exit(1);
}

/* -------------------------------------------------------------- what is out */

static atomic_int out;
static atomic_int taken;

static void *take(void *arg, size_t bytes)
{
    (void)arg;
    atomic_fetch_add(&out, 1);
    atomic_fetch_add(&taken, 1);
    return memset(malloc(bytes), 0xa5, bytes);
}

static void give_back(void *arg, void *memory)
{
    (void)arg;
    atomic_fetch_sub(&out, 1);
    free(memory);
}

static int descriptors(void)
{
    DIR *directory = opendir("/proc/self/fd");
    int count = 0;

    MUST(directory != NULL);
    while (readdir(directory))
        count++;
    closedir(directory);
    return count;
}

/* ---------------------------------------------------------------- one sweep */

static void
check_status(const struct sweep *sweep, weir_status status, bool struck)
{
    if (sweep->is_quiet)
        MUST(!struck);
    if (struck)
        MUST(status == WEIR_ENOMEM || status == WEIR_ESYSTEM);
    else
        MUST(status == WEIR_OK);
    if (status)
        MUST(weir_last_error()[0] != '\0');
}

/* Returns whether there was an n-th point. */
static bool strike(const struct sweep *sweep)
{
    int before = atomic_load(&out), open_before = descriptors();
    weir_status status;
    bool struck;

    if (sweep->prepare)
        sweep->prepare();
    weir__fault_arm(nth);
    status = sweep->call();
    struck = weir__fault_points() >= nth;
    weir__fault_arm(0);
    check_status(sweep, status, struck);
    if (sweep->check)
        sweep->check(status);
    MUST(atomic_load(&out) == before);
    MUST(descriptors() == open_before);
    return struck;
}

static unsigned long long run_sweep(const struct sweep *sweep)
{
    swept = sweep->calls;
    nth = 1;
    while (strike(sweep))
        nth++;
    if (!sweep->is_quiet)
        MUST(nth > 1);
    printf("%6llu  %s\n", nth - 1, swept);
    return nth - 1;
}

/* Its server is started once in a process: each time in a child.  What it has
 * noted of the process stays there, once only, for the next try. */
static bool strike_start(const struct sweep *sweep)
{
    int open_before = descriptors();
    weir_status status;
    bool struck;

    weir__fault_arm(nth);
    status = sweep->call();
    struck = weir__fault_points() >= nth;
    weir__fault_arm(0);
    check_status(sweep, status, struck);
    if (status)
        MUST(descriptors() == open_before);
    MUST(atomic_load(&out) <= 1);
    MUST(sweep->call() == WEIR_OK);
    MUST(atomic_load(&out) == 1);
    return struck;
}

static unsigned long long run_in_children(const struct sweep *sweep)
{
    int status = 0;

    swept = sweep->calls;
    for (nth = 1; status == 0; nth++) {
        pid_t child = fork();

        if (child == 0)
            _exit(strike_start(sweep) ? 0 : 2);
        MUST(waitpid(child, &status, 0) == child);
    }
    MUST(WIFEXITED(status) && WEXITSTATUS(status) == 2);
    nth -= 2;
    MUST(nth > 0);
    printf("%6llu  %s\n", nth, swept);
    return nth;
}

/* ----------------------------------------------------------- nothing is left
 */

static bool names(const char *calls, const char *name)
{
    size_t length = strlen(name);

    for (const char *at = calls; (at = strstr(at, name)); at += length)
        if ((at == calls || at[-1] == ' ') &&
            (at[length] == ' ' || at[length] == '\0'))
            return true;
    return false;
}

static int times_named(const char *name)
{
    int count = names(sweep_of_process_start.calls, name);

    for (const struct sweep *sweep = sweeps; sweep->calls; sweep++)
        count += names(sweep->calls, name);
    return count;
}

static int times_excused(const char *name)
{
    int count = 0;

    for (const struct unswept *those = unswept; those->calls; those++)
        count += names(those->calls, name);
    return count;
}

static int count_missing(const char *path)
{
    FILE *symbols = fopen(path, "re");
    char name[128];
    int missing = 0;

    MUST(symbols != NULL);
    while (fgets(name, sizeof(name), symbols)) {
        name[strcspn(name, "\n")] = '\0';
        if (name[0] == '#' || (times_named(name) > 0) != times_excused(name))
            continue;
        fprintf(stderr,
                "sweep: %s is to stand in a sweep, or once with a "
                "reason why there is nothing to fail\n",
                name);
        missing++;
    }
    fclose(symbols);
    return missing;
}

int main(int argc, char **argv)
{
    weir_allocator allocator = WEIR_ALLOCATOR_INIT;
    unsigned long long points;

    if (argc != 2 || count_missing(argv[1]))
        return 1;
    setvbuf(stdout, NULL, _IONBF, 0);
    allocator.allocate = take;
    allocator.release = give_back;
    MUST(weir_set_allocator(&allocator) == WEIR_OK);
    points = run_in_children(&sweep_of_process_start);
    MUST(weir_process_start() == WEIR_OK);
    for (const struct sweep *sweep = sweeps; sweep->calls; sweep++)
        points += run_sweep(sweep);
    printf("%6llu  points in all, of %d allocations\n", points,
           atomic_load(&taken));
    return 0;
}
