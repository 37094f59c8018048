#!/bin/sh
# SPDX-License-Identifier: MIT
# own.sh PARTS FILE [OPTION...] - explores somebody's queue (bench/own_queue.h).
# PARTS is the file that the build wrote: compiler, objects.
# shellcheck disable=SC2154,SC2086 # set in PARTS; lists of words
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
# shellcheck source=/dev/null
. "$1"
file=$2
shift 2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Instrumented, so that its atomics are steps and its plain memory is watched;
# with our locks for its own.
$compiler -std=gnu11 -O1 -g -Wall -D_GNU_SOURCE -fsanitize=thread \
    -I"$here" -I"$root/bench" -include "$here/own/shim.h" \
    -c "$file" -o "$work/own.o"
# Its variables lie together, so that each execution finds them as they were.
objcopy --rename-section .data=own_data \
    --rename-section .bss=own_data,alloc,load,data,contents "$work/own.o"
$compiler "$work/own.o" $explorer $runner $own -o "$work/explore"
"$work/explore" "$@"
