#!/usr/bin/env bash
# shellcheck disable=SC2016,SC2154
# SPDX-License-Identifier: MIT
#
# commands.sh - what ./dev bench's own commands promise: billion, compare, report.
#
#   commands.sh WEIR_BENCH          all checks
#   commands.sh WEIR_BENCH CHECK    one of them, in the current directory
#
# checks.sh has what a check is.  $WEIR_CC is how the library was compiled,
# $WEIR_LIBRARY what came out, $WEIR_SANITIZED is not empty if it is watched.

set -u -o pipefail

here=$(cd "$(dirname "$0")" && pwd)
root=$here/../..
# shellcheck source=tests/bench/checks.sh
. "$here/checks.sh"

# ---------------------------------------------------------------- for checks

# passes STATUS ARG...: billion with these ends so; output in `out`.
passes() {
    local status=$1
    shift
    "$billion" "$@" >out 2>err
    expect "exit status of '$*'" $? "$status"
}

# refused NEEDLE COMMAND ARG...: it says so, with exit status 2 and no output.
refused() {
    local needle=$1
    shift
    "$@" >out 2>err
    expect "exit status of '$*'" $? 2
    grep -qF -e "$needle" err || fail "'$*' says '$(cat err)', not '$needle'"
    expect "output of '$*'" "$(cat out)" ""
}

# ------------------------------------------------------------------- billion

# A sanitizer keeps memory of its own.
growth=()
[ -z "${WEIR_SANITIZED-}" ] || growth=(--growth 1000000)

test_a_million_tasks_leave_memory_and_ledger_as_they_should_be() {
    local tasks=1000000
    [ "$slow" -eq 1 ] || tasks=100000
    passes 0 --tasks $tasks "${growth[@]}" --json line
    expect "errors" "$(cat err)" "" # no terminal, no progress
    has out '^  time  *[0-9.]* s: [0-9.]* ns a task'
    has out '^  memory  *right:'
    has out "^  items  *right: $tasks came out"
    has out "^  ledger  *right: accepted $tasks, done $tasks, balances$"
    has line "\"tasks\":$tasks,.*\"memory\":true,\"items\":true,\"ledger\":true}$"
}

test_every_way_passes_every_task() {
    local way producers
    for way in many submit copy run; do
        for producers in 1 2; do
            passes 0 --way $way --producers $producers --workers 3 \
                --tasks 10007 --growth 1000000
            has out '^  items  *right: 10007 came out'
            has out '^  ledger  *right:'
        done
    done
}

test_progress_is_shown_on_a_terminal() {
    command -v script >/dev/null || skip "there is no script(1)"
    script -qec "'$billion' --tasks 100000 --growth 1000000" /dev/null >seen \
        || fail "under script: $(head -c 300 seen)"
    has seen '% .* million tasks, .* million/s, [0-9]* KiB'
}

# changed SED-SCRIPT: a billion with something wrong in work.c.
changed() {
    mkdir -p "$PWD/bench/billion" "$PWD/bench/driver"
    cp "$root"/bench/billion/* bench/billion/
    cp "$root/bench/driver/work.h" bench/driver/
    sed -e "$1" "$root/bench/billion/work.c" >bench/billion/work.c
    ! cmp -s "$root/bench/billion/work.c" bench/billion/work.c \
        || fail "nothing was changed in work.c"
    # shellcheck disable=SC2086
    ${WEIR_CC:-cc -O1} -D_GNU_SOURCE -I"$root/include" -o changed \
        bench/billion/*.c "$WEIR_LIBRARY" -pthread 2>why \
        || fail "the changed billion does not compile: $(head -c 300 why)"
    billion=$PWD/changed
}

test_memory_that_grows_is_an_error() {
    [ -z "${WEIR_SANITIZED-}" ] || skip "a sanitizer keeps memory of its own"
    changed 's/^#include <weir.h>/#include <stdlib.h>\
&/
        s/    note(weir_task_worker(task), (uintptr_t)item);/&\
        if ((uintptr_t)item % 1000 == 0 \&\& !calloc(1, 4000)) return 1;/'
    passes 1 --tasks 200000
    has out '^  memory  *WRONG:'
    has out '^  items  *right:'
    passes 0 --tasks 200000 --growth 10000
}

test_a_lost_task_is_an_error() {
    changed 's/^    mine->sum += number;/    if (number != 77) &/'
    passes 1 --tasks 20000 --growth 1000000
    has out '^  items  *WRONG: 20000 came out'
    has out '^  ledger  *right:'
}

test_tasks_that_change_places_are_found_by_the_hash() {
    # 7 and 9 in place of 8 and 8: count and sum are right.
    changed 's/^    struct seen \*mine = .*/&\
        if (number == 7 || number == 9) number = 8;/'
    passes 1 --tasks 20000 --growth 1000000
    has out '^  items  *WRONG: 20000 came out'
}

test_a_ledger_that_does_not_balance_is_an_error() {
    changed 's/^    all.out->ledger = stats.ledger;/& all.out->ledger.done--;/'
    passes 1 --tasks 20000 --growth 1000000 --json line
    has out '^  ledger  *WRONG: accepted 20000, done 19999, does not balance'
    has out '^  items  *right:'
    has line '"ledger":false}$'
}

test_billion_refuses_what_it_does_not_know() {
    refused "--tasks '9': not a number for it; write 10000 to" "$billion" \
        --tasks 9
    refused "--way 'by': not a way; write many, submit" "$billion" --way by
    refused "--producers '17': not a number" "$billion" --producers 17
    refused "--colour: not an option" "$billion" --colour
    refused "--tasks: needs a value" "$billion" --tasks
    refused "'1000': it takes options alone" "$billion" 1000
}

# ---------------------------------------------------------------- the driver

if [ $# -lt 1 ] || [ ! -x "$1" ]; then
    echo "usage: commands.sh WEIR_BENCH" >&2
    exit 2
fi
weir_bench=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
billion=$(dirname "$weir_bench")/billion
if [ $# -eq 2 ]; then
    exec 3>&1 >/dev/null 2>/dev/null </dev/null
    "$2"
    exit 0
fi
run_checks commands "$here/commands.sh" "$weir_bench"
