/* SPDX-License-Identifier: MIT */
/* stamp.c - see stamp.h. */
#include "base/stamp.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>
#if defined(__x86_64__)
# include <cpuid.h>
#endif

#include "base/annotate.h"
#include "base/clock.h"
#include "base/ticks.h"

/* Of so many looks the shortest counts. */
enum { LOOKS = 3 };

static pthread_once_t looked_into = PTHREAD_ONCE_INIT;
static bool is_trusted; /* read-only afterwards */
static _Alignas(WEIR__APART) struct weir__ticks counter;

#if defined(__x86_64__)
# define POWER_LEAF    0x80000007U
# define INVARIANT_BIT (1U << 8)

static inline uint64_t count_now(void)
{
    return __builtin_ia32_rdtsc();
}

static bool keeps_its_pace(void)
{
    unsigned a, b, c, d;

    return __get_cpuid(POWER_LEAF, &a, &b, &c, &d) && (d & INVARIANT_BIT);
}
#elif defined(__aarch64__)
static inline uint64_t count_now(void)
{
    uint64_t count;

    __asm__ volatile("mrs %0, cntvct_el0" : "=r"(count));
    return count;
}

static bool keeps_its_pace(void)
{
    return true;
}
#else
static inline uint64_t count_now(void)
{
    return 0;
}

static bool keeps_its_pace(void)
{
    return false;
}
#endif

/* Those of the kernel's clocks that read the counter, with a guest's share in
 * its host's. */
static bool is_the_kernels(void)
{
    static const char *const readers[] = {"tsc\n", "kvm-clock\n",
                                          "hyperv_clocksource_tsc_page\n",
                                          "arch_sys_counter\n"};
    char name[64] = "";
    int fd = open("/sys/devices/system/clocksource/clocksource0/"
                  "current_clocksource",
                  O_RDONLY | O_CLOEXEC);
    bool found = false;

    if (fd < 0)
        return false;
    if (read(fd, name, sizeof(name) - 1) > 0)
        for (size_t i = 0; i < sizeof(readers) / sizeof(readers[0]); i++)
            found |= strcmp(name, readers[i]) == 0;
    close(fd);
    return found;
}

static void look_into(void)
{
    int before = errno;

    is_trusted = keeps_its_pace() && is_the_kernels();
    errno = before;
}

void weir__stamp_prepare(void)
{
    pthread_once(&looked_into, look_into);
}

/* The counter between two looks at the clock, as close as they come. */
static void look_at_both(struct weir__ticks *of)
{
    int64_t least_ns = WEIR__LOOK_NS, ns = 0;
    uint64_t ticks = 0;

    for (int i = 0; i < LOOKS; i++) {
        int64_t before_ns = weir__now();
        uint64_t now = count_now();
        int64_t took_ns = weir__now() - before_ns;

        if (took_ns < least_ns) {
            least_ns = took_ns;
            ns = before_ns + took_ns / 2;
            ticks = now;
        }
    }
    weir__ticks_look(of, ticks, ns);
}

/* There is no line, or it has ended.  Apart, so that a stamp needs no stack. */
static WEIR_APART int64_t stamp_by_clock(void)
{
    int64_t now_ns = weir__now();

    if (!weir__ticks_begin(&counter, now_ns))
        return now_ns;
    look_at_both(&counter);
    weir__ticks_read(&counter, count_now(), &now_ns); /* from now on by it */
    return now_ns;
}

int64_t weir__stamp(void)
{
    int64_t ns;

    if (!is_trusted || weir__clock_source())
        return weir__now();
    if (WEIR_RARELY(!weir__ticks_read(&counter, count_now(), &ns)))
        return stamp_by_clock();
    return ns;
}
