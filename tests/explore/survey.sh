#!/bin/sh
# SPDX-License-Identifier: MIT
# survey.sh [--only 'GLOB...'] [--all] - which mutants the other tests let pass.
#
# Breaks a copy of the tree with each patch of mutants/ in turn and runs what
# tests the queue, or the pool if only that is broken, but for the explorer; with
# --all, all the other tests too.
# Prints for each "survives" or in which test it dies, and complains of those
# whose head says "Survives: ./dev test" and that do not.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
only='*'

# The tests that look at the queue, or at the pool: programs of the same names.
of_the_queue='test_eventcount test_park test_ring test_ring_flags test_queue
    test_queue_batches test_queue_close test_queue_pills test_queue_policies
    test_queue_wait test_queue_wake test_queue_threads test_producers_queue
    stress_queue stress_queue_moved stress_queue_idle races_queue'
of_the_pool=$(cd "$root/tests" && printf '%s\n' test_pool*.c test_future*.c \
    test_task*.c stress/stress_pool*.c stress/stress_future*.c \
    | sed 's/.*\///; s/\.c$//')
all=
while [ $# -gt 0 ]; do
    case $1 in
    --only) only=$2; shift 2 ;;
    --all) all=1; shift ;;
    *) printf 'survey.sh: %s?\n' "$1" >&2; exit 2 ;;
    esac
done
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
copy=$work/tree

die() { printf 'survey.sh: %s\n' "$*" >&2; exit 1; }

build() { # TARGET...
    # shellcheck disable=SC2086
    cmake --build "$copy/build/dev" -j 2 ${1+--target} "$@" >"$work/log" 2>&1
}

run() { # CTEST OPTION...
    ctest --test-dir "$copy/build/dev" --stop-on-failure "$@" \
        >"$work/log" 2>&1
}

died_in() { sed -n 's/^[ 0-9/]*Test *#[0-9]*: *\([a-z_0-9]*\) .*\*\*\*.*/\1/p' "$work/log" | head -1; }

wanted() { # NAME
    set -f
    for glob in $only; do
        # shellcheck disable=SC2254
        case $1 in $glob) set +f; return 0 ;; esac
    done
    set +f
    return 1
}

targets_for() { # PATCH
    if [ -n "$all" ]; then
        return
    elif grep '^+++ ' "$1" | grep -qv ' b/lib/\(pool\|task\|observe\)/'; then
        echo "$of_the_queue"
    else
        echo "$of_the_pool"
    fi
}

# Prints how it ended.
try() { # PATCH
    targets=$(targets_for "$1")
    # shellcheck disable=SC2086
    if ! patch -s -p1 -d "$copy" <"$1" >/dev/null; then
        echo "does not apply"
    elif ! build $targets; then
        echo "does not compile"
    elif ! run ${targets:+-R "^($(echo $targets | tr ' ' '|'))\$"} -LE explore; then
        echo "dies in $(died_in)"
    else
        echo survives
    fi
}

mkdir "$copy"
(cd "$root" && git ls-files -co --exclude-standard | tar -cf - -T -) \
    | tar -xf - -C "$copy"
(cd "$copy" && cmake --preset dev -DCMAKE_C_FLAGS=-w) >"$work/log" 2>&1 \
    || die "configuring failed"
cp -r "$copy/lib" "$work/lib"

wrong=0 survivors=0 count=0
for patch in "$here"/mutants/*.patch; do
    name=$(basename "$patch" .patch)
    wanted "$name" || continue
    end=$(try "$patch")
    printf '%-34s %s\n' "$name" "$end"
    [ "$end" = survives ] && survivors=$((survivors + 1))
    count=$((count + 1))
    if grep -q '^Survives: \./dev test' "$patch" && [ "$end" != survives ]; then
        wrong=$((wrong + 1))
        printf 'survey: %s is said to survive\n' "$name"
    fi
    # What is as it was keeps its time, or all would be built again.
    (cd "$work/lib" && find . -type f) | while read -r file; do
        cmp -s "$work/lib/$file" "$copy/lib/$file" || cp "$work/lib/$file" "$copy/lib/$file"
    done
done
[ "$count" -gt 0 ] || die "no mutant is called $only"
printf 'survey: %d of %d survive, %d of them against what their heads say\n' \
    "$survivors" "$count" "$wrong"
[ "$wrong" -eq 0 ]
