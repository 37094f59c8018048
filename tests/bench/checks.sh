# shellcheck shell=bash disable=SC2154
# SPDX-License-Identifier: MIT
#
# checks.sh - what checks say with, and what runs them; sourced by run.sh and
# commands.sh.
#
# A check is a function test_...; its name is a sentence that is true.  Each
# runs in a bash and a directory of its own, and has failed when it says why,
# or takes too long: WEIR_TEST_SLOW=10 gives it ten times as long.

slow=${WEIR_TEST_SLOW:-1}
limit=$((120 * slow))

fail() {
    printf '%s\n' "$*" >&3
    exit 1
}

skip() {
    printf '%s\n' "$*" >&3
    exit 77
}

# expect WHAT IS WANTED
expect() {
    [ "$2" = "$3" ] || fail "$1 is '$2', not '$3'"
}

# has FILE PATTERN: some line matches the basic regular expression.
has() {
    grep -q -e "$2" "$1" || fail "$1 lacks '$2'; it is: $(head -c 400 "$1")"
}

# lacks FILE PATTERN
lacks() {
    ! grep -q -e "$2" "$1" || fail "$1 has '$2': $(grep -e "$2" "$1" | head -3)"
}

# run_checks NAME SCRIPT WEIR_BENCH: all checks of a script.
run_checks() {
    local name=$1 script=$2 program=$3 count=0 failures=0 scratch check rc why
    scratch=$(mktemp -d) || exit 2
    # shellcheck disable=SC2064
    trap "rm -rf '$scratch'" EXIT
    while read -r check; do
        local sentence=${check#test_}
        sentence=${sentence//_/ }
        mkdir "$scratch/$check" && cd "$scratch/$check" || exit 2
        timeout -s KILL "$limit" bash "$script" "$program" "$check" >../why
        rc=$?
        why=$(tr '\n' ' ' <../why)
        count=$((count + 1))
        case $rc in
        0) echo "ok $sentence" ;;
        77) echo "ok $sentence # SKIPPED: $why" ;;
        124 | 137)
            failures=$((failures + 1))
            echo "FAIL $sentence: takes too long" ;;
        *) failures=$((failures + 1)) && echo "FAIL $sentence: $why" ;;
        esac
        cd "$scratch" && rm -rf "${scratch:?}/$check"
    done < <(sed -n 's/^\(test_[a-z0-9_]*\)().*/\1/p' "$script")
    echo "$name: $count checks, $failures failures"
    [ "$failures" -eq 0 ]
}
