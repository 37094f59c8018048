/* SPDX-License-Identifier: MIT */
/* test_base_processors.c - what a control group grants, on made-up roots. */
#include "base/processors.h"

#include <ftw.h>
#include <limits.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "suite.h"

static char root[64]; /* ends in a slash */

static void setup(void)
{
    strcpy(root, "/tmp/weir-test-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(root));
    strcat(root, "/");
}

static int remove_one(const char *path, const struct stat *info, int flag,
                      struct FTW *where)
{
    (void)info;
    (void)flag;
    (void)where;
    return remove(path);
}

static void teardown(void)
{
    ck_assert_int_eq(nftw(root, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
}

/* Writes a file below the root, with the directories that lead to it. */
static void given(const char *file, const char *text)
{
    char path[PATH_MAX];
    FILE *stream;

    ck_assert_int_lt(snprintf(path, sizeof(path), "%s%s", root, file),
                     (int)sizeof(path));
    for (char *slash = path + strlen(root); (slash = strchr(slash, '/'));
         slash++) {
        *slash = '\0';
        mkdir(path, 0700);
        *slash = '/';
    }
    stream = fopen(path, "w");
    ck_assert_ptr_nonnull(stream);
    ck_assert_int_ge(fputs(text, stream), 0);
    ck_assert_int_eq(fclose(stream), 0);
}

static void assert_quota(uint32_t expected)
{
    ck_assert_uint_eq(weir__processor_quota(root), expected);
}

/* ------------------------------------------------------------- version 2 */

static void given_v2(const char *cpu_max)
{
    given("proc/self/cgroup", "0::/a/b\n");
    given("sys/fs/cgroup/a/b/cpu.max", cpu_max);
}

START_TEST(without_control_groups_there_is_no_limit)
{
    assert_quota(UINT32_MAX);
    given("proc/self/cgroup", "");
    assert_quota(UINT32_MAX);
    given("proc/self/cgroup", "0::/a\n");
    assert_quota(UINT32_MAX);
}
END_TEST

static const struct {
    const char *cpu_max;
    uint32_t quota;
} quotas[] = {
    {"max 100000\n", UINT32_MAX},
    {"100000 100000\n", 1},
    {"150000 100000\n", 2},
    {"200000 100000\n", 2},
    {"200001 100000\n", 3},
    {"1000 100000\n", 1},
    {"50000 25000\n", 2},
    {"800000 100000", 8},
    {"0 100000\n", UINT32_MAX},
    {"-1 100000\n", UINT32_MAX},
    {"100000 0\n", UINT32_MAX},
    {"100000\n", UINT32_MAX},
    {"9223372036854775807 1\n", UINT32_MAX},
    {"garbage\n", UINT32_MAX},
    {"\n", UINT32_MAX},
    {"", UINT32_MAX},
};

START_TEST(a_quota_is_rounded_up_to_whole_processors)
{
    given_v2(quotas[_i].cpu_max);
    assert_quota(quotas[_i].quota);
}
END_TEST

START_TEST(a_stricter_group_further_up_binds)
{
    given_v2("400000 100000\n");
    given("sys/fs/cgroup/a/cpu.max", "200000 100000\n");
    assert_quota(2);
    given("sys/fs/cgroup/a/cpu.max", "max 100000\n");
    assert_quota(4);
    given("sys/fs/cgroup/cpu.max", "100000 100000\n");
    assert_quota(1);
    given("sys/fs/cgroup/a/cpu.max", "900000 100000\n");
    assert_quota(1);
}
END_TEST

START_TEST(the_top_group_may_be_our_own)
{
    given("proc/self/cgroup", "0::/\n");
    given("sys/fs/cgroup/cpu.max", "300000 100000\n");
    assert_quota(3);
}
END_TEST

/* ------------------------------------------------------------- version 1 */

static void given_v1(const char *quota, const char *period)
{
    given("sys/fs/cgroup/cpu/g/cpu.cfs_quota_us", quota);
    given("sys/fs/cgroup/cpu/g/cpu.cfs_period_us", period);
}

START_TEST(version_1_has_a_file_for_each_number)
{
    given("proc/self/cgroup", "11:memory:/g\n4:cpu,cpuacct:/g\n");
    given_v1("250000\n", "100000\n");
    assert_quota(3);
    given_v1("-1\n", "100000\n");
    assert_quota(UINT32_MAX);
    given_v1("garbage\n", "100000\n");
    assert_quota(UINT32_MAX);
    given_v1("250000\n", "\n");
    assert_quota(UINT32_MAX);
}
END_TEST

START_TEST(version_1_without_a_period_is_no_limit)
{
    given("proc/self/cgroup", "4:cpu:/g\n");
    given("sys/fs/cgroup/cpu/g/cpu.cfs_quota_us", "250000\n");
    assert_quota(UINT32_MAX);
}
END_TEST

static const struct {
    const char *controllers;
    bool counts;
} hierarchies[] = {
    {"cpu", true},          {"cpu,cpuacct", true},    {"cpuacct,cpu", true},
    {"cpuset", false},      {"cpuacct", false},       {"cpuset,cpu,x", true},
    {"name=a,cpu2", false}, {"cpuset,memory", false}, {"xcpu,y", false},
};

START_TEST(version_1_is_found_by_its_controller)
{
    char line[64];

    snprintf(line, sizeof(line), "4:%s:/g\n", hierarchies[_i].controllers);
    given("proc/self/cgroup", line);
    given_v1("250000\n", "100000\n");
    assert_quota(hierarchies[_i].counts ? 3 : UINT32_MAX);
}
END_TEST

START_TEST(of_both_versions_the_stricter_binds)
{
    given("proc/self/cgroup", "4:cpu,cpuacct:/g\n0::/a/b\n");
    given("sys/fs/cgroup/a/b/cpu.max", "200000 100000\n");
    given_v1("500000\n", "100000\n");
    assert_quota(2);
    given_v1("100000\n", "100000\n");
    assert_quota(1);
}
END_TEST

START_TEST(lines_that_are_none_are_passed_over)
{
    given("proc/self/cgroup", "nonsense\n7\n:\n::\n4:cpu:/g\n");
    given_v1("250000\n", "100000\n");
    assert_quota(3);
}
END_TEST

START_TEST(a_root_that_is_too_long_is_no_limit)
{
    char far[PATH_MAX];

    memset(far, 'x', sizeof(far));
    far[sizeof(far) - 1] = '\0';
    ck_assert_uint_eq(weir__processor_quota(far), UINT32_MAX);
}
END_TEST

/* ------------------------------------------------------------ this machine */

START_TEST(there_is_a_processor_and_no_more_than_we_may_use)
{
    cpu_set_t mask, one;
    size_t cpu = 0;

    ck_assert_int_eq(sched_getaffinity(0, sizeof(mask), &mask), 0);
    ck_assert_uint_ge(weir__processors(), 1);
    ck_assert_uint_le(weir__processors(), (unsigned)CPU_COUNT(&mask));
    while (!CPU_ISSET(cpu, &mask))
        cpu++;
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    ck_assert_int_eq(sched_setaffinity(0, sizeof(one), &one), 0);
    ck_assert_uint_eq(weir__processors(), 1);
}
END_TEST

int main(void)
{
    const TTest *const groups[] = {
        without_control_groups_there_is_no_limit,
        a_stricter_group_further_up_binds,
        the_top_group_may_be_our_own,
        version_1_has_a_file_for_each_number,
        version_1_without_a_period_is_no_limit,
        of_both_versions_the_stricter_binds,
        lines_that_are_none_are_passed_over,
        a_root_that_is_too_long_is_no_limit,
        there_is_a_processor_and_no_more_than_we_may_use,
        NULL};
    const TTest *const rounding[] = {a_quota_is_rounded_up_to_whole_processors,
                                     NULL};
    const TTest *const finding[] = {version_1_is_found_by_its_controller, NULL};
    const struct chapter chapters[] = {
        {"groups", groups, setup, teardown, 0, 0},
        {"rounding", rounding, setup, teardown,
         sizeof(quotas) / sizeof(quotas[0]), 0},
        {"controllers", finding, setup, teardown,
         sizeof(hierarchies) / sizeof(hierarchies[0]), 0},
        {NULL, NULL, NULL, NULL, 0, 0}};

    return report("base: processors", chapters);
}
