#!/bin/sh
# SPDX-License-Identifier: MIT
# run.sh [musl] [one] - builds the unit tests for another C
# library, or runs ours on one processor, and prints a table at
# the end; exits with 0 only if all of it passed.  Called by ./dev portability,
# which has installed what it takes.
set -eu
cd "$(dirname "$0")/../.."
checks=$(pwd)/build/portability-check
jobs=$(getconf _NPROCESSORS_ONLN)
table=$(mktemp)
trap 'rm -f "$table"' EXIT
bad=0

die() { printf 'portability: %s\n' "$*" >&2; exit 1; }

# What ctest says of it becomes a line of the table; "Not run" never passes.
unit_tests() { # TARGET PRESET COMMAND...
    target=$1
    folder=build/$2
    shift 2
    log=$folder/portability.log
    printf '\n== %s: the unit tests\n' "$target"
    ended=0
    "$@" ctest --test-dir "$folder" -L unit -j "$jobs" --output-on-failure \
        >"$log" 2>&1 || ended=$?
    [ "$ended" -eq 0 ] || { bad=1; tail -n 60 "$log"; }
    awk -v target="$target" -v ended="$ended" '
        /tests passed,/ { failed = $4; of = $NF }
        /\*\*\*Skipped/ { skipped++ }
        END { if (of == "") { of = 0; failed = "all" }
            printf "%-9s %6d %7s %8d  %s\n", target, of - failed - skipped, failed, skipped,
                ended ? "see build" : "passed" }' "$log" >>"$table"
}

other() { # TARGET COMPILER [FLAGS]
    printf '\n== %s: Check, the library, its tests\n' "$1"
    sh tests/portability/check.sh "$checks/$1" "$2" "${3-}" || { broken "$1" "no Check"; return; }
    preset=portability-$1
    mkdir -p "build/$preset"
    log=build/$preset/build.log
    if ! { cmake --preset "$preset" \
        && cmake --build "build/$preset" -j "$jobs" --target unit_programs; } >"$log" 2>&1; then
        grep -A 6 -E 'error|FAILED' "$log" | head -n 60
        broken "$1" "does not build: $log"
        return
    fi
    unit_tests "$1" "$preset"
}

broken() {
    printf '%-9s %6s %7s %8s  %s\n' "$1" - - - "$2" >>"$table"
    bad=1
}

for target; do
    case $target in
    musl) other musl musl-gcc ;;
    one) unit_tests one dev taskset -c "$(taskset -cp $$ | sed 's/.*: //; s/[-,].*//')" ;;
    *) die "there is no target '$target'; these there are: musl one" ;;
    esac
done
printf '\n%-9s %6s %7s %8s\n' target passed failed skipped
cat "$table"
exit "$bad"
