/* SPDX-License-Identifier: MIT */
/* memory.c - what of this process is resident. */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "billion.h"

/* What a file of /proc says, as a string. */
static bool read_text(const char *path, char *text, size_t room)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, text, room - 1);

    if (fd >= 0)
        close(fd);
    text[n > 0 ? n : 0] = '\0';
    return n > 0;
}

/*
 * Code counts as resident from the moment when it first runs, 64 KiB at a time:
 * a producer that waits for the first time after an hour would look like a
 * leak.  So all of it is read once before anything is looked at, what a
 * sanitizer put between variables too.
 */
__attribute__((no_sanitize_address)) void memory_settle(void)
{
    FILE *maps = fopen("/proc/self/maps", "re");
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    char line[512];

    while (maps && fgets(line, sizeof(line), maps)) {
        uintptr_t from, to;
        char mode[5];

        if (sscanf(line, "%" SCNxPTR "-%" SCNxPTR " %4s", &from, &to, mode) !=
                3 ||
            mode[0] != 'r' || !strchr(line, '/'))
            continue;
        for (; from < to; from += page)
            (void)*(const volatile char *)from;
    }
    if (maps)
        fclose(maps);
}

/*
 * smaps_rollup walks the pages and is exact.  What statm says is added up from
 * a count per processor, which may lag behind by some hundred KiB: it is for
 * kernels that have no smaps_rollup.
 */
uint64_t memory_kib(void)
{
    char text[2048];
    const char *at;

    if (read_text("/proc/self/smaps_rollup", text, sizeof(text))) {
        at = strstr(text, "\nRss:");
        if (at)
            return strtoull(at + 5, NULL, 10);
    }
    if (!read_text("/proc/self/statm", text, sizeof(text)))
        return 0;
    at = strchr(text, ' ');
    return at ? strtoull(at, NULL, 10) * (uint64_t)sysconf(_SC_PAGESIZE) / 1024
              : 0;
}
