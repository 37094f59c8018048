/* SPDX-License-Identifier: MIT */
/* processors.c - see processors.h. */
#include "base/processors.h"

#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PATH_ROOM = 1024, LINE_ROOM = 512 };

/* The first line of ROOT/GROUPS/PATH/FILE into `line`. */
static int
read_line(char line[LINE_ROOM], const char *directory, const char *file)
{
    char path[PATH_ROOM];
    FILE *stream;
    int found;

    if (snprintf(path, sizeof(path), "%s/%s", directory, file) >=
        (int)sizeof(path))
        return 0;
    stream = fopen(path, "re");
    if (!stream)
        return 0;
    found = fgets(line, LINE_ROOM, stream) != NULL;
    fclose(stream);
    return found;
}

static uint32_t in_processors(long long quota, long long period)
{
    if (quota <= 0 || period <= 0)
        return UINT32_MAX;
    quota = quota / period + (quota % period ? 1 : 0);
    return quota < UINT32_MAX ? (uint32_t)quota : UINT32_MAX;
}

/* What one group grants: cpu.max in version 2, two files in version 1. */
static uint32_t quota_of_group(const char *directory)
{
    char line[LINE_ROOM];
    long long quota, period;
    char *end;

    if (read_line(line, directory, "cpu.max")) {
        quota = strtoll(line, &end, 10);
        return end == line ? UINT32_MAX
                           : in_processors(quota, strtoll(end, NULL, 10));
    }
    if (!read_line(line, directory, "cpu.cfs_quota_us"))
        return UINT32_MAX;
    quota = strtoll(line, NULL, 10);
    if (!read_line(line, directory, "cpu.cfs_period_us"))
        return UINT32_MAX;
    period = strtoll(line, NULL, 10);
    return in_processors(quota, period);
}

/* A quota on any group from ours up to the top binds us. */
static uint32_t quota_upwards(const char *top, char *path)
{
    char directory[PATH_ROOM];
    uint32_t least = UINT32_MAX;

    for (;;) {
        char *slash = strrchr(path, '/');
        uint32_t quota = UINT32_MAX;

        if (snprintf(directory, sizeof(directory), "%s%s", top, path) <
            (int)sizeof(directory))
            quota = quota_of_group(directory);
        if (quota < least)
            least = quota;
        if (!slash)
            return least;
        *slash = '\0';
    }
}

/* Whether "cpu" is one of a list like "cpuacct,cpu". */
static bool names_cpu(const char *controllers)
{
    for (;; controllers++) {
        size_t length = strcspn(controllers, ",");

        if (length == 3 && memcmp(controllers, "cpu", 3) == 0)
            return true;
        controllers += length;
        if (!*controllers)
            return false;
    }
}

/* "0::/path" in version 2, "4:cpu,cpuacct:/path" in version 1. */
static uint32_t quota_of_entry(const char *root, char *entry)
{
    char top[PATH_ROOM];
    char *controllers = strchr(entry, ':');
    char *path = controllers ? strchr(controllers + 1, ':') : NULL;
    const char *mount;

    if (!path)
        return UINT32_MAX;
    *path++ = '\0';
    controllers++;
    path[strcspn(path, "\n")] = '\0';
    if (*controllers == '\0')
        mount = "sys/fs/cgroup";
    else if (names_cpu(controllers))
        mount = "sys/fs/cgroup/cpu";
    else
        return UINT32_MAX;
    if (snprintf(top, sizeof(top), "%s%s", root, mount) >= (int)sizeof(top))
        return UINT32_MAX;
    return quota_upwards(top, path);
}

uint32_t weir__processor_quota(const char *root)
{
    char path[PATH_ROOM], entry[LINE_ROOM];
    uint32_t least = UINT32_MAX;
    FILE *stream;

    if (snprintf(path, sizeof(path), "%sproc/self/cgroup", root) >=
        (int)sizeof(path))
        return least;
    stream = fopen(path, "re");
    if (!stream)
        return least;
    while (fgets(entry, sizeof(entry), stream)) {
        uint32_t quota = quota_of_entry(root, entry);

        if (quota < least)
            least = quota;
    }
    fclose(stream);
    return least;
}

static uint32_t in_affinity_mask(void)
{
    cpu_set_t mask;
    long online;

    /* It fails where there are more than 1024. */
    if (!sched_getaffinity(0, sizeof(mask), &mask)) /* unreached: see there */
        return (uint32_t)CPU_COUNT(&mask);
    online = sysconf(_SC_NPROCESSORS_ONLN);   /* unreached: as above */
    return online > 0 ? (uint32_t)online : 1; /* unreached: as above */
}

uint32_t weir__processors(void)
{
    uint32_t allowed = in_affinity_mask();
    uint32_t quota = weir__processor_quota("/");

    if (quota < allowed)
        allowed = quota;
    return allowed ? allowed : 1;
}

static pthread_once_t asked_once = PTHREAD_ONCE_INIT;
static uint32_t at_first; /* written inside once, read after it */

static void ask(void)
{
    at_first = weir__processors();
}

uint32_t weir__processors_at_first(void)
{
    pthread_once(&asked_once, ask);
    return at_first;
}
