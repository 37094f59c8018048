#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# run.sh - what the command line promises, one sentence per check.
#
#   run.sh WEIR [HELPER]          all checks
#   run.sh WEIR HELPER CHECK      one of them, in the current directory
#
# A check is a function test_... in one of the files below; its name is a
# sentence that is true.  Each runs in a bash and a directory of its own, and
# has failed when it says why, or takes too long: WEIR_TEST_SLOW=10 gives it ten
# times as long.  HELPER is the program made from helper.c; without it cc makes
# it.

set -u -o pipefail
shopt -s lastpipe # so that "printf ... | run" sets $rc here

here=$(cd "$(dirname "$0")" && pwd)
files=("$here"/usage.sh "$here"/records.sh "$here"/output.sh
    "$here"/ending.sh "$here"/signals.sh "$here"/report.sh)
limit=$((30 * ${WEIR_TEST_SLOW:-1}))

# ---------------------------------------------------------------- for checks

# fail WHY: ends the check, and what it has started.
fail() {
    printf '%s\n' "$*" >&3
    if [ -n "${pid-}" ]; then
        kill -TERM "$pid" && sleep 0.1 && kill -TERM "$pid"
    fi
    exit 1
}

# skip WHY: ends the check, loudly, as neither true nor false.
skip() {
    printf '%s\n' "$*" >&3
    exit 77
}

# expect WHAT IS WANTED
expect() {
    [ "$2" = "$3" ] || fail "$1 is '$2', not '$3'"
}

# same FILE FILE: byte for byte.
same() {
    cmp -s "$1" "$2" || fail "$1 is not $2: $(cmp "$1" "$2" 2>&1)"
}

# has FILE PATTERN: some line matches the basic regular expression.
has() {
    grep -q -e "$2" "$1" || fail "$1 lacks '$2'; it is: $(head -c 300 "$1")"
}

# lacks FILE PATTERN
lacks() {
    ! grep -q -e "$2" "$1" || fail "$1 has '$2': $(grep -e "$2" "$1" | head -3)"
}

# lines FILE: how many.
lines() {
    wc -l <"$1" | tr -d ' '
}

# wait_until WHAT COMMAND...: until it succeeds; a hang detector of 20 s.
wait_until() {
    local what=$1 tries=$((1000 * ${WEIR_TEST_SLOW:-1}))
    shift
    until "$@"; do
        tries=$((tries - 1))
        [ "$tries" -gt 0 ] || fail "waited in vain until $what"
        sleep 0.02
    done
}

# has_lines FILE N: it is there and has N lines or more.
has_lines() {
    [ -e "$1" ] && [ "$(lines "$1")" -ge "$2" ]
}

# is_gone PID: it has ended; a zombie has.
is_gone() {
    case $(sed -n 's/^State:[[:space:]]*\(.\).*/\1/p' "/proc/$1/status" \
        2>/dev/null) in
    '' | Z | X) return 0 ;;
    esac
    return 1
}

# run ARG...: weir run with these, output in `out`, errors in `err`, its exit
# status in $rc.  Standard input is the caller's.
run() {
    "$weir" run "$@" >out 2>err
    rc=$?
}

# start ARG...: the same, but in the background as $pid, with signals as usual.
# Descriptor 4 is the check's own end of a pipe that it reads.
start() {
    # Without the <&0 bash would give it /dev/null.
    "$helper" default "$weir" run "$@" <&0 >out 2>err 4>&- &
    pid=$!
}

# finish: waits for what start has started.
finish() {
    wait "$pid"
    rc=$?
}

# ---------------------------------------------------------------- the driver

for file in "${files[@]}"; do
    # shellcheck source=/dev/null
    . "$file"
done

if [ $# -eq 3 ]; then
    weir=$1 helper=$2
    exec 3>&1 >/dev/null 2>/dev/null </dev/null
    "$3"
    exit 0
fi

if [ $# -lt 1 ] || [ $# -gt 2 ] || [ ! -x "$1" ]; then
    echo "usage: run.sh WEIR [HELPER]" >&2
    exit 2
fi
weir=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
scratch=$(mktemp -d) || exit 2
trap 'rm -rf "$scratch"' EXIT
helper=${2:-$scratch/helper}
if [ $# -eq 1 ]; then
    ${CC:-cc} -std=c11 -D_GNU_SOURCE -o "$helper" "$here/helper.c" -lutil ||
        exit 2
else
    helper=$(cd "$(dirname "$2")" && pwd)/$(basename "$2")
fi

count=0 failures=0
while read -r check; do
    name=${check#test_}
    name=${name//_/ }
    mkdir "$scratch/$check" && cd "$scratch/$check" || exit 2
    # Into a file: what a check leaves running would keep a pipe open.
    timeout -s KILL "$limit" bash "$here/run.sh" "$weir" "$helper" "$check" \
        >../why
    rc=$?
    why=$(tr '\n' ' ' <../why)
    count=$((count + 1))
    case $rc in
    0) echo "ok $name" ;;
    77) echo "ok $name # SKIPPED: $why" ;;
    124 | 137) failures=$((failures + 1)) && echo "FAIL $name: takes too long" ;;
    *) failures=$((failures + 1)) && echo "FAIL $name: $why" ;;
    esac
    cd "$scratch" && rm -rf "${scratch:?}/$check"
done < <(sed -n 's/^\(test_[a-z0-9_]*\)().*/\1/p' "${files[@]}")

echo "cli: $count checks, $failures failures"
[ "$failures" -eq 0 ]
