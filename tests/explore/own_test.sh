#!/bin/sh
# SPDX-License-Identifier: MIT
# own_test.sh PARTS - what docs/own-queue.md shows is so: a queue without a bug
# passes; each bug is found, and found again by the replay that is printed.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
parts=$1
said=$(mktemp)
trap 'rm -f "$said"' EXIT
export WEIR_EXPLORE_COMMAND=again

die() { cat "$said"; printf 'own_test.sh: %s\n' "$*" >&2; exit 1; }

explore() { # FILE OPTION...
    file=$1
    shift
    status=0
    sh "$here/own.sh" "$parts" "$root/$file" "$@" >"$said" 2>&1 || status=$?
}

explore bench/own_example.c --quiet --count 200000
[ "$status" -eq 0 ] || die "bench/own_example.c ended with $status"

found() { # FILE WORDS
    explore "$1" --quiet
    [ "$status" -eq 1 ] || die "$1 ended with $status"
    grep -q "^explore: FOUND in .*$2" "$said" || die "$1: not '$2'"
    again=$(sed -n 's/^  to see it:  again //p' "$said")
    # shellcheck disable=SC2086 # words
    explore "$1" $again
    [ "$status" -eq 1 ] || die "$1 $again ended with $status"
    tail -1 "$said" | grep -q "$2" || die "$1 $again: not '$2'"
    echo "$1: $(tail -1 "$said")"
}

found docs/examples/own/if_for_while.c '0 is got, which nobody put'
found docs/examples/own/signal_for_broadcast.c 'deadlock: nobody can go on'
found docs/examples/own/check_outside.c 'is got, which nobody put'
