/* SPDX-License-Identifier: MIT */
/* values.c - what may stand behind an option. */
#include "values.h"

#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Longer than anybody waits, and far from the end of an int64_t. */
#define LONGEST_NS 3.15e18

/* Further digits tell nothing, and with hundreds of them both the number and
 * the place would be infinite. */
#define LAST_PLACE 1e18

static const char *read_decimal(const char *text, double *out);
static const char *read_unit(const char *text, double *unit_ns);
static const char *read_whole(const char *text, uint64_t *out);
static bool read_escape(const char *text, char *out);
static bool read_digits(const char *text, int base, size_t most, char *out);

/* -------------------------------------------------------------- durations */

bool value_duration(const char *text, int64_t *out)
{
    /* Only a number that stands alone may lack its unit: nobody can say what
     * the 30 in 1h30 is. */
    bool bare = text[strspn(text, "0123456789.")] == '\0';
    const char *at = text;
    double sum = 0;

    do {
        double number, unit = 1e9;

        at = read_decimal(at, &number);
        if (at && !bare)
            at = read_unit(at, &unit);
        if (!at || (bare && *at != '\0'))
            return false;
        sum += number * unit;
    } while (*at != '\0');

    if (sum > LONGEST_NS)
        return false;
    *out = (int64_t)(sum + 0.5);
    return true;
}

/* Digits with at most one point; strtod would also take "inf" and "0x1p3". */
static const char *read_decimal(const char *text, double *out)
{
    double number = 0, place = 1;
    bool point = false, digits = false;

    for (; (*text >= '0' && *text <= '9') || (*text == '.' && !point); text++) {
        if (*text == '.') {
            point = true;
            continue;
        }
        digits = true;
        if (place >= LAST_PLACE)
            continue;
        number = number * 10 + (*text - '0');
        if (point)
            place *= 10;
    }
    *out = number / place;
    return digits ? text : NULL;
}

static const char *read_unit(const char *text, double *unit_ns)
{
    /* "ms" before "m", or its s would be left over. */
    static const struct {
        const char *name;
        double ns;
    } units[] = {{"ms", 1e6}, {"us", 1e3},   {"s", 1e9},
                 {"m", 60e9}, {"h", 3600e9}, {"d", 86400e9}};

    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        size_t length = strlen(units[i].name);

        if (strncmp(text, units[i].name, length) == 0) {
            *unit_ns = units[i].ns;
            return text + length;
        }
    }
    return NULL;
}

bool value_backoff(const char *text, struct backoff *out)
{
    struct backoff read = {0, 0, 0};
    char *copy = strdup(text), *factor, *cap = NULL;
    bool good;

    if (!copy)
        return false;
    factor = strchr(copy, ',');
    if (factor)
        *factor++ = '\0';
    if (factor && (cap = strchr(factor, ',')))
        *cap++ = '\0';

    good = value_duration(copy, &read.base_ns);
    if (good && factor) {
        const char *end = read_decimal(factor, &read.factor);

        good = end && *end == '\0' && read.factor >= 1 && read.factor <= 1e6;
    }
    if (good && cap)
        good = value_duration(cap, &read.cap_ns) && read.cap_ns >= read.base_ns;
    free(copy);
    if (good)
        *out = read;
    return good;
}

/* ---------------------------------------------------------------- numbers */

static const char *read_whole(const char *text, uint64_t *out)
{
    uint64_t number = 0;
    const char *at = text;

    for (; *at >= '0' && *at <= '9'; at++) {
        if (number > (UINT64_MAX - 9) / 10)
            return NULL;
        number = number * 10 + (uint64_t)(*at - '0');
    }
    *out = number;
    return at > text ? at : NULL;
}

bool value_size(const char *text, size_t *out)
{
    static const char suffixes[] = "KMG";
    uint64_t number;
    const char *at = read_whole(text, &number), *suffix;
    unsigned shift = 0;

    if (!at || number == 0)
        return false;
    if (*at != '\0') {
        suffix = strchr(suffixes, *at++);
        if (!suffix || *at != '\0')
            return false;
        shift = 10 * (unsigned)(suffix - suffixes + 1);
    }
    /* Eight times the size is reckoned with when output is spilled. */
    if (number > (SIZE_MAX >> 4) >> shift)
        return false;
    *out = (size_t)number << shift;
    return true;
}

bool value_count(const char *text, uint32_t most, uint32_t *out)
{
    uint64_t number;
    const char *at = read_whole(text, &number);

    if (!at || *at != '\0' || number == 0 || number > most)
        return false;
    *out = (uint32_t)number;
    return true;
}

bool value_jobs(const char *text, uint32_t *out)
{
    bool more = *text == '+', less = *text == '-';
    uint64_t number, processors = usable_processors();
    const char *at = read_whole(text + (more || less), &number);
    bool share = at && *at == '%';

    if (!at || at[share] != '\0' || (share && (more || less)))
        return false;
    if (number > JOBS_MAX)
        return false;
    if (more)
        number += processors;
    else if (less)
        number = number < processors ? processors - number : 1;
    else if (share)
        number = number * processors / 100;
    else if (number == 0)
        number = JOBS_MANY;
    if (number > JOBS_MAX)
        return false;
    *out = number ? (uint32_t)number : 1;
    return true;
}

uint32_t usable_processors(void)
{
    cpu_set_t set;
    long online;

    if (sched_getaffinity(0, sizeof(set), &set) == 0)
        return (uint32_t)CPU_COUNT(&set);
    /* More processors than a cpu_set_t holds. */
    online = sysconf(_SC_NPROCESSORS_ONLN);
    return online > 0 ? (uint32_t)online : 1;
}

/* -------------------------------------------------------------- delimiter */

bool value_delimiter(const char *text, char *out)
{
    if (text[0] != '\0' && text[1] == '\0') {
        *out = text[0];
        return true;
    }
    return text[0] == '\\' && read_escape(text + 1, out);
}

static bool read_escape(const char *text, char *out)
{
    static const char names[] = "abfnrtv\\";
    static const char bytes[] = "\a\b\f\n\r\t\v\\";
    const char *name = strchr(names, *text);

    if (*text == 'x')
        return read_digits(text + 1, 16, 2, out);
    if (*text >= '0' && *text <= '7')
        return read_digits(text, 8, 3, out);
    if (*text == '\0' || !name || text[1] != '\0')
        return false;
    *out = bytes[name - names];
    return true;
}

static bool read_digits(const char *text, int base, size_t most, char *out)
{
    const char *allowed = base == 8 ? "01234567" : "0123456789abcdefABCDEF";
    size_t length = strlen(text);
    long number;

    if (length == 0 || length > most || strspn(text, allowed) != length)
        return false;
    number = strtol(text, NULL, base);
    if (number > 255)
        return false;
    *out = (char)number;
    return true;
}
